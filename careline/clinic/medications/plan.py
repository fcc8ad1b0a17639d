"""A dosing plan as it is stored: phases with their amounts, as JSON that can be read back years later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from careline.clinic.medications.dosage import AsNeeded, Directions
from careline.clinic.medications.schedule import Amount, Basis, Phase


def dump(directions: Directions) -> dict[str, Any]:
    """What of understood directions is stored."""
    return {
        "version": 1,
        "kind": directions.kind,
        "basis": directions.basis,
        "phases": [
            {
                "rrule": phase.rule,
                "start": phase.start.isoformat(),
                "days": phase.days,
                "cycle_days": phase.cycle_days,
                "amount": _amount(phase.amount),
            }
            for phase in directions.phases
        ],
        "amount": _amount(directions.amount),
        "as_needed": vars(directions.as_needed) if directions.as_needed else None,
        "strength": directions.strength,
        "site": directions.site,
        "route": directions.route,
        "meals": directions.meals,
        "lead_minutes": directions.lead_minutes,
    }


def phases(plan: dict[str, Any]) -> list[Phase]:
    """The phases of a stored plan."""
    return [
        Phase(p["rrule"], datetime.fromisoformat(p["start"]), amount(p["amount"]), p["days"], p["cycle_days"])
        for p in plan["phases"]
    ]


def basis(plan: dict[str, Any]) -> Basis:
    return plan["basis"]


def as_needed(plan: dict[str, Any]) -> AsNeeded | None:
    return AsNeeded(**plan["as_needed"]) if plan["as_needed"] else None


def amount(stored: Sequence[Any] | None) -> Amount | None:
    """An amount stored as [low, high, unit]."""
    return Amount(*stored) if stored else None


def _amount(one: Amount | None) -> list[Any] | None:
    return [one.low, one.high, one.unit] if one else None
