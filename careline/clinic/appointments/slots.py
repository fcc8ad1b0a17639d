"""Free slots: arithmetic on working hours, busy times and the clock. No database here.

A schedule is written in minutes of the site's local day; it is turned into instants day by day, so a clinic opens at
9:00 on the wall also on the days on which the clocks change.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from careline.errors import Invalid

Span = tuple[datetime, datetime]
# Starts are offered on this grid of the wall clock, from the beginning of a working stretch on.
STEP_MINUTES = 5


def local_instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant of a local wall-clock time given as minutes of the day; 1440 is the next midnight."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The calendar date of an instant on the site's wall."""
    return at.astimezone(zone).date()


def open_spans(day: date, hours: Iterable[tuple[int, int]], zone: ZoneInfo) -> list[Span]:
    """Working stretches of a local day, (start, end) in minutes, as instants in order."""
    spans = ((local_instant(day, a, zone), local_instant(day, b, zone)) for a, b in sorted(hours))
    return [(a, b) for a, b in spans if a < b]


def free_starts(
    spans: Sequence[Span],
    busy: Sequence[Span],
    *,
    minutes: int,
    before: int = 0,
    after: int = 0,
    earliest: datetime,
    latest: datetime,
) -> Iterator[datetime]:
    """Starts, ascending, in [earliest, latest], such that the appointment with its buffers fits between `busy`.

    Appointments are laid end to end from the start of a stretch and from the end of each busy time, so that a day
    fills without holes. Buffers may reach over the ends of a stretch, the appointment itself may not.
    """
    length, lead, tail = timedelta(minutes=minutes), timedelta(minutes=before), timedelta(minutes=after)
    taken = sorted(busy)
    ends = _running_ends(taken)
    for opens, closes in spans:
        at = opens
        while at + length <= closes:
            begin, end = at - lead, at + length + tail
            # The last busy time that starts before our end decides; those before it end no later than `ends` says.
            i = bisect_left(taken, (end,)) - 1
            if i >= 0 and ends[i] > begin:
                at = _grid(max(ends[i] + lead, at + timedelta(minutes=1)), opens)
                continue
            if at > latest:
                return
            if at >= earliest:
                yield at
            at = _grid(at + length + tail + lead, opens)


def _running_ends(taken: Sequence[Span]) -> list[datetime]:
    ends: list[datetime] = []
    for _, end in taken:
        ends.append(max(end, ends[-1]) if ends else end)
    return ends


def _grid(at: datetime, opens: datetime) -> datetime:
    """The first time at or after `at` that lies whole steps after `opens`."""
    step = timedelta(minutes=STEP_MINUTES)
    return opens + -(-(at - opens) // step) * step


def make_ref(type_id: str, clinician_id: str, starts_at: datetime) -> str:
    """An opaque reference to a slot. It holds no patient data and is no permission: the slot is checked again."""
    raw = bytes.fromhex(type_id) + bytes.fromhex(clinician_id) + int(starts_at.timestamp() // 60).to_bytes(4, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_ref(ref: str) -> tuple[str, str, datetime]:
    """(type id, clinician id, start) of a reference. Invalid("appointments.unknown_slot") when it is none."""
    try:
        raw = base64.urlsafe_b64decode(ref + "=" * (-len(ref) % 4))
        if len(raw) != 36:
            raise ValueError
        start = datetime.fromtimestamp(int.from_bytes(raw[32:], "big") * 60, UTC)
    except (ValueError, binascii.Error, OverflowError, OSError) as error:
        raise Invalid("appointments.unknown_slot") from error
    return raw[:16].hex(), raw[16:32].hex(), start
