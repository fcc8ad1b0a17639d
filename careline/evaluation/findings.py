"""Precision and recall of `language.parse` on a file of sentences with expected findings (YAML, see tests/data)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from careline.language import parse
from careline.language.lexicon import lexicon


def evaluate(path: str | Path, *, limit: int | None = None) -> dict[str, Any]:
    """Run every sentence. Returns {"metrics": {...}, "cases": [{id, text, expected, got, missed, wrong}]}.

    A present finding counts as found when it or something more specific is present; an absent one when it or a
    parent is absent. A reported finding is right when it is expected, is a parent of an expected one, or is in
    `may`; qualities ("sudden", "severe pain") that are not expected do not count. Expected ids that no finding
    file has count as missed: `metrics["unknown_ids"]` says how many there are.
    """
    known = lexicon()
    rows = yaml.safe_load(Path(path).read_text(encoding="utf-8"))[:limit]
    count: Counter[str] = Counter()
    cases = []
    for number, row in enumerate(rows):
        expected = {c: set(row.get(c) or ()) for c in ("present", "absent", "unknown")}
        allowed = set(row.get("may") or ())
        mentions = parse(row["text"]).mentions
        got = {c: {m.id for m in mentions if m.choice == c} for c in ("present", "absent", "unknown")}
        missed, wrong = [], []
        for choice, ids in expected.items():
            for ident in sorted(ids):
                count["unknown_ids"] += ident not in known.findings
                ok = any(_covers(known, choice, g, ident) for g in got[choice])
                count[f"{choice}_hit" if ok else f"{choice}_miss"] += 1
                if not ok:
                    missed.append(f"{choice}:{ident}")
        for choice, ids in got.items():
            for ident in sorted(ids):
                right = ident in allowed or any(_fits(known, choice, ident, e) for e in expected[choice])
                right = right or _quality(known, ident)
                right = right or any(known.is_a(a, ident) or known.is_a(ident, a) for a in allowed)
                count[f"{choice}_{'right' if right else 'wrong'}"] += 1
                if not right:
                    wrong.append(f"{choice}:{ident}")
        cases.append(
            {"id": row.get("id", number + 1), "text": row["text"], "missed": missed, "wrong": wrong,
             "expected": {k: sorted(v) for k, v in expected.items()}, "got": {k: sorted(v) for k, v in got.items()}}
        )  # fmt: skip
    return {"metrics": _metrics(count, cases), "cases": cases}


def _quality(known: Any, ident: str) -> bool:
    """How a complaint is (sudden, severe, getting worse) is neither right nor wrong unless it is expected."""
    finding = known.findings.get(ident)
    return ident == "pain_severe" or (finding is not None and finding.kind == "quality")


def _covers(known: Any, choice: str, got: str, ident: str) -> bool:
    return known.is_a(got, ident) if choice != "absent" else known.is_a(ident, got)


def _fits(known: Any, choice: str, got: str, ident: str) -> bool:
    """Is `got` right where `ident` was expected? Absent also holds for what is more specific."""
    if choice == "absent":
        return known.is_a(got, ident) or known.is_a(ident, got)
    return known.is_a(ident, got)


def _metrics(count: Counter[str], cases: list[dict[str, Any]]) -> dict[str, float]:
    choices = ("present", "absent", "unknown")
    hit, miss = sum(count[f"{c}_hit"] for c in choices), sum(count[f"{c}_miss"] for c in choices)
    right, wrong = sum(count[f"{c}_right"] for c in choices), sum(count[f"{c}_wrong"] for c in choices)
    out: dict[str, float] = {
        "sentences": len(cases),
        "recall": _ratio(hit, hit + miss),
        "precision": _ratio(right, right + wrong),
        "all_right": _ratio(sum(not c["missed"] and not c["wrong"] for c in cases), len(cases)),
        "unknown_ids": count["unknown_ids"],
    }
    for c in choices:
        out[f"recall_{c}"] = _ratio(count[f"{c}_hit"], count[f"{c}_hit"] + count[f"{c}_miss"])
    return out


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
