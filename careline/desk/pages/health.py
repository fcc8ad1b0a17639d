"""Whether the desk and the worker are alive, for supervisors and outside monitors."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from careline.clinic import heartbeats
from careline.desk.context import now, reading

router = APIRouter()


@router.get("/health/live")
def live() -> JSONResponse:
    return JSONResponse({"status": "ok"})


@router.get("/health/ready")
def ready(request: Request) -> JSONResponse:
    try:
        with reading(request) as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return JSONResponse({"status": "database"}, 503)
    return JSONResponse({"status": "ok"})


@router.get("/health/worker")
def worker(request: Request) -> JSONResponse:
    """503 when nobody runs the escalation timers: point an outside monitor here, for a dead worker pages nobody."""
    try:
        with reading(request) as session:
            silent = heartbeats.silent_for(session, heartbeats.ESCALATIONS, now(request))
    except SQLAlchemyError:
        return JSONResponse({"status": "database"}, 503)
    return JSONResponse({"status": "silent" if silent else "ok"}, 503 if silent else 200)
