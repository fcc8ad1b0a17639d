"""Logging in: password, then the one-time code. Refusals are counted per user and per address, and look the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from careline.clinic import audit
from careline.clinic.db import blind_index
from careline.clinic.staff import accounts, sessions
from careline.clinic.staff.models import LoginFailure, StaffMember, StaffSession

WINDOW = timedelta(minutes=15)
PER_USER = 5
PER_ADDRESS = 30
STEP = 30
ISSUER = "Careline"


@dataclass(frozen=True)
class Outcome:
    """`token` is a new session's, at `stage` full, totp or enrol. Without one, `refused` is a code:
    wrong (name, password or code) or wait (too many tries)."""

    token: str | None = None
    stage: str | None = None
    refused: str | None = None


def password_fits(session: Session, username: str, password: str, address: str, now: datetime) -> bool | None:
    """Whether the password is right; None when there were too many tries. Slow on purpose, so it only reads: give it
    a reading session, and hand the result to `with_password`."""
    if _blocked(session, _keys(username, address), now):
        return None
    return accounts.verify_password(accounts.by_username(session, username), password)


def with_password(session: Session, username: str, fits: bool | None, address: str, now: datetime, *,
                  code_required: bool) -> Outcome:
    """First step, after `password_fits`. `code_required` is true everywhere but in development: then nobody gets in
    without a code, and the demo account does not get in at all."""
    keys = _keys(username, address)
    staff = accounts.by_username(session, username)
    if fits is None or _blocked(session, keys, now):
        _refuse(session, staff, keys, now, "wait")
        return Outcome(refused="wait")
    if not fits or staff is None or not staff.active or (staff.demo and code_required):
        _refuse(session, staff, keys, now, "password")
        return Outcome(refused="wrong")
    if staff.totp_secret:
        stage = "totp"
    else:
        stage = "enrol" if code_required else "full"
    token = sessions.start(session, staff, stage, now)
    if stage == "full":
        _welcome(session, staff, keys, now, "password")
    return Outcome(token, stage)


def with_code(session: Session, token: str, code: str, address: str, now: datetime) -> Outcome:
    """Second step: the code of the authenticator app. The token changes; each code works once."""
    visitor = sessions.find(session, token, now, lock=True)
    if visitor is None or visitor.session.stage not in ("totp", "enrol"):
        return Outcome(refused="wrong")
    staff, unfinished = visitor.staff, visitor.session
    keys = _keys(staff.username, address)
    if _blocked(session, keys, now):
        _refuse(session, staff, keys, now, "wait")
        return Outcome(refused="wait")
    secret = staff.totp_secret if unfinished.stage == "totp" else unfinished.pending_secret
    step = _matching_step(secret, code, now)
    if step is None or step <= (staff.totp_last_step or 0):
        _refuse(session, staff, keys, now, "code")
        return Outcome(refused="wrong")
    staff.totp_last_step = step
    if unfinished.stage == "enrol":
        staff.totp_secret = secret
        audit.record(session, actor=staff.id, action="staff.totp", object_type="staff", object_id=staff.id, now=now)
    unfinished.ended_at = now
    _welcome(session, staff, keys, now, "totp")
    return Outcome(sessions.start(session, staff, "full", now), "full")


def enrolment(session: Session, token: str, now: datetime) -> tuple[str, str] | None:
    """The secret to set up in an authenticator app, and its otpauth:// address; None when this is not the time."""
    visitor = sessions.find(session, token, now, lock=True)
    if visitor is None or visitor.session.stage != "enrol":
        return None
    row: StaffSession = visitor.session
    row.pending_secret = row.pending_secret or pyotp.random_base32()
    return row.pending_secret, pyotp.TOTP(row.pending_secret).provisioning_uri(
        name=visitor.staff.username, issuer_name=ISSUER)


def start_totp(session: Session, staff: StaffMember) -> str:
    """Give an account a code secret by the command line; returns it for the authenticator app."""
    staff.totp_secret = pyotp.random_base32()
    staff.totp_last_step = None
    return staff.totp_secret


def forget_old_failures(session: Session, now: datetime) -> None:
    """Delete counts that no longer count (the worker's cleaning)."""
    session.execute(delete(LoginFailure).where(LoginFailure.at < now - 4 * WINDOW))


def _matching_step(secret: str | None, code: str, now: datetime) -> int | None:
    digits = code.replace(" ", "")
    if not secret or not digits.isascii() or not digits.isdigit():
        return None
    current = int(now.timestamp()) // STEP
    totp = pyotp.TOTP(secret)
    # One step to each side, for clocks that differ and codes that were typed slowly.
    return next((step for step in (current, current - 1, current + 1) if totp.verify(digits, for_time=step * STEP)),
                None)


def _keys(username: str, address: str) -> tuple[tuple[str, int], tuple[str, int]]:
    return ((blind_index(f"login:user:{username.strip().lower()}"), PER_USER),
            (blind_index(f"login:address:{address}"), PER_ADDRESS))


def _blocked(session: Session, keys: tuple[tuple[str, int], ...], now: datetime) -> bool:
    def failures(key: str) -> int:
        counted = select(func.count()).where(LoginFailure.key == key, LoginFailure.at > now - WINDOW)
        return session.scalar(counted) or 0

    return any(failures(key) >= limit for key, limit in keys)


def _refuse(session: Session, staff: StaffMember | None, keys: tuple[tuple[str, int], ...], now: datetime,
            why: str) -> None:
    if why != "wait":  # otherwise whoever keeps trying would keep the owner out for ever
        session.add_all(LoginFailure(key=key, at=now) for key, _ in keys)
    audit.record(session, actor="nobody", action="login.refused", object_type="staff",
                 object_id=staff.id if staff else "unknown", detail={"why": why}, now=now)


def _welcome(session: Session, staff: StaffMember, keys: tuple[tuple[str, int], ...], now: datetime, by: str) -> None:
    session.execute(delete(LoginFailure).where(LoginFailure.key == keys[0][0]))
    audit.record(session, actor=staff.id, action="login.in", object_type="staff", object_id=staff.id,
                 detail={"by": by}, now=now)
