"""Messages: the transcript. Everything said in a conversation, by whom, in order, stored before it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic import outbox
from careline.clinic.conversations import get
from careline.clinic.db import Base, EncryptedJSON, EncryptedText, UTCDateTime, new_id


@dataclass(frozen=True)
class Choice:
    """An answer that is offered: what the person sees, and what it means to us (never shown or taken as text)."""

    label: str
    payload: str


class Message(Base):
    """One message. `seq` counts from 1 within the conversation; `client_id` makes a repeated send the same message."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "client_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    author: Mapped[str] = mapped_column(String(10))  # patient | assistant | clinician | system
    kind: Mapped[str] = mapped_column(String(10), default="text")  # text | emergency | notice
    text: Mapped[str] = mapped_column(EncryptedText)
    choices: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    screening: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    client_id: Mapped[str | None] = mapped_column(String(120))
    provider_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    staff_id: Mapped[str | None] = mapped_column(String(32))
    staff_name: Mapped[str | None] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    def public(self) -> dict[str, Any]:
        """As the patient's widget gets it: no payloads, no staff ids."""
        shown: dict[str, Any] = {
            "id": self.id, "seq": self.seq, "author": self.author, "kind": self.kind, "text": self.text,
            "choices": [{"id": c["id"], "label": c["label"]} for c in self.choices or []],
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if self.author == "patient" and self.client_id:
            shown["client_id"] = self.client_id
        if self.author == "clinician" and self.staff_name:
            shown["name"] = self.staff_name
        return shown


def post(session: Session, conversation_id: str, *, author: str, text: str, now: datetime, kind: str = "text",
         choices: Sequence[Choice] = (), client_id: str | None = None, staff_id: str | None = None,
         staff_name: str | None = None, screening: Any = None, provider_id: str | None = None,
         message_id: str | None = None) -> Message:
    """Append a message, once per `client_id`; on SMS what is not the patient's own also goes to the outbox."""
    conversation = get(session, conversation_id, lock=True)
    if client_id is not None:
        known = session.scalar(select(Message).where(
            Message.conversation_id == conversation_id, Message.client_id == client_id))
        if known is not None:
            return known
    message = Message(
        id=message_id or new_id(), conversation_id=conversation_id, seq=conversation.next_seq, author=author, kind=kind,
        text=text,
        choices=[{"id": secrets.token_urlsafe(9), "label": c.label, "payload": c.payload} for c in choices] or None,
        client_id=client_id, staff_id=staff_id, staff_name=staff_name, screening=screening, at=now,
        provider_id=provider_id,
    )
    conversation.next_seq += 1
    if author == "patient":
        conversation.last_inbound_at = now
    session.add(message)
    session.flush()
    if conversation.channel == "sms" and author != "patient":
        outbox.enqueue_message(session, message_id=message.id, conversation_id=conversation_id,
                               patient_id=conversation.patient_id, to=conversation.address or "", kind=kind, now=now)
    return message


def transcript(session: Session, conversation_id: str, after: int = 0, limit: int | None = None) -> list[Message]:
    """The messages with seq > `after`, in order; with `limit` the newest ones."""
    query = select(Message).where(Message.conversation_id == conversation_id, Message.seq > after)
    if limit is None:
        return list(session.scalars(query.order_by(Message.seq)))
    newest = session.scalars(query.order_by(Message.seq.desc()).limit(limit))
    return list(newest)[::-1]
