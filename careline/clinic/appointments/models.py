"""Sites, clinicians, kinds of appointment, who works when, and the appointments themselves.

A hold is an appointment in state `held` with an expiry: so one constraint of the database covers both. Times are UTC
instants with the site's IANA zone beside them; schedules are minutes of the site's local day.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from careline.clinic import conversations, patients  # noqa: F401 - the tables that foreign keys point to
from careline.clinic.db import Base, EncryptedJSON, EncryptedText, UTCDateTime, new_id

# The states that take up a clinician's time.
LIVE = ("requested", "held", "booked", "arrived")
# Forward only: from a state to what may follow it.
NEXT: dict[str, tuple[str, ...]] = {
    "requested": ("held", "booked", "cancelled"),
    "held": ("booked", "expired", "cancelled"),
    "booked": ("arrived", "completed", "cancelled", "missed"),
    "arrived": ("completed", "cancelled"),
    "completed": (),
    "cancelled": (),
    "missed": (),
    "expired": (),
}

clinician_types = Table(
    "clinician_types",
    Base.metadata,
    Column("clinician_id", ForeignKey("clinicians.id"), primary_key=True),
    Column("type_id", ForeignKey("appointment_types.id"), primary_key=True),
)


class Site(Base):
    """A place of the clinic. `facilities` are access needs it meets, such as "wheelchair"."""

    __tablename__ = "sites"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(240))
    facilities: Mapped[list[str]] = mapped_column(JSON, default=list)


class Clinician(Base):
    """Somebody who sees patients. `skills` are needs they meet themselves, such as "interpreter:pl"."""

    __tablename__ = "clinicians"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(40))
    skills: Mapped[list[str]] = mapped_column(JSON, default=list)
    active: Mapped[bool] = mapped_column(default=True)

    site: Mapped[Site] = relationship(lazy="joined")
    types: Mapped[list[AppointmentType]] = relationship(secondary=clinician_types)


class AppointmentType(Base):
    """A kind of appointment; times in minutes. `mode`: in_person | phone | video. `level`: for this level only."""

    __tablename__ = "appointment_types"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    mode: Mapped[str] = mapped_column(String(10))
    minutes: Mapped[int]
    buffer_before: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    notice: Mapped[int] = mapped_column(default=60)
    horizon_days: Mapped[int] = mapped_column(default=60)
    daily_max: Mapped[int | None]
    level: Mapped[str | None] = mapped_column(String(24))
    active: Mapped[bool] = mapped_column(default=True)


class WorkingHours(Base):
    """A stretch of a clinician's week. `weekday` 0 is Monday; `starts`/`ends` are minutes of the site's local day."""

    __tablename__ = "working_hours"
    __table_args__ = (CheckConstraint("starts < ends", name="order"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    clinician_id: Mapped[str] = mapped_column(ForeignKey("clinicians.id"), index=True)
    weekday: Mapped[int]
    starts: Mapped[int]
    ends: Mapped[int]
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)


class ScheduleException(Base):
    """A local date that differs: a holiday of a site (no clinician), or a clinician's other hours or day off.

    Without `starts`/`ends` the day is closed; with them these hours replace the weekly ones.
    """

    __tablename__ = "schedule_exceptions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    clinician_id: Mapped[str | None] = mapped_column(ForeignKey("clinicians.id"))
    day: Mapped[date] = mapped_column(Date, index=True)
    starts: Mapped[int | None]
    ends: Mapped[int | None]
    name: Mapped[str | None] = mapped_column(String(80))


class Unavailability(Base):
    """A clinician is away for a stretch of time (UTC)."""

    __tablename__ = "unavailability"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    clinician_id: Mapped[str] = mapped_column(ForeignKey("clinicians.id"))
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_unavailability_when", "clinician_id", "starts_at"),)


class Appointment(Base):
    """One stretch of a clinician's time for one patient. `busy_from`/`busy_until` include the buffers."""

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint("busy_from <= starts_at AND starts_at < ends_at AND ends_at <= busy_until", name="order"),
        Index("ix_appointments_busy", "clinician_id", "busy_from"),
        Index("ix_appointments_patient", "patient_id", "starts_at"),
        Index("ix_appointments_state", "state", "starts_at"),
        Index("ix_appointments_holds", "state", "hold_expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    booked_by: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    clinician_id: Mapped[str] = mapped_column(ForeignKey("clinicians.id"))
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    type_id: Mapped[str] = mapped_column(ForeignKey("appointment_types.id"))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"))
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    busy_from: Mapped[datetime] = mapped_column(UTCDateTime)
    busy_until: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(10))
    hold_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    level: Mapped[str | None] = mapped_column(String(24))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    moved_from: Mapped[str | None] = mapped_column(String(32))
    series_id: Mapped[str | None] = mapped_column(String(32), index=True)
    reminded: Mapped[str | None] = mapped_column(String(8))  # the last reminder written: 24h | 2h
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    site: Mapped[Site] = relationship(lazy="joined")
    clinician: Mapped[Clinician] = relationship(lazy="joined")
    type: Mapped[AppointmentType] = relationship(lazy="joined")

    @property
    def expires_at(self) -> datetime | None:
        """Until when a hold is kept."""
        return self.hold_expires_at

    @property
    def mode(self) -> str:
        return self.type.mode


