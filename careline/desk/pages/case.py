"""The case: who it is, what they said, what was found and why, and the chat."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from careline.clinic import audit, messages
from careline.clinic.db import new_id
from careline.clinic.escalations import Resolution
from careline.clinic.escalations.policy import POLICY
from careline.clinic.staff import accounts
from careline.clinic.staff.sessions import Visitor
from careline.desk import sbar
from careline.desk.context import now, page, reading, writing
from careline.desk.security import for_case
from careline.settings import settings
from careline.texts import branch, text

router = APIRouter()
Seer = Annotated[Visitor, Depends(for_case)]


@router.get("/cases/{case_id}")
def show(request: Request, case_id: str, visitor: Seer, done: str = "") -> Response:
    """The whole screen. Looking at a case is an act of its own in the audit log."""
    with writing(request) as session:
        values = everything(session, request, case_id)
        audit.record(session, actor=visitor.staff.id, action="case.view", object_type="escalation",
                     object_id=case_id, now=now(request))
    return page(request, "case.html", visitor, **values, **tools(request, visitor, values["case"]), done=done[:40],
                client_key=new_id())


@router.get("/cases/{case_id}/chat")
def chat(request: Request, case_id: str, visitor: Seer) -> Response:
    with reading(request) as session:
        values = everything(session, request, case_id)
    return page(request, "_chat.html", visitor, **values)


@router.get("/cases/{case_id}/head")
def head(request: Request, case_id: str, visitor: Seer) -> Response:
    with reading(request) as session:
        values = everything(session, request, case_id)
    return page(request, "_head.html", visitor, **values, done="")


@router.get("/cases/{case_id}/side")
def side(request: Request, case_id: str, visitor: Seer) -> Response:
    with reading(request) as session:
        values = everything(session, request, case_id)
    return page(request, "_summary.html", visitor, **values)


@router.get("/cases/{case_id}/history")
def history(request: Request, case_id: str, visitor: Seer) -> Response:
    with reading(request) as session:
        values = everything(session, request, case_id)
    return page(request, "_history.html", visitor, **values)


def everything(session: Session, request: Request, case_id: str) -> dict[str, Any]:
    """The case and its transcript."""
    case = sbar.load(session, case_id, now(request))
    return {"case": case, "transcript": messages.transcript(session, case.conversation.id, limit=500),
            "notes": list(case.row.notes)}


def tools(request: Request, visitor: Visitor, case: sbar.Case) -> dict[str, Any]:
    """What the forms of the screen offer."""
    with reading(request) as session:
        colleagues = accounts.colleagues(session)
    canned = branch("desk.canned")
    longest = int(POLICY[case.level].snooze.total_seconds() // 60)
    return {
        "colleagues": colleagues,
        "resolutions": list(Resolution),
        "snoozes": [minutes for minutes in (5, 10, 15, 30, 60, 240, 1440) if minutes <= longest],
        "canned": [text(f"desk.canned.{key}", emergency_number=settings().emergency_number) for key in canned],
    }
