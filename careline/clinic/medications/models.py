"""A patient's medicines, the drafts before a yes, and each dose as a row with one terminal state.

What a medicine is and how it is taken stays encrypted; only what the worker must sort by (times, states, whether a
missed dose matters on the same day) is readable.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from careline.clinic import conversations, patients  # noqa: F401 - the tables that foreign keys point to
from careline.clinic.db import Base, EncryptedJSON, EncryptedText, UTCDateTime, new_id

# A dose that can still be answered, and one that is done for good.
OPEN = ("scheduled", "prompted")
TERMINAL = ("taken", "skipped", "missed", "expired")


class Medication(Base):
    """A medicine that the patient said yes to. Status: active | paused | stopped | ended.

    `plan` holds the phases (see plan.py), `zone` the patient's zone when they were made. `grace` and `closes` are
    minutes: how late a reminder may still go out, and how long after its time a dose can be answered.
    `dose_approved`: the clinic has checked the dose of a high-alert medicine, so messages may show it.
    """

    __tablename__ = "medications"
    __table_args__ = (
        Index("ix_medications_ahead", "status", "planned_until"),
        Index("ix_medications_patient", "patient_id", "status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    name: Mapped[str] = mapped_column(EncryptedText)
    directions: Mapped[str] = mapped_column(EncryptedText)
    words: Mapped[str] = mapped_column(EncryptedText)
    plan: Mapped[Any] = mapped_column(EncryptedJSON)
    zone: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(8))
    paused_until: Mapped[date | None] = mapped_column(Date)
    high_alert: Mapped[bool] = mapped_column(default=False)
    critical: Mapped[bool] = mapped_column(default=False)
    dose_approved: Mapped[bool] = mapped_column(default=False)
    grace: Mapped[int]
    planned_until: Mapped[datetime] = mapped_column(UTCDateTime)
    stock: Mapped[float | None]
    refill_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def as_needed(self) -> bool:
        """Taken when needed only: there are no due times."""
        return not self.plan["phases"]


class MedicationDraft(Base):
    """What a patient is being asked about; it holds nothing for good. State: asking | ready | confirmed | refused."""

    __tablename__ = "medication_drafts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), index=True)
    content: Mapped[Any] = mapped_column(EncryptedJSON)
    state: Mapped[str] = mapped_column(String(10))
    medication_id: Mapped[str | None] = mapped_column(ForeignKey("medications.id"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Dose(Base):
    """One dose of one medicine at one time.

    Status: scheduled, prompted (the patient was reminded), then exactly one of taken | skipped | missed | expired
    (the reminder would have come too late, so it was not sent). `slot` is the wall-clock time that names it. A
    reminder goes out from `remind_at` until `stale_at`; answers are taken until `closes_at`.
    """

    __tablename__ = "doses"
    __table_args__ = (
        UniqueConstraint("medication_id", "due_at"),
        UniqueConstraint("medication_id", "slot"),
        # What the worker asks for all day long: small indexes that hold open doses only.
        Index(
            "ix_doses_to_remind",
            "remind_at",
            sqlite_where=text("status = 'scheduled'"),
            postgresql_where=text("status = 'scheduled'"),
        ),
        Index(
            "ix_doses_to_close",
            "closes_at",
            sqlite_where=text("status = 'prompted'"),
            postgresql_where=text("status = 'prompted'"),
        ),
        Index("ix_doses_patient", "patient_id", "due_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    medication_id: Mapped[str] = mapped_column(ForeignKey("medications.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    slot: Mapped[str] = mapped_column(String(20))
    zone: Mapped[str] = mapped_column(String(64))
    amount: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    status: Mapped[str] = mapped_column(String(10))
    remind_at: Mapped[datetime] = mapped_column(UTCDateTime)
    stale_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closes_at: Mapped[datetime] = mapped_column(UTCDateTime)
    prompted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    prompts: Mapped[int] = mapped_column(default=0)
    snoozes: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    medication: Mapped[Medication] = relationship(lazy="joined")

    # Which of the patient's medicines it is, noted when the dose leaves its session.
    number: ClassVar[int | None] = None


class DoseEvent(Base):
    """What happened to a dose, append-only: a correction is a new row."""

    __tablename__ = "dose_events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    dose_id: Mapped[str] = mapped_column(ForeignKey("doses.id"), index=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor: Mapped[str] = mapped_column(String(64))
