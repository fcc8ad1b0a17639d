"""Doses as rows: planned ahead, reminded once, answered once, closed when nobody answered.

Each step is one short transaction over the next few due rows, found by small indexes and, on PostgreSQL, skipped
when another worker holds them; so several workers may run, and one that is killed loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, object_session

from careline.clinic import outbox
from careline.clinic.conversations import Conversation
from careline.clinic.db import new_id
from careline.clinic.medications import plan
from careline.clinic.medications.models import OPEN, Dose, DoseEvent, Medication
from careline.clinic.medications.readback import say_amount, say_clock, say_date
from careline.clinic.medications.schedule import due_times, to_utc
from careline.clinic.messages import Choice
from careline.clinic.patients import Patient
from careline.settings import settings
from careline.texts import text

AHEAD = timedelta(hours=48)
# A dose can be answered until half way to the next one, at most this long.
LONGEST_OPEN = timedelta(hours=12)
SHORTEST_OPEN = timedelta(minutes=30)
MAX_PROMPTS_BACKLOG = 3


def materialise(session: Session, medication: Medication, now: datetime, until: datetime | None = None) -> int:
    """Write the doses due up to `until` (two days ahead) as rows; those that exist stay. How many were tried."""
    until = until or now + AHEAD
    since = max(medication.planned_until, now)
    if medication.status != "active" or since >= until:
        return 0
    zone = ZoneInfo(medication.zone)
    phases, basis = plan.phases(medication.plan), plan.basis(medication.plan)
    # One further dose, to know how long the last one may be answered.
    due = due_times(phases, zone, basis, since, until)
    after = due_times(phases, zone, basis, until, until + timedelta(days=2))[:1] if due else []
    lead = timedelta(minutes=medication.plan.get("lead_minutes") or 0)
    rows = []
    for one, following in zip(due, [*due[1:], *(after or [None])], strict=False):
        gap = (following.at - one.at) if following else LONGEST_OPEN * 2
        open_for = max(min(gap / 2, LONGEST_OPEN), SHORTEST_OPEN)
        grace = min(timedelta(minutes=medication.grace), open_for)
        rows.append(
            {
                "id": new_id(),
                "medication_id": medication.id,
                "patient_id": medication.patient_id,
                "due_at": one.at,
                "slot": one.local.isoformat(timespec="minutes"),
                "zone": medication.zone,
                "amount": [one.amount.low, one.amount.high, one.amount.unit] if one.amount else None,
                "status": "scheduled",
                "remind_at": one.at - lead,
                "stale_at": one.at + grace,
                "closes_at": one.at + open_for,
                "prompts": 0,
                "snoozes": 0,
            }
        )
    if rows:
        insert = (postgresql if session.bind.dialect.name == "postgresql" else sqlite).insert  # type: ignore[union-attr]
        session.execute(insert(Dose).on_conflict_do_nothing(), rows)
    medication.planned_until = until
    end = [phase.end for phase in phases]
    if not rows and phases and all(one is not None and to_utc(one, zone) < now for one in end):
        medication.status, medication.changed_at = "ended", now
    session.flush()
    return len(rows)


def plan_ahead(session: Session, now: datetime, limit: int = 200) -> int:
    """Plan the medications that need it; wakes paused ones whose pause is over. Returns how many."""
    waking = session.scalars(
        select(Medication)
        .where(Medication.status == "paused", Medication.paused_until.is_not(None))
        .where(Medication.paused_until <= now.date())
        .limit(limit)
        .with_for_update(skip_locked=True, of=Medication)
    ).all()
    for medication in waking:
        if medication.paused_until and medication.paused_until <= now.astimezone(ZoneInfo(medication.zone)).date():
            medication.status, medication.paused_until, medication.planned_until = "active", None, now
    session.flush()
    found = session.scalars(
        select(Medication)
        .where(Medication.status == "active", Medication.planned_until < now + AHEAD / 2)
        .order_by(Medication.planned_until)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Medication)
    ).all()
    for medication in found:
        materialise(session, medication, now)
    return len(found)


def remind_due(session: Session, now: datetime, limit: int = 200) -> tuple[int, int]:
    """Write the reminders of doses that are due; (reminded, expired).

    A dose whose reminder would come later than its grace is not reminded: nobody is told at noon to take what was
    due at eight. It is closed as expired, and one summary line says so.
    """
    due = session.scalars(
        select(Dose)
        .where(Dose.status == "scheduled", Dose.remind_at <= now)
        .order_by(Dose.remind_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Dose)
    ).all()
    reminded, late = 0, []
    for dose in due:
        if _moved(dose):
            continue
        if dose.medication.status != "active":
            _close(session, dose, "expired", now)
        elif now > dose.stale_at and dose.snoozes == 0:
            late.append(dose)
        elif now > dose.closes_at:
            _close(session, dose, "missed", now)
        else:
            _remind(session, dose, now)
            reminded += 1
    for dose in late:
        _close(session, dose, "expired", now)
    _summary(session, late, now)
    session.flush()
    return reminded, len(late)


def close_unanswered(session: Session, now: datetime, limit: int = 500) -> list[Dose]:
    """Mark reminded doses that nobody answered in time as missed -> those doses."""
    found = session.scalars(
        select(Dose)
        .where(Dose.status == "prompted", Dose.closes_at <= now)
        .order_by(Dose.closes_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Dose)
    ).all()
    for dose in found:
        _close(session, dose, "missed", now)
    session.flush()
    return list(found)


def drop_planned(session: Session, medication: Medication) -> None:
    """Take back doses that nobody was reminded of: a plan that no longer holds, not history."""
    session.execute(
        delete(Dose).where(Dose.medication_id == medication.id, Dose.status == "scheduled", Dose.prompts == 0)
    )


def still_due(session: Session, dose_id: str, now: datetime) -> bool:
    """May this dose's reminder still be sent? Asked by the sender, for an outbox that was held up."""
    dose = session.get(Dose, dose_id)
    if dose is None or dose.status != "prompted":
        return False
    limit = dose.closes_at if dose.snoozes else dose.stale_at
    if now <= limit:
        return True
    _close(session, dose, "expired", now)
    return False


