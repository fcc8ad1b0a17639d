"""Limits that no reminder may cross without a pharmacist: weekly medicines, daily totals, improbable amounts."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from careline.clinic.medications.medicines import Medicine
from careline.clinic.medications.schedule import Amount, Phase

_TO_MG = {"mg": 1.0, "ug": 0.001, "g": 1000.0}
_COUNTED = {None, "tablet", "capsule", "puff", "suppository", "lozenge", "pessary", "patch", "sachet"}
# More than this at once or in a day of anything counted is a slip of the pen more often than a prescription.
MOST_AT_ONCE = 10
MOST_A_DAY = 30
MOST_TIMES_A_DAY = 24


def check(
    medicine: Medicine | None,
    amount: Amount | None,
    phases: Sequence[Phase],
    strength: str | None,
    as_needed_only: bool = False,
    max_per_day: float | None = None,
) -> str | None:
    """The code of what is wrong, or None. `strength` is as on the label ('500 mg')."""
    if medicine and medicine.weekly_only and (as_needed_only or (phases and not _weekly(phases))):
        return "weekly_only_to_pharmacist"
    amounts = [phase.amount for phase in phases if phase.amount] or ([amount] if amount else [])
    if any(a.low <= 0 or a.high < a.low for a in amounts):
        return "confirm_with_pharmacist"
    if any(a.unit in _COUNTED - {None} and a.high > MOST_AT_ONCE for a in amounts):
        return "RF-TOX-01_check"
    most = _most_a_day(phases, amounts)
    if as_needed_only and amount:
        most = [(amount, max_per_day or 1)]
    units = sum(a.high * n for a, n in most if a.unit in _COUNTED)
    if units > MOST_A_DAY or sum(n for _, n in most) > MOST_TIMES_A_DAY:
        return "confirm_with_pharmacist"
    if medicine is None:
        return None
    per_unit = _milligrams(strength) or medicine.unit_mg
    total = 0.0
    for a, n in most:
        if a.unit in _TO_MG:
            total += a.high * _TO_MG[a.unit] * n
        elif a.unit in ("tablet", "capsule") and per_unit:
            total += a.high * per_unit * n
    if medicine.max_mg and total > medicine.max_mg * 1.0001:
        return "RF-TOX-01_check"
    if medicine.max_units and units > medicine.max_units:
        return "RF-TOX-01_check"
    return None


def _weekly(phases: Sequence[Phase]) -> bool:
    """At most one dose in any seven days."""
    from careline.clinic.medications.schedule import local_occurrences

    times = local_occurrences(phases, 8)
    return bool(times) and all((b - a).days >= 7 for a, b in itertools.pairwise(times))


def _most_a_day(phases: Sequence[Phase], amounts: Sequence[Amount]) -> list[tuple[Amount, float]]:
    """The doses of the fullest of the first days, as (amount, times)."""
    by_day: dict[object, Counter[Amount | None]] = {}
    for phase in phases:
        first = None
        for n, at in enumerate(phase.local_times()):
            first = first or at
            if n > 200 or (at - first).days > 8:
                break
            by_day.setdefault(at.date(), Counter())[phase.amount] += 1
    if not by_day:
        return []

    def weight(day: Counter[Amount | None]) -> float:
        return sum((a.high if a else 1) * n for a, n in day.items())

    fullest = max(by_day.values(), key=weight)
    return [(a or Amount(1, 1, "?"), n) for a, n in fullest.items()]


def _milligrams(strength: str | None) -> float | None:
    m = re.match(r"(\d+(?:\.\d+)?) ?(mg|ug|mcg|g)\b", strength or "")
    return float(m[1]) * {"mg": 1.0, "ug": 0.001, "mcg": 0.001, "g": 1000.0}[m[2]] if m else None
