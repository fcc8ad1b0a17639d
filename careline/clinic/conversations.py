"""Conversations: one person's thread with the clinic on one channel, its mode, its level, and its checks.

The gateway owns transcript, mode and routing; actions and the desk find a conversation here and learn from its row,
never from the dialogue engine, whose patient it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic.db import Base, EncryptedJSON, EncryptedText, UTCDateTime, new_id
from careline.errors import NotFound
from careline.levels import Level

VERIFIED_FOR = timedelta(hours=8)


class Conversation(Base):
    """One thread. `mode`: bot (the assistant answers), waiting (a human was asked for), human (a clinician has it).

    `level` is the highest triage level of the running episode and only rises until a clinician or a new episode
    resets it. `gate` holds the step of an identity dialogue that the gateway runs itself.
    """

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel: Mapped[str] = mapped_column(String(8))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"), index=True)
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mode: Mapped[str] = mapped_column(String(8), default="bot")
    subject: Mapped[str] = mapped_column(String(8), default="self")
    level: Mapped[str | None] = mapped_column(String(24))
    episode: Mapped[int] = mapped_column(default=1)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    token_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    address: Mapped[str | None] = mapped_column(EncryptedText)
    address_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    staff_id: Mapped[str | None] = mapped_column(String(32))
    staff_name: Mapped[str | None] = mapped_column(String(120))
    gate: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    person: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    next_seq: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_inbound_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def sender_id(self) -> str:
        """The name this episode has in the dialogue engine: random, never a phone number."""
        return f"{self.id}-{self.episode}"

    @property
    def verified(self) -> bool:
        """Whether the identity of the person typing was proven in this conversation."""
        return self.patient_id is not None and self.verified_at is not None


class Turn(Base):
    """Something the dialogue has to answer: a patient's text, a chosen button, or an event of ours. Done once."""

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_open", "handled_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # text | choice | event
    text: Mapped[str | None] = mapped_column(EncryptedText)
    intent: Mapped[str | None] = mapped_column(String(80))
    entities: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Check(Base):
    """One symptom check: what was said and asked (`state`), and what came out (`result`), enough to replay it."""

    __tablename__ = "checks"
    __table_args__ = (UniqueConstraint("conversation_id", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"), index=True)
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(8), default="open")  # open | done | dropped
    level: Mapped[str | None] = mapped_column(String(24))
    state: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    result: Mapped[Any] = mapped_column(EncryptedJSON, nullable=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


def get(session: Session, conversation_id: str, *, lock: bool = False) -> Conversation:
    """The conversation; NotFound when there is none. `lock` holds its row until the transaction ends."""
    query = select(Conversation).where(Conversation.id == conversation_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("conversation.unknown")
    return found


def by_sender(session: Session, sender_id: str) -> Conversation:
    """The conversation of a dialogue-engine sender id `<conversation>-<episode>`; NotFound otherwise."""
    return get(session, sender_id.partition("-")[0])


def checks_of(session: Session, conversation_id: str) -> list[Check]:
    """All checks of a conversation, newest first."""
    return list(session.scalars(
        select(Check).where(Check.conversation_id == conversation_id).order_by(Check.number.desc())))


def current_check(session: Session, conversation_id: str) -> Check | None:
    """The newest check of the conversation that was not dropped: open, or the last finished one."""
    return next((check for check in checks_of(session, conversation_id) if check.status != "dropped"), None)


def start_check(session: Session, conversation_id: str, now: datetime) -> Check:
    """A new open check; one that was still open is dropped."""
    earlier = checks_of(session, conversation_id)
    for check in earlier:
        if check.status == "open":
            check.status = "dropped"
    conversation = get(session, conversation_id)
    patient_id = conversation.patient_id if conversation.verified else None
    check = Check(conversation_id=conversation_id, patient_id=patient_id,
                  number=(earlier[0].number + 1) if earlier else 1, state={}, created_at=now, updated_at=now)
    session.add(check)
    session.flush()
    return check


def save_check(session: Session, check: Check, now: datetime | None = None) -> None:
    """Write the check back; `state` and `result` are stored as they are now."""
    check.state = dict(check.state or {})
    check.result = dict(check.result) if check.result is not None else None
    if now is not None:
        check.updated_at = now
    session.merge(check) if check not in session else session.flush()


def raise_level(session: Session, conversation_id: str, level: Level | str, reason: str, now: datetime) -> Level:
    """Lift the episode's level to at least `level`; a lower one changes nothing. The level that now holds."""
    conversation = get(session, conversation_id, lock=True)
    held = Level.highest(conversation.level, level)
    conversation.level = held.value
    session.flush()
    return held


def set_level_by_clinician(session: Session, conversation_id: str, level: Level | str) -> None:
    """The one way down: a clinician's own judgement replaces the level."""
    get(session, conversation_id, lock=True).level = Level(level).value


def queue_event(session: Session, conversation_id: str, intent: str, entities: dict[str, Any], now: datetime) -> Turn:
    """Tell the dialogue something that no patient typed (a takeover's end, a verified identity): after commit."""
    turn = Turn(conversation_id=conversation_id, kind="event", intent=intent, entities=entities, created_at=now)
    session.add(turn)
    session.flush()
    return turn
