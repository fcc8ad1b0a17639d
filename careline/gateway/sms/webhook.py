"""Twilio's webhooks: an inbound text, and what became of an outbound one.

Answered within the provider's time limit: emergency advice inline as TwiML, everything else by REST afterwards. The
signature is checked against the public URL of our settings over all parameters exactly as they came.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from careline.clinic import messages, sms_numbers
from careline.clinic.conversations import Conversation
from careline.clinic.db import blind_index, new_id, session_scope, utcnow
from careline.clinic.messages import Message
from careline.clinic.outbox import OutboxRow
from careline.gateway.inbound import MAX_TEXT
from careline.gateway.sms import keywords
from careline.gateway.sms.compose import body as composed
from careline.gateway.sms.signature import valid
from careline.gateway.state import Gateway, gateway
from careline.gateway.web import PATIENCE_SECONDS
from careline.texts import text

log = logging.getLogger(__name__)
router = APIRouter(prefix="/sms", tags=["sms"])

# A delivery status only moves to the right; late and repeated callbacks change nothing.
ORDER = ("queued", "sending", "sent", "delivered")
FAILED = {"undelivered", "failed"}


def twiml(*bodies: str) -> Response:
    """The provider's answer format; empty when there is nothing to say now."""
    inner = "".join(f"<Message>{escape(body)}</Message>" for body in bodies)
    return Response(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>', media_type="text/xml")


async def signed(request: Request, house: Annotated[Gateway, Depends(gateway)]) -> dict[str, str] | None:
    """The verified form parameters; None for a request that nobody with our token made."""
    raw = await request.body()
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(raw), max_num_fields=200)
    except ValueError:
        return None
    params: dict[str, list[str]] = {}
    for name, value in pairs:
        params.setdefault(name, []).append(value)
    known = house.settings
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{known.public_url}{request.url.path}{query}"
    if not valid(known.sms_auth_token, url, params, None, request.headers.get("x-twilio-signature", "")):
        log.warning("a webhook with a wrong signature was refused")
        return None
    return {name: values[0] for name, values in params.items()}


@router.post("/inbound")
async def inbound(house: Annotated[Gateway, Depends(gateway)],
                  params: Annotated[dict[str, str] | None, Depends(signed)]) -> Response:
    """A text from a patient."""
    if params is None:
        return Response(status_code=403)
    sid, number = params.get("MessageSid", ""), params.get("From", "")
    if not sid or not number.startswith("+"):
        return Response(status_code=400)
    said = params.get("Body", "")[:MAX_TEXT]
    advice = house.net.peek(said, "sms")
    taking = asyncio.ensure_future(asyncio.to_thread(_take, house, sid, number, said, utcnow()))
    if not advice:
        return await taking
    try:
        return await asyncio.wait_for(asyncio.shield(taking), PATIENCE_SECONDS)
    except TimeoutError:
        return twiml(*advice)  # storing goes on, and knows that the advice went out here


def _take(house: Gateway, sid: str, number: str, said: str, now: datetime, inline: bool = True) -> Response:
    known = house.settings
    values = {"clinic": known.clinic_name, "number": known.emergency_number, "phone": known.clinic_phone}
    try:
        with session_scope() as session:
            if session.scalar(select(Message.id).where(Message.provider_id == sid)):
                return twiml()
            conversation_id, fresh = _conversation(session, number, now)
            sms_numbers.note(session, number, "wrote", words=said, source="inbound", now=now)
            out = sms_numbers.opted_out(session, number)
    except SQLAlchemyError:
        advice = house.net.peek(said, "sms") or (text("outage.storage", **values),)
        house.spool.add({"sms": sid, "number": number, "said": said, "at": now.isoformat()})
        return twiml(*advice)

    keyword = keywords.classify(said)
    if keyword in {keywords.OPT_OUT, keywords.OPT_IN, keywords.HELP}:
        return _housekeeping(house, conversation_id, number, sid, said, keyword, values, now, out)
    if not said.strip():
        return twiml(text("sms.no_text", **values))
    if fresh:
        _greet(conversation_id, values, now)
    choice = house.door.offered_by_words(conversation_id, said)
    if choice is not None:
        received = house.door.choose(conversation_id, choice, f"sms-{sid}", now)
    else:
        received = house.door.receive(conversation_id, "sms", said, f"sms-{sid}", now, provider_id=sid)
    if keyword == keywords.SAFETY_FIRST and not received.advice:
        return twiml(text("sms.safety_first", **values))
    if not inline:
        return twiml()
    _sent_inline([a["id"] for a in received.advice], sid, now)
    return twiml(*(composed(a["text"], a["choices"]) for a in received.advice))


