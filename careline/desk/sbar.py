"""One case on one screen: situation, background, assessment, recommendation, from what is stored about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import conversations, escalations
from careline.clinic.appointments.booking import upcoming
from careline.clinic.appointments.words import describe
from careline.clinic.conversations import Check, Conversation
from careline.clinic.escalations import Escalation, EscalationEvent
from careline.clinic.medications import service as medications
from careline.clinic.messages import Message
from careline.clinic.patients import Patient
from careline.clinic.staff import StaffMember
from careline.desk.words import lasted
from careline.knowledge import KnowledgeError, knowledge
from careline.levels import Level


@dataclass(frozen=True)
class Finding:
    """A finding and what was answered: present, absent or unknown. `source`: said, asked, known, flag."""

    id: str
    name: str
    choice: str
    source: str
    detail: str = ""


@dataclass(frozen=True)
class Case:
    """Everything that the case screen shows. `flags` and `words` are the patient's, unchanged."""

    row: Escalation
    conversation: Conversation
    patient: Patient | None
    age: int | None
    check: Check | None
    result: dict[str, Any]
    findings: list[Finding]
    asked: list[dict[str, str]]
    flags: list[dict[str, Any]]
    reasons: list[str]
    words: Message | None
    people: dict[str, str]
    events: list[EscalationEvent]
    earlier: list[Escalation]
    checks: list[Check]
    appointments: list[str] = field(default_factory=list)
    medicines: list[str] = field(default_factory=list)

    @property
    def level(self) -> Level:
        return self.row.severity

    def present(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.choice == "present"]

    def absent(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.choice == "absent"]

    def unknown(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.choice == "unknown"]


def load(session: Session, case_id: str, now: datetime) -> Case:
    """The case with what belongs to it; NotFound when there is none. Patient records only for a verified identity."""
    row = escalations.get(session, case_id)
    conversation = conversations.get(session, row.conversation_id)
    patient = session.get(Patient, conversation.patient_id) if conversation.verified else None
    checks = [check for check in conversations.checks_of(session, conversation.id) if check.status != "dropped"]
    check = checks[0] if checks else None
    state, result = (check.state or {}, check.result or {}) if check else ({}, {})
    events = list(row.events)
    return Case(
        row=row, conversation=conversation, patient=patient, age=_age(patient, conversation, now), check=check,
        result=_outcome(result), findings=_findings(state), asked=_asked(state), flags=_flags(events),
        reasons=_reasons(events), words=session.get(Message, row.words_message_id) if row.words_message_id else None,
        people={row[0]: row[1] for row in session.execute(select(StaffMember.id, StaffMember.name))}, events=events,
        earlier=escalations.earlier(session, conversation.id), checks=checks[1:],
        appointments=_appointments(session, patient, now), medicines=_medicines(session, patient),
    )


def _age(patient: Patient | None, conversation: Conversation, now: datetime) -> int | None:
    born = patient.birth_date if patient is not None else None
    if born is not None:
        today = now.date()
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    said = (conversation.person or {}).get("age") or (conversation.person or {}).get("age_years")
    return int(said) if isinstance(said, int | float) else None


def _outcome(result: dict[str, Any]) -> dict[str, Any]:
    """The triage part of a stored result, whether it was stored alone or inside a diagnosis."""
    inner = result.get("triage")
    return {**result, **inner} if isinstance(inner, dict) else result


def _evidence(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The stored evidence as a list of {id, choice_id, source, ...}; it is kept by finding id."""
    kept = state.get("evidence") or {}
    items = [{"id": key, **value} for key, value in kept.items()] if isinstance(kept, dict) else kept
    return [item for item in items if "id" in item]


def _findings(state: dict[str, Any]) -> list[Finding]:
    found = []
    for item in _evidence(state):
        details = [str(item[key]) for key in ("severity", "value", "unit") if item.get(key) is not None]
        if item.get("onset_hours") is not None:
            details.append("for " + lasted(float(item["onset_hours"])))
        found.append(Finding(
            id=str(item["id"]), name=finding_name(str(item["id"]), item.get("name")),
            choice=str(item.get("choice_id") or "present"), source=str(item.get("source") or "initial"),
            detail=", ".join(details)))
    return found


def finding_name(finding_id: str, given: object = None) -> str:
    """The clinical name of a finding: as stored with the case, or of the knowledge base, or its id in words."""
    if given:
        return str(given)
    known = _knowledge_names().get(finding_id)
    return known or finding_id.replace("_", " ").capitalize()


@lru_cache(maxsize=1)
def _knowledge_names() -> dict[str, str]:
    """Clinical names by finding id. The desk opens without them when the knowledge base cannot be read."""
    try:
        return {finding_id: finding.name for finding_id, finding in knowledge().findings.items()}
    except (KnowledgeError, OSError):
        return {}


def _asked(state: dict[str, Any]) -> list[dict[str, str]]:
    """The findings that were asked for, in order, with the answers."""
    answers = {item["id"]: str(item.get("choice_id") or "") for item in _evidence(state)}
    return [{"text": finding_name(str(asked)), "answer": answers.get(asked, "")} for asked in state.get("asked") or []]


def _flags(events: list[EscalationEvent]) -> list[dict[str, Any]]:
    """Each red flag once, as first said, with how often and when last."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        for flag in (event.data or {}).get("flags") or []:
            key = str(flag.get("id") or flag.get("name"))
            known = found.setdefault(key, {**flag, "first": event.at, "times": 0})
            known["times"] += 1
            known["last"] = event.at
    return list(found.values())


def _reasons(events: list[EscalationEvent]) -> list[str]:
    given = [str((event.data or {}).get("reason")) for event in events if (event.data or {}).get("reason")
             and event.kind in ("opened", "raised", "repeated")]
    return list(dict.fromkeys(given))


def _appointments(session: Session, patient: Patient | None, now: datetime) -> list[str]:
    if patient is None:
        return []
    return [f"{describe(one)}, {one.type.name}, {one.clinician.name}" for one in upcoming(session, patient.id, now)]


def _medicines(session: Session, patient: Patient | None) -> list[str]:
    if patient is None:
        return []
    return [medications.describe(one) + ("" if one.status == "active" else f" ({one.status})")
            for one in medications.list_active(session, patient.id)]
