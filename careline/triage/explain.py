"""Why: the exact weight of every piece of evidence, and the reasons in words that a patient can read."""

from __future__ import annotations

from typing import Any

import numpy as np

from careline.knowledge import Knowledge
from careline.levels import LEVEL_OF_URGENCY, Level
from careline.texts import text
from careline.triage.belief import OTHER, Network
from careline.triage.engine import Assessment, Engine

_DIGITS = 6
_SHOWN = 0.05  # a serious condition less likely than this is not named to clinicians


def contributions(assessment: Assessment, target: str, network: Network) -> dict[str, float]:
    """Weights (nats) whose sum is the log-probability of `target`: prior, evidence, and the common normaliser.

    KeyError for a condition that the knowledge base does not know.
    """
    column = network.column[target]
    out = {name: float(row[column]) for name, _, row in assessment.weights}
    out["normaliser"] = float(np.log(assessment.belief.probability[column]) - assessment.belief.score[column])
    return out


def explain(engine: Engine, assessment: Assessment, target: str) -> dict[str, Any]:
    """What speaks for and against a condition (weights in nats), and what is not known yet."""
    network = engine.network
    column = network.column[target]
    parts = {"supporting": [], "conflicting": []}  # type: dict[str, list[dict[str, Any]]]
    for name, kind, row in assessment.weights:
        weight = float(row[column])
        if kind == "prior" or abs(weight) < 1e-12:
            continue
        entry = {"id": name, "name": _name(engine.knowledge, name), "choice_id": kind, "weight": _round(weight)}
        parts["supporting" if weight > 0 else "conflicting"].append(entry)
    for entries in parts.values():
        entries.sort(key=lambda entry: (-abs(entry["weight"]), entry["id"]))
    all_weights = contributions(assessment, target, network)
    impossible = engine.reader.impossible(assessment.facts.patient)
    open_ids = [] if target == OTHER else sorted(engine.knowledge.conditions[target].findings)
    open_ids = [i for i in open_ids if i not in assessment.facts.answered and i not in impossible]
    open_ids.sort(key=lambda ident: (-abs(float(network.present[network.index[ident], column])), ident))
    temper = engine.parameters.temperature
    return {
        "target": {"id": target, "name": _condition_name(engine.knowledge, target)},
        "probability": _round(float(assessment.belief.probability[column])),
        "prior_weight": _round(all_weights["prior"]),
        "normaliser": _round(all_weights["normaliser"]),
        **parts,
        "unconfirmed": [
            {
                "id": ident,
                "name": _name(engine.knowledge, ident),
                "weight_if_present": _round(temper * float(network.present[network.index[ident], column])),
                "weight_if_absent": _round(temper * float(network.absent[network.index[ident], column])),
            }
            for ident in open_ids
        ],
        "model_version": engine.version,
    }


def triage(engine: Engine, assessment: Assessment) -> dict[str, Any]:
    """The triage part of an answer, in the shape of the API; the same bytes for the same case."""
    decision, level = assessment.decision, assessment.level
    best = assessment.belief.top(1)
    leading = engine.knowledge.conditions[best[0][0]] if best else None
    self_care, safety_net = [], []
    if leading and level is Level.SELF_CARE:
        self_care, safety_net = list(leading.self_care), list(leading.safety_net)
    elif leading and level.rank <= 3:
        safety_net = list(leading.safety_net)
    rules = [{"id": r.id, "level": r.level.value, "text": r.text, "source": r.source} for r in decision.floor.rules]
    rules += [
        {"id": f.id, "level": LEVEL_OF_URGENCY[f.urgency].value, "text": f.name or f.id, "source": "red_flags"}
        for f in decision.floor.flags
    ]
    return {
        "level": level.value,
        "floor": {"level": decision.floor.level.value if decision.floor.level else None, "rules": rules},
        "expected_costs": {name.value: _round(cost) for name, cost in decision.costs.items()},
        "serious": [
            {"id": ident, "name": _condition_name(engine.knowledge, ident), "probability": _round(p)}
            for ident, p in decision.serious
            if p >= _SHOWN
        ],
        "reasons": reasons(engine, assessment),
        "advice": {"headline_key": f"triage.level.{level.value}", "self_care": self_care, "safety_net": safety_net},
        "model_version": engine.version,
    }


def reasons(engine: Engine, assessment: Assessment) -> list[dict[str, str]]:
    """Why this level, most important first. `text` is for clinicians, `plain` for the patient."""
    decision, level = assessment.decision, assessment.level
    out: list[dict[str, str]] = []
    for flag in decision.floor.flags:
        if LEVEL_OF_URGENCY[flag.urgency] is level:
            out.append(
                _reason("red_flag", flag.id, f"Red flag: {flag.name or flag.id}", text("triage.reason.red_flag"))
            )
    for rule in decision.floor.rules:
        if rule.level is level:
            out.append(_reason("rule", rule.id, f"Rule {rule.id} ({rule.source})", rule.text))
    for ident in decision.raised_by:
        name = _condition_name(engine.knowledge, ident)
        p = dict(decision.serious)[ident]
        out.append(_reason("serious", ident, f"{name} is possible ({p:.0%})", text("triage.reason.serious")))
    if level is not decision.level:
        out.append(_reason("red_flag", "several", "Several red flags at once", text("triage.reason.red_flag")))
    out += _because_of(engine, assessment)
    if decision.no_self_care and level is Level.ROUTINE and decision.no_self_care != "no_pattern":
        key = decision.no_self_care
        out.append(_reason("no_self_care", key, f"Self-care not offered: {key}", text(f"triage.reason.{key}")))
    if not out:
        out.append(_reason("cost", level.value, "Least expected cost", text("triage.reason.cost")))
    return out


def _because_of(engine: Engine, assessment: Assessment) -> list[dict[str, str]]:
    """The findings that pushed most towards this level, by the belief in conditions of that level or above."""
    index = tuple(Level).index(assessment.level)
    at_level = assessment.condition_levels == index
    p = assessment.belief.probability[:-1]
    if not at_level.any() or float(p[at_level].sum()) < 1e-6:
        return []
    inside = p * at_level / p[at_level].sum()
    weights = [
        (float(row[:-1] @ inside - row @ assessment.belief.probability), name)
        for name, kind, row in assessment.weights
        if kind == "present" and name in engine.knowledge.findings
    ]
    weights.sort(key=lambda item: (-item[0], item[1]))
    out = []
    for weight, name in weights[:3]:
        if weight > 0.05:
            finding = engine.knowledge.findings[name]
            plain = text("triage.reason.finding", finding=finding.plain)
            out.append(_reason("finding", name, f"{finding.name} (weight {weight:+.2f})", plain))
    return out


def _reason(kind: str, ident: str, clinical: str, plain: str) -> dict[str, str]:
    return {"kind": kind, "id": ident, "text": clinical, "plain": plain}


def _name(knowledge: Knowledge, ident: str) -> str:
    return knowledge.findings[ident].name if ident in knowledge.findings else ident.replace(":", ": ")


def _condition_name(knowledge: Knowledge, ident: str) -> str:
    return knowledge.conditions[ident].name if ident in knowledge.conditions else "Something else"


def _round(number: float) -> float:
    return round(number, _DIGITS)
