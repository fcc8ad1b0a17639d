"""Score the red-flag screen on a file: recall of what must fire, false alarms of what must not.

Read are .jsonl with one case per line ({id, text or messages, expect: fire|no_emergency, flag, urgency, context}),
and .yml that holds a list of such cases or a catalogue (red_flags, negation_traps_must_fire, ...).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from careline.language.flags import RANK
from careline.language.person import Person
from careline.language.screen import Screen, screen

_EMERGENCY = RANK["ed_now"]
_PERSON = ("age_years", "sex", "pregnant", "gestation_weeks", "postpartum_days")


def evaluate(path: str | Path) -> dict[str, Any]:
    """`metrics`: recall and false_alarms (0 to 1, None without such cases), counts, and the same per section.
    `cases`: id, expected urgency ("no_emergency" for those that must stay quiet), what the screen said, pass."""
    cases, sections = [], {}
    for row in _rows(Path(path)):
        got = _screened(row)
        fire = row.get("expect", "fire") == "fire"
        wanted = row.get("urgency") or "ed_now"
        passed = RANK[got.urgency] >= RANK[wanted] if fire else RANK[got.urgency] < _EMERGENCY
        counts = sections.setdefault(row.get("section", "cases"), {"fire": 0, "found": 0, "quiet": 0, "false": 0})
        if not fire:
            counts["quiet"] += 1
            counts["false"] += not passed
        elif RANK[wanted] >= _EMERGENCY:
            counts["fire"] += 1
            counts["found"] += RANK[got.urgency] >= _EMERGENCY
        cases.append(
            {
                "id": row["id"],
                "expected": wanted if fire else "no_emergency",
                "got": {"urgency": got.urgency, "flags": [flag.id for flag in got.flags]},
                "pass": passed,
            }
        )
    total = {key: sum(s[key] for s in sections.values()) for key in ("fire", "found", "quiet", "false")}
    metrics: dict[str, Any] = {**_rates(total), **total, "at_level": _share(cases)}
    metrics["sections"] = {name: {**_rates(counts), **counts} for name, counts in sections.items()}
    return {"metrics": metrics, "cases": cases}


def _rates(counts: Mapping[str, int]) -> dict[str, float | None]:
    return {
        "recall": counts["found"] / counts["fire"] if counts["fire"] else None,
        "false_alarms": counts["false"] / counts["quiet"] if counts["quiet"] else None,
    }


def _share(cases: list[dict[str, Any]]) -> float | None:
    must = [case for case in cases if case["expected"] != "no_emergency"]
    return sum(case["pass"] for case in must) / len(must) if must else None


def _screened(row: Mapping[str, Any]) -> Screen:
    messages = [str(m) for m in row.get("messages") or [row.get("text", "")]]
    known = row.get("context") or {}
    if not isinstance(known, Mapping):
        known = {}
    person = Person(**{k: known[k] for k in _PERSON if k in known}, facts=frozenset(known.get("facts", ())))
    best = None
    for i, message in enumerate(messages):
        got = screen(message, messages[:i], person)
        if best is None or RANK[got.urgency] > RANK[best.urgency]:
            best = got
    assert best is not None
    return best


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        read = [json.loads(line) for line in text.splitlines() if line.strip()]
        yield from (row for row in read if row.get("id") != "META")
        return
    data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if isinstance(data, list):
        yield from data
    elif "cases" in data:
        yield from data["cases"]
    else:
        yield from _catalogue(data)


def _catalogue(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    urgency = {flag["id"]: flag["urgency"] for flag in data["red_flags"]}

    def row(section: str, i: int, flag: str | None, fire: bool, **said: Any) -> dict[str, Any]:
        found = {"id": f"{section}-{flag or ''}-{i}", "section": section, "expect": "fire" if fire else "no_emergency"}
        return {**found, **({"flag": flag, "urgency": urgency[flag]} if flag and fire else {}), **said}

    for flag in data["red_flags"]:
        for i, text in enumerate(flag.get("patient_phrases", ())):
            yield row("patient_phrases", i, flag["id"], True, text=text)
        for i, text in enumerate(flag.get("must_not_fire", ())):
            yield row("must_not_fire", i, flag["id"], False, text=text)
    for section in ("negation_traps_must_fire", "other_language_must_fire"):
        for i, case in enumerate(data.get(section, ())):
            yield row(section, i, case["flag"], True, text=case["text"])
    for i, case in enumerate(data.get("multi_turn_must_fire", ())):
        yield row("multi_turn_must_fire", i, case["flag"], True, messages=case["messages"][: case["fire_by"] + 1])
    for section in ("inform_not_fire", "benign_controls"):
        for i, text in enumerate(data.get(section, ())):
            yield row(section, i, None, False, text=text)
