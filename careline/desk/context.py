"""What every page needs: the database, the clock, who is there, and templates that know the words of the desk."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from careline.clinic import db
from careline.clinic.staff import access
from careline.clinic.staff.sessions import Visitor
from careline.desk import words
from careline.settings import settings

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


def now(request: Request) -> datetime:
    """The desk's clock; tests set their own."""
    return request.app.state.clock()


def reading(request: Request) -> AbstractContextManager[Session]:
    return db.read_scope(request.app.state.engine)


def writing(request: Request) -> AbstractContextManager[Session]:
    return db.session_scope(request.app.state.engine)


def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True)
    made.globals.update(words.GLOBALS, may=access.may, version=_version())
    made.filters.update(words.FILTERS)
    return made


def _version() -> str:
    """Changes when a static file does, so that browsers may keep them."""
    return format(int(max(file.stat().st_mtime for file in STATIC.iterdir())), "x")


templates = _environment()


def page(request: Request, template: str, visitor: Visitor | None = None, *, status: int = 200,
         headers: dict[str, str] | None = None, **values: Any) -> HTMLResponse:
    """A rendered page or fragment. Everything from patients is escaped by the template engine; nothing is `safe`."""
    known = settings()
    html = templates.get_template(template).render(
        visitor=visitor, staff=visitor.staff if visitor else None, csrf=visitor.csrf if visitor else "",
        now=now(request), zone=known.zone, clinic_name=known.clinic_name, development=known.development,
        path=request.url.path, **values,
    )
    return HTMLResponse(html, status_code=status, headers=headers)


def is_fragment(request: Request) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true"
