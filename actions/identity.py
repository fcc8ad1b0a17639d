"""Whose conversation this is: from its row, never from slots or what a message claims."""

from __future__ import annotations

from dataclasses import dataclass

from rasa_sdk import Tracker

from careline.clinic import conversations, patients
from careline.clinic.db import read_scope


@dataclass(frozen=True)
class Whose:
    """`patient_id` is set only when the identity was proven in this conversation."""

    conversation_id: str
    patient_id: str | None
    level: str | None
    names_in_sms: bool = False


def whose(tracker: Tracker) -> Whose:
    """The conversation of this tracker. NotFound when there is none."""
    with read_scope() as session:
        conversation = conversations.by_sender(session, tracker.sender_id)
        patient_id = conversation.patient_id if conversation.verified else None
        patient = session.get(patients.Patient, patient_id) if patient_id else None
        return Whose(conversation.id, patient_id, conversation.level, bool(patient and patient.names_in_sms))
