"""A round of appointments: the reminders a day and two hours before."""

from __future__ import annotations

from datetime import datetime

from careline.clinic.appointments import reminders
from careline.clinic.db import session_scope


def run(now: datetime) -> int:
    """One round; the number of reminders written."""
    with session_scope() as session:
        return reminders.remind(session, now)
