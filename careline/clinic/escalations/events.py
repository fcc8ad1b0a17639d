"""The history of a case: one numbered event for everything that happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from careline.clinic import audit
from careline.clinic.escalations.models import Escalation, EscalationEvent


def note(session: Session, case: Escalation, kind: str, *, now: datetime, actor: str = audit.SYSTEM,
         data: dict[str, Any] | None = None, message_id: str | None = None) -> EscalationEvent:
    """Add an event to the case's history."""
    last = session.scalar(
        select(func.max(EscalationEvent.number)).where(EscalationEvent.escalation_id == case.id))
    event = EscalationEvent(escalation_id=case.id, number=(last or 0) + 1, at=now, kind=kind, actor=actor,
                            level=case.level, data=data, message_id=message_id)
    session.add(event)
    session.flush()
    return event
