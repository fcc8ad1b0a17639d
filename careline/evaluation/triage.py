"""How often the level is right, and how often it is safe: `evaluate(path)` over patients' own words."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from careline.evaluation.metrics import group_names, read_cases, report, share
from careline.language import Person
from careline.levels import Level
from careline.triage import explain, reading
from careline.triage.case import Case, Patient
from careline.triage.engine import Engine, engine

logger = logging.getLogger(__name__)

# Some case files have three levels: emergency, non-emergency, self-care.
_COARSE = {
    "em": (Level.EMERGENCY_AMBULANCE, Level.EMERGENCY),
    "ne": (Level.URGENT, Level.ROUTINE),
    "sc": (Level.SELF_CARE,),
}


def gold_levels(row: dict[str, Any]) -> tuple[Level, ...]:
    """The level or levels that count as right for a case, most urgent first."""
    gold = row["gold_level"]
    return _COARSE.get(gold) or (Level(gold),)


def evaluate(
    path: Path | str, interview: bool = False, *, using: Engine | None = None, flags: bool = True
) -> dict[str, Any]:
    """{metrics, intervals, groups, cases}. `interview` is accepted for the common signature and not used.

    Without `flags` the red-flag screen is left out: what the engine and its own rules reach alone.
    """
    del interview
    brain = using or engine()
    results = [judge(brain, row, flags) for row in read_cases(path)]
    return report(results, measure) | {
        "cases": [{key: r[key] for key in ("id", "expected", "got")} for r in results],
    }


def judge(brain: Engine, row: dict[str, Any], flags: bool = True) -> dict[str, Any]:
    """One case answered. When reading fails, the answer is the safest one that a failure can give."""
    gold = gold_levels(row)
    person = Person(age_years=row.get("age"), sex=row.get("sex"))
    try:
        case, _ = reading.case_from_text(row["text"], person, brain.knowledge.findings)
    except Exception:
        logger.exception("case %s could not be read", row.get("id"))
        case = Case(Patient(row.get("age"), row.get("sex")))
    assessment = brain.assess(case if flags else replace(case, flags=()))
    return {
        "id": row["id"],
        "expected": row["gold_level"],
        "gold": gold,
        "level": assessment.level,
        "got": {"level": assessment.level.value, "reasons": explain.reasons(brain, assessment)},
        "groups": group_names(row),
    }


def measure(results: list[dict[str, Any]]) -> dict[str, Any]:
    """All metrics of some judged cases."""

    def right(result: dict[str, Any]) -> bool:
        return result["level"] in result["gold"]

    def safe(result: dict[str, Any]) -> bool:
        return result["level"].rank >= min(level.rank for level in result["gold"])

    def over(result: dict[str, Any]) -> bool:
        return result["level"].rank > max(level.rank for level in result["gold"])

    emergencies = [r for r in results if min(level.rank for level in r["gold"]) >= 4]
    out: dict[str, Any] = {
        "accuracy": share(results, right),
        "safe": share(results, safe),
        "over": share(results, over),
        "emergencies_at_emergency": share(emergencies, lambda r: r["level"].is_emergency),
    }
    for name in dict.fromkeys([*(level.value for level in Level), "em", "ne", "sc"]):
        of_level = [r for r in results if r["expected"] == name]
        if of_level:
            out[f"accuracy_{name}"] = share(of_level, right)
    distances = [min(abs(r["level"].rank - level.rank) for level in r["gold"]) for r in results]
    out["ordinal_distance"] = round(sum(distances) / len(distances), 4) if distances else None
    out["cases"] = len(results)
    return out
