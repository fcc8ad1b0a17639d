"""Live updates: one look at the database each second for all open pages, told to them as server-sent events.

Events carry ids only: `queue` (something in the queue changed), `case` with its id, `emergency` with the id of a case
that nobody has answered yet, and `over` when the session has ended. The pages then fetch what they show.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine, func, select

from careline.clinic import db, heartbeats
from careline.clinic.conversations import Conversation
from careline.clinic.escalations import Escalation, EscalationEvent, State
from careline.clinic.staff import access, sessions
from careline.clinic.staff.sessions import Visitor
from careline.desk.security import signed_in, token_of

router = APIRouter()
log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
COMMENT_EVERY = 15.0
Snapshot = dict[str, tuple[Any, ...]]


def snapshot(engine: Engine | None, now: datetime) -> tuple[Snapshot, bool]:
    """What the pages show of each open case, as something to compare; and whether the worker has fallen silent."""
    with db.read_scope(engine) as session:
        latest = (
            select(EscalationEvent.escalation_id, func.max(EscalationEvent.number).label("number"))
            .group_by(EscalationEvent.escalation_id).subquery()
        )
        rows = session.execute(
            select(Escalation.id, Escalation.level_rank, Escalation.state, Escalation.holder_id,
                   Escalation.assigned_id, Escalation.snoozed_until, Conversation.next_seq, Conversation.mode,
                   latest.c.number)
            .join(Conversation, Escalation.conversation_id == Conversation.id)
            .outerjoin(latest, latest.c.escalation_id == Escalation.id)
            .where(Escalation.state != State.RESOLVED.value)
        ).all()
        silent = heartbeats.silent_for(session, heartbeats.ESCALATIONS, now) is not None
    return {row[0]: tuple(row[1:]) for row in rows}, silent


class Hub:
    """Watches while somebody listens, and tells every listener what changed."""

    def __init__(self, engine: Engine | None, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock
        self._listeners: set[asyncio.Queue[tuple[str, str]]] = set()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._seen: Snapshot | None = None
        self.closing = False

    async def __aenter__(self) -> Hub:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing = True
        for listener in self._listeners:
            listener.put_nowait(("close", ""))
        if self._task is not None:
            self._task.cancel()

    def join(self) -> asyncio.Queue[tuple[str, str]]:
        listener: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=1000)
        # Who comes while others watch already is told of the emergencies that wait; the first one, by the first look.
        for event in changes(None, self._seen) if self._seen is not None else ():
            listener.put_nowait(event)
        self._listeners.add(listener)
        self._wake.set()
        return listener

    def leave(self, listener: asyncio.Queue[tuple[str, str]]) -> None:
        self._listeners.discard(listener)

    async def _watch(self) -> None:
        was_silent = False
        while True:
            if not self._listeners:
                self._wake.clear()
                self._seen = None
                await self._wake.wait()
            try:
                after, silent = await to_thread.run_sync(snapshot, self._engine, self._clock())
            except Exception as error:
                log.error("the desk could not look at the queue: %s", type(error).__name__)
            else:
                for event in changes(self._seen, after):
                    self._tell(event)
                if self._seen is not None and silent != was_silent:
                    self._tell(("queue", ""))
                self._seen, was_silent = after, silent
            await asyncio.sleep(LOOK_EVERY)

    def _tell(self, event: tuple[str, str]) -> None:
        for listener in list(self._listeners):
            if not listener.full():
                listener.put_nowait(event)


def changes(before: Snapshot | None, after: Snapshot) -> list[tuple[str, str]]:
    """The events between two looks; at the first look, the emergencies that wait."""
    old = before or {}
    events = [("case", case_id) for case_id in old.keys() | after.keys()
              if before is not None and old.get(case_id) != after.get(case_id)]
    if before is None or events:
        events.append(("queue", ""))
    for case_id, row in after.items():
        rank, state = row[0], row[1]
        known = old.get(case_id)
        is_new = known is None or known[0] < 4 or known[1] != State.OPEN.value
        if rank >= 4 and state == State.OPEN.value and is_new:
            events.append(("emergency", case_id))
    return events


@router.get("/live")
async def live(request: Request, visitor: Annotated[Visitor, Depends(signed_in)]) -> StreamingResponse:
    """The stream of one open page. It does not keep the session alive, and ends with it."""
    sees_queue = access.may(visitor.staff, "queue")
    return StreamingResponse(_stream(request, sees_queue), media_type="text/event-stream")


async def _stream(request: Request, sees_queue: bool) -> AsyncIterator[str]:
    hub: Hub = request.app.state.hub
    listener = hub.join()
    token, clock = token_of(request), request.app.state.clock
    try:
        yield "retry: 2000\n\n"
        yield _event("queue", "")
        while not hub.closing:
            try:
                name, data = await asyncio.wait_for(listener.get(), COMMENT_EVERY)
            except TimeoutError:
                name, data = "", ""
            if name == "close":
                return
            if not await to_thread.run_sync(_still_in, request.app.state.engine, token, clock()):
                yield _event("over", "")
                return
            yield _event(name, data) if name and sees_queue else ": \n\n"
    finally:
        hub.leave(listener)


def _still_in(engine: Engine | None, token: str | None, now: datetime) -> bool:
    with db.read_scope(engine) as session:
        return sessions.find(session, token, now) is not None


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
