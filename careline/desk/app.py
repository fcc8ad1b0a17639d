"""The desk as an application: `uvicorn careline.desk.app:app`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine

from careline.clinic.db import utcnow
from careline.desk import errors, live
from careline.desk.context import STATIC
from careline.desk.pages import audit, case, day, health, login, people, queue, review, work
from careline.desk.security import SecurityHeaders
from careline.settings import settings

log = logging.getLogger(__name__)


def create_app(engine: Engine | None = None, clock: Callable[[], datetime] = utcnow) -> FastAPI:
    """The application. Without an `engine` it uses the one of the settings; tests give their own, and a clock."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings().require()
        async with live.Hub(engine, clock) as hub:
            app.state.hub = hub
            yield

    app = FastAPI(title="Careline desk", openapi_url=None, lifespan=lifespan)
    app.state.engine, app.state.clock = engine, clock
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for module in (login, queue, case, work, day, audit, review, people, health, live):
        app.include_router(module.router)
    errors.install(app)
    app.add_middleware(SecurityHeaders)
    return app


app = create_app()
