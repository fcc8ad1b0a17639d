"""What happens to a message at the door: screened, stored, answered at once when there is danger, then routed.

The order is the point. The safety net speaks first and needs nothing; storing comes second; that a human was told is
only said in the transaction that commits the escalation; the dialogue comes last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from careline.clinic import conversations, escalations, messages, sms_numbers
from careline.clinic.conversations import Conversation, Turn
from careline.clinic.db import new_id, read_scope, session_scope
from careline.clinic.messages import Choice, Message
from careline.errors import Invalid
from careline.gateway.safety import SafetyNet, Verdict
from careline.gateway.sms.keywords import reminder_reply
from careline.gateway.spool import Spool
from careline.language import Person
from careline.levels import Level
from careline.settings import Settings
from careline.texts import text

log = logging.getLogger(__name__)

MAX_TEXT = 4000
ACK_AGAIN_AFTER = timedelta(minutes=10)
SAFETY_YES, SAFETY_NO, RESUME = "gateway:danger_now", "gateway:no_danger", "gateway:resume"


@dataclass(frozen=True)
class Received:
    """What the sender of a message is told: its place in the transcript (None while on disk) and any advice."""

    id: str
    seq: int | None
    advice: list[dict[str, Any]] = field(default_factory=list)
    repeated: bool = False


@dataclass(frozen=True)
class Seen:
    """A message that was screened and not stored yet; the ids are those that it and its advice will have."""

    verdict: Verdict
    message_id: str
    advice_ids: tuple[str, ...]


class FrontDoor:
    """Takes messages in. `woken(conversation_id)` is called after each commit, from any thread."""

    def __init__(self, settings: Settings, net: SafetyNet, spool: Spool, woken: Callable[[str], None]) -> None:
        self._settings = settings
        self._net = net
        self._spool = spool
        self._woken = woken

    # -- taking a message in ---------------------------------------------------------------------------------------

    def look(self, conversation_id: str, channel: str, said: str, now: datetime) -> Seen:
        """What the safety net says of a message, before anything is stored."""
        self._remember(conversation_id)
        verdict = self._net.look(conversation_id, said, channel, now)
        return Seen(verdict, new_id(), tuple(new_id() for _ in verdict.texts))

    def receive(self, conversation_id: str, channel: str, said: str, client_id: str, now: datetime, *,
                provider_id: str | None = None, seen: Seen | None = None) -> Received:
        """A patient's words. Danger is answered whatever else fails; nothing that was received is lost."""
        seen = seen or self.look(conversation_id, channel, said, now)
        verdict = seen.verdict
        try:
            with session_scope() as session:
                received = self._store(session, conversation_id, said, client_id, now, provider_id, seen)
        except SQLAlchemyError as error:
            log.error("the database did not take a message: %s", type(error).__name__)
            self._spool.add({"conversation_id": conversation_id, "channel": channel, "said": said,
                             "client_id": client_id, "at": now.isoformat(), "provider_id": provider_id})
            return self.unstored(seen, now)
        if verdict.emergency and not received.repeated:
            self._escalate(conversation_id, received.id, verdict, now)
        self._woken(conversation_id)
        return received

    def _remember(self, conversation_id: str) -> None:
        """After a restart the window and the person come back from the database, when it answers."""
        if self._net.knows(conversation_id):
            return
        try:
            with read_scope() as session:
                conversation = session.get(Conversation, conversation_id)
                said = [(m.at, m.text) for m in messages.transcript(session, conversation_id, limit=12)
                        if m.author == "patient"]
                known = conversation.person if conversation is not None else None
        except SQLAlchemyError:
            return
        self._net.remind(conversation_id, said, person_from(known) if known else None)

    def _store(self, session: Session, conversation_id: str, said: str, client_id: str, now: datetime,
               provider_id: str | None, seen: Seen) -> Received:
        verdict, message_id = seen.verdict, seen.message_id
        conversation = conversations.get(session, conversation_id, lock=True)
        message = messages.post(session, conversation_id, author="patient", text=said, now=now, client_id=client_id,
                                provider_id=provider_id, screening=verdict.record(), message_id=message_id)
        if message.id != message_id:
            return Received(message.id, message.seq, _advice_after(session, message), repeated=True)
        conversation.person = person_record(self._net.person(conversation_id))
        if verdict.screen is not None and verdict.screen.subject == "other":
            conversation.subject = "other"
        advice = [
            messages.post(session, conversation_id, author="assistant", text=words, now=now, message_id=advice_id,
                          kind="emergency" if verdict.kind == "fire" else "notice",
                          choices=self._choices(verdict) if words == verdict.texts[-1] else (),
                          client_id=f"advice:{message.id}:{advice_id}")
            for words, advice_id in zip(verdict.texts, seen.advice_ids, strict=True)]
        if verdict.emergency:
            conversations.raise_level(session, conversation_id, verdict.level or Level.EMERGENCY, "red flag", now)
            conversation.gate = None
        elif verdict.kind in {"none", "fire"}:
            self._route(session, conversation, message, now)
        return Received(message.id, message.seq, [m.public() for m in advice])

    def _choices(self, verdict: Verdict) -> tuple[Choice, ...]:
        if verdict.kind != "ask":
            return ()
        return (Choice(text("emergency.ask_yes"), SAFETY_YES), Choice(text("emergency.ask_no"), SAFETY_NO))

    def _route(self, session: Session, conversation: Conversation, message: Message, now: datetime) -> None:
        """To the dialogue, or to the people who have the chat. While they do, nothing typed wakes the dialogue."""
        if conversation.mode == "bot":
            session.add(Turn(conversation_id=conversation.id, kind="text", text=message.text, created_at=now))
        elif conversation.mode == "waiting":
            last = session.scalar(
                select(Message.at).where(Message.conversation_id == conversation.id, Message.client_id.like("ack:%"))
                .order_by(Message.seq.desc()).limit(1))
            if last is None or now - last > ACK_AGAIN_AFTER:
                words = text("waiting.ack", number=self._settings.emergency_number)
                messages.post(session, conversation.id, author="assistant", kind="notice", text=words, now=now,
                              choices=[Choice(text("waiting.resume_choice"), RESUME)], client_id=f"ack:{message.id}")

    def unstored(self, seen: Seen, now: datetime) -> Received:
        """The answer to a message that the database did not take (yet): the advice, and no word of a nurse."""
        verdict, advice_ids, known = seen.verdict, seen.advice_ids, self._settings
        texts = [(i, words, "emergency" if verdict.kind == "fire" else "notice")
                 for i, words in zip(advice_ids, verdict.texts, strict=True)]
        key = "safety.not_stored" if verdict.emergency else "outage.storage"
        texts.append((new_id(), text(key, number=known.emergency_number, phone=known.clinic_phone), "notice"))
        at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Received(seen.message_id, None, [
            {"id": i, "seq": None, "author": "assistant", "kind": kind, "text": words, "choices": [], "at": at}
            for i, words, kind in texts])

    # -- telling a human -------------------------------------------------------------------------------------------

    def _escalate(self, conversation_id: str, message_id: str, verdict: Verdict, now: datetime) -> None:
        """Open or raise the case and say so, in one transaction; when that fails it is tried again from disk."""
        flags = list(verdict.record().get("flags", []))  # type: ignore[call-overload]
        level = verdict.level or Level.EMERGENCY
        try:
            self._open_case(conversation_id, message_id, level, flags, now)
        except SQLAlchemyError as error:
            log.error("an escalation was not committed, it waits on disk: %s", type(error).__name__)
            self._spool.add({"escalate": conversation_id, "message_id": message_id, "level": level.value,
                             "flags": flags, "at": now.isoformat()})

    def _open_case(self, conversation_id: str, message_id: str, level: Level, flags: list[dict[str, Any]],
                   now: datetime) -> None:
        reason = "; ".join(str(flag["name"]) for flag in flags) or text("safety.reason_answer")
        with session_scope() as session:
            conversation = conversations.get(session, conversation_id, lock=True)
            if conversation.channel == "sms" and sms_numbers.opted_out(session, conversation.address or ""):
                reason = f"{text('safety.phone_them')} {reason}"
            escalations.open_or_raise(session, conversation_id, level=level, reason=reason, flags=flags,
                                      words_message_id=message_id, now=now)
            if conversation.mode == "bot":
                conversation.mode = "waiting"
            key = "safety.told_sms" if conversation.channel == "sms" else "safety.told"
            words = text(key, clinic=self._settings.clinic_name, number=self._settings.emergency_number)
            resume = [Choice(text("waiting.resume_choice"), RESUME)] if conversation.mode == "waiting" else []
            messages.post(session, conversation_id, author="assistant", kind="notice", text=words, now=now,
                          choices=resume, client_id=f"told:{message_id}")
            conversations.queue_event(session, conversation_id, "EXTERNAL_emergency", {"level": level.value}, now)

    # -- what was offered and chosen --------------------------------------------------------------------------------

    def choose(self, conversation_id: str, choice_id: str, client_id: str, now: datetime) -> Received:
        """A button. Only what the server offered in this conversation means anything. Invalid `unknown_choice`."""
        with session_scope() as session:
            conversation = conversations.get(session, conversation_id, lock=True)
            label, payload = _offered(session, conversation_id, choice_id)
            message = messages.post(session, conversation_id, author="patient", text=label, now=now,
                                    client_id=client_id)
            repeated = message.at != now
            danger = payload == SAFETY_YES
            advice: list[Message] = []
            if repeated:
                return Received(message.id, message.seq, _advice_after(session, message), repeated=True)
            if danger:
                words = text("emergency.advice.general.call_ems.self", number=self._settings.emergency_number,
                             phone=self._settings.clinic_phone, clinic=self._settings.clinic_name,
                             crisis_line=self._settings.crisis_line)
                advice.append(messages.post(session, conversation_id, author="assistant", kind="emergency", text=words,
                                            now=now, client_id=f"advice:{message.id}"))
                conversations.raise_level(session, conversation_id, Level.EMERGENCY_AMBULANCE, "said so", now)
            elif payload == RESUME:
                if conversation.mode == "waiting":
                    conversation.mode = "bot"
                    words = text("waiting.resumed")
                    messages.post(session, conversation_id, author="assistant", text=words, now=now,
                                  client_id=f"resumed:{message.id}")
            elif payload == SAFETY_NO:
                before = session.scalar(
                    select(Message).where(Message.conversation_id == conversation_id, Message.author == "patient",
                                          Message.seq < message.seq).order_by(Message.seq.desc()).limit(1))
                if before is not None and conversation.mode == "bot":
                    session.add(Turn(conversation_id=conversation_id, kind="text", text=before.text, created_at=now))
            elif conversation.mode == "bot" or payload.startswith("gateway:"):
                session.add(Turn(conversation_id=conversation_id, kind="choice", text=payload, created_at=now))
            else:
                self._route(session, conversation, message, now)
            shown = [m.public() for m in advice]
        if danger:
            try:
                self._open_case(conversation_id, message.id, Level.EMERGENCY_AMBULANCE, [], now)
            except SQLAlchemyError:
                self._spool.add({"escalate": conversation_id, "message_id": message.id, "flags": [],
                                 "level": Level.EMERGENCY_AMBULANCE.value, "at": now.isoformat()})
        self._woken(conversation_id)
        return Received(message.id, message.seq, shown)

    def offered_by_words(self, conversation_id: str, said: str) -> str | None:
        """The choice that a typed number or label means, when the last thing said to the patient offered it."""
        wanted = " ".join(said.casefold().strip(" .!)(").split())
        dose = reminder_reply(said)
        with read_scope() as session:
            last = session.scalar(
                select(Message).where(Message.conversation_id == conversation_id, Message.author != "patient")
                .order_by(Message.seq.desc()).limit(1))
            for number, choice in enumerate((last.choices or []) if last is not None else [], 1):
                label = " ".join(choice["label"].casefold().split())
                about_dose = dose is not None and choice["payload"].startswith(f"/dose_{dose}")
                if wanted in {str(number), label} or about_dose:
                    return str(choice["id"])
        return None

    # -- after an outage --------------------------------------------------------------------------------------------

    def recover(self, sms: Callable[[dict[str, Any]], None]) -> int:
        """Take in what waited on disk while the database was away (texts through `sms`); the number of items."""
        def take(item: dict[str, Any]) -> None:
            if "sms" in item:
                sms(item)
                return
            at = datetime.fromisoformat(item["at"])
            if "escalate" in item:
                self._open_case(item["escalate"], item["message_id"], Level(item["level"]), item["flags"], at)
                self._woken(item["escalate"])
                return
            with read_scope() as session:
                known = session.get(Conversation, item["conversation_id"])
            if known is None:
                log.error("a message waited on disk for a conversation that does not exist; it is dropped")
                return
            seen = self.look(item["conversation_id"], item["channel"], item["said"], at)
            with session_scope() as session:
                received = self._store(session, item["conversation_id"], item["said"], item["client_id"], at,
                                       item["provider_id"], seen)
            if seen.verdict.emergency:
                flags = list(seen.verdict.record().get("flags", []))  # type: ignore[call-overload]
                self._open_case(item["conversation_id"], received.id, seen.verdict.level or Level.EMERGENCY, flags, at)
            self._woken(item["conversation_id"])

        try:
            return self._spool.drain(take)
        except SQLAlchemyError:
            return 0


