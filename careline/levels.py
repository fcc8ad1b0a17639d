"""Triage levels: the five dispositions, and how red-flag urgencies map onto them."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """How soon a person needs care, most urgent first. Compare by `rank` (5 is the most urgent)."""

    EMERGENCY_AMBULANCE = "emergency_ambulance"
    EMERGENCY = "emergency"
    URGENT = "urgent"
    ROUTINE = "routine"
    SELF_CARE = "self_care"

    @property
    def rank(self) -> int:
        return _RANK[self]

    @property
    def is_emergency(self) -> bool:
        return self.rank >= 4

    @classmethod
    def highest(cls, *levels: Level | str | None) -> Level:
        """The most urgent of the given levels; None is left out. ValueError when nothing is given."""
        return max((cls(level) for level in levels if level is not None), key=lambda level: level.rank)


_RANK = {level: 5 - i for i, level in enumerate(Level)}

# The red-flag catalogue speaks of what to do (call, go, be seen); triage of levels. The order is the same.
LEVEL_OF_URGENCY: dict[str, Level] = dict(
    zip(("call_ems", "ed_now", "urgent_same_day", "gp_days", "self_care"), Level, strict=True)
)
