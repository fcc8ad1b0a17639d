"""The floor, the cost of being wrong, and what self-care needs."""

from __future__ import annotations

from careline.levels import Level
from careline.triage.case import Case, Evidence, Flag, Patient, evidence
from careline.triage.engine import Engine
from careline.triage.engine import engine as real_engine
from careline.triage.parameters import Parameters
from tests.unit.triage.small_base import small_base, small_engine

ENGINE = small_engine()
ADULT = Patient(30, "male")


def level(case: Case) -> Level:
    return ENGINE.assess(case).level


def test_a_rule_is_a_floor() -> None:
    decision = ENGINE.assess(Case(Patient(8, "male"), evidence(["chest_pain_crushing"]))).decision
    assert decision.floor.level is Level.EMERGENCY
    assert [rule.id for rule in decision.floor.rules] == ["crushing"]
    assert decision.level.rank >= Level.EMERGENCY.rank


def test_pairs_raise_the_level_together() -> None:
    assert level(Case(ADULT, evidence(["chest_pain_crushing", "sweating"]))) is Level.EMERGENCY_AMBULANCE


def test_unknown_does_not_fire_a_rule_and_does_not_rule_it_out() -> None:
    case = Case(ADULT, (Evidence("chest_pain_crushing", "unknown", "asked"),))
    assert ENGINE.assess(case).decision.floor.level is None


def test_a_flag_of_the_screen_is_a_floor() -> None:
    assert level(Case(ADULT, evidence(["runny_nose"]), (Flag("x", "call_ems"),))) is Level.EMERGENCY_AMBULANCE


def test_duration_counts_in_rules() -> None:
    short = Case(ADULT, (Evidence("cough", "present", onset_hours=24), Evidence("runny_nose", "present")))
    long = Case(ADULT, (Evidence("cough", "present", onset_hours=900), Evidence("runny_nose", "present")))
    assert ENGINE.assess(short).decision.floor.level is None
    assert ENGINE.assess(long).decision.floor.level is Level.ROUTINE


def test_a_modifier_raises_the_condition_for_this_person() -> None:
    column = ENGINE.network.column["pneumonia"]
    for age, index in ((50, 2), (85, 1)):
        assert ENGINE.assess(Case(Patient(age, "male"), evidence(["fever"]))).condition_levels[column] == index


def test_a_plain_cold_is_self_care_in_a_letter() -> None:
    assert level(Case(ADULT, evidence(["runny_nose", "cough"], ["fever", "breathlessness"]))) is Level.SELF_CARE


def test_in_a_conversation_self_care_waits_for_the_red_flags() -> None:
    told = evidence(["runny_nose", "cough"], ["fever"])
    waiting = ENGINE.assess(Case(ADULT, told, conversation=True))
    assert waiting.level is not Level.SELF_CARE
    assert waiting.decision.no_self_care == "open_red_flags"
    denied = (*told, *evidence((), ["breathlessness", "chest_pain_crushing"]))
    assert level(Case(ADULT, denied, conversation=True)) is Level.SELF_CARE
    unsure = (*told, Evidence("breathlessness", "unknown", "asked"), *evidence((), ["chest_pain_crushing"]))
    assert level(Case(ADULT, unsure, conversation=True)) is not Level.SELF_CARE


def test_worse_severe_or_weak_is_not_self_care() -> None:
    told = evidence(["runny_nose", "cough"], ["fever", "breathlessness"])
    for more in ("symptom_getting_worse", "immunosuppressed"):
        assert level(Case(ADULT, (*told, Evidence(more, "present")))) is not Level.SELF_CARE
    severe = (*told[1:], Evidence("runny_nose", "present", severity="severe"))
    assert level(Case(ADULT, severe)) is not Level.SELF_CARE


def test_nothing_said_is_never_self_care() -> None:
    assert level(Case(ADULT)) is not Level.SELF_CARE
    assert level(Case()) is not Level.SELF_CARE


def test_contradiction_takes_the_safer_reading() -> None:
    case = Case(ADULT, (*evidence((), ["chest_pain_crushing"]), *evidence(["chest_pain_crushing"])))
    assert level(case).rank >= Level.EMERGENCY.rank


def test_expected_costs_prefer_too_early_to_too_late() -> None:
    costs = ENGINE.parameters.costs
    for early in range(5):
        for late in range(early + 1, 5):
            assert costs[late][early] > costs[early][late]


def test_a_letter_that_nobody_understood_waits_only_for_those_who_may_wait() -> None:
    assert ENGINE.assess(Case(Patient(30, "female"))).level is Level.ROUTINE
    assert ENGINE.assess(Case(Patient(30, "female", pregnant=True))).level is Level.URGENT
    assert ENGINE.assess(Case(Patient(0.1, "female"))).level is Level.URGENT


def test_self_care_is_refused_where_an_emergency_is_thinkable() -> None:
    case = Case(ADULT, evidence(["cough"]))
    calm = small_engine().assess(case)
    wary = Engine(small_base(), Parameters(self_care_danger=1e-6)).assess(case)
    assert calm.level is Level.SELF_CARE
    assert wary.decision.no_self_care == "serious_possible"
    assert wary.level is Level.ROUTINE


def test_well_in_themselves_is_no_complaint() -> None:
    brain = real_engine()
    case = Case(Patient(7, "male"), evidence(["child_well_in_self"]))
    assert brain.assess(case).level is Level.ROUTINE
