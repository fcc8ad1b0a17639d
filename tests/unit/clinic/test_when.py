"""Dates as people say them, on Tuesday 1 December 2026 at half past ten."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.clinic.appointments.when import understand_when

NOW = datetime(2026, 12, 1, 10, 30)


def said(text: str, now: datetime = NOW) -> list[str]:
    return [f"{w.start:%a %d %H:%M}-{w.end:%d %H:%M}" for w in understand_when(text, now).windows]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("next Tuesday after 3", "Tue 08 15:00-09 00:00"),
        ("tomorrow morning please", "Wed 02 00:00-02 12:00"),
        ("the 3rd", "Thu 03 00:00-04 00:00"),
        ("in two weeks", "Tue 15 00:00-20 00:00"),
        ("not Friday", "Tue 01 10:30-04 00:00"),
        ("friday before 11", "Fri 04 00:00-04 11:00"),
        ("this afternoon", "Tue 01 12:00-01 18:00"),
        ("day after tomorrow at 9.30", "Thu 03 09:30-03 10:00"),
        ("half past two tomorrow", "Wed 02 14:30-02 15:00"),
        ("between 9 and 11 on thursday", "Thu 03 09:00-03 11:00"),
        ("12 december", "Sat 12 00:00-13 00:00"),
        ("December 14th in the morning", "Mon 14 00:00-14 12:00"),
        ("2026-12-10", "Thu 10 00:00-11 00:00"),
        ("a week on thursday", "Thu 10 00:00-11 00:00"),
        ("thursday week", "Thu 10 00:00-11 00:00"),
        ("wednesday next week", "Wed 09 00:00-10 00:00"),
        ("next week", "Mon 07 00:00-14 00:00"),
        ("early next week", "Mon 07 00:00-09 00:00"),
        ("the week after next", "Mon 14 00:00-21 00:00"),
        ("in 3 days", "Fri 04 00:00-05 00:00"),
        ("at the weekend", "Sat 05 00:00-07 00:00"),
        ("after work", "Tue 01 17:00-02 00:00"),
        ("I can't do mornings", "Tue 01 12:00-02 00:00"),
        ("weekdays after 4", "Tue 01 16:00-02 00:00"),
        ("monday to wednesday", "Tue 01 10:30-03 00:00"),
        ("around 11 tomorrow", "Wed 02 10:00-02 12:01"),
        ("not before 10 tomorrow", "Wed 02 10:00-03 00:00"),
        ("3/12", "Thu 03 00:00-04 00:00"),
    ],
)
def test_what_people_say(text: str, first: str) -> None:
    assert said(text)[0] == first


def test_excluded_days_stay_out() -> None:
    when = understand_when("any day except thursday or friday", NOW)
    days = {(w.start.weekday(), w.end) for w in when.windows}
    assert days and all(w.start.weekday() not in (3, 4) for w in when.windows)
    assert not any(
        w.start.weekday() <= 3 <= w.end.weekday() and (w.end - w.start).days >= 3 and w.end.hour for w in when.windows
    )


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("next friday", "which_day", ("Fri 4 Dec", "Fri 11 Dec")),
        ("4/1", "date_order", None),
        ("at 7", "am_or_pm", ("7 am", "7 pm")),
        ("yesterday", "past", None),
        ("last monday", "past", None),
        ("1 january 2020", "past", None),
        ("3 march", "too_far", None),
        ("tuesday the 9th", "weekday_differs", None),
        ("purple", "unclear", None),
        ("", "unclear", None),
        ("31 february", "unclear", None),
        ("at 99", "unclear", None),
    ],
)
def test_what_is_asked(text: str, question: str, options: tuple[str, ...] | None) -> None:
    when = understand_when(text, NOW)
    if text == "4/1":  # 4 January is within reach, 1 April is not
        assert when.windows and when.question is None
        return
    assert when.question == f"appointments.when.{question}" and not when.windows
    assert options is None or when.options == options


@pytest.mark.parametrize(
    "text", ["as soon as possible", "any time", "the earliest you have", "first available", "don't mind"]
)
def test_the_soonest(text: str) -> None:
    assert understand_when(text, NOW).soonest


def test_the_answers_to_a_question_are_clear_themselves() -> None:
    for option in understand_when("next friday", NOW).options:
        assert understand_when(option, NOW).windows


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=50), st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)))
def test_it_never_raises(text: str, now: datetime) -> None:
    understand_when(text, now)


_WORDS = st.sampled_from(
    "next this friday monday tomorrow morning after before 3 pm at 10 not the 3rd in two weeks or and "
    "between week weekend 12 december 25/12 any day except afternoon".split()
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=7), st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)))
def test_windows_are_ahead_in_order_and_apart(words: list[str], now: datetime) -> None:
    when = understand_when(" ".join(words), now)
    assert bool(when.windows) != bool(when.question)
    assert all(w.start >= now and w.start < w.end for w in when.windows)
    assert all(a.start <= b.start for a, b in zip(when.windows, when.windows[1:], strict=False))
