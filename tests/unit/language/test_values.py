"""Numbers with units, and how long: what counts and what does not."""

from __future__ import annotations

import pytest

from careline.language.values import doses, durations, readings


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("temp 38.9", "temperature", 38.9), ("103.5f", "temperature", 39.7), ("fever of 101", "temperature", 38.3),
        ("it was 39 degrees", "temperature", 39), ("38,5 c", "temperature", 38.5), ("bp 150/95", "systolic", 150),
        ("180 over 110", "systolic", 180), ("hr 120", "heart_rate", 120), ("130 bpm", "heart_rate", 130),
        ("sats are 91%", "oxygen", 91), ("resp rate 30/min", "breaths", 30), ("sugar was 14.2", "glucose", 14.2),
        ("glucose 250 mg/dl", "glucose", 13.9), ("ketones 3.1", "ketones", 3.1), ("pain is 8/10", "pain_score", 8),
        ("7 out of 10", "pain_score", 7),
    ],
)  # fmt: skip
def test_measurements(text: str, kind: str, value: float) -> None:
    assert (kind, value) in [(r.kind, r.value) for r in readings(text)]


@pytest.mark.parametrize(
    "text",
    ["38 weeks pregnant", "i am 38", "39 years old", "took 40 mg", "on 12/10/2024", "room 101", "at 38:20",
     "call 38391029",
     "my baby weighs 3.5 kg", "36 tablets"],
)  # fmt: skip
def test_other_numbers_are_not_measurements(text: str) -> None:
    assert readings(text) == []


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("cough for 3 weeks", 504), ("x5d", 120), ("x 2 weeks", 336), ("pain 2/52", 336), ("3/7 of fever", 72),
        ("6/12 history", 4380), ("since yesterday morning", 24), ("half an hour ago", 0.5), ("a couple of days", 48),
        ("three days ago", 72), ("last 2 weeks", 336), ("for the past 4 days", 96), ("2-3 days", 72), ("2 hrs", 2),
        ("since last night", 14), ("2 and a half weeks", 420), ("for months", 2190), ("an hour ago", 1),
        ("for 30 mins", 0.5),
    ],
)  # fmt: skip
def test_durations(text: str, hours: float) -> None:
    assert [d.hours for d in durations(text)] == [hours]


@pytest.mark.parametrize(
    "text",
    ["34 weeks pregnant", "5 weeks old", "every 4 hours", "appointment in 2 weeks", "a 6 week old baby",
     "20 weeks gestation",
     "two times a day", "within 2 hours"],
)  # fmt: skip
def test_ages_frequencies_and_the_future_are_not_durations(text: str) -> None:
    assert durations(text) == []


def test_doses() -> None:
    assert [(d.value, d.unit) for d in doses("warfarin 5 mg and 2 tablets of ramipril")] == [(5, "mg"), (2, "tablets")]