def describe_dose(dose: Dose, *, names: bool = True) -> str:
    """The dose slot in the patient's zone: 'Amoxicillin, 8:00 dose, Tue 1 Dec' (unnamed: 'your 8:00 dose, ...')."""
    local = datetime.fromisoformat(dose.slot)
    if dose.medication.as_needed:
        key = "medications.dose.as_needed" if names else "medications.dose.as_needed_unnamed"
    else:
        key = "medications.dose.named" if names else "medications.dose.unnamed"
    number = None if names or dose.medication.as_needed else number_of(dose)
    return text(
        "medications.dose.numbered" if number else key,
        name=dose.medication.name,
        time=say_clock(local),
        day=say_date(local.date()),
        number=number,
    )


def number_of(dose: Dose) -> int | None:
    """Which of the patient's medicines it is, counted as in their list; None when there is only one."""
    session = object_session(dose)
    if session is None:
        return dose.number
    ids = list(
        session.scalars(
            select(Medication.id)
            .where(Medication.patient_id == dose.patient_id, Medication.status.in_(("active", "paused")))
            .order_by(Medication.created_at, Medication.id)
        )
    )
    return ids.index(dose.medication_id) + 1 if len(ids) > 1 and dose.medication_id in ids else None


def dose_amount(dose: Dose) -> str:
    """How much, in words; '' when it is not known or the clinic has not approved it for a high-alert medicine."""
    if dose.medication.high_alert and not dose.medication.dose_approved:
        return ""
    return say_amount(plan.amount(dose.amount))


def note(session: Session, dose: Dose, kind: str, now: datetime, actor: str) -> None:
    """Append to the dose's log."""
    session.add(DoseEvent(dose_id=dose.id, patient_id=dose.patient_id, kind=kind, at=now, actor=actor))


