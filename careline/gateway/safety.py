"""The safety net: what a text says about danger, decided in this process with nothing else running.

It keeps the last few messages and what was learned about the person in memory, so that a flag that only several
messages make together is found even while the database is away.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from careline.language import Person, Screen, screen
from careline.levels import LEVEL_OF_URGENCY, Level
from careline.settings import Settings
from careline.texts import branch, has, text

log = logging.getLogger(__name__)

WINDOW_MESSAGES = 6
WINDOW_TIME = timedelta(minutes=15)
REMEMBERED_CONVERSATIONS = 10_000


@dataclass
class _Memory:
    said: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=WINDOW_MESSAGES))
    person: Person = field(default_factory=Person)


@dataclass(frozen=True)
class Verdict:
    """What the net found. `level` is None unless something fired; `texts` is what the patient must read, in order."""

    kind: str  # fire | inform | ask | none
    level: Level | None
    screen: Screen | None
    texts: tuple[str, ...]

    @property
    def emergency(self) -> bool:
        return self.level is not None and self.level.is_emergency

    def record(self) -> dict[str, object]:
        """What is stored with the message: enough to see later why the net did what it did."""
        if self.screen is None:
            return {"kind": self.kind}
        flags = [{"id": f.id, "name": f.name, "urgency": f.urgency, "span": list(f.span),
                  "words": f.words, "because": f.because} for f in self.screen.flags]
        return {"kind": self.kind, "urgency": self.screen.urgency, "subject": self.screen.subject,
                "language": self.screen.language, "flags": flags}


class SafetyNet:
    """Screens every message of every conversation. A memory lost to a race costs context, never a flag."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._memories: OrderedDict[str, _Memory] = OrderedDict()

    def _memory(self, conversation_id: str) -> _Memory:
        memory = self._memories.setdefault(conversation_id, _Memory())
        self._memories.move_to_end(conversation_id)
        while len(self._memories) > REMEMBERED_CONVERSATIONS:
            self._memories.popitem(last=False)
        return memory

    def knows(self, conversation_id: str) -> bool:
        """Whether this process has heard of the conversation since it started."""
        return conversation_id in self._memories

    def remind(self, conversation_id: str, said: Sequence[tuple[datetime, str]], person: Person | None) -> None:
        """Give back what was said before this process started."""
        memory = self._memory(conversation_id)
        memory.said.extend(said)
        if person is not None:
            memory.person = person

    def person(self, conversation_id: str) -> Person:
        """What is known of the person of this conversation."""
        return self._memory(conversation_id).person

    def look(self, conversation_id: str, said: str, channel: str, now: datetime) -> Verdict:
        """The verdict on one message. Never raises: a net that fails asks the safety question instead."""
        memory = self._memory(conversation_id)
        history = [earlier for at, earlier in memory.said if now - at <= WINDOW_TIME]
        try:
            found = screen(said, history, memory.person)
        except Exception:
            log.exception("the red-flag screen failed")
            return Verdict("ask", None, None, (self._fill("sms.safety_first"),))
        memory.said.append((now, said))
        memory.person = found.person
        level = LEVEL_OF_URGENCY.get(found.urgency) if found.kind == "fire" else None
        return Verdict(found.kind, level, found, self._texts(found, level, channel))

    def peek(self, said: str, channel: str) -> tuple[str, ...]:
        """The emergency texts for a message that will be refused for another reason; empty when there is no danger."""
        try:
            found = screen(said)
        except Exception:
            log.exception("the red-flag screen failed")
            return ()
        level = LEVEL_OF_URGENCY.get(found.urgency) if found.kind == "fire" else None
        return self._texts(found, level, channel) if level is not None and level.is_emergency else ()

    def _fill(self, key: str) -> str:
        known = self._settings
        return text(key, number=known.emergency_number, crisis_line=known.crisis_line, phone=known.clinic_phone,
                    clinic=known.clinic_name)

    def _texts(self, found: Screen, level: Level | None, channel: str) -> tuple[str, ...]:
        if found.kind == "inform":
            return (self._fill("emergency.inform"),)
        if found.kind == "ask":
            return (self._fill("emergency.ask"),)
        if level is None or not level.is_emergency:
            return ()
        texts = []
        if found.language != "en" and has(f"emergency.languages.{found.language}"):
            texts.append(self._fill(f"emergency.languages.{found.language}"))
        first = found.flags[0]
        texts += [self._fill(key) for key in advice_keys(first.advice, level, found.subject, channel)]
        return tuple(texts)


def advice_keys(advice: str, level: Level, subject: str, channel: str) -> list[str]:
    """The catalogue's texts for a kind of emergency: what to do now, then the first-aid lines where there are any."""
    urgency = "call_ems" if level is Level.EMERGENCY_AMBULANCE else "ed_now"
    person = "other" if subject == "other" else "self"
    suffix = "_sms" if channel == "sms" else ""
    for kind in (advice, "general"):
        tree = f"emergency.advice.{kind}.{urgency}"
        try:
            known = branch(tree)
        except KeyError:
            continue
        for name in (f"{person}{suffix}", person, "self"):
            if name in known:
                return [f"{tree}.{name}"]
    raise KeyError(f"no emergency text for {advice} / {urgency}")