class WaitlistEntry(Base):
    """Somebody who would take an earlier slot. State: waiting | offered | taken | declined | withdrawn | expired."""

    __tablename__ = "waitlist"
    __table_args__ = (Index("ix_waitlist_waiting", "state", "type_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"), index=True)
    type_id: Mapped[str] = mapped_column(ForeignKey("appointment_types.id"))
    windows: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    state: Mapped[str] = mapped_column(String(10))
    hold_id: Mapped[str | None] = mapped_column(ForeignKey("appointments.id"))
    before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    type: Mapped[AppointmentType] = relationship(lazy="joined")


class RequestKey(Base):
    """One request of one patient, done once: the same key again gives the same result."""

    __tablename__ = "appointment_keys"
    __table_args__ = (UniqueConstraint("patient_id", "key"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    key: Mapped[str] = mapped_column(String(120))
    request_hash: Mapped[str] = mapped_column(String(64))
    result_id: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


_LIVE_SQL = ", ".join(f"'{state}'" for state in LIVE)
NO_OVERLAP_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "ALTER TABLE appointments ADD CONSTRAINT ex_appointments_no_overlap EXCLUDE USING gist "
    "(clinician_id WITH =, tstzrange(busy_from, busy_until) WITH &&) "
    f"WHERE (state IN ({_LIVE_SQL}))",
)
# Times are stored as text that sorts as time; nothing is busy for longer than a day, so the index is read in a window.
_OVERLAP = (
    f"SELECT RAISE(ABORT, 'appointments overlap') WHERE NEW.state IN ({_LIVE_SQL}) "
    "AND EXISTS (SELECT 1 FROM appointments a "
    f"WHERE a.clinician_id = NEW.clinician_id AND a.id <> NEW.id AND a.state IN ({_LIVE_SQL}) "
    "AND a.busy_from < NEW.busy_until AND a.busy_from > datetime(NEW.busy_from, '-1 day') "
    "AND a.busy_until > NEW.busy_from);"
)
NO_OVERLAP_SQLITE = (
    f"CREATE TRIGGER appointments_no_overlap_insert BEFORE INSERT ON appointments BEGIN {_OVERLAP} END",
    "CREATE TRIGGER appointments_no_overlap_update BEFORE UPDATE OF state, clinician_id, busy_from, busy_until "
    f"ON appointments BEGIN {_OVERLAP} END",
)
for _statement in NO_OVERLAP_POSTGRESQL:
    event.listen(Appointment.__table__, "after_create", DDL(_statement).execute_if(dialect="postgresql"))
for _statement in NO_OVERLAP_SQLITE:
    event.listen(Appointment.__table__, "after_create", DDL(_statement).execute_if(dialect="sqlite"))
