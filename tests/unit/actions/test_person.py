"""Who, age and sex, as people write them."""

import pytest

from actions import person


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("34", 34),
        ("I'm 34", 34),
        ("34f", 34),
        ("52 y/o", 52),
        ("thirty four", 34),
        ("she is 67 years old", 67),
        ("6 months", 0.5),
        ("6 mo", 0.5),
        ("3 weeks old", 21 / 365.25),
        ("2 and a half", 2.5),
        ("born in 1980", 46),
        ("twelve", 12),
    ],
)
def test_an_age_is_read(text, years):
    assert person.age(text, this_year=2026) == pytest.approx(years, abs=0.01)


@pytest.mark.parametrize("text", ["no", "old enough", "2000", "200", "ask my mum", ""])
def test_what_is_no_age_is_not_taken_for_one(text):
    assert person.age(text, this_year=2026) is None


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("my mum has a cough", "other"),
        ("my 3 year old daughter has a rash", "other"),
        ("she is hot", "other"),
        ("it's for someone else", "other"),
        ("I have a cough", "self"),
        ("my stomach hurts", "self"),
        ("it's for me", "self"),
        ("headache since monday", None),
    ],
)
def test_who_it_is_about(text, who):
    assert person.subject(text) == who


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("female", "female"),
        ("I'm a man", "male"),
        ("45m", "male"),
        ("my wife", "female"),
        ("both", None),
        ("34", None),
        ("my mum and my dad", None),
    ],
)
def test_sex_is_read(text, sex):
    assert person.sex(text) == sex
