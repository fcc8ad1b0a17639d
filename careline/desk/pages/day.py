"""The day's appointments, and who came."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from careline.clinic.appointments import booking
from careline.clinic.staff.sessions import Visitor
from careline.desk import daylist
from careline.desk.context import now, page, reading, writing
from careline.desk.security import Form, allowed
from careline.errors import Invalid
from careline.settings import settings

router = APIRouter()
Seer = Annotated[Visitor, Depends(allowed("day"))]


@router.get("/day")
def show(request: Request, visitor: Seer, on: str = "", done: str = "") -> Response:
    day = _day(request, on)
    with reading(request) as session:
        rows = daylist.of_day(session, day, settings().zone)
    return page(request, "day.html", visitor, day=day, rows=rows, done=done[:40],
                **_around(day))


@router.post("/day/{appointment_id}")
def mark(request: Request, appointment_id: str, form: Form, visitor: Seer) -> Response:
    """Arrived, completed or missed."""
    day = _day(request, str(form.get("on", "")))
    state = str(form.get("mark", ""))
    if state not in {after for states in daylist.NEXT.values() for after in states}:
        raise Invalid("desk.errors.invalid")
    with writing(request) as session:
        booking.mark(session, appointment_id, state=state, staff_id=visitor.staff.id, now=now(request))
    return RedirectResponse(f"/day?on={day.isoformat()}&done=marked", 303)


def _day(request: Request, on: str) -> date:
    if not on:
        return now(request).astimezone(settings().zone).date()
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise Invalid("desk.errors.date") from None
    if not date(2000, 1, 1) <= day <= date(2200, 1, 1):
        raise Invalid("desk.errors.date")
    return day


def _around(day: date) -> dict[str, Any]:
    return {"before": date.fromordinal(day.toordinal() - 1), "after": date.fromordinal(day.toordinal() + 1)}
