"""Bayes by hand: what is said counts once; what is not said counts nothing, or a little in a letter."""

from __future__ import annotations

import numpy as np
import pytest

from careline.triage.belief import OTHER
from careline.triage.case import Case, Evidence, Patient, evidence
from careline.triage.explain import contributions
from tests.unit.triage.small_base import small_engine

ENGINE = small_engine()
ADULT = Patient(50, "male")


def probability(condition: str, case: Case) -> float:
    assessment = ENGINE.assess(case)
    return float(assessment.belief.probability[ENGINE.network.column[condition]])


def test_probabilities_add_up_to_one() -> None:
    belief = ENGINE.assess(Case(ADULT, evidence(["cough"]))).belief
    assert belief.probability.sum() == pytest.approx(1.0)
    assert (belief.probability > 0).all()


def test_a_typical_finding_raises_its_condition_and_its_absence_lowers_it() -> None:
    before = probability("pneumonia", Case(ADULT))
    assert probability("pneumonia", Case(ADULT, evidence(["fever"]))) > before
    assert probability("pneumonia", Case(ADULT, evidence((), ["fever"]))) < before


def test_what_was_not_mentioned_and_what_is_unknown_weigh_the_same() -> None:
    told = Case(ADULT, evidence(["cough"]))
    asked = Case(ADULT, (*told.evidence, Evidence("fever", "unknown", "asked")))
    assert np.array_equal(ENGINE.assess(told).belief.probability, ENGINE.assess(asked).belief.probability)


def test_a_child_implies_its_parent_and_counts_once() -> None:
    child = Case(ADULT, evidence(["cough_productive"]))
    both = Case(ADULT, evidence(["cough_productive", "cough"]))
    assert np.allclose(ENGINE.assess(child).belief.probability, ENGINE.assess(both).belief.probability)
    assert "cough" in ENGINE.assess(child).facts.present


def test_an_absent_parent_rules_out_its_children_once() -> None:
    parent = Case(ADULT, evidence((), ["chest_pain"]))
    both = Case(ADULT, evidence((), ["chest_pain", "chest_pain_crushing"]))
    assert "chest_pain_crushing" in ENGINE.assess(parent).facts.absent
    assert np.allclose(ENGINE.assess(parent).belief.probability, ENGINE.assess(both).belief.probability)


def test_the_weight_of_a_root_finding_is_the_likelihood_ratio() -> None:
    network, parameters = ENGINE.network, ENGINE.parameters
    row, column = network.index["fever"], network.column["pneumonia"]
    parts = contributions(ENGINE.assess(Case(ADULT, evidence(["fever"]))), "pneumonia", network)
    assert parts["fever"] == pytest.approx(parameters.temperature * np.log(0.8 / network.leak[row]))
    absent = contributions(ENGINE.assess(Case(ADULT, evidence((), ["fever"]))), "pneumonia", network)
    expected = parameters.temperature * parameters.absent_weight * np.log(0.2 / (1 - network.leak[row]))
    assert absent["fever"] == pytest.approx(expected)
    assert column == network.condition_ids.index("pneumonia")


def test_a_condition_that_knows_nothing_of_a_finding_takes_it_as_background() -> None:
    parts = contributions(ENGINE.assess(Case(ADULT, evidence(["sweating"]))), "common_cold", ENGINE.network)
    assert parts["sweating"] == 0.0


def test_age_and_sex_shape_the_prior() -> None:
    pain = evidence(["chest_pain_crushing"])
    old, young = Case(Patient(75, "male"), pain), Case(Patient(8, "male"), pain)
    assert probability("heart_attack", old) > 20 * probability("heart_attack", young)
    man, woman = Case(Patient(30, "male")), Case(Patient(30, "female"))
    assert probability("period_cramps", man) < 1e-3 < probability("period_cramps", woman)


def test_age_has_no_jumps_at_the_edges_of_bands() -> None:
    ages = np.arange(0, 130, 0.25)
    prior = np.array([ENGINE.network.prior(Patient(float(age), "male")) for age in ages])
    edges = np.abs(np.diff(prior, axis=0))[4:].max()
    assert edges < 1.2


def test_a_risk_factor_multiplies_the_odds() -> None:
    parts = contributions(ENGINE.assess(Case(ADULT, evidence(["smoker"]))), "heart_attack", ENGINE.network)
    assert parts["smoker"] == pytest.approx(ENGINE.parameters.temperature * np.log(2.5))
    never = contributions(ENGINE.assess(Case(ADULT, evidence((), ["smoker"]))), "heart_attack", ENGINE.network)
    assert never["smoker"] < 0


def test_something_else_keeps_a_share() -> None:
    assert 0 < probability(OTHER, Case(ADULT, evidence(["cough", "runny_nose"]))) < 0.9


def test_unknown_ids_are_refused_by_name() -> None:
    with pytest.raises(KeyError, match="no_such_finding"):
        ENGINE.assess(Case(ADULT, evidence(["no_such_finding"])))


def test_a_letter_that_leaves_out_what_is_typical_speaks_a_little_against() -> None:
    letter = contributions(ENGINE.assess(Case(ADULT, evidence(["cough"]))), "pneumonia", ENGINE.network)
    assert -0.5 < letter["unmentioned"] < 0
    whole = evidence(["cough", "fever", "breathlessness", "sweating"])
    told = contributions(ENGINE.assess(Case(ADULT, whole)), "pneumonia", ENGINE.network)
    assert told["unmentioned"] > letter["unmentioned"]
    talking = ENGINE.assess(Case(ADULT, evidence(["cough"]), conversation=True))
    assert "unmentioned" not in contributions(talking, "pneumonia", ENGINE.network)


def test_denying_bad_signs_speaks_for_the_harmless_and_never_twice() -> None:
    denied = Case(ADULT, evidence(["cough"], ["chest_pain"]))
    twice = Case(ADULT, evidence(["cough"], ["chest_pain", "chest_pain_crushing"]))
    one, two = (contributions(ENGINE.assess(case), "pneumonia", ENGINE.network) for case in (denied, twice))
    assert one["denied"] == two["denied"] < 0
    harmless = contributions(ENGINE.assess(denied), "common_cold", ENGINE.network)
    assert harmless["denied"] > 0
