"""What the widget hears: new messages, who has the chat, and whether somebody is typing.

Messages are rows written by several processes (the desk, the worker, other gateways), so one poll a tick asks the
database for all conversations that somebody listens to; what this process writes itself wakes its listeners at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from careline.clinic import messages
from careline.clinic.conversations import Conversation
from careline.clinic.db import read_scope
from careline.clinic.messages import Message

log = logging.getLogger(__name__)

POLL_SECONDS = 0.4
HEARTBEAT_SECONDS = 15.0


class Listener:
    """One open event stream."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.typing: bool | None = None


class Hub:
    """Wakes listeners. Its methods belong to the event loop except `wake_soon` and `call_soon`."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._seen: dict[str, tuple[Any, ...]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Remember the running loop."""
        self._loop = asyncio.get_running_loop()

    def wake(self, conversation_id: str) -> None:
        for listener in self._listeners.get(conversation_id, ()):
            listener.wake.set()

    def wake_soon(self, conversation_id: str) -> None:
        self.call_soon(self.wake, conversation_id)

    def call_soon(self, function: Callable[[str], None], conversation_id: str) -> None:
        """Run something on the event loop, from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function, conversation_id)

    def typing(self, conversation_id: str, on: bool) -> None:
        for listener in self._listeners.get(conversation_id, ()):
            listener.typing = on
            listener.wake.set()

    async def poll(self) -> None:
        """For ever: notice what other processes wrote."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            wanted = [c for c, listeners in self._listeners.items() if listeners]
            if not wanted:
                continue
            try:
                now = await asyncio.to_thread(_states, wanted)
            except SQLAlchemyError:
                continue
            for conversation_id, state in now.items():
                if self._seen.get(conversation_id) != state:
                    self._seen[conversation_id] = state
                    self.wake(conversation_id)

    async def stream(self, conversation_id: str, after: int) -> AsyncIterator[bytes]:
        """Server-sent events from message `after` on, for as long as the client listens."""
        listener = Listener()
        self._listeners[conversation_id].add(listener)
        sent, mode, typing = after, None, None
        try:
            yield b": hello\n\nretry: 1500\n\n"
            while True:
                listener.wake.clear()
                try:
                    new, now_mode, ended = await asyncio.to_thread(_news, conversation_id, sent)
                except SQLAlchemyError:
                    new, now_mode, ended = [], mode, False
                for message in new:
                    sent = message["seq"]
                    yield _event("message", message, sent)
                if now_mode != mode and now_mode is not None:
                    mode = now_mode
                    yield _event("state", mode)
                if listener.typing is not None and listener.typing != typing:
                    typing = listener.typing
                    yield _event("typing", {"on": typing})
                if ended:
                    yield _event("ended", {})
                    return
                try:
                    await asyncio.wait_for(listener.wake.wait(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._listeners[conversation_id].discard(listener)
            if not self._listeners[conversation_id]:
                self._listeners.pop(conversation_id, None)
                self._seen.pop(conversation_id, None)


def _event(name: str, data: Any, number: int | None = None) -> bytes:
    identity = f"id: {number}\n" if number is not None else ""
    return f"{identity}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode("utf-8", "replace")


def _states(wanted: list[str]) -> dict[str, tuple[Any, ...]]:
    with read_scope() as session:
        rows = session.execute(
            select(Conversation.id, func.max(Message.seq), Conversation.mode, Conversation.ended_at)
            .outerjoin(Message, Message.conversation_id == Conversation.id)
            .where(Conversation.id.in_(wanted)).group_by(Conversation.id, Conversation.mode, Conversation.ended_at))
        return {row[0]: tuple(row[1:]) for row in rows}


def _news(conversation_id: str, after: int) -> tuple[list[dict[str, Any]], dict[str, Any] | None, bool]:
    with read_scope() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None:
            return [], None, True
        new = [m.public() for m in messages.transcript(session, conversation_id, after=after)]
        clinician = conversation.staff_name if conversation.mode == "human" else None
        state = {"mode": conversation.mode, "clinician": clinician}
        return new, state, conversation.ended_at is not None
