"""Fit the parameters on case files, with cross-validation: `python -m careline.triage.fit [--write]`.

    python -m careline.triage.fit --triage FILE --diagnosis FILE --write

Coordinate search over a small grid. The score of held-out folds is reported beside the score on all cases, so that
over-fitting can be seen. A fit that makes triage less safe in any group of cases is refused and nothing is written.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from careline.evaluation import diagnosis, stories, triage
from careline.evaluation.condition_names import Names
from careline.evaluation.metrics import group_names, read_cases
from careline.knowledge import Knowledge, knowledge
from careline.knowledge.files import ROOT
from careline.language import Person
from careline.levels import Level
from careline.triage import reading
from careline.triage.case import Case
from careline.triage.engine import Engine
from careline.triage.parameters import Parameters

GRID: dict[str, tuple[float, ...]] = {
    "temperature": (0.6, 0.75, 0.9, 1.0, 1.1),
    "prior_power": (0.2, 0.35, 0.5, 0.65, 0.8),
    "absent_weight": (0.3, 0.45, 0.6, 0.8),
    "leak_share": (0.1, 0.2, 0.3, 0.5),
    "leak_min": (0.001, 0.002, 0.004, 0.008),
    "leak_max": (0.03, 0.06, 0.1),
    "other_weight": (0.01, 0.03, 0.05, 0.1),
    "unexplained": (-1.0, -2.0, -3.0, -4.0),
    "serious_threshold": (0.1, 0.15, 0.2, 0.3, 0.4),
    "ambulance_threshold": (0.2, 0.3, 0.4, 0.5),
    "self_care_share": (0.35, 0.45, 0.55, 0.65),
    "cost_scale": (0.5, 0.75, 1.0, 1.5),
    "ambulance_late": (0.5, 0.75, 1.0, 1.5),
    "self_care_late": (0.4, 0.6, 0.8, 1.0),
    "course_scale": (0.5, 1.0, 1.5),
}

_STORIES = ("set=stories",)
_STORY_WEIGHT = 0.5


@dataclass(frozen=True)
class Told:
    """A triage case that was read once, with what is right."""

    case: Case
    gold: tuple[Level, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """A diagnosis case that was read once, with the conditions that are right."""

    case: Case
    gold: frozenset[str]


def told_cases(base: Knowledge, path: Path, flags: bool = True) -> list[Told]:
    """The cases of a file, read once; without `flags` the red-flag screen is left out of account."""
    out = []
    for row in read_cases(path):
        person = Person(age_years=row.get("age"), sex=row.get("sex"))
        case, _ = reading.case_from_text(row["text"], person, base.findings)
        case = case if flags else replace(case, flags=())
        out.append(Told(case, triage.gold_levels(row), tuple(group_names(row))))
    return out


def story_cases(base: Knowledge) -> list[Told]:
    """The typical story of every condition at its own level: knowledge that no case file has to teach again."""
    engine = Engine(base, Parameters())
    out = []
    for condition in base.conditions.values():
        case = stories.typical(condition, base)
        facts = engine.reader.facts(case)
        column = engine.network.column[condition.id]
        own = tuple(Level)[int(engine.urgency.levels(facts)[column])]
        out.append(Told(case, (own,), _STORIES))
    return out


def seen_cases(base: Knowledge, path: Path) -> list[Seen]:
    engine, names = Engine(base, Parameters()), Names(base)
    return [Seen(diagnosis.whole_case(engine, row), names.find(row["gold_condition"])) for row in read_cases(path)]


def score(base: Knowledge, parameters: Parameters, told: Sequence[Told], seen: Sequence[Seen]) -> float:
    """Higher is better: right levels, with unsafe ones costing most; and places of the right conditions."""
    engine = Engine(base, parameters)
    of_cases = [case for case in told if case.groups != _STORIES]
    of_base = [case for case in told if case.groups == _STORIES]
    return _levels(engine, of_cases) + _STORY_WEIGHT * _levels(engine, of_base) + _places(engine, seen)


def _levels(engine: Engine, told: Sequence[Told]) -> float:
    total = 0.0
    for case in told:
        level = engine.assess(case.case).level
        low = min(gold.rank for gold in case.gold)
        total += level in case.gold
        total -= 4.0 * max(0, low - level.rank) + 0.25 * max(0, level.rank - max(g.rank for g in case.gold))
        total -= 3.0 * (low >= 4 and not level.is_emergency)
    return total / max(len(told), 1)


def _places(engine: Engine, seen: Sequence[Seen]) -> float:
    found = 0.0
    for item in seen:
        top = [ident for ident, _ in engine.assess(item.case).belief.top(5)]
        place = next((place for place, ident in enumerate(top) if ident in item.gold), None)
        found += 0.0 if place is None else (1.0, 0.8, 0.8, 0.5, 0.5)[place]
    return found / max(len(seen), 1)


def search(
    base: Knowledge, start: Parameters, told: Sequence[Told], seen: Sequence[Seen], rounds: int
) -> tuple[Parameters, float]:
    best, best_score = start, score(base, start, told, seen)
    for _ in range(rounds):
        before = best_score
        for name, values in GRID.items():
            for value in values:
                tried = best.model_copy(update={name: value})
                if getattr(best, name) == value:
                    continue
                reached = score(base, tried, told, seen)
                if reached > best_score + 1e-9 and not less_safe(base, start, tried, told):
                    best, best_score = tried, reached
        if best_score <= before:
            break
    return best, best_score


def cross_validate(
    base: Knowledge, start: Parameters, told: Sequence[Told], seen: Sequence[Seen], folds: int, rounds: int
) -> dict[str, float]:
    """Mean score of the held-out folds when fitted on the others, beside the start's score on the same folds."""
    fitted, plain = [], []
    for fold in range(folds):
        train = (
            [c for i, c in enumerate(told) if i % folds != fold],
            [c for i, c in enumerate(seen) if i % folds != fold],
        )
        held = (
            [c for i, c in enumerate(told) if i % folds == fold],
            [c for i, c in enumerate(seen) if i % folds == fold],
        )
        found, _ = search(base, start, *train, rounds)
        fitted.append(score(base, found, *held))
        plain.append(score(base, start, *held))
    return {"held_out": round(float(np.mean(fitted)), 4), "held_out_before": round(float(np.mean(plain)), 4)}


