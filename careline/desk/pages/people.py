"""Accounts and the on-call rota: the admin's page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from careline.clinic import audit, oncall
from careline.clinic.staff import Role, accounts
from careline.clinic.staff.sessions import Visitor
from careline.desk.context import now, page, reading, writing
from careline.desk.security import Form, allowed
from careline.errors import Invalid
from careline.settings import settings

router = APIRouter()
Admin = Annotated[Visitor, Depends(allowed("staff"))]


@router.get("/people")
def show(request: Request, visitor: Admin, done: str = "") -> Response:
    at = now(request)
    with reading(request) as session:
        return page(request, "people.html", visitor, everybody=accounts.everybody(session), roles=list(Role),
                    shifts=oncall.shifts(session, at, at + timedelta(days=14)),
                    gaps=oncall.gaps(session, at, at + timedelta(days=7)), done=done[:40])


@router.post("/people")
def add(request: Request, form: Form, visitor: Admin) -> Response:
    def given(name: str) -> str:
        return str(form.get(name, "")).strip()

    with writing(request) as session:
        accounts.add_staff(session, username=given("username"), name=given("name"), role=given("role"),
                           password=str(form.get("password", "")), phone=given("phone") or None,
                           email=given("email") or None, actor=visitor.staff.id, now=now(request))
    return RedirectResponse("/people?done=added", 303)


@router.post("/people/{staff_id}/active")
def active(request: Request, staff_id: str, form: Form, visitor: Admin) -> Response:
    with writing(request) as session:
        accounts.set_active(session, staff_id, form.get("active") == "yes", visitor.staff.id, now(request))
    return RedirectResponse("/people?done=changed", 303)


@router.post("/rota")
def shift(request: Request, form: Form, visitor: Admin) -> Response:
    """A shift, in the clinic's local time."""
    try:
        starts, ends = (datetime.fromisoformat(str(form.get(name, ""))).replace(tzinfo=settings().zone)
                        for name in ("starts", "ends"))
        position = int(str(form.get("position", "1")))
    except ValueError:
        raise Invalid("desk.errors.date") from None
    with writing(request) as session:
        member = accounts.get(session, str(form.get("staff_id", "")))
        made = oncall.add_shift(session, member.id, starts, ends, min(max(position, 1), 9))
        audit.record(session, actor=visitor.staff.id, action="rota.add", object_type="shift", object_id=made.id,
                     detail={"staff": member.id}, now=now(request))
    return RedirectResponse("/people?done=shift", 303)
