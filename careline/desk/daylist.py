"""The appointments of a day as the desk lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic.appointments import booking
from careline.clinic.patients import Patient

# What can be noted next, by the state an appointment is in.
NEXT: dict[str, tuple[str, ...]] = {"booked": ("arrived", "missed"), "arrived": ("completed",)}


@dataclass(frozen=True)
class Booking:
    """One line of the day list."""

    id: str
    starts_at: datetime
    ends_at: datetime
    patient: str | None
    clinician: str
    kind: str
    site: str
    state: str
    confirmed: bool
    next: tuple[str, ...]


def of_day(session: Session, day: date, zone: ZoneInfo) -> list[Booking]:
    """The appointments that start on `day` at the clinic, in order."""
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    found = booking.day_list(session, start, end)
    names: dict[str, str | None] = {}
    if found:
        ids = {one.patient_id for one in found}
        found_names = session.execute(select(Patient.id, Patient.name).where(Patient.id.in_(ids)))
        names = {row[0]: row[1] for row in found_names}
    return [
        Booking(id=one.id, starts_at=one.starts_at, ends_at=one.ends_at, patient=names.get(one.patient_id),
                clinician=one.clinician.name, kind=one.type.name, site=one.site.name, state=one.state,
                confirmed=one.confirmed_at is not None, next=NEXT.get(one.state, ()))
        for one in found
    ]
