"""What the dialogue, the desk and the worker may do with a patient's medicines.

Every function works inside the caller's transaction and flushes, never commits. Nothing is stored as a medication
before `confirm`: until then there is a draft that expires. No function gives advice on a dose. Failures:

| code | type | fields |
|---|---|---|
| medications.not_found | NotFound | - (also: somebody else's) |
| medications.draft_expired | Conflict | - |
| medications.draft_not_ready | Conflict | - (questions are open) |
| medications.no_dose | NotFound | - (nothing was due that this could answer) |
| medications.which_dose | Conflict | doses: tuple[Dose, ...] (ask which; choices carry dose ids) |
| medications.already_recorded | Conflict | dose, status (another final answer was given before) |
| medications.snooze_limit | Conflict | dose |
| medications.not_active | Conflict | status |
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import audit
from careline.clinic.db import new_id
from careline.clinic.medications import adherence, doses, plan
from careline.clinic.medications.doses import describe_dose
from careline.clinic.medications.drafts import Proposal, answer, confirm, propose
from careline.clinic.medications.guidance import Guidance, dose_question
from careline.clinic.medications.models import OPEN, Dose, Medication
from careline.clinic.medications.questions import Option, Question
from careline.clinic.medications.schedule import to_utc
from careline.clinic.patients import Patient
from careline.errors import Conflict, NotFound

__all__ = [
    "Action",
    "Dose",
    "Guidance",
    "Medication",
    "Option",
    "Proposal",
    "Question",
    "answer",
    "approve_dose",
    "confirm",
    "describe",
    "describe_dose",
    "dose_question",
    "last_prompted_dose",
    "list_active",
    "log_as_needed",
    "pause",
    "propose",
    "record",
    "resume",
    "set_stock",
    "stop",
    "switch_zone",
    "todays_doses",
]

Action = Literal["taken", "skipped", "snoozed"]
SNOOZE = timedelta(minutes=15)
MOST_SNOOZES = 3
PROMPT_REPLY_FOR = timedelta(hours=12)


def list_active(session: Session, patient_id: str) -> list[Medication]:
    """The patient's active and paused medications, oldest first (id, name, words, status)."""
    return list(
        session.scalars(
            select(Medication)
            .where(Medication.patient_id == patient_id, Medication.status.in_(("active", "paused")))
            .order_by(Medication.created_at, Medication.id)
        )
    )


def describe(medication: Medication) -> str:
    """A medication in plain words: 'Amoxicillin: 1 capsule, 3 times a day, at 8:00, 14:00 and 20:00, from ...'."""
    return f"{medication.name}: {medication.words}"


def pause(
    session: Session, medication_id: str, *, patient_id: str, now: datetime, until: date | None = None
) -> Medication:
    """No reminders until `resume` (or local date `until`) -> Medication. Says nothing about taking the medicine."""
    medication = _own(session, medication_id, patient_id)
    if medication.status not in ("active", "paused"):
        raise Conflict("medications.not_active", status=medication.status)
    doses.drop_planned(session, medication)
    return _set(session, medication, "paused", now, paused_until=until)


def resume(session: Session, medication_id: str, *, patient_id: str, now: datetime) -> Medication:
    """Reminders again from the next dose on -> Medication."""
    medication = _own(session, medication_id, patient_id)
    if medication.status == "active":
        return medication
    if medication.status != "paused":
        raise Conflict("medications.not_active", status=medication.status)
    medication.planned_until = now
    _set(session, medication, "active", now)
    doses.materialise(session, medication, now)
    return medication


def stop(session: Session, medication_id: str, *, patient_id: str, now: datetime) -> Medication:
    """No more reminders for good -> Medication. Doses that nobody was reminded of are withdrawn."""
    medication = _own(session, medication_id, patient_id)
    if medication.status == "stopped":
        return medication
    doses.drop_planned(session, medication)
    return _set(session, medication, "stopped", now)


def approve_dose(session: Session, medication_id: str, *, staff_id: str, now: datetime) -> Medication:
    """The clinic has checked the dose of a high-alert medicine: messages may show it from now on."""
    medication = session.get(Medication, medication_id)
    if medication is None:
        raise NotFound("medications.not_found")
    medication.dose_approved, medication.changed_at = True, now
    audit.record(
        session,
        actor=staff_id,
        action="medication.approve_dose",
        object_type="medication",
        object_id=medication.id,
        now=now,
    )
    return medication


def switch_zone(session: Session, patient_id: str, zone: str, now: datetime) -> list[Medication]:
    """The patient is elsewhere: wall-clock doses move to the new zone's clock, each slot still once.

    Returns the critical medications, which are left on the old clock: a pharmacist has to say how to switch them.
    """
    patient = session.get_one(Patient, patient_id)
    patient.zone = zone
    left: list[Medication] = []
    for medication in list_active(session, patient_id):
        if medication.critical:
            left.append(medication)
        elif plan.basis(medication.plan) == "wall_clock" and medication.zone != zone:
            doses.drop_planned(session, medication)
            medication.zone, medication.planned_until, medication.changed_at = zone, now, now
            doses.materialise(session, medication, now)
    session.flush()
    return left


def set_stock(session: Session, medication_id: str, *, patient_id: str, units: float, now: datetime) -> Medication:
    """How many tablets (or other units) are at home; counted down with each dose taken. Not for as-needed medicines."""
    medication = _own(session, medication_id, patient_id)
    medication.stock, medication.refill_asked_at, medication.changed_at = units, None, now
    session.flush()
    return medication


