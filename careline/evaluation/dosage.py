"""How well directions are understood: exact schedules, nothing created where nothing may be, no silent wrong one.

A line of the file: {id, sig, class, schedule_reminders, dose, phases, first_occurrences_local, total_doses, ask, ...}.
A line with the id META may give `start_local`, the wall-clock time at which the directions are given.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from careline.clinic.medications.dosage import Directions, understand
from careline.evaluation.metrics import wilson

START = datetime(2026, 12, 1, 7, 0)  # noqa: DTZ001 - the patient's wall clock
TO_SCHEDULE = ("scheduled", "taper", "cyclic", "prn", "one_off")
TO_WITHHOLD = ("ambiguous", "unsafe", "refuse")


def evaluate(path: str | Path) -> dict[str, Any]:
    """Run a case file -> {metrics, intervals, groups, cases}.

    exact: of the cases that give a schedule (or as-needed limits), those understood to the letter. refused: of the
    ambiguous, unsafe and refuse cases, those that create nothing. silent_wrong: schedules that would be read back
    although they are not what the case says. clear_exact leaves out cases in which even the case asks first.
    """
    start, rows = START, []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        row = json.loads(line) if line.strip() else None
        if row is None:
            continue
        if row["id"] == "META":
            found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", str(row.get("start_local", "")))
            start = datetime.fromisoformat(found[0]) if found else START
        else:
            rows.append(row)
    cases, tally = [], defaultdict(list)
    silent_wrong = 0
    for row in rows:
        understood = understand(row["sig"], start)
        got = describe(understood)
        wanted = {
            key: row.get(key)
            for key in ("class", "schedule_reminders", "dose", "first_occurrences_local", "total_doses", "ask")
        }
        wanted["phases"] = row.get("phases", [])
        right = same(row, understood)
        cases.append({"id": row["id"], "expected": wanted, "got": got, "right": right})
        kind = row["class"]
        tally[kind].append(right if kind in TO_SCHEDULE else not understood.schedules)
        tally["ask"].append(set(row.get("ask", ())) <= set(understood.asks))
        silent_wrong += understood.schedules and not right
    exact = [ok for kind in TO_SCHEDULE for ok in tally[kind]]
    refused = [ok for kind in TO_WITHHOLD for ok in tally[kind]]
    metrics = {
        "exact": _share(exact),
        "refused": _share(refused),
        "silent_wrong": silent_wrong,
        "cases": len(rows),
        **{f"exact_{kind}": _share(tally[kind]) for kind in TO_SCHEDULE if tally[kind]},
        **{f"refused_{kind}": _share(tally[kind]) for kind in TO_WITHHOLD if tally[kind]},
        "asks_covered": _share(tally["ask"]),
    }
    intervals = {"exact": wilson(sum(exact), len(exact)), "refused": wilson(sum(refused), len(refused))}
    return {"metrics": metrics, "intervals": intervals, "cases": cases}


def describe(understood: Directions) -> dict[str, Any]:
    """Understood directions in the form of the case file."""
    limits = understood.as_needed
    phases = [phase for phase in understood.phases]
    shown = [phase.cycle(n) for phase in phases for n in range(2)] if any(p.cycle_days for p in phases) else phases
    return {
        "class": understood.kind,
        "schedule_reminders": understood.schedules,
        "dose": understood.amount.as_dict() if understood.amount else None,
        "basis": understood.basis,
        "phases": [phase.as_dict() for phase in shown],
        "first_occurrences_local": [at.isoformat(timespec="minutes") for at in understood.occurrences(8)],
        "total_doses": understood.total,
        "ask": list(understood.asks),
        **(
            {
                "prn": True,
                "prn_reason": limits.reason,
                "min_interval_h": limits.min_interval_h,
                "max_per_day": limits.max_per_day,
            }
            if limits
            else {}
        ),
    }


def same(row: dict[str, Any], understood: Directions) -> bool:
    """Is what was understood what the case says: reminders or none, doses, times, total, basis, as-needed limits?"""
    got = describe(understood)
    if bool(row["schedule_reminders"]) != understood.schedules or got["class"] != row["class"]:
        return False
    if row["class"] in TO_WITHHOLD:
        return True
    if not row["schedule_reminders"] and row["class"] != "prn":
        return True  # a question comes first; there is no schedule to compare
    checked = ["dose", "first_occurrences_local", "total_doses"]
    if row.get("phases"):
        checked.append("basis")
        if [p["dose"] for p in got["phases"]] != [p["dose"] for p in row["phases"]]:
            return False
    if row.get("prn"):
        checked += ["prn_reason", "min_interval_h", "max_per_day"]
    empty: dict[str, Any] = {"first_occurrences_local": []}
    return all((row.get(key) if row.get(key) is not None else empty.get(key)) == got.get(key) for key in checked)


def _share(hits: list[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
