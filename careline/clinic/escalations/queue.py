"""The queue of the desk: the most urgent first, then whoever has waited longest; what is put aside comes last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from careline.clinic.conversations import Conversation
from careline.clinic.escalations.models import Escalation, State
from careline.clinic.messages import Message
from careline.clinic.patients import Patient
from careline.clinic.staff.models import StaffMember
from careline.levels import Level

LIMIT = 500


@dataclass(frozen=True)
class Row:
    """One case in the queue. `words` is what the patient said, unchanged; `patient_name` only when verified."""

    id: str
    conversation_id: str
    channel: str
    mode: str
    level: Level
    state: str
    reason: str
    opened_at: datetime
    waiting: timedelta
    snoozed_until: datetime | None
    words: str | None
    patient_name: str | None
    assigned_id: str | None
    assigned_name: str | None
    holder_id: str | None
    holder_name: str | None


def queue(session: Session, now: datetime, limit: int = LIMIT) -> list[Row]:
    """All cases that are not resolved, by urgency, unanswered before answered, then by waiting time; snoozed last."""
    assigned, holder = aliased(StaffMember), aliased(StaffMember)
    rows = session.execute(
        select(Escalation, Conversation, Patient.name, Message.text, assigned.name, holder.name)
        .join(Conversation, Escalation.conversation_id == Conversation.id)
        .outerjoin(Patient, Conversation.patient_id == Patient.id)
        .outerjoin(Message, Escalation.words_message_id == Message.id)
        .outerjoin(assigned, Escalation.assigned_id == assigned.id)
        .outerjoin(holder, Escalation.holder_id == holder.id)
        .where(Escalation.state != State.RESOLVED.value)
        .order_by(Escalation.snoozed_until.is_not(None), Escalation.level_rank.desc(), Escalation.state.desc(),
                  Escalation.waiting_since)
        .limit(limit)
    )
    return [
        Row(
            id=case.id, conversation_id=case.conversation_id, channel=conversation.channel, mode=conversation.mode,
            level=case.severity, state=case.state, reason=case.reason, opened_at=case.opened_at,
            waiting=now - case.waiting_since, snoozed_until=case.snoozed_until, words=words,
            patient_name=name if conversation.verified else None,
            assigned_id=case.assigned_id, assigned_name=assigned_name,
            holder_id=case.holder_id, holder_name=holder_name,
        )
        for case, conversation, name, words, assigned_name, holder_name in rows
    ]
