"""A round of doses: plan ahead, remind of what is due, close what nobody answered, tell a human of what matters."""

from __future__ import annotations

import logging
from datetime import datetime

from prometheus_client import Counter, Gauge
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from careline.clinic import escalations
from careline.clinic.conversations import Conversation
from careline.clinic.db import read_scope, session_scope
from careline.clinic.medications import adherence, doses
from careline.clinic.medications.models import Dose
from careline.levels import Level

log = logging.getLogger(__name__)

BATCH = 200
# A backlog is worked off in so many short transactions a round, so that the other tasks get their turn.
BATCHES = 20

reminded = Counter("careline_dose_reminders_total", "Dose reminders written")
expired = Counter("careline_dose_reminders_expired_total", "Doses whose reminder would have come too late")
missed = Counter("careline_doses_missed_total", "Doses that nobody answered")
lag = Gauge("careline_dose_lag_seconds", "How long the oldest due dose has been waiting for its reminder")


def run(now: datetime) -> int:
    """One round; the number of doses that something happened to."""
    measure_lag(now)
    done = 0
    for _ in range(BATCHES):
        with session_scope() as session:
            planned = doses.plan_ahead(session, now, BATCH)
        if planned < BATCH:
            break
    for _ in range(BATCHES):
        with session_scope() as session:
            sent, late = doses.remind_due(session, now, BATCH)
        reminded.inc(sent)
        expired.inc(late)
        done += sent + late
        if sent + late < BATCH:
            break
    for _ in range(BATCHES):
        with session_scope() as session:
            closed = doses.close_unanswered(session, now, BATCH)
            for patient_id in adherence.worrying(session, closed, now):
                tell_a_human(session, patient_id, now)
        missed.inc(len(closed))
        done += len(closed)
        if len(closed) < BATCH:
            break
    return done


def tell_a_human(session: Session, patient_id: str, now: datetime) -> bool:
    """Open a case at the desk for missed critical doses; False when the patient has no conversation to attach it to."""
    conversation_id = session.scalar(
        select(Conversation.id)
        .where(Conversation.patient_id == patient_id)
        .order_by(Conversation.last_inbound_at.desc().nulls_last())
        .limit(1)
    )
    if conversation_id is None:
        log.error("a patient missed critical doses and has no conversation")
        return False
    escalations.open_or_raise(session, conversation_id, level=Level.URGENT, reason="missed_critical_doses", now=now)
    return True


def measure_lag(now: datetime) -> float:
    """Seconds that the oldest due dose has been waiting; 0 when none is."""
    with read_scope() as session:
        oldest = session.scalar(
            select(func.min(Dose.remind_at)).where(Dose.status == "scheduled", Dose.remind_at <= now)
        )
    seconds = (now - oldest).total_seconds() if oldest else 0.0
    lag.set(seconds)
    return seconds
