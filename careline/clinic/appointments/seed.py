"""A small clinic for development and tests: one site, three clinicians, four kinds of appointment."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic.appointments.models import AppointmentType, Clinician, ScheduleException, Site, WorkingHours
from careline.settings import settings

# Days on which the demo clinic is closed: the fixed-date bank holidays of England.
HOLIDAYS = ((12, 25, "Christmas Day"), (12, 26, "Boxing Day"), (1, 1, "New Year's Day"))


def seed_demo_clinic(session: Session, *, now: datetime) -> Site:
    """Put the demo clinic in, once; running it again changes nothing."""
    known = session.scalar(select(Site).limit(1))
    if known is not None:
        return known
    site = Site(
        name=settings().clinic_name,
        zone=settings().clinic_zone,
        address="1 Station Road",
        facilities=["wheelchair", "hearing_loop"],
    )
    kinds = {
        kind.code: kind
        for kind in (
            AppointmentType(
                code="gp",
                name="Doctor appointment",
                mode="in_person",
                minutes=15,
                buffer_after=5,
                notice=60,
                horizon_days=60,
            ),
            AppointmentType(
                code="nurse", name="Nurse appointment", mode="in_person", minutes=20, notice=60, horizon_days=60
            ),
            AppointmentType(
                code="phone",
                name="Phone call with a doctor",
                mode="phone",
                minutes=10,
                notice=30,
                horizon_days=30,
                daily_max=12,
            ),
            AppointmentType(
                code="urgent",
                name="Same-day appointment",
                mode="in_person",
                minutes=10,
                notice=10,
                horizon_days=1,
                level="urgent",
            ),
        )
    }
    doctor = Clinician(
        site=site,
        name="Dr Amira Hassan",
        role="doctor",
        skills=["interpreter:ar"],
        types=[kinds["gp"], kinds["phone"], kinds["urgent"]],
    )
    second = Clinician(
        site=site, name="Dr Tom Barker", role="doctor", skills=["interpreter:pl"], types=[kinds["gp"], kinds["phone"]]
    )
    nurse = Clinician(
        site=site, name="Nurse Grace Okoro", role="nurse", skills=[], types=[kinds["nurse"], kinds["urgent"]]
    )
    session.add_all([site, *kinds.values(), doctor, second, nurse])
    session.flush()
    for clinician, days, spans in (
        (doctor, range(5), ((9 * 60, 12 * 60 + 30), (13 * 60 + 30, 17 * 60 + 30))),
        (second, (0, 1, 3, 4), ((8 * 60 + 30, 12 * 60), (14 * 60, 18 * 60))),
        (nurse, range(5), ((8 * 60 + 30, 13 * 60), (14 * 60, 18 * 60 + 30))),
        (nurse, (5, 6), ((9 * 60, 13 * 60),)),
    ):
        for weekday in days:
            for starts, ends in spans:
                session.add(WorkingHours(clinician_id=clinician.id, weekday=weekday, starts=starts, ends=ends))
    for year in (now.year, now.year + 1, now.year + 2):
        for month, day, name in HOLIDAYS:
            session.add(ScheduleException(site_id=site.id, day=date(year, month, day), name=name))
    session.flush()
    return site
