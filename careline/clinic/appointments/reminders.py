"""Reminders of appointments, a day and two hours before, in waking hours where the patient is, each at most once."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from careline.clinic import outbox
from careline.clinic.appointments.models import Appointment
from careline.clinic.appointments.words import describe, local_time
from careline.clinic.messages import Choice
from careline.clinic.patients import Patient
from careline.settings import settings
from careline.texts import text

DAY, SOON = timedelta(hours=24), timedelta(hours=2)
# Between these hours of the patient's clock nobody is texted by the system of its own accord.
QUIET_FROM, QUIET_UNTIL = 21, 8


def remind(session: Session, now: datetime, limit: int = 200) -> int:
    """Write the reminders that are due; returns how many. A late worker sends the nearer one only, never both."""
    due = session.scalars(
        select(Appointment)
        .where(
            Appointment.state == "booked",
            Appointment.starts_at > now,
            Appointment.starts_at <= now + DAY,
            or_(
                Appointment.reminded.is_(None), and_(Appointment.reminded == "24h", Appointment.starts_at <= now + SOON)
            ),
        )
        .order_by(Appointment.starts_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Appointment)
    ).all()
    written = 0
    for one in due:
        soon = one.starts_at <= now + SOON
        if quiet(session.get_one(Patient, one.patient_id), now):
            continue
        key = "2h" if soon else "24h"
        # Whoever books for tomorrow does not need to be told a minute later.
        lately = one.created_at > one.starts_at - (SOON if soon else DAY) - timedelta(minutes=30)
        one.reminded = key
        if lately:
            continue
        _write(session, one, key, now)
        written += 1
    session.flush()
    return written


def quiet(patient: Patient, now: datetime) -> bool:
    """Is it night on the patient's clock?"""
    hour = now.astimezone(ZoneInfo(patient.zone)).hour
    return hour >= QUIET_FROM or hour < QUIET_UNTIL


def _write(session: Session, one: Appointment, key: str, now: datetime) -> None:
    local = local_time(one)
    kind = "phone_call" if one.mode == "phone" else "same_day" if key == "2h" else "day_before"
    outbox.enqueue(
        session,
        conversation_id=None,
        patient_id=one.booked_by or one.patient_id,
        kind="visit_reminder",
        text=text(
            f"appointments.reminder.{kind}",
            clinic=settings().clinic_name,
            when=describe(one),
            time=f"{local.hour}:{local:%M}",
        ),
        choices=[
            Choice(text("appointments.reminder.move"), f'/move_appointment{{"appointment": "{one.id}"}}'),
            Choice(text("appointments.reminder.give_back"), f'/cancel_appointment{{"appointment": "{one.id}"}}'),
        ],
        dedupe_key=f"appointment:{one.id}:{key}",
        now=now,
    )
