"""The rows of an escalation: the case, what happened to it, and the clinicians' private notes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from careline.clinic.db import Base, EncryptedJSON, EncryptedText, UTCDateTime, new_id
from careline.levels import Level


class State(StrEnum):
    """open: nobody answered yet; acknowledged: somebody has it; resolved: closed with a reason and their own level."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Escalation(Base):
    """A case: somebody must look. At most one that is not resolved for each conversation (a partial unique index).

    `level` only rises until a clinician resolves it with their own level. `assigned_id` is the one whose duty it is;
    `holder_id` the one who is in the chat. `next_action_at` is when the timers look at it again: never None while
    the case is open, which the table itself enforces.
    """

    __tablename__ = "escalations"
    __table_args__ = (
        Index("uq_escalations_one_open", "conversation_id", unique=True,
              sqlite_where=text("state <> 'resolved'"), postgresql_where=text("state <> 'resolved'")),
        Index("ix_escalations_due", "state", "next_action_at"),
        CheckConstraint("state IN ('open', 'acknowledged', 'resolved')", name="state"),
        CheckConstraint("state <> 'resolved' OR (resolution IS NOT NULL AND clinician_level IS NOT NULL)",
                        name="resolved_with_reason"),
        CheckConstraint("state = 'resolved' OR next_action_at IS NOT NULL", name="never_forgotten"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    level: Mapped[str] = mapped_column(String(24))
    level_rank: Mapped[int]
    reason: Mapped[str] = mapped_column(EncryptedText)
    state: Mapped[str] = mapped_column(String(12), default=State.OPEN.value)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    waiting_since: Mapped[datetime] = mapped_column(UTCDateTime)
    words_message_id: Mapped[str | None] = mapped_column(String(32))

    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    assigned_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    staff_active_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resolved_by_id: Mapped[str | None] = mapped_column(ForeignKey("staff_members.id"))
    resolution: Mapped[str | None] = mapped_column(String(32))
    clinician_level: Mapped[str | None] = mapped_column(String(24))

    round: Mapped[int] = mapped_column(default=0)
    step: Mapped[int] = mapped_column(default=0)
    next_action_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    snoozed_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    silence_check_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    events: Mapped[list[EscalationEvent]] = relationship(
        order_by="EscalationEvent.number", cascade="all, delete-orphan")
    notes: Mapped[list[EscalationNote]] = relationship(order_by="EscalationNote.at", cascade="all, delete-orphan")

    @property
    def severity(self) -> Level:
        return Level(self.level)

    @property
    def unresolved(self) -> bool:
        return self.state != State.RESOLVED


class EscalationEvent(Base):
    """Something that happened to a case. `data` (flags, reasons, who was paged) may hold a patient's words."""

    __tablename__ = "escalation_events"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    escalation_id: Mapped[str] = mapped_column(ForeignKey("escalations.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    level: Mapped[str | None] = mapped_column(String(24))
    message_id: Mapped[str | None] = mapped_column(String(32))
    data: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)


class EscalationNote(Base):
    """A clinician's private note: never shown or sent to a patient."""

    __tablename__ = "escalation_notes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    escalation_id: Mapped[str] = mapped_column(ForeignKey("escalations.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff_members.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    text: Mapped[str] = mapped_column(EncryptedText)
