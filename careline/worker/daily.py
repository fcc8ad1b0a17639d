"""Once a day: note the audit log's head outside the database, and forget old failed logins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from careline.clinic import audit
from careline.clinic.db import read_scope, session_scope
from careline.clinic.staff.login import forget_old_failures
from careline.settings import settings

EVERY = timedelta(days=1)


def run(now: datetime) -> bool:
    """Do it when the last time is a day ago; whether it was done."""
    anchor = settings().var / "audit.anchor"
    if anchor.exists() and now - datetime.fromtimestamp(anchor.stat().st_mtime, UTC) < EVERY:
        return False
    with read_scope() as session:
        head = audit.head(session)
    audit.write_anchor(anchor, head, now)
    with session_scope() as session:
        forget_old_failures(session, now)
    return True
