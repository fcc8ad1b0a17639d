"""The queue: everybody who waits, the most urgent first."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from careline.clinic import heartbeats, oncall
from careline.clinic.escalations import State, queue
from careline.clinic.staff.sessions import Visitor
from careline.desk.context import now, page, reading
from careline.desk.security import allowed

router = APIRouter()
Seer = Annotated[Visitor, Depends(allowed("queue"))]


@router.get("/queue")
def show(request: Request, visitor: Seer, mine: bool = False) -> Response:
    return page(request, "queue.html", visitor, **_values(request, visitor, mine))


@router.get("/queue/list")
def fragment(request: Request, visitor: Seer, mine: bool = False) -> Response:
    return page(request, "_queue.html", visitor, **_values(request, visitor, mine))


def _values(request: Request, visitor: Visitor, mine: bool) -> dict[str, Any]:
    at = now(request)
    with reading(request) as session:
        everything = queue(session, at)
        rows = [row for row in everything if not mine or visitor.staff.id in (row.assigned_id, row.holder_id)]
        gaps = oncall.gaps(session, at, at + timedelta(hours=24)) if oncall.has_rota(session, at) else []
        return {
            "rows": rows,
            "mine": mine,
            "counts": {
                "all": len(everything),
                "mine": sum(visitor.staff.id in (row.assigned_id, row.holder_id) for row in everything),
                "unanswered": sum(row.state == State.OPEN for row in everything),
                "emergencies": sum(row.level.is_emergency for row in everything),
            },
            "longest": max((row.waiting for row in everything if row.state == State.OPEN), default=None),
            "gap": gaps[0] if gaps else None,
            "worker_silent": heartbeats.silent_for(session, heartbeats.ESCALATIONS, at),
            "on_call": [member.name for member in oncall.on_call(session, at)],
        }
