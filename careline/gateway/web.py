"""The widget's HTTP interface: sessions, messages, events, transcript."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.exc import SQLAlchemyError

from careline.clinic import conversations, messages
from careline.clinic.conversations import Conversation
from careline.clinic.db import new_id, read_scope, session_scope, utcnow
from careline.clinic.messages import Choice
from careline.errors import Invalid
from careline.gateway import tokens
from careline.gateway.inbound import MAX_TEXT, Received
from careline.gateway.state import Gateway, gateway
from careline.texts import text

# How long emergency advice waits for a slow database before it goes out alone.
PATIENCE_SECONDS = 1.0

router = APIRouter(prefix="/v1", tags=["chat"])


class HttpError(Exception):
    """An answer that is not a success: `code` names its sentence."""

    def __init__(self, status: int, code: str, advice: list[dict[str, Any]] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.advice = status, code, advice

    def response(self, number: str) -> JSONResponse:
        body: dict[str, Any] = {
            "error": {"code": self.code, "message": text(f"error.{self.code}", number=number)}}
        if self.advice:
            body["advice"] = self.advice
        return JSONResponse(body, self.status)


class NewMessage(BaseModel):
    """Either `text` or `choice` (an id that the server offered). `client_id` makes a repeated send harmless."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    client_id: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    text: str | None = None
    choice: Annotated[str | None, Field(max_length=40)] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> NewMessage:
        if (self.text is None) == (self.choice is None):
            raise ValueError("send either text or choice")
        return self


@dataclass(frozen=True)
class Caller:
    """Who is calling: the conversation, and whether the database could confirm it."""

    conversation_id: str
    confirmed: bool


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _caller(token: str, now: datetime) -> Caller | None:
    conversation_id = tokens.conversation_of(token, now)
    if conversation_id is None:
        return None
    try:
        with read_scope() as session:
            row = session.get(Conversation, conversation_id)
    except SQLAlchemyError:
        return Caller(conversation_id, confirmed=False)
    if row is None or row.ended_at is not None or row.token_hash != tokens.digest(token):
        return None
    return Caller(conversation_id, confirmed=True)


async def caller(request: Request) -> Caller:
    """The caller of a session, or 401."""
    found = await asyncio.to_thread(_caller, _bearer(request), utcnow())
    if found is None or not found.confirmed:
        raise HttpError(401, "session_missing")
    return found


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


@router.post("/sessions", status_code=201)
async def start(request: Request, house: Annotated[Gateway, Depends(gateway)]) -> JSONResponse:
    """A new anonymous conversation and its token. The greeting is already in it."""
    if not house.new_sessions.allow(_client(request)):
        raise HttpError(429, "too_many_requests")
    token = await asyncio.to_thread(_start, house)
    return JSONResponse(token, 201)


