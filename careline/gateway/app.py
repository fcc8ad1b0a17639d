"""The gateway's process: `uvicorn careline.gateway.app:app`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from careline.clinic.db import read_scope
from careline.gateway import pages, phone, web
from careline.gateway.guards import BodyLimit, SecurityHeaders
from careline.gateway.sms import webhook
from careline.gateway.state import Gateway, build
from careline.language import screen
from careline.settings import settings
from careline.texts import text

log = logging.getLogger(__name__)
RECOVER_SECONDS = 2.0


async def _recover(house: Gateway) -> None:
    while True:
        try:
            taken = await asyncio.to_thread(house.door.recover, lambda item: webhook.retake(house, item))
            if taken:
                log.warning("%d messages that waited on disk were taken in", taken)
        except Exception:
            log.exception("what waits on disk could not be taken in")
        await asyncio.sleep(RECOVER_SECONDS)


@contextlib.asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    house: Gateway = app.state.gateway
    screen("warm up")
    house.hub.bind()
    tasks = [asyncio.create_task(job) for job in (house.hub.poll(), house.dispatcher.sweep(), _recover(house))]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await house.rasa.close()


def create() -> FastAPI:
    """The application. SettingsError when the settings do not allow a start."""
    known = settings().require()
    app = FastAPI(title="Careline gateway", version="1", lifespan=_running, docs_url=None, redoc_url=None)
    app.state.gateway = build(known)
    app.include_router(web.router)
    app.include_router(webhook.router)
    app.include_router(pages.router)
    if known.development and known.sms_provider == "simulated":
        app.include_router(phone.router)

    def answer(status: int, code: str) -> JSONResponse:
        words = text(f"error.{code}", number=known.emergency_number)
        return JSONResponse({"error": {"code": code, "message": words}}, status)

    @app.exception_handler(web.HttpError)
    async def _refused(_request: Request, error: web.HttpError) -> JSONResponse:
        return error.response(known.emergency_number)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method", 413: "too_big"}.get(error.status_code, "bad_request")
        return answer(error.status_code, code)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, _error: RequestValidationError) -> JSONResponse:
        return answer(422, "bad_request")

    @app.exception_handler(Exception)
    async def _failed(_request: Request, _error: Exception) -> JSONResponse:
        return answer(500, "internal")

    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """The process runs."""
        return {"status": "ok"}

    @app.get("/health/ready", tags=["health"])
    async def ready() -> JSONResponse:
        """Whether the database and the dialogue answer; emergency advice works either way."""
        house: Gateway = app.state.gateway
        parts = {"database": await asyncio.to_thread(_database_answers), "dialogue": await house.rasa.ready()}
        return JSONResponse({"status": "ok" if all(parts.values()) else "degraded", **parts},
                            200 if all(parts.values()) else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        if request.client is None or request.client.host not in {"127.0.0.1", "::1"}:
            raise HTTPException(404)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app.add_middleware(CORSMiddleware, allow_origins=list(known.allowed_origins),
                       allow_methods=["GET", "POST", "DELETE"], max_age=600,
                       allow_headers=["authorization", "content-type", "last-event-id"])
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, settings=known)
    return app


def _database_answers() -> bool:
    try:
        with read_scope() as session:
            session.execute(sql("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def __getattr__(name: str) -> FastAPI:
    """`app` is made when a server asks for it: importing this module must not need settings."""
    if name == "app":
        return create()
    raise AttributeError(name)
