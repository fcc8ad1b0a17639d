"""A dosing schedule: phases of RFC 5545 rules on the patient's wall clock, and the instants they fall on.

Rules are kept as local rules, never as stored UTC instants: a dose at 8:00 stays at 8:00 when the clocks change or
the time-zone database does. Intervals that do not divide a day are elapsed hours instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

Basis = Literal["wall_clock", "elapsed"]


@dataclass(frozen=True)
class Amount:
    """How much is taken at once; low == high unless the label gives a range. `unit` is UCUM or a dose form."""

    low: float
    high: float
    unit: str | None = None

    def as_dict(self) -> dict[str, object]:
        return {"low": _plain(self.low), "high": _plain(self.high), "unit": self.unit}


@dataclass(frozen=True)
class Phase:
    """One rule with its amount.

    `start`: naive local; occurrences before it do not count. `days`: length in calendar days from `start`'s date,
    None for open-ended (or ended by COUNT in the rule). `cycle_days`: the phase repeats every so many days.
    """

    rule: str
    start: datetime
    amount: Amount | None = None
    days: int | None = None
    cycle_days: int | None = None

    @property
    def end(self) -> datetime | None:
        """First midnight after the phase (naive local), None when it has no fixed end or repeats."""
        if self.days is None or self.cycle_days:
            return None
        return _midnight(self.start) + timedelta(days=self.days)

    def local_times(self, since: datetime | None = None) -> Iterator[datetime]:
        """Naive local due times from `since` on, ascending; endless when the phase is."""
        if self.cycle_days:
            yield from self._cycles(since)
            return
        rule = rrulestr(self.rule, dtstart=self.start)
        times = rule.xafter(since, inc=True) if since and since > self.start else iter(rule)
        end = self.end
        for at in times:
            if end is not None and at >= end:
                return
            yield at

    def _cycles(self, since: datetime | None) -> Iterator[datetime]:
        assert self.cycle_days and self.days
        first = 0
        if since and since > self.start:
            first = (since - self.start).days // self.cycle_days
        cycle = first
        while True:
            once = self.cycle(cycle)
            yield from (at for at in once.local_times() if since is None or at >= since)
            cycle += 1

    def cycle(self, number: int) -> Phase:
        """The phase of cycle `number` (0 is the first) as a phase that does not repeat."""
        return replace(self, start=self.start + timedelta(days=number * (self.cycle_days or 0)), cycle_days=None)

    def as_dict(self) -> dict[str, object]:
        return {
            "rrule": self.rule,
            "dose": self.amount.as_dict() if self.amount else None,
            "start_local": self.start.isoformat(timespec="minutes"),
            "days": self.days,
        }


@dataclass(frozen=True)
class Due:
    """One dose that is due: when on the patient's clock, when on the world's, and how much."""

    local: datetime
    at: datetime
    amount: Amount | None


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall-clock time. A time that does not exist moves forward by the gap; of two, the first."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def to_local(at: datetime, zone: ZoneInfo) -> datetime:
    """The naive wall-clock time of an instant."""
    return at.astimezone(zone).replace(tzinfo=None)


def due_times(phases: Sequence[Phase], zone: ZoneInfo, basis: Basis, since: datetime, until: datetime) -> list[Due]:
    """All doses due in [since, until) (aware instants), each instant once, ascending."""
    found: dict[datetime, Due] = {}
    if basis == "elapsed":
        streams = [_elapsed(phase, zone) for phase in phases]
    else:
        # A day's slack on both sides: the local date of an instant can be a day off its UTC date.
        margin = to_local(since, zone) - timedelta(days=1)
        streams = [_wall(phase, zone, margin) for phase in phases]
    for due in merge(*streams, key=lambda due: due.at):
        if due.at >= until:
            break
        if due.at >= since:
            found.setdefault(due.at, due)
    return list(found.values())


def local_occurrences(phases: Sequence[Phase], limit: int) -> list[datetime]:
    """The first `limit` local due times of all phases together, ascending."""
    return list(islice(merge(*(phase.local_times() for phase in phases)), limit))


def total_doses(phases: Sequence[Phase]) -> int | None:
    """How many doses there are in all; None when a phase never ends."""
    if any(phase.cycle_days or (phase.days is None and "COUNT=" not in phase.rule) for phase in phases):
        return None
    return sum(1 for phase in phases for _ in phase.local_times())


def _wall(phase: Phase, zone: ZoneInfo, since: datetime) -> Iterator[Due]:
    for local in phase.local_times(since):
        yield Due(local, to_utc(local, zone), phase.amount)


def _elapsed(phase: Phase, zone: ZoneInfo) -> Iterator[Due]:
    # The rule runs on a clock that never changes, anchored at the first dose.
    anchor = to_utc(phase.start, zone)
    for local in phase.local_times():
        at = anchor + (local - phase.start)
        yield Due(to_local(at, zone), at, phase.amount)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number