def _start(house: Gateway) -> dict[str, str]:
    now = utcnow()
    conversation_id = new_id()
    token = tokens.issue(conversation_id, now)
    with session_scope() as session:
        session.add(Conversation(id=conversation_id, channel="web", created_at=now, last_inbound_at=now,
                                 token_hash=tokens.digest(token.value), token_expires_at=token.expires_at))
        session.flush()
        greeting = text("greeting.web", clinic=house.settings.clinic_name, number=house.settings.emergency_number)
        choices = [Choice(text(f"greeting.choice.{name}"), payload) for name, payload in GREETING_CHOICES]
        messages.post(session, conversation_id, author="assistant", text=greeting, choices=choices, now=now)
    return {"token": token.value, "conversation_id": conversation_id,
            "expires_at": token.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")}


GREETING_CHOICES = (
    ("symptoms", "/report_symptom"), ("appointment", "/book_appointment"), ("medication", "/add_reminder"),
    ("human", "/human"),
)


@router.post("/messages", status_code=202)
async def send(request: Request, house: Annotated[Gateway, Depends(gateway)]) -> JSONResponse:
    """Something the patient typed or chose. Emergency advice comes back in the answer itself."""
    now = utcnow()
    body = await _json(request)
    found, advice = await _screened(request, house, body, now)
    if isinstance(body.get("text"), str) and not body["text"].strip():
        raise HttpError(422, "empty")
    if isinstance(body.get("text"), str) and len(body["text"]) > MAX_TEXT:
        raise HttpError(422, "too_long", advice)
    try:
        message = NewMessage.model_validate(body)
    except ValueError as error:
        raise HttpError(422, "bad_request", advice) from error
    if found is None:
        raise HttpError(401, "session_missing", advice)
    if not house.messages.allow(found.conversation_id) and not advice:
        raise HttpError(429, "too_many_requests")
    received = await _receive(house, found, message, now)
    return JSONResponse({"id": received.id, "seq": received.seq, "advice": received.advice},
                        200 if received.repeated else 202)


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HttpError(400, "not_json") from error
    if not isinstance(body, dict):
        raise HttpError(400, "not_json")
    return body


async def _screened(request: Request, house: Gateway, body: dict[str, Any], now: datetime,
                    ) -> tuple[Caller | None, list[dict[str, Any]] | None]:
    """The caller; and for a request that will be refused, the advice that must not be refused with it."""
    found = await asyncio.to_thread(_caller, _bearer(request), now)
    said = body.get("text")
    if not isinstance(said, str):
        return found, None
    texts = house.net.peek(said, "web")
    return found, [{"id": new_id(), "seq": None, "author": "assistant", "kind": "emergency", "text": words,
                    "choices": [], "at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
                   for words in texts] or None


async def _receive(house: Gateway, found: Caller, message: NewMessage, now: datetime) -> Received:
    conversation_id = found.conversation_id
    choice = message.choice
    try:
        if choice is None and found.confirmed:
            choice = await asyncio.to_thread(house.door.offered_by_words, conversation_id, message.text or "")
        if choice is not None:
            return await asyncio.to_thread(house.door.choose, conversation_id, choice, message.client_id, now)
    except Invalid as error:
        raise HttpError(404, "unknown_choice") from error
    except SQLAlchemyError as error:
        if message.text is None:
            raise HttpError(503, "internal") from error
    said = message.text or ""
    seen = await asyncio.to_thread(house.door.look, conversation_id, "web", said, now)
    storing = asyncio.ensure_future(asyncio.to_thread(
        house.door.receive, conversation_id, "web", said, message.client_id, now, seen=seen))
    if not seen.verdict.emergency:
        return await storing
    try:
        return await asyncio.wait_for(asyncio.shield(storing), PATIENCE_SECONDS)
    except TimeoutError:
        return house.door.unstored(seen, now)  # storing goes on; the ids are the same


@router.get("/events")
async def events(request: Request, house: Annotated[Gateway, Depends(gateway)],
                 who: Annotated[Caller, Depends(caller)]) -> StreamingResponse:
    """Server-sent events: message, state, typing. `Last-Event-ID` resumes after that message."""
    last = request.headers.get("last-event-id", "0")
    after = int(last) if last.isdigit() and len(last) < 10 else 0
    return StreamingResponse(house.hub.stream(who.conversation_id, after), media_type="text/event-stream",
                             headers={"cache-control": "no-store", "x-accel-buffering": "no"})


@router.get("/transcript")
def transcript(who: Annotated[Caller, Depends(caller)]) -> dict[str, Any]:
    """Everything said in this conversation."""
    with read_scope() as session:
        return {"messages": [m.public() for m in messages.transcript(session, who.conversation_id)]}


@router.delete("/sessions/current", status_code=204)
def end(who: Annotated[Caller, Depends(caller)], house: Annotated[Gateway, Depends(gateway)]) -> Response:
    """End the conversation for this browser: its token is worth nothing from now on."""
    with session_scope() as session:
        conversation = conversations.get(session, who.conversation_id, lock=True)
        conversation.ended_at = utcnow()
        conversation.token_hash = None
        conversation.verified_at = None
    house.hub.wake_soon(who.conversation_id)
    return Response(status_code=204)


class ConfigAnswer(BaseModel):
    """What the widget shows even when nothing else works."""

    clinic: dict[Literal["name", "phone"], str]
    emergency_number: str
    crisis_line: str


@router.get("/config")
def config(house: Annotated[Gateway, Depends(gateway)]) -> ConfigAnswer:
    """The clinic's name and numbers."""
    known = house.settings
    return ConfigAnswer(clinic={"name": known.clinic_name, "phone": known.clinic_phone},
                        emergency_number=known.emergency_number, crisis_line=known.crisis_line)

