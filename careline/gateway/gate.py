"""The identity dialogue, held by the gateway itself so that phone numbers and codes never enter the dialogue engine.

A conversation's `gate` is {"step": "phone" | "code", "then": intent, "misses": n}. When the code is right the
conversation is the patient's, and the intent in `then` goes to the dialogue as a trusted event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers
from sqlalchemy.orm import Session

from careline.clinic import conversations, identity, messages, outbox
from careline.clinic.conversations import Conversation
from careline.clinic.messages import Choice
from careline.errors import CarelineError
from careline.settings import Settings
from careline.texts import text

NEW_CODE, STOP = "gateway:new_code", "gateway:stop_identity"
MISSES_ALLOWED = 2
CODE = re.compile(r"\d{6}")


@dataclass(frozen=True)
class Step:
    """What came of a step: `passed_on` says the text was about something else and belongs to the dialogue."""

    passed_on: bool = False


def phone_number(said: str, region: str) -> str | None:
    """The E.164 number in what was typed; None when there is none that could be real."""
    try:
        parsed = phonenumbers.parse(said[:40], region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


class Gate:
    """Runs the steps inside the caller's transaction."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def _say(self, session: Session, conversation: Conversation, key: str, now: datetime,
             choices: tuple[Choice, ...] = ()) -> None:
        words = text(key, phone=self._settings.clinic_phone, clinic=self._settings.clinic_name)
        messages.post(session, conversation.id, author="assistant", text=words, now=now, choices=choices)

    def _stop_choices(self, with_new: bool = False) -> tuple[Choice, ...]:
        new = (Choice(text("identity.new_code_choice"), NEW_CODE),) if with_new else ()
        return (*new, Choice(text("identity.stop_choice"), STOP))

    def begin(self, session: Session, conversation: Conversation, then: str, now: datetime) -> None:
        """Ask for what is needed; someone already verified goes straight on."""
        if conversation.verified:
            conversations.queue_event(session, conversation.id, then, {}, now)
            return
        if conversation.channel == "sms" and conversation.address:
            conversation.gate = {"step": "code", "then": then, "misses": 0, "phone": conversation.address}
            self._send_code(session, conversation, now)
            return
        conversation.gate = {"step": "phone", "then": then, "misses": 0}
        self._say(session, conversation, "identity.ask_phone", now, self._stop_choices())

    def _send_code(self, session: Session, conversation: Conversation, now: datetime) -> None:
        gate: dict[str, Any] = dict(conversation.gate)
        try:
            code = identity.issue(session, conversation.id, gate["phone"], now)
        except CarelineError as error:
            conversation.gate = None
            self._say(session, conversation, error.code, now)
            return
        body = text("identity.code_sms", clinic=self._settings.clinic_name, code=code)
        outbox.enqueue_page(session, channel="sms", to=gate["phone"], text=body, now=now,
                            dedupe_key=f"code:{conversation.id}:{now.isoformat()}")
        conversation.gate = {**gate, "step": "code", "misses": 0}
        key = "identity.code_sms_channel" if conversation.channel == "sms" else "identity.code_sent"
        self._say(session, conversation, key, now, self._stop_choices(with_new=True))

    def answer(self, session: Session, conversation: Conversation, said: str, now: datetime) -> Step:
        """The patient's text at an open gate."""
        gate = dict(conversation.gate)
        if gate["step"] == "phone":
            number = phone_number(said, "GB")
            if number is not None:
                conversation.gate = {**gate, "phone": number}
                self._send_code(session, conversation, now)
                return Step()
            return self._missed(session, conversation, gate, "identity.bad_phone", now)
        digits = re.sub(r"[\s-]", "", said)
        if not CODE.fullmatch(digits):
            return self._missed(session, conversation, gate, "identity.need_code", now)
        try:
            identity.verify(session, conversation.id, digits, now)
        except CarelineError as error:
            self._say(session, conversation, error.code, now, self._stop_choices(with_new=True))
            return Step()
        conversation.gate = None
        self._say(session, conversation, "identity.verified", now)
        conversations.queue_event(session, conversation.id, gate["then"], {}, now)
        return Step()

    def _missed(self, session: Session, conversation: Conversation, gate: dict[str, Any], key: str,
                now: datetime) -> Step:
        """One more try, then the text is taken for what it probably is: something else."""
        if gate["misses"] + 1 >= MISSES_ALLOWED:
            conversation.gate = None
            return Step(passed_on=True)
        conversation.gate = {**gate, "misses": gate["misses"] + 1}
        self._say(session, conversation, key, now, self._stop_choices(with_new=gate["step"] == "code"))
        return Step()

    def choose(self, session: Session, conversation: Conversation, payload: str, now: datetime) -> None:
        """A button of the gate."""
        if payload == STOP or not conversation.gate:
            conversation.gate = None
            self._say(session, conversation, "identity.dropped", now)
        elif payload == NEW_CODE and conversation.gate.get("phone"):
            self._send_code(session, conversation, now)
