"""Is the right condition among the first five: `evaluate(path)` on clinicians' cases, at once or by interview."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from careline.evaluation.condition_names import Names
from careline.evaluation.metrics import group_names, read_cases, report, share
from careline.language import Person
from careline.triage import interview as interviewing
from careline.triage import reading
from careline.triage.case import Case, Evidence
from careline.triage.engine import Engine, engine
from careline.triage.shapes import Interview

_MOST_QUESTIONS = 12
_TOP = 5


def evaluate(path: Path | str, interview: bool = False, *, using: Engine | None = None) -> dict[str, Any]:
    """{metrics, intervals, groups, cases}. With `interview` the complaint alone is told, and the rest is asked."""
    brain = using or engine()
    names = Names(brain.knowledge)
    results = [judge(brain, names, row, interview) for row in read_cases(path)]
    return report(results, measure) | {
        "cases": [{key: r[key] for key in ("id", "expected", "got")} for r in results],
    }


def judge(brain: Engine, names: Names, row: dict[str, Any], interview: bool) -> dict[str, Any]:
    whole = whole_case(brain, row)
    if interview:
        case, questions = ask(brain, row, whole)
    else:
        case, questions = whole, 0
    top = [ident for ident, _ in brain.assess(case).belief.top(_TOP)]
    gold = names.find(row["gold_condition"])
    return {
        "id": row["id"],
        "expected": row["gold_condition"],
        "known": bool(gold),
        "place": next((place for place, ident in enumerate(top) if ident in gold), None),
        "questions": questions,
        "got": {"top": [brain.knowledge.conditions[ident].name for ident in top], "questions": questions},
        "groups": group_names(row),
    }


def whole_case(brain: Engine, row: dict[str, Any]) -> Case:
    """All that the case says. Of the list of denials every line is read as one."""
    person = Person(age_years=row.get("age"), sex=row.get("sex"))
    known = brain.knowledge.findings
    case, _ = reading.case_from_text(f"{row['complaint']}. {row['text']}", person, known)
    evidence = list(case.evidence)
    evidence += [item for item in _read(row.get("absent") or "", person, known) if item.choice == "absent"]
    evidence += _read(_own_history(row.get("history") or ""), person, known)
    return Case(case.patient, tuple(evidence))


def ask(brain: Engine, row: dict[str, Any], whole: Case) -> tuple[Case, int]:
    """From the complaint on: ask, and answer from the whole case; "unknown" where it does not say."""
    person = Person(age_years=row.get("age"), sex=row.get("sex"))
    start, _ = reading.case_from_text(row["complaint"], person, brain.knowledge.findings)
    facts = brain.reader.facts(whole)
    evidence, asked, count = list(start.evidence), [], 0
    while True:
        case = Case(whole.patient, tuple(evidence), conversation=True)
        plan = Interview(
            asked=asked, max_questions=_MOST_QUESTIONS, groups=True, goal="diagnosis", questions_asked=count
        )
        answer = interviewing.step(brain, case, plan)
        question = answer["question"]
        if question is None:
            return case, count
        count += 1
        for item in question["items"]:
            ident = item["id"]
            asked.append(ident)
            choice = "present" if ident in facts.present else "absent" if ident in facts.absent else "unknown"
            said = facts.said.get(ident)
            if said is not None and said.choice == choice == "present":
                evidence.append(Evidence(ident, "present", "asked", said.onset_hours, said.severity, said.value))
            else:
                evidence.append(Evidence(ident, choice, "asked"))


def _read(text: str, person: Person, known: Any) -> list[Evidence]:
    out: list[Evidence] = []
    for part in re.split(r"[.,;\n]+", text):
        if part.strip():
            case, _ = reading.case_from_text(part.strip(), person, known)
            out += case.evidence
    return out


def _own_history(history: str) -> str:
    """Without what relatives had: a father's heart attack is not the patient's."""
    return re.split(r"\bfamily\s*:", history, maxsplit=1, flags=re.IGNORECASE)[0]


def measure(results: list[dict[str, Any]]) -> dict[str, Any]:
    def within(most: int) -> Any:
        return lambda result: result["place"] is not None and result["place"] < most

    asked = [result["questions"] for result in results]
    return {
        "coverage": share(results, lambda result: result["known"]),
        "top1": share(results, within(1)),
        "top3": share(results, within(3)),
        "top5": share(results, within(5)),
        "questions": round(sum(asked) / len(asked), 2) if asked else 0,
        "cases": len(results),
    }
