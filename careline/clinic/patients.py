"""Patients: who is known to the clinic, found by phone number without storing the number in the clear."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic.db import Base, EncryptedText, UTCDateTime, blind_index, new_id


class Patient(Base):
    """A person the clinic knows. `phone_index` is a keyed hash of the E.164 number."""

    __tablename__ = "patients"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str | None] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    phone_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    birth_date_iso: Mapped[str | None] = mapped_column("birth_date", EncryptedText)
    sex: Mapped[str | None] = mapped_column(String(10))
    zone: Mapped[str] = mapped_column(String(64), default="Europe/London")
    locale: Mapped[str] = mapped_column(String(16), default="en-GB")
    names_in_sms: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def birth_date(self) -> date | None:
        return date.fromisoformat(self.birth_date_iso) if self.birth_date_iso else None


class Consent(Base):
    """One purpose a person agreed to, in which words, when and where; withdrawing fills `withdrawn_at`."""

    __tablename__ = "consents"
    __table_args__ = (UniqueConstraint("subject_index", "purpose", "version", "given_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    subject_index: Mapped[str] = mapped_column(String(64), index=True)
    purpose: Mapped[str] = mapped_column(String(32))
    version: Mapped[str] = mapped_column(String(32))
    channel: Mapped[str] = mapped_column(String(8))
    words: Mapped[str | None] = mapped_column(EncryptedText)
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def by_phone(session: Session, phone: str) -> Patient | None:
    """The patient with this E.164 number, if any."""
    return session.scalar(select(Patient).where(Patient.phone_index == blind_index(phone)))


def register(session: Session, *, phone: str, now: datetime, name: str | None = None,
             birth_date: date | None = None, zone: str = "Europe/London") -> Patient:
    """The patient with this number, made new when there is none. An existing one is not changed."""
    known = by_phone(session, phone)
    if known:
        return known
    patient = Patient(name=name, phone=phone, phone_index=blind_index(phone), zone=zone, created_at=now,
                      birth_date_iso=birth_date.isoformat() if birth_date else None)
    session.add(patient)
    session.flush()
    return patient
