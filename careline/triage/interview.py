"""One step of an interview: what is believed, how urgent it is, and what to ask next."""

from __future__ import annotations

from typing import Any

from careline.texts import text
from careline.triage import explain
from careline.triage.case import Case
from careline.triage.engine import Assessment, Engine
from careline.triage.questions import Choice
from careline.triage.shapes import Interview

_SHOWN = 8
_GROUP = 5
_SURE = 0.98  # a belief as clear as this needs no further question about the condition
_ANSWERS = ("present", "absent", "unknown")


def step(engine: Engine, case: Case, interview: Interview) -> dict[str, Any]:
    """The answer of /v1/diagnosis. Findings that were asked without an answer count as "don't know"."""
    assessment = engine.assess(case)
    asked = set(interview.asked)
    choices = [c for c in engine.next_questions(assessment, interview.goal) if c.id not in asked]
    count = interview.questions_asked if interview.questions_asked is not None else len(interview.asked)
    stop = done(engine, assessment, choices, count, interview)
    return {
        "question": None if stop else question(engine, choices, interview),
        "conditions": [
            {"id": ident, "name": engine.knowledge.conditions[ident].name, "probability": round(p, 6)}
            for ident, p in assessment.belief.top(_SHOWN)
        ],
        "triage": explain.triage(engine, assessment),
        "should_stop": stop,
    }


def done(engine: Engine, assessment: Assessment, choices: list[Choice], count: int, interview: Interview) -> bool:
    if interview.goal == "diagnosis":
        if count >= interview.max_questions or not choices:
            return True
        best = assessment.belief.top(1)
        return bool(best) and best[0][1] >= _SURE
    return engine.should_stop(assessment, choices, count, interview.max_questions)


def question(engine: Engine, choices: list[Choice], interview: Interview) -> dict[str, Any]:
    """The best question; with `groups`, further ones of the same kind stand beside it."""
    first = choices[0]
    group = [first]
    if interview.groups:
        group = _group(engine, choices)
    other = interview.subject == "other"
    finding = engine.knowledge.findings[first.id]
    if len(group) == 1:
        words = (finding.ask_other if other else finding.ask) or finding.name
    else:
        words = text("triage.question.group_other" if other else "triage.question.group")
    answers = [{"id": answer, "label": text(f"triage.question.{answer}")} for answer in _ANSWERS]
    return {
        "type": "single" if len(group) == 1 else "group_multiple",
        "text": words,
        "help": finding.help if len(group) == 1 else None,
        "items": [
            {"id": choice.id, "name": engine.knowledge.findings[choice.id].plain, "choices": answers}
            for choice in group
        ],
        "rationale": text(f"triage.question.why.{first.rationale}"),
    }


def _group(engine: Engine, choices: list[Choice]) -> list[Choice]:
    """The next questions of the same rationale, without two of which one implies the other."""
    group = [choices[0]]
    for choice in choices[1:]:
        if len(group) == _GROUP:
            break
        related = any(_related(engine, choice.id, chosen.id) for chosen in group)
        if choice.rationale == choices[0].rationale and not related:
            group.append(choice)
    return group


def _related(engine: Engine, one: str, two: str) -> bool:
    return one in engine.reader.ancestors[two] or two in engine.reader.ancestors[one]
