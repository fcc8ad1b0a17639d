"""A round of holds: give back what ran out, and offer freed slots to who waits for one."""

from __future__ import annotations

from datetime import datetime

from careline.clinic.appointments import booking, waitlist
from careline.clinic.db import session_scope


def run(now: datetime) -> int:
    """One round; the number of holds given back and offers made."""
    with session_scope() as session:
        released = booking.release_expired(session, now)
    with session_scope() as session:
        offered = waitlist.tick(session, now)
    return released + offered
