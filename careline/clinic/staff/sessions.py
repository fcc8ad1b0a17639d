"""Sessions of the desk: a random token in a cookie, its hash in a row; over after 15 idle minutes or 8 hours.

A session that has only the password behind it (`totp`, `enrol`) opens nothing but the next step of the login.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import audit
from careline.clinic.staff.models import StaffMember, StaffSession

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=8)
UNFINISHED = timedelta(minutes=10)
# A row is written at most this often: most requests only read.
SEEN_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Visitor:
    """Somebody at the desk: the person, their session row, and the token that their forms must carry."""

    staff: StaffMember
    session: StaffSession
    csrf: str


def start(session: Session, staff: StaffMember, stage: str, now: datetime) -> str:
    """A new session; its token, which is nowhere else."""
    token = secrets.token_urlsafe(32)
    session.add(StaffSession(token_hash=_hash(token), staff_id=staff.id, stage=stage, created_at=now,
                             last_seen_at=now, expires_at=now + (ABSOLUTE if stage == "full" else UNFINISHED)))
    session.flush()
    return token


def find(session: Session, token: str | None, now: datetime, *, lock: bool = False) -> Visitor | None:
    """Who has this token, when the session still lives and the account is active."""
    if not token:
        return None
    query = (
        select(StaffSession, StaffMember)
        .join(StaffMember, StaffSession.staff_id == StaffMember.id)
        .where(StaffSession.token_hash == _hash(token), StaffSession.ended_at.is_(None), StaffMember.active)
    )
    row = session.execute(query.with_for_update() if lock else query).first()
    if row is None:
        return None
    found, staff = row
    if now >= found.expires_at or now >= found.last_seen_at + IDLE:
        return None
    return Visitor(staff, found, csrf_token(token))


def stale(visitor: Visitor, now: datetime) -> bool:
    """Whether it is time to write down again that they are here."""
    return now >= visitor.session.last_seen_at + SEEN_EVERY


def seen(session: Session, token: str, now: datetime) -> None:
    """They did something: the idle clock starts again."""
    visitor = find(session, token, now, lock=True)
    if visitor is not None:
        visitor.session.last_seen_at = max(visitor.session.last_seen_at, now)


def end(session: Session, token: str, now: datetime) -> None:
    """Log out."""
    found = session.scalar(select(StaffSession).where(StaffSession.token_hash == _hash(token)))
    if found is not None and found.ended_at is None:
        found.ended_at = now
        audit.record(session, actor=found.staff_id, action="login.out", object_type="staff",
                     object_id=found.staff_id, now=now)


def csrf_token(token: str) -> str:
    """The form token that belongs to a session token: who can read it has the page, not just the cookie."""
    return hmac.new(token.encode(), b"careline desk form", hashlib.sha256).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