def _advice_after(session: Session, message: Message) -> list[dict[str, Any]]:
    found = session.scalars(
        select(Message).where(Message.conversation_id == message.conversation_id,
                              Message.client_id.like(f"advice:{message.id}%")).order_by(Message.seq))
    return [m.public() for m in found]


def _offered(session: Session, conversation_id: str, choice_id: str) -> tuple[str, str]:
    """(label, payload) of a choice among the newest messages of this conversation."""
    for message in reversed(messages.transcript(session, conversation_id, limit=40)):
        for choice in message.choices or []:
            if choice["id"] == choice_id:
                return choice["label"], choice["payload"]
    raise Invalid("unknown_choice")


def person_record(person: Person) -> dict[str, Any]:
    """A Person as JSON."""
    return {"age_years": person.age_years, "sex": person.sex, "pregnant": person.pregnant,
            "gestation_weeks": person.gestation_weeks, "postpartum_days": person.postpartum_days,
            "facts": sorted(person.facts)}


def person_from(record: dict[str, Any]) -> Person:
    """The Person of `person_record`."""
    return Person(age_years=record.get("age_years"), sex=record.get("sex"), pregnant=record.get("pregnant"),
                  gestation_weeks=record.get("gestation_weeks"), postpartum_days=record.get("postpartum_days"),
                  facts=frozenset(record.get("facts") or ()))
