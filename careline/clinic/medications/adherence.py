"""What the doses say over time: how many were taken, whether critical ones are missed, when the stock runs out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import floor

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from careline.clinic import outbox
from careline.clinic.medications import plan
from careline.clinic.medications.models import Dose, DoseEvent, Medication
from careline.settings import settings
from careline.texts import text

REFILL_DAYS = 7
# So many missed doses of critical medicines within the window bring a human.
MISSED_CRITICAL = 2
MISSED_WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """Doses of one week (Monday first): how many were due and closed, and how many of them taken."""

    monday: date
    due: int
    taken: int


def by_week(session: Session, patient_id: str, now: datetime, weeks: int = 8) -> list[Week]:
    """The last weeks, oldest first; doses that could not be reminded (expired) are left out."""
    start = now.date() - timedelta(days=now.weekday() + 7 * (weeks - 1))
    rows = session.execute(
        select(Dose.due_at, Dose.status).where(
            Dose.patient_id == patient_id,
            Dose.due_at <= now,
            Dose.status.in_(("taken", "skipped", "missed")),
            Dose.due_at >= datetime(start.year, start.month, start.day, tzinfo=now.tzinfo),
        )
    ).all()
    counted: dict[date, list[int]] = {start + timedelta(days=7 * i): [0, 0] for i in range(weeks)}
    for at, status in rows:
        monday = at.date() - timedelta(days=at.weekday())
        if monday in counted:
            counted[monday][0] += 1
            counted[monday][1] += status == "taken"
    return [Week(monday, due, taken) for monday, (due, taken) in counted.items()]


def log(session: Session, patient_id: str, since: datetime | None = None) -> list[dict[str, str]]:
    """The adherence log for an export: every event in order, nothing left out."""
    query = (
        select(DoseEvent, Dose)
        .join(Dose, Dose.id == DoseEvent.dose_id)
        .where(DoseEvent.patient_id == patient_id)
        .order_by(DoseEvent.id)
    )
    if since:
        query = query.where(DoseEvent.at >= since)
    return [
        {"at": event.at.isoformat(), "medicine": dose.medication.name, "dose": dose.slot, "what": event.kind}
        for event, dose in session.execute(query)
    ]


def worrying(session: Session, missed: Sequence[Dose], now: datetime) -> list[str]:
    """The patients among `missed` who missed several doses of critical medicines lately: a human should look."""
    found = []
    for patient_id in {dose.patient_id for dose in missed if dose.medication.critical}:
        count = session.scalar(
            select(func.count())
            .select_from(Dose)
            .join(Medication)
            .where(
                Dose.patient_id == patient_id,
                Dose.status == "missed",
                Medication.critical,
                Dose.due_at > now - MISSED_WINDOW,
            )
        )
        if (count or 0) >= MISSED_CRITICAL:
            found.append(patient_id)
    return found


def over_limit(session: Session, dose: Dose) -> bool:
    """Does the log of an as-needed medicine exceed what the patient entered from the label?"""
    limits = plan.as_needed(dose.medication.plan)
    if limits is None:
        return False
    recent = session.scalars(
        select(Dose)
        .where(
            Dose.medication_id == dose.medication_id,
            Dose.status == "taken",
            Dose.due_at > dose.due_at - timedelta(hours=24),
            Dose.due_at <= dose.due_at,
        )
        .order_by(Dose.due_at)
    ).all()
    per_use = plan.amount(dose.medication.plan["amount"])
    each = per_use.high if per_use and limits.max_unit else 1
    if limits.max_per_day and len(recent) * each > limits.max_per_day:
        return True
    if limits.min_interval_h and len(recent) > 1:
        return recent[-1].due_at - recent[-2].due_at < timedelta(hours=limits.min_interval_h)
    return False


def days_left(session: Session, medication: Medication, now: datetime) -> int | None:
    """Whole days that the stock lasts by the plan; None when nothing is counted or it is taken as needed."""
    if medication.stock is None or medication.as_needed:
        return None
    ahead = [dose for dose in _planned(medication, now)]
    per_day = sum(ahead) / 28 if ahead else 0
    return floor(medication.stock / per_day) if per_day else None


def count_stock(session: Session, dose: Dose, now: datetime) -> None:
    """One dose fewer at home; asks once about a new supply when a week is left."""
    medication = dose.medication
    amount = plan.amount(dose.amount)
    if medication.stock is None or amount is None or amount.unit in ("mg", "ug", "g"):
        return
    medication.stock = max(0.0, medication.stock - amount.high)
    left = days_left(session, medication, now)
    if left is not None and left <= REFILL_DAYS and medication.refill_asked_at is None:
        medication.refill_asked_at = now
        outbox.enqueue(
            session,
            conversation_id=None,
            patient_id=medication.patient_id,
            kind="refill",
            text=text("reminders.refill", days=left, phone=settings().clinic_phone),
            dedupe_key=f"refill:{medication.id}:{now:%Y%m%d}",
            now=now,
        )


def _planned(medication: Medication, now: datetime) -> list[float]:
    """Units taken at each dose of the next four weeks."""
    from zoneinfo import ZoneInfo

    from careline.clinic.medications.schedule import due_times

    due = due_times(
        plan.phases(medication.plan),
        ZoneInfo(medication.zone),
        plan.basis(medication.plan),
        now,
        now + timedelta(days=28),
    )
    return [one.amount.high for one in due if one.amount]
