"""How texts about texting are understood: `careline evaluate keywords FILE`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from careline.gateway.sms import keywords
from careline.language import screen


def classify(body: str, context: str = "idle") -> str:
    """The class of one text, as the SMS channel treats it.

    Beyond the keywords themselves: `safety_first` when the red-flag screen fires or asks, `not_opt_out_safety_check`
    when such a text holds an opt-out word, `normal_dialogue` when a text holds one and is neither.
    """
    kind = keywords.classify(body, awaiting_dose=context == "awaiting_reminder_reply")
    if kind != keywords.OTHER:
        return kind
    holds_keyword = keywords.holds_opt_out_word(body)
    found = screen(body)
    danger = found.kind in {"fire", "ask"}
    if holds_keyword:
        return "not_opt_out_safety_check" if danger or keywords.clinical(body) else "normal_dialogue"
    return keywords.SAFETY_FIRST if danger else keywords.OTHER


def evaluate(path: Path) -> dict[str, Any]:
    """`metrics`: accuracy overall and by class; `cases`: {id, expected, got: {class}}."""
    cases = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        case = json.loads(line) if line.strip() else {"id": "META"}
        if case["id"] != "META":
            got = classify(case["body"], case.get("context", "idle"))
            cases.append({"id": case["id"], "expected": {"class": case["class"]}, "got": {"class": got}})
    total, right = Counter(), Counter()
    for case in cases:
        total[case["expected"]["class"]] += 1
        right[case["expected"]["class"]] += case["got"] == case["expected"]
    metrics = {"accuracy": sum(right.values()) / max(1, len(cases))}
    metrics |= {f"accuracy.{kind}": right[kind] / total[kind] for kind in sorted(total)}
    return {"metrics": metrics, "cases": cases}
