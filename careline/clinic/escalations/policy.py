"""How long a case may wait, by severity, and who hears of it then. Times count from when it began to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from careline.levels import Level


class Who(StrEnum):
    """first: the first on the rota; next: the one after; everyone: all clinicians and the clinic's fallback phone."""

    FIRST = "first"
    NEXT = "next"
    EVERYONE = "everyone"


@dataclass(frozen=True)
class Step:
    """After `after` of waiting, page `who`; `tell` is the text key that the patient is told, if any."""

    after: timedelta
    who: Who
    tell: str | None = None


@dataclass(frozen=True)
class Policy:
    """The steps, then everyone again every `repeat`. An acknowledged case on which nobody acts for `idle` is
    opened again; it can be snoozed for `snooze` at most. `every_channel`: page on all the channels a person has."""

    steps: tuple[Step, ...]
    repeat: timedelta
    idle: timedelta
    snooze: timedelta
    every_channel: bool = False


def _minutes(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


_EMERGENCY = Policy(
    steps=(
        Step(_minutes(0), Who.FIRST),
        Step(_minutes(2), Who.FIRST),
        Step(_minutes(5), Who.NEXT),
        Step(_minutes(10), Who.EVERYONE, tell="escalations.unanswered.emergency"),
    ),
    repeat=_minutes(10), idle=_minutes(10), snooze=_minutes(10), every_channel=True,
)
_URGENT = Policy(
    steps=(
        Step(_minutes(0), Who.FIRST),
        Step(_minutes(10), Who.FIRST),
        Step(_minutes(20), Who.NEXT),
        Step(_minutes(40), Who.EVERYONE, tell="escalations.unanswered.urgent"),
    ),
    repeat=_minutes(30), idle=_minutes(60), snooze=_minutes(60),
)
_ROUTINE = Policy(
    steps=(
        Step(timedelta(hours=4), Who.FIRST),
        Step(timedelta(hours=12), Who.NEXT),
        Step(timedelta(hours=24), Who.EVERYONE, tell="escalations.unanswered.routine"),
    ),
    repeat=timedelta(hours=24), idle=timedelta(hours=24), snooze=timedelta(hours=24),
)

POLICY: dict[Level, Policy] = {
    Level.EMERGENCY_AMBULANCE: _EMERGENCY,
    Level.EMERGENCY: _EMERGENCY,
    Level.URGENT: _URGENT,
    Level.ROUTINE: _ROUTINE,
    Level.SELF_CARE: _ROUTINE,
}

# A patient who falls silent after an emergency is asked once whether they are safe, and the clinician is told.
SILENCE = _minutes(5)
