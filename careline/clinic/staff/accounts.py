"""Staff accounts: individual, with an argon2id hash of the password. Nobody shares one, nobody's is deleted."""

from __future__ import annotations

import re
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import audit
from careline.clinic.db import new_id
from careline.clinic.staff.models import Role, StaffMember, StaffSession
from careline.errors import Conflict, Invalid, NotFound

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
_hasher = PasswordHasher()  # argon2id with the library's current recommendation (RFC 9106, low-memory)
# Verified when there is no such user, so that an unknown name takes as long as a wrong password.
_NOBODY = _hasher.hash("nobody has this password")


def add_staff(session: Session, *, username: str, name: str, role: Role | str, password: str | None, now: datetime,
              phone: str | None = None, email: str | None = None, actor: str = audit.SYSTEM,
              demo: bool = False) -> StaffMember:
    """Create an account. Without a password it can only be used by single sign-on.

    Invalid for a bad user name, role or a password under 12 characters; Conflict when the user name is taken.
    """
    username = username.strip().lower()
    if not USERNAME.fullmatch(username):
        raise Invalid("staff.errors.username")
    if role not in list(Role):
        raise Invalid("staff.errors.role")
    if not name.strip() or len(name) > 120:
        raise Invalid("staff.errors.name")
    if session.scalar(select(StaffMember.id).where(StaffMember.username == username)):
        raise Conflict("staff.errors.taken", username=username)
    staff = StaffMember(id=new_id(), username=username, name=name.strip(), role=Role(role).value,
                        password_hash=hash_password(password) if password is not None else None,
                        phone=phone or None, email=email or None, demo=demo, created_at=now)
    session.add(staff)
    session.flush()
    audit.record(session, actor=actor, action="staff.add", object_type="staff", object_id=staff.id,
                 detail={"role": staff.role}, now=now)
    return staff


def seed_demo_staff(session: Session, now: datetime, password: str) -> StaffMember:
    """The demo clinician of a development machine (user `demo`), made or given this password; never elsewhere."""
    staff = by_username(session, "demo")
    if staff is None:
        return add_staff(session, username="demo", name="Nurse Amara Obi", role=Role.CLINICIAN, password=password,
                         now=now, demo=True)
    if not verify_password(staff, password):
        staff.password_hash = hash_password(password)
    return staff


def hash_password(password: str) -> str:
    """The argon2id hash; Invalid when the password is shorter than 12 or longer than 256 characters."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid("staff.errors.password", shortest=SHORTEST_PASSWORD)
    return _hasher.hash(password)


def verify_password(staff: StaffMember | None, password: str) -> bool:
    """Whether this is their password; as slow for nobody as for somebody."""
    stored = staff.password_hash if staff is not None and staff.active else None
    try:
        _hasher.verify(stored or _NOBODY, password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def by_username(session: Session, username: str) -> StaffMember | None:
    """The account with this user name, active or not."""
    return session.scalar(select(StaffMember).where(StaffMember.username == username.strip().lower()))


def get(session: Session, staff_id: str) -> StaffMember:
    """The active account; NotFound otherwise."""
    staff = session.get(StaffMember, staff_id)
    if staff is None or not staff.active:
        raise NotFound("staff.errors.unknown")
    return staff


def colleagues(session: Session) -> list[StaffMember]:
    """Active people who can be given a case."""
    roles = (Role.CLINICIAN.value, Role.COORDINATOR.value)
    return list(session.scalars(
        select(StaffMember).where(StaffMember.active, StaffMember.role.in_(roles)).order_by(StaffMember.name)))


def everybody(session: Session) -> list[StaffMember]:
    """All accounts, active ones first."""
    return list(session.scalars(select(StaffMember).order_by(StaffMember.active.desc(), StaffMember.name)))


def set_active(session: Session, staff_id: str, active: bool, actor: str, now: datetime) -> StaffMember:
    """Close or reopen an account; closing ends its sessions. Nobody closes their own."""
    staff = session.get(StaffMember, staff_id)
    if staff is None:
        raise NotFound("staff.errors.unknown")
    if staff.id == actor:
        raise Invalid("staff.errors.own_account")
    staff.active = active
    if not active:
        for open_session in session.scalars(
            select(StaffSession).where(StaffSession.staff_id == staff.id, StaffSession.ended_at.is_(None))
        ):
            open_session.ended_at = now
    audit.record(session, actor=actor, action="staff.activate" if active else "staff.deactivate",
                 object_type="staff", object_id=staff.id, now=now)
    return staff