def retake(house: Gateway, item: dict[str, Any]) -> None:
    """A text that waited on disk: taken in as if it came now; what would have been inline goes by REST."""
    _take(house, item["sms"], item["number"], item["said"], datetime.fromisoformat(item["at"]), inline=False)


def _conversation(session: Session, number: str, now: datetime) -> tuple[str, bool]:
    """The conversation of this number, made new when it never wrote before."""
    index = blind_index(number)
    found = session.scalar(select(Conversation.id).where(Conversation.address_index == index))
    if found is not None:
        return found, False
    conversation = Conversation(id=new_id(), channel="sms", address=number, address_index=index, created_at=now)
    session.add(conversation)
    session.flush()
    return conversation.id, True


def _greet(conversation_id: str, values: dict[str, Any], now: datetime) -> None:
    with session_scope() as session:
        messages.post(session, conversation_id, author="assistant", text=text("greeting.sms", **values), now=now,
                      client_id="greeting")


def _housekeeping(house: Gateway, conversation_id: str, number: str, sid: str, said: str, keyword: str,
                  values: dict[str, Any], now: datetime, out: bool) -> Response:
    """STOP, START, HELP: written down with the words used, answered once."""
    key = {keywords.OPT_OUT: "sms.opted_out", keywords.OPT_IN: "sms.opted_in", keywords.HELP: "sms.help"}[keyword]
    with session_scope() as session:
        messages.post(session, conversation_id, author="patient", text=said, now=now, client_id=f"sms-{sid}",
                      provider_id=sid)
        if keyword == keywords.OPT_OUT:
            sms_numbers.note(session, number, "out", words=said, source="keyword", now=now)
            for row in session.scalars(select(OutboxRow).where(
                    OutboxRow.conversation_id == conversation_id, OutboxRow.status == "queued")):
                row.status, row.error = "cancelled", "opted_out"
        elif keyword == keywords.OPT_IN:
            sms_numbers.note(session, number, "in", words=said, source="keyword", now=now)
    if keyword == keywords.OPT_OUT and out:
        return twiml()  # confirmed once already
    return twiml(text(key, **values))


def _sent_inline(message_ids: list[str], sid: str, now: datetime) -> None:
    """What went out in the webhook's answer is not sent again by the worker."""
    try:
        with session_scope() as session:
            for row in session.scalars(select(OutboxRow).where(
                    OutboxRow.message_id.in_(message_ids), OutboxRow.status == "queued")):
                row.status, row.sent_at, row.provider_id = "sent", now, f"inline:{sid}"
    except SQLAlchemyError:
        log.error("inline advice may be sent a second time")


@router.post("/status")
async def status(params: Annotated[dict[str, str] | None, Depends(signed)]) -> Response:
    """What became of a text that we sent."""
    if params is None:
        return Response(status_code=403)
    await asyncio.to_thread(_status, params.get("MessageSid", ""), params.get("MessageStatus", ""),
                            params.get("ErrorCode") or None)
    return Response(status_code=204)


def _status(sid: str, new: str, error: str | None) -> None:
    with session_scope() as session:
        row = session.scalar(select(OutboxRow).where(OutboxRow.provider_id == sid))
        if row is None or row.status in {"failed", "delivered", "cancelled"}:
            return
        if new in FAILED:
            row.status, row.error = "failed", error
        elif new in ORDER and ORDER.index(new) > ORDER.index(row.status):
            row.status = new
