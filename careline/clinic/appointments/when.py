"""Dates as people say them: 'next Tuesday after 3', 'tomorrow morning', 'the 3rd', 'in two weeks', 'not Friday'.

All times here are naive wall-clock times of the clinic. What can be read in two ways is asked, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class TimeWindow:
    """Half-open stretch [start, end) of the clinic's wall-clock time (naive)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class When:
    """What was understood.

    `windows`: where an appointment may start, soonest first; empty when nothing was understood.
    `question`: key in the text catalogue of what must be asked first ('appointments.when.morning_or_afternoon',
    '.which_day', '.past', '.unclear'), with `fields` to fill it and `options` as answers; None when clear.
    `soonest`: the patient wants the first that is free ('as soon as possible', 'any time').
    `words`: what was understood, for the read-back ('Tue 1 Dec, after 15:00').
    """

    windows: tuple[TimeWindow, ...] = ()
    question: str | None = None
    fields: dict[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    soonest: bool = False
    words: str = ""


def understand_when(text: str, now_local: datetime) -> When:
    """Read a wish for a date or time. `now_local` is the clinic's wall clock (naive or aware). Never raises."""
    raise NotImplementedError
