"""A knowledge base small enough to do the sums by hand."""

from __future__ import annotations

from careline.knowledge import Complaint, Condition, Finding, Knowledge, Rule
from careline.triage.engine import Engine
from careline.triage.parameters import Parameters


def finding(ident: str, *is_a: str, kind: str = "symptom", **more: object) -> Finding:
    words = ident.replace("_", " ")
    return Finding(
        id=ident,
        name=words.capitalize(),
        plain=words,
        kind=kind,
        is_a=is_a,
        clinical=(words,),
        patient=(words,),
        ask=f"Do you have {words}?",
        ask_other=f"Do they have {words}?",
        **more,
    )


def condition(ident: str, urgency: str, findings: dict[str, float], **more: object) -> Condition:
    values: dict[str, object] = {
        "id": ident,
        "name": ident.replace("_", " ").capitalize(),
        "plain": ident,
        "icd10": "R69",
        "system": "general",
        "incidence": {"per_100k": 100},
        "findings": findings,
        "urgency": urgency,
        "specialty": "general practice",
        "sources": ["by hand"],
        "version": 1,
        "reviewed": "unreviewed",
    }
    return Condition.model_validate(values | more)


def rule(ident: str, when: object, level: str) -> Rule:
    return Rule.model_validate({"id": ident, "when": when, "level": level, "text": ident, "source": "by hand"})


FINDINGS = (
    finding("cough"),
    finding("cough_productive", "cough"),
    finding("cough_night", "cough"),
    finding("runny_nose"),
    finding("fever"),
    finding("chest_pain"),
    finding("chest_pain_crushing", "chest_pain"),
    finding("sweating"),
    finding("breathlessness"),
    finding("symptom_getting_worse", kind="quality"),
    finding("pregnant", kind="risk", sex="female", min_age=12, max_age=55),
    finding("smoker", kind="risk"),
    finding("period_pain", sex="female"),
    finding("immunosuppressed", kind="risk"),
)
CONDITIONS = (
    condition(
        "common_cold",
        "self_care",
        {"runny_nose": 0.9, "cough": 0.6, "fever": 0.1},
        incidence={"per_100k": 8000},
        self_care=["Rest and drink."],
        safety_net=["Call us if it lasts more than three weeks."],
    ),
    condition(
        "pneumonia",
        "urgent",
        {"cough_productive": 0.7, "fever": 0.8, "breathlessness": 0.6, "runny_nose": 0.02},
        serious=True,
        modifiers=[{"when": {"age_min": 80}, "level": "emergency", "why": "old age"}],
    ),
    condition(
        "heart_attack",
        "emergency_ambulance",
        {"chest_pain_crushing": 0.7, "sweating": 0.5, "breathlessness": 0.4},
        serious=True,
        risk={"smoker": 2.5},
        incidence={"per_100k": 150, "age": [0, 0, 0.01, 0.2, 1.5, 4]},
    ),
    condition("period_cramps", "routine", {"period_pain": 0.95}, incidence={"per_100k": 900, "male": 0}),
)
RULES = (
    rule("crushing", ["chest_pain_crushing"], "emergency"),
    rule("crushing_sweating", ["chest_pain_crushing", "sweating"], "emergency_ambulance"),
    rule("breathless", ["breathlessness"], "urgent"),
    rule("long_cough", {"all": ["cough"], "duration_min_hours": 504}, "routine"),
    rule("fever_weak", {"all": ["fever"], "any": ["immunosuppressed"]}, "urgent"),
)
COMPLAINTS = (
    Complaint(
        id="cough",
        name="Cough",
        plain="a cough",
        findings=("cough",),
        red_flags=("breathlessness", "chest_pain_crushing"),
        source="by hand",
    ),
)


def small_base() -> Knowledge:
    return Knowledge(
        {f.id: f for f in FINDINGS},
        {c.id: c for c in CONDITIONS},
        RULES,
        COMPLAINTS,
        (),
        {},
        version="0" * 64,
    )


def small_engine() -> Engine:
    return Engine(small_base(), Parameters())
