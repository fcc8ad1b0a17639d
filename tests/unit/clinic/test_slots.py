"""Free slots: inside working hours, apart from what is busy, on the wall clock of the site."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.clinic.appointments.slots import free_starts, local_instant, make_ref, open_spans, read_ref
from careline.errors import Invalid

LONDON = ZoneInfo("Europe/London")
DAY = date(2026, 12, 1)
FAR = datetime(2030, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return local_instant(DAY, minutes, LONDON)


def starts(busy, minutes=20, before=0, after=0, spans=((540, 720),)):
    found = free_starts(
        open_spans(DAY, spans, LONDON), busy, minutes=minutes, before=before, after=after, earliest=PAST, latest=FAR
    )
    return [(s - at(0)).total_seconds() / 60 for s in found]


def test_a_free_morning_is_laid_end_to_end() -> None:
    assert starts([]) == [540 + 20 * i for i in range(9)]


def test_after_a_busy_time_it_goes_on_at_once() -> None:
    assert starts([(at(550), at(575))])[:3] == [575, 595, 615]


def test_buffers_keep_their_distance() -> None:
    assert starts([(at(600), at(620))], minutes=15, before=5, after=10)[:4] == [540, 570, 625, 655]


@pytest.mark.parametrize(("day", "offset"), [(date(2027, 3, 28), 1), (date(2026, 10, 25), 0), (date(2026, 7, 1), 1)])
def test_the_clinic_opens_at_nine_on_the_wall(day: date, offset: int) -> None:
    opens = open_spans(day, [(540, 600)], LONDON)[0][0]
    assert opens == datetime(day.year, day.month, day.day, 9 - offset, tzinfo=UTC)


def test_a_reference_comes_back_and_a_forged_one_does_not() -> None:
    ref = make_ref("ab" * 16, "cd" * 16, at(540))
    assert read_ref(ref) == ("ab" * 16, "cd" * 16, at(540))
    for wrong in ("", ref[:-1], ref + "AA", "%%%", "é" * 48):
        with pytest.raises(Invalid):
            read_ref(wrong)


_SPAN = st.tuples(st.integers(0, 1380), st.integers(5, 120)).map(lambda s: (s[0], s[0] + s[1]))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(_SPAN, max_size=4),
    st.lists(_SPAN, max_size=12),
    st.integers(5, 60),
    st.integers(0, 15),
    st.integers(0, 15),
)
def test_no_slot_overlaps_what_is_busy_or_another(hours, busy, minutes, before, after) -> None:
    hours = [(a, min(b, 1440)) for a, b in hours]
    taken = [(at(a), at(b)) for a, b in busy]
    spans = open_spans(DAY, hours, LONDON)
    found = list(free_starts(spans, taken, minutes=minutes, before=before, after=after, earliest=PAST, latest=FAR))
    for start in found:
        end = start + timedelta(minutes=minutes)
        assert any(a <= start and end <= b for a, b in spans)
        assert all(end + timedelta(minutes=after) <= a or b <= start - timedelta(minutes=before) for a, b in taken)
