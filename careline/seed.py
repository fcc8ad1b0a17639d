"""Demo data for a development machine: a clinic with clinicians and free times, and somebody at the desk."""

from __future__ import annotations

from careline.clinic.db import session_scope, utcnow
from careline.settings import Settings


def seed(known: Settings) -> None:
    """Put the demo data in, once; running it again changes nothing."""
    from careline.clinic.appointments.seed import seed_demo_clinic
    from careline.clinic.staff.accounts import seed_demo_staff

    now = utcnow()
    with session_scope() as session:
        seed_demo_clinic(session, now=now)
        seed_demo_staff(session, now=now, password=known.demo_password)
