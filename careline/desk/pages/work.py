"""What is done with a case: every form of the case screen."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from careline.clinic import escalations
from careline.clinic.staff import access
from careline.clinic.staff.sessions import Visitor
from careline.desk.context import is_fragment, now, page, writing
from careline.desk.pages.case import everything
from careline.desk.security import Forbidden, Form, for_case, signed_in
from careline.errors import Invalid

router = APIRouter()
Worker = Annotated[Visitor, Depends(for_case)]


def _need(visitor: Visitor, what: str) -> None:
    if not access.may(visitor.staff, what):
        raise Forbidden(what)


def _back(case_id: str, done: str) -> Response:
    return RedirectResponse(f"/cases/{case_id}?done={done}", 303)


@router.post("/cases/{case_id}/acknowledge")
def acknowledge(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    _need(visitor, "work")
    with writing(request) as session:
        escalations.acknowledge(session, case_id, visitor.staff.id, now(request))
    return _back(case_id, "acknowledged")


@router.post("/cases/{case_id}/take-over")
def take_over(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    _need(visitor, "chat")
    with writing(request) as session:
        escalations.take_over(session, case_id, visitor.staff.id, now(request))
    return _back(case_id, "taken_over")


@router.post("/cases/{case_id}/reply")
def reply(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    """With htmx the chat comes back; without, the page."""
    _need(visitor, "chat")
    key = str(form.get("client_key", ""))
    if not 8 <= len(key) <= 64:
        raise Invalid("desk.errors.invalid")
    with writing(request) as session:
        case = escalations.get(session, case_id)
        escalations.reply(session, case.conversation_id, visitor.staff.id, str(form.get("text", "")), key,
                          now(request))
    if not is_fragment(request):
        return _back(case_id, "replied")
    with writing(request) as session:
        values = everything(session, request, case_id)
    return page(request, "_chat.html", visitor, **values, headers={"HX-Trigger": "reply-sent"})


@router.post("/cases/{case_id}/hand-back")
def hand_back(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    _need(visitor, "chat")
    with writing(request) as session:
        escalations.hand_back(session, case_id, visitor.staff.id, now(request))
    return _back(case_id, "handed_back")


@router.post("/cases/{case_id}/note")
def note(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    _need(visitor, "work")
    with writing(request) as session:
        escalations.add_note(session, case_id, visitor.staff.id, str(form.get("text", "")), now(request))
    return _back(case_id, "noted")


@router.post("/cases/{case_id}/assign")
def assign(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    _need(visitor, "work")
    with writing(request) as session:
        escalations.assign(session, case_id, visitor.staff.id, str(form.get("to", "")), now(request))
    return _back(case_id, "assigned")


@router.post("/cases/{case_id}/snooze")
def snooze(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    _need(visitor, "work")
    minutes = str(form.get("minutes", ""))
    if not minutes.isascii() or not minutes.isdigit() or len(minutes) > 5:
        raise Invalid("desk.errors.invalid")
    at = now(request)
    with writing(request) as session:
        escalations.snooze(session, case_id, visitor.staff.id, at + timedelta(minutes=int(minutes)), at)
    return _back(case_id, "snoozed")


@router.post("/cases/{case_id}/resolve")
def resolve(request: Request, case_id: str, form: Form, visitor: Worker) -> Response:
    _need(visitor, "resolve")
    with writing(request) as session:
        escalations.resolve(session, case_id, visitor.staff.id, reason=str(form.get("reason", "")),
                            level=str(form.get("level", "")), remark=str(form.get("remark", "")), now=now(request))
    return RedirectResponse("/queue?done=resolved", 303)


@router.post("/cases/{case_id}/break-glass")
def break_glass(request: Request, case_id: str, form: Form,
                visitor: Annotated[Visitor, Depends(signed_in)]) -> Response:
    """Access outside one's role; the reason is kept, and others are alerted."""
    try:
        with writing(request) as session:
            escalations.get(session, case_id)
            access.break_glass(session, visitor.staff, case_id, str(form.get("reason", "")), now(request))
    except Invalid as error:
        return page(request, "glass.html", visitor, status=422, case_id=case_id, problem=error)
    return RedirectResponse(f"/cases/{case_id}", 303)
