"""A conversation, question by question."""

from __future__ import annotations

from typing import Any

from careline.triage import interview
from careline.triage.case import Case, Evidence, Patient, evidence
from careline.triage.shapes import Interview
from tests.unit.triage.small_base import small_engine

ENGINE = small_engine()


def step(*said: Evidence, sex: str = "male", **plan: Any) -> dict[str, Any]:
    return interview.step(ENGINE, Case(Patient(30, sex), said, conversation=True), Interview(**plan))


def test_the_red_flags_of_the_complaint_come_first() -> None:
    answer = step(*evidence(["cough"]))
    assert [item["id"] for item in answer["question"]["items"]] == ["breathlessness"]
    answer = step(*evidence(["cough"], ["breathlessness"]), asked=["breathlessness"])
    assert [item["id"] for item in answer["question"]["items"]] == ["chest_pain_crushing"]


def test_the_question_speaks_of_the_right_person() -> None:
    assert step(*evidence(["cough"]))["question"]["text"] == "Do you have breathlessness?"
    assert step(*evidence(["cough"]), subject="other")["question"]["text"] == "Do they have breathlessness?"


def test_an_answer_can_be_dont_know() -> None:
    choices = step(*evidence(["cough"]))["question"]["items"][0]["choices"]
    assert [choice["id"] for choice in choices] == ["present", "absent", "unknown"]


def test_an_emergency_stops_the_questions() -> None:
    answer = step(*evidence(["cough", "chest_pain_crushing"]))
    assert answer["should_stop"] and answer["question"] is None


def test_it_stops_at_the_cap() -> None:
    answer = step(*evidence(["cough"]), asked=["breathlessness"], max_questions=1)
    assert answer["should_stop"] and answer["question"] is None


def test_women_only_questions_are_not_asked_of_men() -> None:
    def all_questions(sex: str) -> set[str]:
        case = Case(Patient(30, sex), evidence(["fever"]), conversation=True)
        return {choice.id for choice in ENGINE.next_questions(ENGINE.assess(case))}

    assert "period_pain" not in all_questions("male")


def test_groups_never_hold_a_finding_and_its_kind() -> None:
    items = step(*evidence(["fever"]), groups=True, goal="diagnosis")["question"]["items"]
    ids = {item["id"] for item in items}
    assert not {"cough", "cough_productive"} <= ids
    assert not {"chest_pain", "chest_pain_crushing"} <= ids


def test_it_ends_within_the_cap_for_any_answers() -> None:
    for choice in ("present", "absent", "unknown"):
        said, asked = list(evidence(["cough"])), []
        for _ in range(30):
            answer = step(*said, asked=asked)
            if answer["should_stop"]:
                break
            ident = answer["question"]["items"][0]["id"]
            asked.append(ident)
            said.append(Evidence(ident, choice, "asked"))
        assert answer["should_stop"] and len(asked) <= 12
