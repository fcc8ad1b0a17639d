"""Speed of a triage step against the size of the knowledge base, beside a general Bayesian-network library.

A step is what the service does for one answer: belief, level, next question and reasons. The peer (pgmpy, when it is
installed) does the belief update alone, by variable elimination over a node for the condition and one a finding.
"""

from __future__ import annotations

import gc
import importlib
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from careline.knowledge import Complaint, Condition, Finding, Knowledge, Rule
from careline.triage import interview
from careline.triage.case import Case, Patient, evidence
from careline.triage.engine import Engine
from careline.triage.parameters import Parameters
from careline.triage.shapes import Interview

SIZES = (50, 100, 200, 300, 400, 500)
_LEVELS = ("emergency_ambulance", "emergency", "urgent", "routine", "self_care")
_REPEATS = 60


def made_up(conditions: int, findings: int, seed: int = 1) -> Knowledge:
    """A base of this size with the shape of the real one: 12 findings a condition, a third of them kinds of others."""
    chance = random.Random(seed)
    ids = [f"finding_{number}" for number in range(findings)]
    found = {
        ident: Finding(
            id=ident,
            name=ident,
            plain=ident,
            kind="symptom",
            is_a=(ids[number // 3],) if number % 3 == 1 else (),
            clinical=(ident,),
            patient=(ident,),
            ask=f"{ident}?",
            ask_other=f"{ident}?",
        )
        for number, ident in enumerate(ids)
    }
    known = {}
    for number in range(conditions):
        level = _LEVELS[number % 5]
        known[f"condition_{number}"] = Condition.model_validate(
            {
                "id": f"condition_{number}",
                "name": f"Condition {number}",
                "plain": f"condition {number}",
                "icd10": "R69",
                "system": "general",
                "incidence": {"per_100k": chance.uniform(1, 3000)},
                "findings": {ident: round(chance.uniform(0.05, 0.95), 2) for ident in chance.sample(ids, 12)},
                "urgency": level,
                "modifiers": [{"when": [chance.choice(ids)], "level": "urgent", "why": "made up"}],
                "serious": number % 5 < 2,
                "self_care": ["Rest."] if level == "self_care" else [],
                "specialty": "general practice",
                "sources": ["made up"],
                "version": 1,
                "reviewed": "unreviewed",
            }
        )
    rules = tuple(
        Rule.model_validate(
            {
                "id": f"rule_{number}",
                "when": chance.sample(ids, 2),
                "level": chance.choice(_LEVELS[:4]),
                "text": "t",
                "source": "s",
            }
        )
        for number in range(min(600, 2 * conditions))
    )
    complaints = tuple(
        Complaint(id=f"c{n}", name="c", plain="c", findings=(ids[n],), red_flags=tuple(ids[n + 1 : n + 7]), source="s")
        for n in range(80)
        if n + 7 < findings
    )
    return Knowledge(found, known, rules, complaints, (), {}, version="made-up")


def median_ms(step: Callable[[], Any], repeats: int = _REPEATS) -> float:
    """Median time of a call in milliseconds, with the garbage collector held off."""
    step()
    times = []
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            start = time.perf_counter()
            step()
            times.append(1000 * (time.perf_counter() - start))
    finally:
        if enabled:
            gc.enable()
    return statistics.median(times)


def bench(sizes: tuple[int, ...] = SIZES, peer: bool = True) -> list[dict[str, Any]]:
    """One row for each size: {what, size, ours_ms, peer, peer_ms}; peer_ms is None when pgmpy is not installed."""
    rows = []
    for size in sizes:
        base = made_up(size, 2 * size)
        engine = Engine(base, Parameters())
        case = _case(base)
        network, facts = engine.network, engine.reader.facts(case)

        def step(engine: Engine = engine, case: Case = case) -> Any:
            return interview.step(engine, case, Interview())

        def update(engine: Engine = engine, facts: Any = facts, network: Any = network) -> Any:
            score = network.prior(facts.patient)
            for _, _, row in network.rows(facts):
                score = score + row
            return network.belief(score)

        rows.append({"what": "triage step", "size": size, "ours_ms": median_ms(step), "peer": None, "peer_ms": None})
        slower = _pgmpy_ms(base, case) if peer else None
        rows.append(
            {"what": "belief update", "size": size, "ours_ms": median_ms(update), "peer": "pgmpy", "peer_ms": slower}
        )
    return rows


def _case(base: Knowledge) -> Case:
    """Eight findings that are there (three of one condition) and six that are not, of a woman of 40."""
    ids = sorted(base.findings)
    story = sorted(base.conditions["condition_3"].findings)[:3]
    present = list(dict.fromkeys([*story, *ids[5:50:9]]))
    absent = [ident for ident in ids[7:60:9] if ident not in present]
    return Case(Patient(40, "female"), evidence(present, absent), conversation=True)


def _pgmpy_ms(base: Knowledge, case: Case) -> float | None:
    """The same belief update as a naive network in pgmpy; only the findings of the case, which favours the peer."""
    try:
        models = importlib.import_module("pgmpy.models")
        tables = importlib.import_module("pgmpy.factors.discrete")
        inference = importlib.import_module("pgmpy.inference")
    except ImportError:
        return None
    kind = getattr(models, "DiscreteBayesianNetwork", None) or models.BayesianNetwork
    ids = sorted(base.conditions)
    used = sorted({item.id for item in case.evidence})
    network = kind([("condition", ident) for ident in used])
    total = sum(base.conditions[ident].incidence.per_100k for ident in ids)
    prior = [[base.conditions[ident].incidence.per_100k / total] for ident in ids]
    network.add_cpds(tables.TabularCPD("condition", len(ids), prior))
    for finding in used:
        there = [base.conditions[ident].findings.get(finding, 0.02) for ident in ids]
        table = [[1 - p for p in there], there]
        network.add_cpds(tables.TabularCPD(finding, 2, table, ["condition"], [len(ids)]))
    solver = inference.VariableElimination(network)
    said = {item.id: int(item.choice == "present") for item in case.evidence}
    return median_ms(lambda: solver.query(["condition"], evidence=said, show_progress=False), 10)


def main() -> None:
    for row in bench():
        peer = "not installed" if row["peer_ms"] is None else f"{row['peer_ms']:.2f} ms"
        print(f"{row['what']:14} {row['size']:4} conditions: {row['ours_ms']:.3f} ms   pgmpy: {peer}")


if __name__ == "__main__":
    main()
