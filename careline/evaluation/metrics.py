"""Counting honestly: shares with Wilson 95 % intervals, overall and for each group."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Z = 1.959963984540054


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The Wilson score interval (95 %) of a share; (0, 1) when there is nothing to count."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    middle = share + Z * Z / (2 * total)
    spread = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    bottom = 1 + Z * Z / total
    return max(0.0, (middle - spread) / bottom), min(1.0, (middle + spread) / bottom)


def share(cases: Iterable[dict[str, Any]], good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """{share, low, high, hits, n} of the cases for which `good` holds; share is None without cases."""
    cases = list(cases)
    hits = sum(bool(good(case)) for case in cases)
    low, high = wilson(hits, len(cases))
    rounded = round(hits / len(cases), 4) if cases else None
    return {"share": rounded, "low": round(low, 4), "high": round(high, 4), "hits": hits, "n": len(cases)}


def report(results: list[dict[str, Any]], measure: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> dict[str, Any]:
    """{metrics, intervals, groups}: plain numbers, [low, high] of those that are shares, and numbers by group."""
    counted = measure(results)
    return {
        "metrics": _numbers(counted),
        "intervals": {name: [v["low"], v["high"]] for name, v in counted.items() if isinstance(v, dict)},
        "groups": {name: _numbers(values) for name, values in by_group(results, measure).items()},
    }


def _numbers(counted: dict[str, Any]) -> dict[str, Any]:
    """A share as a number; a share of no cases is left out."""
    plain = {name: value["share"] if isinstance(value, dict) else value for name, value in counted.items()}
    return {name: value for name, value in plain.items() if value is not None}


def read_cases(path: Path | str) -> list[dict[str, Any]]:
    """The lines of a case file. A line whose id is META describes the file and is not a case."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return [row for row in rows if row.get("id") != "META"]


def group_names(row: dict[str, Any]) -> list[str]:
    """The groups that a case belongs to, as "name=value"; sex and age band are always there."""
    groups = dict(row.get("groups") or {})
    groups.setdefault("sex", row.get("sex"))
    groups.setdefault("age_band", age_band(row.get("age")))
    return [f"{name}={value}" for name, value in sorted(groups.items())]


def age_band(age: float | None) -> str:
    """infant (<1), child (<12), teen (<18), adult (<65), older; "unknown" without an age."""
    if age is None:
        return "unknown"
    for name, limit in (("infant", 1), ("child", 12), ("teen", 18), ("adult", 65)):
        if age < limit:
            return name
    return "older"


def by_group(
    results: list[dict[str, Any]], metrics: Callable[[list[dict[str, Any]]], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The metrics of every group that occurs; each result carries its `groups` (see group_names)."""
    names = sorted({name for result in results for name in result["groups"]})
    return {name: metrics([result for result in results if name in result["groups"]]) for name in names}