def todays_doses(session: Session, patient_id: str, now: datetime) -> list[Dose]:
    """The doses of the patient's local day, in order (id, medication, due_at, status)."""
    patient = session.get(Patient, patient_id)
    zone = ZoneInfo(patient.zone if patient else "UTC")
    midnight = datetime.combine(now.astimezone(zone).date(), time())
    start, end = to_utc(midnight, zone), to_utc(midnight + timedelta(days=1), zone)
    return list(
        session.scalars(
            select(Dose)
            .where(Dose.patient_id == patient_id, Dose.due_at >= start, Dose.due_at < end)
            .order_by(Dose.due_at)
        )
    )


def last_prompted_dose(session: Session, patient_id: str, now: datetime) -> Dose | None:
    """The one dose that a bare 'taken' can only mean, or None."""
    waiting = _waiting(session, patient_id, now)
    return waiting[0] if len(waiting) == 1 else None


def record(session: Session, patient_id: str, *, dose_id: str | None = None, action: Action, now: datetime) -> Dose:
    """Note what the patient did with one dose -> Dose. Without `dose_id` it is the one that was prompted.

    The same answer twice is the same as once. Errors: no_dose, which_dose, already_recorded, snooze_limit.
    """
    if dose_id is None:
        waiting = _waiting(session, patient_id, now)
        if len(waiting) > 1:
            raise Conflict("medications.which_dose", doses=_apart(session, *waiting))
        dose = waiting[0] if waiting else _just_answered(session, patient_id, action, now)
        if dose is None:
            raise NotFound("medications.no_dose")
    else:
        dose = session.get(Dose, dose_id)
        if dose is None or dose.patient_id != patient_id:
            raise NotFound("medications.no_dose")
    session.refresh(dose, with_for_update={"of": Dose})
    if action == "snoozed":
        return _snooze(session, dose, now)
    if dose.status == action:
        return dose
    if dose.status not in OPEN or not doses.claim(session, dose.id, action, now):
        raise Conflict("medications.already_recorded", dose=_apart(session, dose)[0], status=dose.status)
    session.refresh(dose)
    doses.note(session, dose, action, now, f"patient:{patient_id}")
    if action == "taken":
        adherence.count_stock(session, dose, now)
    session.flush()
    return dose


def log_as_needed(session: Session, medication_id: str, *, patient_id: str, now: datetime) -> Dose:
    """Note one use of an as-needed medicine -> Dose. `over_limit(session, dose)` says when a human must look."""
    medication = _own(session, medication_id, patient_id)
    if plan.as_needed(medication.plan) is None:
        raise Conflict("medications.not_active", status=medication.status)
    local = now.astimezone(ZoneInfo(medication.zone)).replace(tzinfo=None)
    dose = Dose(
        id=new_id(),
        medication=medication,
        patient_id=patient_id,
        due_at=now,
        slot=local.isoformat(timespec="seconds")[:20],
        zone=medication.zone,
        amount=medication.plan["amount"],
        status="taken",
        remind_at=now,
        stale_at=now,
        closes_at=now,
        done_at=now,
    )
    session.add(dose)
    session.flush()
    doses.note(session, dose, "taken", now, f"patient:{patient_id}")
    return dose


# -- inside ---------------------------------------------------------------------------------------------------------


def _own(session: Session, medication_id: str, patient_id: str) -> Medication:
    medication = session.scalar(select(Medication).where(Medication.id == medication_id).with_for_update())
    if medication is None or medication.patient_id != patient_id:
        raise NotFound("medications.not_found")
    return medication


def _set(
    session: Session, medication: Medication, status: str, now: datetime, *, paused_until: date | None = None
) -> Medication:
    medication.status, medication.paused_until, medication.changed_at = status, paused_until, now
    audit.record(
        session,
        actor=f"patient:{medication.patient_id}",
        action=f"medication.{status}",
        object_type="medication",
        object_id=medication.id,
        now=now,
    )
    session.flush()
    return medication


def _waiting(session: Session, patient_id: str, now: datetime) -> list[Dose]:
    """Doses that were prompted and can still be answered, the newest prompt first."""
    return list(
        session.scalars(
            select(Dose)
            .where(Dose.patient_id == patient_id, Dose.status == "prompted", Dose.closes_at > now)
            .order_by(Dose.prompted_at.desc())
        )
    )


def _apart(session: Session, *found: Dose) -> tuple[Dose, ...]:
    """Doses that can still be described when the error has rolled the transaction back."""
    for dose in found:
        dose.number = doses.number_of(dose)
    for dose in found:
        for thing in (dose, dose.medication):
            if thing in session:
                session.expunge(thing)
    return found


def _just_answered(session: Session, patient_id: str, action: str, now: datetime) -> Dose | None:
    """The dose that the same answer was given to a moment ago: a text that came twice, not a second dose."""
    return session.scalar(
        select(Dose)
        .where(
            Dose.patient_id == patient_id,
            Dose.status == action,
            Dose.prompted_at.is_not(None),
            Dose.done_at > now - timedelta(minutes=30),
        )
        .order_by(Dose.done_at.desc())
        .limit(1)
    )


def _snooze(session: Session, dose: Dose, now: datetime) -> Dose:
    if dose.status == "scheduled" and dose.snoozes and dose.remind_at > now:
        return dose  # the same answer again
    if dose.status != "prompted":
        raise Conflict("medications.already_recorded", dose=_apart(session, dose)[0], status=dose.status)
    later = now + SNOOZE
    # `closes_at` is half way to the next dose: a reminder is never put off beyond it.
    if dose.snoozes >= MOST_SNOOZES or later >= dose.closes_at:
        raise Conflict("medications.snooze_limit", dose=_apart(session, dose)[0])
    dose.status, dose.remind_at = "scheduled", later
    dose.snoozes += 1
    doses.note(session, dose, "snoozed", now, f"patient:{dose.patient_id}")
    session.flush()
    return dose
