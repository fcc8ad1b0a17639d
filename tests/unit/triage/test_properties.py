"""What must hold for every person and every evidence, on the installed knowledge base."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.levels import LEVEL_OF_URGENCY, Level
from careline.triage import explain, interview
from careline.triage.case import Case, Evidence, Flag, Patient
from careline.triage.engine import engine
from careline.triage.shapes import Interview

IDS = sorted(engine().knowledge.findings)
RED = sorted(engine().urgency.red)

patients = st.builds(
    Patient,
    age=st.none() | st.floats(0, 130),
    sex=st.sampled_from((None, "female", "male")),
    pregnant=st.sampled_from((None, True, False)),
)
items = st.builds(
    Evidence,
    id=st.sampled_from(IDS),
    choice=st.sampled_from(("present", "absent", "unknown")),
    source=st.just("initial"),
    onset_hours=st.none() | st.floats(0, 20_000),
    severity=st.sampled_from((None, "mild", "moderate", "severe")),
)
flags = st.builds(Flag, id=st.just("flag"), urgency=st.sampled_from(sorted(LEVEL_OF_URGENCY)))
cases = st.builds(
    Case,
    patient=patients,
    evidence=st.lists(items, max_size=10, unique_by=lambda item: item.id).map(tuple),
    flags=st.lists(flags, max_size=1).map(tuple),
    conversation=st.booleans(),
)
some = settings(max_examples=60, deadline=None)


@pytest.mark.skipif(not RED, reason="no red flags in the knowledge base")
@some
@given(cases, st.data())
def test_an_added_red_flag_never_lowers_the_level(case: Case, data: st.DataObject) -> None:
    said = {item.id for item in case.evidence}
    free = [ident for ident in RED if ident not in said]
    added = Evidence(data.draw(st.sampled_from(free)), "present", "asked")
    more = Case(case.patient, (*case.evidence, added), case.flags, case.conversation)
    assert engine().assess(more).level.rank >= engine().assess(case).level.rank


@some
@given(cases, flags)
def test_an_added_flag_of_the_screen_never_lowers_the_level(case: Case, flag: Flag) -> None:
    more = Case(case.patient, case.evidence, (*case.flags, flag), case.conversation)
    before, after = engine().assess(case).level, engine().assess(more).level
    assert after.rank >= max(before.rank, LEVEL_OF_URGENCY[flag.urgency].rank)


@some
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_the_evidence_does_not_matter(case: Case, chance: random.Random) -> None:
    shuffled = list(case.evidence)
    chance.shuffle(shuffled)
    other = Case(case.patient, tuple(shuffled), case.flags, case.conversation)
    one, two = engine().assess(case), engine().assess(other)
    assert json.dumps(explain.triage(engine(), one)) == json.dumps(explain.triage(engine(), two))
    assert np.array_equal(one.belief.probability, two.belief.probability)


@some
@given(cases)
def test_the_level_is_never_below_the_floor(case: Case) -> None:
    assessment = engine().assess(case)
    floor = assessment.decision.floor.level
    assert floor is None or assessment.level.rank >= floor.rank


@some
@given(cases)
def test_the_weights_of_the_explanation_add_up_to_the_belief(case: Case) -> None:
    assessment = engine().assess(case)
    for ident, p in assessment.belief.top(5):
        parts = explain.contributions(assessment, ident, engine().network)
        assert sum(parts.values()) == pytest.approx(np.log(p), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(patients, st.lists(st.sampled_from(IDS), min_size=1, max_size=2, unique=True))
def test_dont_know_everywhere_never_yields_self_care(patient: Patient, complaint: list[str]) -> None:
    evidence = [Evidence(ident, "present", "initial") for ident in complaint]
    asked: list[str] = []
    for _ in range(13):
        answer = interview.step(engine(), Case(patient, tuple(evidence), conversation=True), Interview(asked=asked))
        if answer["question"] is None:
            break
        for item in answer["question"]["items"]:
            asked.append(item["id"])
            evidence.append(Evidence(item["id"], "unknown", "asked"))
    if asked:
        assert answer["triage"]["level"] != Level.SELF_CARE.value


@some
@given(cases)
def test_the_same_case_gives_the_same_bytes(case: Case) -> None:
    def answer() -> str:
        return json.dumps(interview.step(engine(), case, Interview()), sort_keys=True)

    assert answer() == answer()


@some
@given(cases)
def test_a_question_is_never_about_what_is_known_or_impossible(case: Case) -> None:
    assessment = engine().assess(case)
    impossible = engine().reader.impossible(case.patient)
    for choice in engine().next_questions(assessment):
        assert choice.id not in assessment.facts.answered
        assert choice.id not in impossible
