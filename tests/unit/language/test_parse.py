"""What `parse` promises: findings with choice, whose, since when, how severe; and an answer to anything."""

from __future__ import annotations

import pytest

from careline.language import Person
from careline.language.parse import Mention, parse


def choices(text: str, **person: object) -> dict[str, str]:
    return {m.id: m.choice for m in parse(text, Person(**person)).mentions}  # type: ignore[arg-type]


def one(text: str, finding: str) -> Mention:
    found = [m for m in parse(text).mentions if m.id == finding]
    assert found, f"{finding} not found in {text!r}: {parse(text).mentions}"
    return found[0]


def test_words_in_between_and_turned_round() -> None:
    assert choices("my chest has been really quite painful") == {"chest_pain": "present"}


def test_span_points_into_the_text() -> None:
    text = "Hi doctor, I've got  a CHEST pain"
    mention = one(text, "chest_pain")
    assert text[slice(*mention.span)] == mention.words == "CHEST pain"


@pytest.mark.parametrize(
    "text",
    ["no fever, cough or chest pain", "denies fever, cough and chest pain", "No fever, No cough, No chest pain",
     "without fever or cough or chest pain"],
)  # fmt: skip
def test_a_denial_runs_through_its_list(text: str) -> None:
    found = choices(text)
    assert {found["fever"], found["cough"], found["chest_pain"]} == {"absent"}


@pytest.mark.parametrize("text", ["no fever, just a cough", "no fever but a cough", "No fever. Cough."])
def test_a_denial_ends_with_its_list(text: str) -> None:
    assert choices(text) == {"fever": "absent", "cough": "present"}


@pytest.mark.parametrize("text", ["maybe a fever", "not sure if I have a fever", "?fever"])
def test_doubt_is_kept(text: str) -> None:
    assert choices(text) == {"fever": "unknown"}


def test_medicines_by_brand_and_illness_by_abbreviation() -> None:
    assert choices("T2DM on eliquis")["taking_anticoagulant"] == "present"
    assert choices("T2DM on eliquis")["diabetes_type2"] == "present"


def test_relatives_are_family_history_not_symptoms() -> None:
    found = choices("I have a cough. My father had a heart attack.")
    assert found["cough"] == "present"
    assert found["family_history_heart_disease"] == "present"
    assert "coronary_artery_disease" not in found


def test_since_when() -> None:
    mention = one("cough for 3 days", "cough")
    assert (mention.onset_hours, mention.since_text) == (72, "3 days")


def test_a_long_cough_is_a_finding_of_its_own() -> None:
    assert choices("I have had a cough for 5 weeks") == {"cough_prolonged": "present"}
    assert "cough_prolonged" not in choices("I have had a cough for 5 days")


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00" * 50, "😀😀😀", "\u202eabc", "a" * 100_000, "pain " * 3000, "no " * 3000, "Z̴̧͇̈́a̸l̵g̷o̶" * 50,
     "\ud800", ",,,;;;", "1/2/3/4/5",
     "/start", "(((((" * 200],
)  # fmt: skip
def test_always_an_answer(text: str) -> None:
    assert isinstance(parse(text).mentions, tuple)


def test_parse_itself_does_not_fail(caplog: pytest.LogCaptureFixture) -> None:
    """The safety net around parse would hide a broken parser as "nothing found"."""
    for text in ["my wife has covid and now I'm coughing", "blood thinner? no", "52 f temp 39 bp 150/95",
                 "no urinary symptoms",
                 "father had a heart attack", "could this be asthma?",
                 "painless loss of vision", "breathing is fine"]:  # fmt: skip
        parse(text)
    assert not [r for r in caplog.records if "parse failed" in r.message]


def test_of_a_very_long_text_the_beginning_is_read_for_findings_and_all_of_it_for_red_flags() -> None:
    filler = "The garden was lovely and we talked about the bus. " * 200
    found = parse("I have a sore throat. " + filler + "I have crushing chest pain and can't breathe.")
    assert [m.id for m in found.mentions if m.choice == "present"] == ["sore_throat"]
    assert found.flags


@pytest.mark.parametrize(
    ("text", "finding", "choice"),
    [
        ("no breathing problems", "breathlessness", "absent"),
        ("bleeding stopped after 5 minutes", "bleeding_heavy", "absent"),
        ("preg test neg", "pregnant", "absent"),
        ("gaining weight nicely", "failure_to_thrive", "absent"),
        ("plenty of wet nappies", "infant_fewer_wet_nappies", "absent"),
        ("no fever, runny nose n a cough", "runny_nose", "present"),
        ("breast lump, no discharge", "nipple_discharge", "absent"),
        ("my mole got bigger, no bleeding", "mole_bleeding", "absent"),
        ("confused in the past few days", "confusion", "present"),
        ("he has 38.5", "fever", "present"),
        ("started ramipril 3 weeks ago", "new_medicine", "present"),
        ("a healthy boy presents with fever", "fever", "present"),
    ],
)
def test_said_in_passing(text: str, finding: str, choice: str) -> None:
    assert choices(text).get(finding) == choice


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("no breathing problems", {"not_breathing"}),
        ("I drink a lot of water", {"alcohol_heavy", "alcohol_excess"}),
        ("wasp stung me, hand swollen", {"burn"}),
        ("the headache has not responded to ibuprofen", {"unresponsive"}),
        ("a 2 week cough, then an upper respiratory infection recently", {"recent_miscarriage"}),
        ("leg feels heavy, painful and burning", {"chest_pain", "chest_pain_burning", "crush_injury"}),
        ("my bmi is 38.5", {"fever"}),
        ("I came back from Ghana with a painful ear", {"back_pain"}),
        ("mild tummy ache and severe ear pain", {"abdominal_pain_severe", "pain_severe"}),
        ("drinks and soup go down fine, ankles go down overnight", {"collapse", "not_drinking"}),
        ("leaks when I cough or sneeze", {"cough", "sneezing"}),
    ],
)
def test_not_invented(text: str, never: set[str]) -> None:
    assert not never & {m.id for m in parse(text).mentions if m.choice == "present"}


def test_was_and_is_no_more_is_history() -> None:
    assert one("he was feverish on Monday, none since", "fever").history
    assert one("not responding to her name", "unresponsive").choice == "present"
