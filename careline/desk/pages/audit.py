"""The auditor's page: the log, whether its chain holds, and its export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import select

from careline.clinic import audit
from careline.clinic.audit import AuditEntry
from careline.clinic.staff import accounts
from careline.clinic.staff.sessions import Visitor
from careline.desk.context import now, page, reading, writing
from careline.desk.security import Form, allowed

router = APIRouter()
Auditor = Annotated[Visitor, Depends(allowed("audit"))]
PAGE = 100


@router.get("/audit")
def show(request: Request, visitor: Auditor, action: str = "", actor: str = "", object_id: str = "",
         before: int | None = None) -> Response:
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(PAGE + 1)
    if action:
        query = query.where(AuditEntry.action.startswith(action[:64], autoescape=True))
    if actor:
        query = query.where(AuditEntry.actor == actor[:64])
    if object_id:
        query = query.where(AuditEntry.object_id == object_id[:64])
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    with reading(request) as session:
        rows = list(session.scalars(query))
        people = {member.id: member.name for member in accounts.everybody(session)}
        end = audit.head(session)
    more = rows[PAGE - 1].seq if len(rows) > PAGE else None
    return page(request, "audit.html", visitor, rows=rows[:PAGE], people=people, head=end, more=more, action=action,
                actor=actor, object_id=object_id, result=None)


@router.post("/audit/verify")
def verify(request: Request, form: Form, visitor: Auditor) -> Response:
    with reading(request) as session:
        result = audit.verify(session)
    with writing(request) as session:
        audit.record(session, actor=visitor.staff.id, action="audit.verify", object_type="audit", object_id="log",
                     detail={"ok": result.ok, "rows": result.rows}, now=now(request))
    return page(request, "audit.html", visitor, rows=[], people={}, head=result.head, more=None, action="", actor="",
                object_id="", result=result)


@router.post("/audit/export")
def export(request: Request, form: Form, visitor: Auditor) -> Response:
    """The whole log as CSV. Exporting it is itself recorded, as the last line of the next export."""
    with writing(request) as session:
        audit.record(session, actor=visitor.staff.id, action="audit.export", object_type="audit", object_id="log",
                     now=now(request))

    def lines() -> Iterator[str]:
        columns = ("seq", "at", "actor", "action", "object_type", "object_id", "detail", "previous", "hash")
        yield ",".join(columns) + "\r\n"
        with reading(request) as session:
            for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.seq)
                                         .execution_options(yield_per=500)):
                buffer = io.StringIO()
                csv.writer(buffer).writerow([str(getattr(entry, column)) for column in columns])
                yield buffer.getvalue()

    return StreamingResponse(lines(), media_type="text/csv",
                             headers={"Content-Disposition": 'attachment; filename="careline-audit.csv"'})
