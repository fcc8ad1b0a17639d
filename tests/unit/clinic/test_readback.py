"""The read-back: plain words only, every number as it should be written, everything that was said in it."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from careline.clinic.medications.dosage import understand
from careline.clinic.medications.medicines import find_in, medicines, recognise
from careline.clinic.medications.readback import read_back, say

NOW = datetime(2026, 12, 1, 7, 0)
# Joint Commission and ISMP: what must never be shown.
ERROR_PRONE = re.compile(
    r"(?<!\d)\.\d|\d\.0(?!\d)|\b(?:q\.?d|qod|o\.?d|b\.?d|bid|tds|tid|qds|qid|hs|prn|iu|u|mcg|ug|po|ou|os|biw)\b|µ|tsp",
    re.I,
)


@pytest.mark.parametrize(
    ("sig", "words"),
    [
        ("1 tab bd", "1 tablet, twice a day, at 8:00 and 20:00, from Tue 1 Dec, no end date"),
        ("take .5 mg at night", "0.5 mg, once a day, at 22:00, from Tue 1 Dec, no end date"),
        ("100 µg qd", "100 micrograms, once a day, at 8:00, from Tue 1 Dec, no end date"),
        (
            "2 drops ou qid",
            "2 drops, 4 times a day, at 8:00, 12:00, 18:00 and 22:00, in both eyes, from Tue 1 Dec, no end date",
        ),
        ("10 IU sc nocte", "10 units, once a day, at 22:00, injected under the skin, from Tue 1 Dec, no end date"),
        ("1 tab weekly on Fridays", "1 tablet, ONCE A WEEK, on Fridays, at 8:00, from Fri 4 Dec, no end date"),
        (
            "2 in the morning and 1 at night",
            "2 at 8:00 and 1 at 22:00, every day, from Tue 1 Dec, no end date",
        ),
        (
            "20mg x5d then 10mg x5d",
            "20 mg, once a day, at 8:00, for 5 days (Tue 1 Dec to Sat 5 Dec), then 10 mg, once a day, "
            "at 8:00, for 5 days (Sun 6 Dec to Thu 10 Dec)",
        ),
        (
            "1-2 tabs every 4 hours prn for pain max 8 a day",
            "1 to 2 tablets when needed for pain, at least 4 hours apart, no more than 8 in 24 hours",
        ),
        ("1 tab qod", "1 tablet, every other day, at 8:00, from Tue 1 Dec, no end date"),
        (
            "1 tab every 8 hours for 7 days",
            "1 tablet, every 8 hours, starting at 8:00, from Tue 1 Dec to Tue 8 Dec (21 doses in all)",
        ),
    ],
)
def test_it_says_what_was_understood(sig: str, words: str) -> None:
    assert say(understand(sig, NOW)) == words


SIGS = (
    "1 tab bd|2 puffs qid prn|10 units sc nocte|1 drop ou tds|1 tab od 2/52|5ml spoon tds|1 qod|1 cap hs|"
    "0.5 tab daily|40mg x5d then 20mg x5d|3 weeks on 1 week off|1 tab q6h x 10 doses|1-0-1|100 mcg mane|"
    "1 tab tiw mon wed fri|5.0 mg daily"
)


@pytest.mark.parametrize("sig", SIGS.split("|"))
def test_no_error_prone_abbreviation_is_ever_shown(sig: str) -> None:
    understood = understand(sig, NOW)
    assert understood.schedules or understood.as_needed
    said = read_back("Medicine", understood, NOW)
    assert not ERROR_PRONE.search(said), said
    assert said.isascii()


def test_the_medicine_list_is_long_and_each_name_is_found() -> None:
    names = medicines()
    assert len(names) >= 600
    for name in names:
        found = find_in(f"take {name} daily")
        assert found is not None
    assert all(medicines()[n].weekly_only for n in ("methotrexate", "fosamax", "ozempic"))
    assert all(medicines()[n].critical for n in ("insulin", "warfarin", "epilim", "prograf", "microgynon", "clozapine"))


@pytest.mark.parametrize(
    ("typed", "name", "exact"),
    [
        ("amoxicilin", "amoxicillin", False),
        ("Atorvastatine", "atorvastatin", False),
        ("my lipitor", "atorvastatin", True),
        ("levothyroxin 50", "levothyroxine", False),
        ("PARACETAMOL", "paracetamol", True),
        ("metforman", "metformin", False),
    ],
)
def test_names_are_recognised_with_misspellings(typed: str, name: str, exact: bool) -> None:
    found = recognise(typed)
    assert found and (found.medicine.name, found.exact) == (name, exact)


@pytest.mark.parametrize("typed", ["", "my blue tablets", "something for my knee", "xyzzy"])
def test_what_is_no_medicine_is_none(typed: str) -> None:
    assert recognise(typed) is None
