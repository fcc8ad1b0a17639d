"""The built-in simulated phone, for development: it speaks to the SMS webhook as the provider would.

The routes exist only in development with the simulated provider.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.responses import JSONResponse

from careline.clinic.db import blind_index, read_scope, session_scope, utcnow
from careline.clinic.sms_numbers import SimulatedSms
from careline.gateway.sms.signature import compute
from careline.gateway.state import Gateway, gateway

router = APIRouter(prefix="/dev/phone", tags=["development"])

Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]


class Outgoing(BaseModel):
    """A text that the simulated phone sends."""

    number: Number
    body: Annotated[str, Field(max_length=1600)]


@router.get("/messages")
def received(number: str, after: int = 0) -> dict[str, Any]:
    """The texts of this phone with id > `after`."""
    with read_scope() as session:
        rows = session.scalars(
            select(SimulatedSms).where(SimulatedSms.number_index == blind_index(number), SimulatedSms.id > after)
            .order_by(SimulatedSms.id))
        return {"messages": [{"id": row.id, "direction": row.direction, "body": row.body, "status": "delivered",
                              "at": row.at.isoformat()} for row in rows]}


@router.post("/messages", status_code=202)
async def send(outgoing: Outgoing, house: Annotated[Gateway, Depends(gateway)]) -> JSONResponse:
    """Send a text: a signed webhook over real HTTP, answered with TwiML, like the provider's."""
    known = house.settings
    sid = f"SM{secrets.token_hex(16)}"
    _keep(outgoing.number, "out", outgoing.body, sid)
    params = {"MessageSid": sid, "AccountSid": known.sms_account, "From": outgoing.number, "To": known.sms_number,
              "Body": outgoing.body, "NumMedia": "0", "NumSegments": "1"}
    signature = compute(known.sms_auth_token, f"{known.public_url}/sms/inbound", {k: [v] for k, v in params.items()})
    local = f"http://127.0.0.1:{known.gateway_port}/sms/inbound"
    async with httpx.AsyncClient(timeout=15, trust_env=False) as http:
        answer = await http.post(local, data=params, headers={"X-Twilio-Signature": signature})
    for body in _bodies(answer.text):
        _keep(outgoing.number, "in", body, f"SM{secrets.token_hex(16)}")
    return JSONResponse({"sid": sid}, 202 if answer.status_code == 200 else 502)


def _keep(number: str, direction: str, body: str, sid: str) -> None:
    with session_scope() as session:
        session.add(SimulatedSms(number_index=blind_index(number), direction=direction, body=body, sid=sid,
                                 at=utcnow()))


def _bodies(twiml: str) -> list[str]:
    from xml.etree import ElementTree

    try:
        return [node.text or "" for node in ElementTree.fromstring(twiml).iter("Message")]
    except ElementTree.ParseError:
        return []
