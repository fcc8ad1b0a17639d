"""Doses and the clock: wall-clock times across clock changes, elapsed intervals, cycles."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.clinic.medications.dosage import understand
from careline.clinic.medications.schedule import Phase, due_times, to_local, to_utc, total_doses

LONDON = ZoneInfo("Europe/London")


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "local", "instant", "shown"),
    [
        ("Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:30", "2027-03-28T03:30"),  # does not exist
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T02:30"),  # happens twice: the first
        ("America/Chicago", "2027-03-14T02:00", "2027-03-14T08:00", "2027-03-14T03:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:40", "2026-10-04T02:40"),  # half an hour
        ("Asia/Kathmandu", "2026-12-01T08:00", "2026-12-01T02:15", "2026-12-01T08:00"),
        ("Pacific/Apia", "2011-12-30T09:00", "2011-12-30T19:00", "2011-12-31T09:00"),  # a day that never was
    ],
)
def test_each_wall_clock_time_is_one_instant(zone: str, local: str, instant: str, shown: str) -> None:
    at = to_utc(wall(local), ZoneInfo(zone))
    assert at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert to_local(at, ZoneInfo(zone)) == wall(shown)


@pytest.mark.parametrize("day", ["2027-03-28", "2026-10-25", "2026-12-01"])
def test_four_doses_a_day_stay_four(day: str) -> None:
    start = wall(f"{day}T00:00") - timedelta(days=3)
    phases = [Phase("FREQ=HOURLY;INTERVAL=6", start)]
    since, until = to_utc(wall(f"{day}T00:00"), LONDON), to_utc(wall(f"{day}T00:00") + timedelta(days=1), LONDON)
    assert [due.local.hour for due in due_times(phases, LONDON, "wall_clock", since, until)] == [0, 6, 12, 18]


def test_hourly_doses_over_the_gap_are_each_once() -> None:
    phases = [Phase("FREQ=HOURLY;INTERVAL=1", wall("2027-03-28T00:00"))]
    found = due_times(
        phases, LONDON, "wall_clock", to_utc(wall("2027-03-28T00:00"), LONDON), to_utc(wall("2027-03-28T05:00"), LONDON)
    )
    assert len({due.at for due in found}) == len(found) == 4


def test_odd_intervals_are_elapsed_hours() -> None:
    understood = understand("every 36 hours", wall("2027-03-26T07:00"))
    assert understood.basis == "elapsed"
    found = due_times(
        understood.phases,
        LONDON,
        "elapsed",
        to_utc(wall("2027-03-26T00:00"), LONDON),
        to_utc(wall("2027-04-02T00:00"), LONDON),
    )
    assert {b.at - a.at for a, b in itertools.pairwise(found)} == {timedelta(hours=36)}
    assert [due.local.hour for due in found[:3]] == [8, 20, 9]  # an hour later by the wall after the change


def test_cycles_leave_the_break_free_for_ever() -> None:
    understood = understand("21 days on 7 days off", wall("2026-12-01T07:00"))
    found = due_times(
        understood.phases,
        LONDON,
        "wall_clock",
        to_utc(wall("2026-12-01T00:00"), LONDON),
        to_utc(wall("2027-06-15T00:00"), LONDON),
    )
    days = [(due.local.date() - wall("2026-12-01T00:00").date()).days % 28 for due in found]
    assert max(days) == 20 and total_doses(understood.phases) is None
    later = due_times(
        understood.phases,
        LONDON,
        "wall_clock",
        to_utc(wall("2027-06-01T00:00"), LONDON),
        to_utc(wall("2027-06-15T00:00"), LONDON),
    )
    assert later == [due for due in found if due.at >= to_utc(wall("2027-06-01T00:00"), LONDON)]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "UTC"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),
    st.sampled_from(["twice a day", "every 8 hours", "every 3 days", "Mondays and Fridays at 7am", "every 36 hours"]),
)
def test_planning_in_pieces_is_planning_at_once(name: str, start: datetime, sig: str) -> None:
    zone, understood = ZoneInfo(name), understand(sig, start)
    begin = to_utc(start, zone)
    cuts = [begin + timedelta(hours=h) for h in (0, 31, 48, 200, 400)]
    whole = due_times(understood.phases, zone, understood.basis, cuts[0], cuts[-1])
    pieces = [
        due
        for a, b in itertools.pairwise(cuts)
        for due in due_times(understood.phases, zone, understood.basis, a, b)
    ]
    assert pieces == whole
    assert len({due.at for due in whole}) == len(whole) and whole == sorted(whole, key=lambda due: due.at)