def less_safe(base: Knowledge, old: Parameters, new: Parameters, told: Sequence[Told]) -> list[str]:
    """The groups in which the new parameters are less safe, or call fewer emergencies by their name."""
    counts = [_safety(Engine(base, parameters), told) for parameters in (old, new)]
    return sorted(
        name for name, count in counts[0].items() if any(a < b for a, b in zip(counts[1][name], count, strict=True))
    )


def _safety(engine: Engine, told: Sequence[Told]) -> dict[str, tuple[int, int]]:
    out: dict[str, tuple[int, int]] = {}
    for case in told:
        level, low = engine.assess(case.case).level, min(gold.rank for gold in case.gold)
        for group in ("all", *case.groups):
            safe, named = out.get(group, (0, 0))
            out[group] = (safe + (level.rank >= low), named + (low < 4 or level.is_emergency))
    return out


def write(path: Path, parameters: Parameters, provenance: dict[str, Any]) -> None:
    changed = parameters.model_dump(mode="json", exclude_defaults=True)
    head = "# Fitted numbers of the triage engine. Written by `python -m careline.triage.fit --write`; do not edit.\n"
    body = yaml.safe_dump({"provenance": provenance, "parameters": changed}, sort_keys=False, width=110)
    path.write_text(head + body, encoding="utf-8")


def main(arguments: list[str] | None = None, base: Knowledge | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m careline.triage.fit", description=__doc__)
    parser.add_argument("--triage", type=Path, required=True, action="append", help="case file in patients' words")
    parser.add_argument("--no-flags", action="store_true", help="leave the red-flag screen out of account")
    parser.add_argument("--diagnosis", type=Path, help="case file in clinicians' words")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write knowledge/triage_parameters.yml")
    parser.add_argument("--out", type=Path, default=ROOT / "triage_parameters.yml")
    options = parser.parse_args(arguments)
    base = base or knowledge()
    told = [case for path in options.triage for case in told_cases(base, path, not options.no_flags)]
    told += story_cases(base)
    seen = seen_cases(base, options.diagnosis) if options.diagnosis else []
    start = Parameters.model_validate(base.parameters.get("parameters", {}))
    before = score(base, start, told, seen)
    checked = cross_validate(base, start, told, seen, options.folds, options.rounds) if options.folds > 1 else {}
    found, after = search(base, start, told, seen, options.rounds)
    print(f"score on all cases: {before:.4f} -> {after:.4f}; {checked}")
    print(found.model_dump(exclude_defaults=True))
    worse = less_safe(base, start, found, told)
    if worse:
        print(f"refused: less safe in {', '.join(worse)}")
        return 1
    if options.write:
        provenance = {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "method": f"coordinate search, {options.folds}-fold cross-validation, refused if less safe in any group",
            "cases": {
                path.name: {"lines": len(read_cases(path)), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
                for path in (*options.triage, options.diagnosis)
                if path
            },
            "red_flags": not options.no_flags,
            "score_before": round(before, 4),
            "score_after": round(after, 4),
            **checked,
        }
        write(options.out, found, provenance)
    return 0


if __name__ == "__main__":
    sys.exit(main())