def _moved(dose: Dose) -> bool:
    """Has the zone's rule changed since the dose was planned? Then the wall-clock time holds, not the old instant."""
    if plan.basis(dose.medication.plan) == "elapsed" or dose.medication.as_needed:
        return False
    right = to_utc(datetime.fromisoformat(dose.slot), ZoneInfo(dose.zone))
    shift = right - dose.due_at
    if not shift or abs(shift) > timedelta(hours=3) or dose.snoozes:
        return False
    dose.due_at, dose.remind_at = right, dose.remind_at + shift
    dose.stale_at, dose.closes_at = dose.stale_at + shift, dose.closes_at + shift
    return shift > timedelta()


def _remind(session: Session, dose: Dose, now: datetime) -> None:
    dose.prompts += 1
    dose.status, dose.prompted_at = "prompted", now
    conversation_id = outbox.conversation_for(session, dose.patient_id)
    names = _names_allowed(session, dose, conversation_id)
    amount = dose_amount(dose)
    weekly = (
        dose.medication.plan["phases"]
        and "FREQ=WEEKLY" in dose.medication.plan["phases"][0]["rrule"]
        and "," not in dose.medication.plan["phases"][0]["rrule"].partition("BYDAY=")[2].partition(";")[0]
    )
    key = "reminders.dose.weekly" if weekly else "reminders.dose.due"
    words = text(
        key,
        clinic=settings().clinic_name,
        dose=describe_dose(dose, names=names),
        amount=text("reminders.dose.amount", amount=amount) if amount and names else "",
        weekday=f"{datetime.fromisoformat(dose.slot):%A}",
    )
    outbox.enqueue(
        session,
        conversation_id=conversation_id,
        patient_id=dose.patient_id,
        kind="dose_reminder",
        text=" ".join(words.split()),
        choices=[
            Choice(text("reminders.dose.taken"), f'/dose_taken{{"dose": "{dose.id}"}}'),
            Choice(text("reminders.dose.skip"), f'/dose_skip{{"dose": "{dose.id}"}}'),
            Choice(text("reminders.dose.snooze"), f'/dose_snooze{{"dose": "{dose.id}"}}'),
        ],
        dedupe_key=f"dose:{dose.id}:{dose.prompts}",
        now=now,
    )
    note(session, dose, "prompted", now, "system")


def _names_allowed(session: Session, dose: Dose, conversation_id: str | None) -> bool:
    """Medicine names only where the patient alone reads them, or after they agreed to names in texts."""
    if conversation_id is not None:
        conversation = session.get(Conversation, conversation_id)
        if conversation is not None and conversation.channel == "web":
            return True
    patient = session.get(Patient, dose.patient_id)
    return bool(patient and patient.names_in_sms)


def _close(session: Session, dose: Dose, status: str, now: datetime) -> None:
    if dose.status not in OPEN:
        return
    dose.status, dose.done_at = status, now
    note(session, dose, status, now, "system")


def _summary(session: Session, late: Sequence[Dose], now: datetime) -> None:
    """One line for each patient about reminders that could not be sent in time, without any advice to take them."""
    by_patient: dict[str, list[Dose]] = {}
    for dose in late:
        by_patient.setdefault(dose.patient_id, []).append(dose)
    for patient_id, doses in by_patient.items():
        shown = ", ".join(describe_dose(dose, names=False) for dose in doses[:MAX_PROMPTS_BACKLOG])
        more = len(doses) - MAX_PROMPTS_BACKLOG
        outbox.enqueue(
            session,
            conversation_id=None,
            patient_id=patient_id,
            kind="reminder_notice",
            text=text(
                "reminders.dose.late_more" if more > 0 else "reminders.dose.late",
                doses=shown,
                more=more,
                phone=settings().clinic_phone,
            ),
            dedupe_key=f"late:{doses[0].id}",
            now=now,
        )


def claim(session: Session, dose_id: str, to: str, now: datetime) -> bool:
    """Move an open dose to a terminal state, once: the conditional update decides who was first."""
    done = session.execute(
        update(Dose)
        .where(Dose.id == dose_id, Dose.status.in_(OPEN))
        .values(status=to, done_at=now)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1
