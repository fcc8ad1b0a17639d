"""The outbox: what must reach somebody outside, as rows that survive a crash, sent by the worker with a lease.

A message is written here in the same transaction as what caused it; sending happens later and may be repeated, so
each row carries a `dedupe_key`, and a row has one terminal state.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic.db import Base, EncryptedJSON, EncryptedText, UTCDateTime, new_id

if TYPE_CHECKING:
    from careline.clinic.messages import Choice

OPEN = ("queued", "sending")


class OutboxRow(Base):
    """One thing to send. `channel`: sms | email | webhook | post (a message to be posted into a conversation later)."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "status", "not_before"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(24))
    to: Mapped[str | None] = mapped_column("recipient", EncryptedText)
    text: Mapped[str | None] = mapped_column(EncryptedText)
    choices: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    dedupe_key: Mapped[str] = mapped_column(String(160), unique=True)
    status: Mapped[str] = mapped_column(String(10), default="queued")  # queued sending sent delivered failed cancelled
    provider_id: Mapped[str | None] = mapped_column(String(64), index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(40))
    not_before: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def _once(session: Session, row: OutboxRow) -> OutboxRow:
    known = session.scalar(select(OutboxRow).where(OutboxRow.dedupe_key == row.dedupe_key))
    if known is not None:
        return known
    session.add(row)
    session.flush()
    return row


def enqueue_message(session: Session, *, message_id: str, conversation_id: str, patient_id: str | None, to: str,
                    kind: str, now: datetime) -> OutboxRow:
    """The SMS of a message that already stands in the transcript."""
    return _once(session, OutboxRow(
        id=new_id(), channel="sms", kind=kind, to=to, message_id=message_id, conversation_id=conversation_id,
        patient_id=patient_id, dedupe_key=f"message:{message_id}", not_before=now, created_at=now))


def enqueue_page(session: Session, *, channel: str, to: str, text: str, dedupe_key: str, now: datetime,
                 not_before: datetime | None = None) -> OutboxRow:
    """Page a member of staff (sms, email or webhook)."""
    return _once(session, OutboxRow(id=new_id(), channel=channel, kind="page", to=to, text=text, dedupe_key=dedupe_key,
                                    not_before=not_before or now, created_at=now))


def enqueue(session: Session, *, conversation_id: str | None, patient_id: str | None, kind: str, text: str,
            choices: Sequence[Choice] = (), dedupe_key: str, now: datetime,
            not_before: datetime | None = None) -> OutboxRow:
    """Something the system says by itself (a reminder, a confirmation), once per `dedupe_key`.

    It reaches the given conversation or, when that is None, the conversation where this patient was last heard of
    (see `conversation_for`); the worker posts it when it is due.
    """
    return _once(session, OutboxRow(
        id=new_id(), channel="post", kind=kind, text=text, conversation_id=conversation_id, patient_id=patient_id,
        choices=[{"label": c.label, "payload": c.payload} for c in choices] or None,
        dedupe_key=dedupe_key, not_before=not_before or now, created_at=now))


def conversation_for(session: Session, patient_id: str) -> str | None:
    """The verified conversation in which this patient was heard last; None when there is none that is still open."""
    from careline.clinic.conversations import Conversation

    return session.scalar(
        select(Conversation.id)
        .where(Conversation.patient_id == patient_id, Conversation.verified_at.is_not(None),
               Conversation.ended_at.is_(None))
        .order_by(Conversation.last_inbound_at.desc().nulls_last()).limit(1))


def cancel(session: Session, dedupe_key: str) -> None:
    """Withdraw something that was not sent yet."""
    row = session.scalar(select(OutboxRow).where(OutboxRow.dedupe_key == dedupe_key))
    if row is not None and row.status == "queued":
        row.status = "cancelled"
