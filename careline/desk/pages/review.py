"""What clinicians decided against what the assistant had said: under-triage first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import select

from careline.clinic.escalations import Escalation, State
from careline.clinic.staff import accounts
from careline.clinic.staff.sessions import Visitor
from careline.desk.context import page, reading
from careline.desk.security import allowed
from careline.levels import Level

router = APIRouter()
LIMIT = 200


@router.get("/review")
def show(request: Request, visitor: Annotated[Visitor, Depends(allowed("review"))]) -> Response:
    with reading(request) as session:
        closed = list(session.scalars(
            select(Escalation).where(Escalation.state == State.RESOLVED.value)
            .order_by(Escalation.resolved_at.desc()).limit(LIMIT)))
        people = {member.id: member.name for member in accounts.everybody(session)}
    def gap(case: Escalation) -> int:
        return Level(case.clinician_level or case.level).rank - case.level_rank

    rows = sorted(((case, gap(case)) for case in closed), key=lambda row: -row[1])
    return page(request, "review.html", visitor, under=[row for row in rows if row[1] > 0],
                over=sum(1 for row in rows if row[1] < 0), same=sum(1 for row in rows if row[1] == 0),
                total=len(rows), people=people)
