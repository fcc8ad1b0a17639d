"""Turns: each thing that the dialogue has to answer, handled once, in order within a conversation.

A turn is a row. A gateway claims the oldest open one of a conversation with a lease, asks the dialogue engine
outside any transaction, and writes answers and "handled" together. A killed gateway's turns are found again when the
lease ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from careline.clinic import conversations, messages
from careline.clinic.conversations import Conversation, Turn
from careline.clinic.db import read_scope, session_scope, utcnow
from careline.clinic.messages import Choice, Message
from careline.errors import Unavailable
from careline.gateway.gate import Gate
from careline.gateway.rasa import RasaClient
from careline.settings import Settings
from careline.texts import text

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
SWEEP_SECONDS = 1.0


@dataclass(frozen=True)
class Claimed:
    """A turn that is ours, with what is needed to ask the dialogue about it."""

    id: int
    conversation_id: str
    kind: str
    text: str | None
    intent: str | None
    entities: dict[str, Any]
    sender: str
    metadata: dict[str, Any]
    gated: bool
    newest_seq: int


def parse_payload(payload: str) -> tuple[str, dict[str, Any]]:
    """`/intent{"entity": "value"}` as (intent, entities). Only ever called on payloads that the server made."""
    name, brace, rest = payload.removeprefix("/").partition("{")
    return name.strip(), json.loads(brace + rest) if brace else {}


class Dispatcher:
    """Answers turns. `woken(conversation_id)` is called after each commit, `typing(conversation_id, on)` around it."""

    def __init__(self, settings: Settings, rasa: RasaClient, woken: Callable[[str], None],
                 typing: Callable[[str, bool], None]) -> None:
        self._settings = settings
        self._rasa = rasa
        self._gate = Gate(settings)
        self._woken = woken
        self._typing = typing
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    # -- scheduling -------------------------------------------------------------------------------------------------

    def poke(self, conversation_id: str) -> None:
        """There may be a turn in this conversation. Call from the event loop."""
        if conversation_id in self._running:
            self._again.add(conversation_id)
            return
        task = asyncio.create_task(self._work(conversation_id))
        self._running[conversation_id] = task
        task.add_done_callback(lambda _t: self._done(conversation_id))

    def _done(self, conversation_id: str) -> None:
        self._running.pop(conversation_id, None)
        if conversation_id in self._again:
            self._again.discard(conversation_id)
            self.poke(conversation_id)

    async def _work(self, conversation_id: str) -> None:
        try:
            while (claimed := await asyncio.to_thread(self._claim, conversation_id, utcnow())) is not None:
                await self._handle(claimed)
        except SQLAlchemyError as error:
            log.error("a turn could not be handled, it stays open: %s", type(error).__name__)
        except Exception:
            log.exception("a turn could not be handled, it stays open until its lease ends")

    async def sweep(self) -> None:
        """For ever: find open turns that nobody is at (a restart, another process's event, an ended lease)."""
        while True:
            try:
                for conversation_id in await asyncio.to_thread(self._waiting, utcnow()):
                    self.poke(conversation_id)
            except SQLAlchemyError:
                pass  # the database is away; the next round tries again
            await asyncio.sleep(SWEEP_SECONDS)

    def _waiting(self, now: datetime) -> list[str]:
        with read_scope() as session:
            return list(session.scalars(
                select(Turn.conversation_id)
                .where(Turn.handled_at.is_(None), (Turn.lease_until.is_(None)) | (Turn.lease_until < now)).distinct()))

    def _claim(self, conversation_id: str, now: datetime) -> Claimed | None:
        with session_scope() as session:
            turn = session.scalar(
                select(Turn).where(Turn.conversation_id == conversation_id, Turn.handled_at.is_(None))
                .order_by(Turn.id).limit(1))
            if turn is None:
                return None
            got = session.execute(
                update(Turn).where(Turn.id == turn.id, Turn.handled_at.is_(None),
                                   (Turn.lease_until.is_(None)) | (Turn.lease_until < now))
                .values(lease_until=now + LEASE).returning(Turn.id)).first()
            if got is None:
                return None  # another gateway has it
            conversation = conversations.get(session, conversation_id)
            metadata = {"channel": conversation.channel, "subject": conversation.subject,
                        "verified": conversation.verified, "person": conversation.person or {},
                        "welcomed": conversation.episode == 1}
            return Claimed(turn.id, conversation_id, turn.kind, turn.text, turn.intent, dict(turn.entities or {}),
                           conversation.sender_id, metadata, bool(conversation.gate), conversation.next_seq - 1)

    # -- one turn ---------------------------------------------------------------------------------------------------

    async def _handle(self, turn: Claimed) -> None:
        own = turn.kind == "choice" and (turn.text or "").startswith("gateway:")
        if own or (turn.gated and turn.kind == "text"):
            passed_on = await asyncio.to_thread(self._at_the_gate, turn, own)
            self._woken(turn.conversation_id)
            if not passed_on:
                return
        self._typing(turn.conversation_id, True)
        answers: list[dict[str, Any]] | None
        try:
            answers = await self._ask(turn)
        except Unavailable as error:
            log.error("the dialogue did not answer: %s", error.fields.get("cause"))
            answers = None
        finally:
            self._typing(turn.conversation_id, False)
        await asyncio.to_thread(self._write, turn, answers)
        self._woken(turn.conversation_id)

    async def _ask(self, turn: Claimed) -> list[dict[str, Any]]:
        if turn.kind == "text":
            return await self._rasa.say(turn.sender, turn.text or "", turn.metadata)
        if turn.kind == "choice":
            intent, entities = parse_payload(turn.text or "")
            answers = await self._rasa.tell(turn.sender, intent, entities, turn.metadata)
            if not answers:
                raise Unavailable("outage.assistant", cause="empty")
            return answers
        return await self._rasa.tell(turn.sender, turn.intent or "", turn.entities, turn.metadata)

    def _at_the_gate(self, turn: Claimed, own: bool) -> bool:
        """Handle a turn of the identity dialogue; True when its text belongs to the dialogue after all."""
        now = utcnow()
        with session_scope() as session:
            conversation = conversations.get(session, turn.conversation_id, lock=True)
            if own:
                self._gate.choose(session, conversation, turn.text or "", now)
            elif conversation.gate:
                if self._gate.answer(session, conversation, turn.text or "", now).passed_on:
                    return True
            else:
                return True
            _close(session, turn.id, now)
        return False

    def _write(self, turn: Claimed, answers: list[dict[str, Any]] | None) -> None:
        now = utcnow()
        with session_scope() as session:
            conversation = conversations.get(session, turn.conversation_id, lock=True)
            if session.get_one(Turn, turn.id).handled_at is not None:
                return  # our lease had ended and another gateway answered
            if not _overtaken(session, conversation, turn):
                if answers is not None:
                    self._post(session, conversation, turn, answers, now)
                elif turn.kind != "event":
                    words = text("outage.assistant", number=self._settings.emergency_number,
                                 phone=self._settings.clinic_phone)
                    messages.post(session, conversation.id, author="assistant", kind="notice", text=words, now=now,
                                  client_id=f"turn:{turn.id}:outage")
            _close(session, turn.id, now)

    def _post(self, session: Session, conversation: Conversation, turn: Claimed, answers: list[dict[str, Any]],
              now: datetime) -> None:
        for number, answer in enumerate(answers):
            custom = answer.get("custom") or {}
            words = (answer.get("text") or "").strip()
            if words:
                choices = [Choice(b["title"], b["payload"]) for b in answer.get("buttons") or []]
                messages.post(session, conversation.id, author="assistant", text=words, choices=choices, now=now,
                              client_id=f"turn:{turn.id}:{number}")
            if custom.get("need") == "identity":
                self._gate.begin(session, conversation, str(custom["then"]), now)
            if custom.get("end_episode"):
                conversation.episode += 1
            if custom.get("handover") and conversation.mode == "bot":
                conversation.mode = "waiting"


def _close(session: Session, turn_id: int, now: datetime) -> None:
    turn = session.get_one(Turn, turn_id)
    turn.handled_at, turn.lease_until = now, None


def _overtaken(session: Session, conversation: Conversation, turn: Claimed) -> bool:
    """Whether something more important happened while the dialogue was thinking: its answer would only confuse."""
    if conversation.mode == "human" and turn.kind != "event":
        return True
    newer = session.scalar(
        select(Message.id).where(Message.conversation_id == conversation.id, Message.kind == "emergency",
                                 Message.seq > turn.newest_seq).limit(1))
    return newer is not None
