"""The knowledge base that patients get: consistent, large enough, and without loose ends."""

from __future__ import annotations

import pytest

from careline.knowledge import Knowledge, load
from careline.knowledge.problems import problems


@pytest.fixture(scope="module")
def base() -> Knowledge:
    return load(cache=None)


def test_it_has_no_problems() -> None:
    assert [str(problem) for problem in problems()] == []


def test_it_covers_what_people_bring(base: Knowledge) -> None:
    assert len(base.conditions) >= 300
    assert len(base.complaints) >= 60
    assert len(base.rules) >= 150
    assert {condition.urgency.value for condition in base.conditions.values()} == {
        "emergency_ambulance",
        "emergency",
        "urgent",
        "routine",
        "self_care",
    }


def test_every_rule_and_condition_names_its_source(base: Knowledge) -> None:
    assert all(rule.source for rule in base.rules)
    assert all(condition.sources for condition in base.conditions.values())


def test_every_symptom_is_used(base: Knowledge) -> None:
    """A symptom that no condition, rule or complaint knows could be said without any effect."""
    used = {ident for condition in base.conditions.values() for ident in (*condition.findings, *condition.risk)}
    used |= {i for condition in base.conditions.values() for m in condition.modifiers for i in m.when.ids}
    used |= {ident for rule in base.rules for ident in rule.when.ids}
    used |= {ident for complaint in base.complaints for ident in (*complaint.findings, *complaint.red_flags)}
    used |= {ident for derived in base.derived for ident in (*derived.when.ids, derived.then)}
    used |= {parent for finding in base.findings.values() for parent in finding.is_a}
    loose = [f.id for f in base.findings.values() if f.kind in ("symptom", "sign") and not ({f.id, *f.is_a} & used)]
    assert loose == []


def test_rules_are_not_switched_off_by_danger(base: Knowledge) -> None:
    """`none` must not hold a finding that is an emergency by itself: adding it would lower the floor."""
    red = {
        rule.when.all[0]
        for rule in base.rules
        if rule.level.is_emergency and rule.when.model_fields_set == {"all"} and len(rule.when.all) == 1
    }
    assert [rule.id for rule in base.rules if red & set(rule.when.none)] == []
