"""Phone numbers that we text: whether they agreed, in which words, and whether they said stop."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic.db import Base, EncryptedText, UTCDateTime, blind_index


class SmsNumber(Base):
    """One number. `status`: wrote (they texted us first), in, out."""

    __tablename__ = "sms_numbers"

    number_index: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[str] = mapped_column(EncryptedText)
    status: Mapped[str] = mapped_column(String(8))
    words: Mapped[str | None] = mapped_column(EncryptedText)
    source: Mapped[str] = mapped_column(String(16))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SimulatedSms(Base):
    """What the built-in simulated phone sent and got; exists for development only."""

    __tablename__ = "simulated_sms"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    number_index: Mapped[str] = mapped_column(String(64), index=True)
    direction: Mapped[str] = mapped_column(String(3))  # in: the phone received it; out: the phone sent it
    body: Mapped[str] = mapped_column(EncryptedText)
    sid: Mapped[str] = mapped_column(String(40), unique=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


def note(session: Session, number: str, status: str, *, words: str, source: str, now: datetime) -> SmsNumber:
    """Write down what this number agreed to; texting us does not undo a stop."""
    row = session.get(SmsNumber, blind_index(number))
    if row is None:
        row = SmsNumber(number_index=blind_index(number), number=number, status=status, words=words, source=source,
                        changed_at=now)
        session.add(row)
    elif status != "wrote":
        row.status, row.words, row.source, row.changed_at = status, words, source, now
    session.flush()
    return row


def opted_out(session: Session, number: str) -> bool:
    """Whether this number said stop and has not come back."""
    row = session.get(SmsNumber, blind_index(number))
    return row is not None and row.status == "out"
