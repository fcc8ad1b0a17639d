"""Proving who is typing: a one-time code to the phone, kept as a hash, used once, few tries, few sends.

The same answers are given for numbers that are known and for numbers that are not: the code goes out either way, and
a person who proves a new number is registered with it. NIST SP 800-63B calls codes by SMS "restricted"; a clinic that
needs more adds a portal login in front.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic import patients
from careline.clinic.conversations import get
from careline.clinic.db import Base, EncryptedText, UTCDateTime, blind_index, new_id
from careline.clinic.patients import Patient
from careline.errors import Conflict, Invalid
from careline.settings import settings

VALID_FOR = timedelta(minutes=10)
MAX_TRIES = 5
MAX_SENDS_AN_HOUR = 3


class OneTimeCode(Base):
    """A code that was sent. `code_hash` is keyed and bound to the conversation; the code itself is never stored."""

    __tablename__ = "one_time_codes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    phone: Mapped[str] = mapped_column(EncryptedText)
    phone_index: Mapped[str] = mapped_column(String(64), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def _hash(conversation_id: str, code: str) -> str:
    key = settings().index_key.encode()
    return hmac.new(key, f"otp:{conversation_id}:{code}".encode(), hashlib.sha256).hexdigest()


def issue(session: Session, conversation_id: str, phone: str, now: datetime) -> str:
    """A fresh six-digit code for this E.164 number; earlier ones of the conversation stop working.

    Conflict `identity.too_many` after three sends in an hour to one number or from one conversation.
    """
    index = blind_index(phone)
    hour = now - timedelta(hours=1)
    for column, value in ((OneTimeCode.phone_index, index), (OneTimeCode.conversation_id, conversation_id)):
        sent = session.scalar(select(func.count()).where(column == value, OneTimeCode.created_at > hour))
        if (sent or 0) >= MAX_SENDS_AN_HOUR:
            raise Conflict("identity.too_many")
    for earlier in session.scalars(select(OneTimeCode).where(
            OneTimeCode.conversation_id == conversation_id, OneTimeCode.used_at.is_(None))):
        earlier.used_at = now
    code = f"{secrets.randbelow(10**6):06d}"
    session.add(OneTimeCode(conversation_id=conversation_id, phone=phone, phone_index=index, created_at=now,
                            code_hash=_hash(conversation_id, code), expires_at=now + VALID_FOR))
    session.flush()
    return code


def verify(session: Session, conversation_id: str, code: str, now: datetime) -> Patient:
    """The patient whose phone was proven; the conversation becomes theirs.

    Invalid `identity.wrong_code` (try again), `identity.expired` (ask for a new one).
    """
    conversation = get(session, conversation_id, lock=True)
    latest = session.scalar(
        select(OneTimeCode).where(OneTimeCode.conversation_id == conversation_id, OneTimeCode.used_at.is_(None))
        .order_by(OneTimeCode.created_at.desc()).limit(1))
    if latest is None or latest.expires_at <= now or latest.tries >= MAX_TRIES:
        raise Invalid("identity.expired")
    latest.tries += 1
    if not hmac.compare_digest(latest.code_hash, _hash(conversation_id, code)):
        session.flush()
        raise Invalid("identity.wrong_code" if latest.tries < MAX_TRIES else "identity.expired")
    latest.used_at = now
    patient = patients.register(session, phone=latest.phone, now=now, zone=settings().clinic_zone)
    conversation.patient_id = patient.id
    conversation.verified_at = now
    session.flush()
    return patient
