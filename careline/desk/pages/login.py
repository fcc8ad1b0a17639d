"""Signing in and out: password, code, setting up the code."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from careline.clinic.staff import access, login, sessions
from careline.clinic.staff.sessions import Visitor
from careline.desk.context import now, page, reading, writing
from careline.desk.security import (
    BIGGEST_FORM,
    Form,
    Refused,
    address_of,
    check_origin,
    drop_cookie,
    half_signed_in,
    secure,
    set_cookie,
    signed_in,
    token_of,
)
from careline.settings import settings

router = APIRouter()
BEFORE = "careline-desk-before"
HOME = {"queue": "/queue", "audit": "/audit", "staff": "/people"}


@router.get("/")
def home(visitor: Annotated[Visitor, Depends(signed_in)]) -> Response:
    """Each role's first page."""
    return RedirectResponse(next(url for what, url in HOME.items() if access.may(visitor.staff, what)), 303)


@router.get("/login")
def form(request: Request, why: str = "") -> Response:
    return _login_page(request, why if why in ("over", "out") else "")


@router.post("/login")
async def before_login(request: Request) -> Response:
    """Checked like every form, with a cookie of its own, since there is no session yet."""
    from anyio import to_thread

    check_origin(request)
    given = await request.form(max_files=0, max_fields=10, max_part_size=BIGGEST_FORM)
    mark = request.cookies.get(BEFORE, "")
    if not mark or not hmac.compare_digest(str(given.get("csrf", "")).encode(), _before_token(mark).encode()):
        raise Refused
    return await to_thread.run_sync(_log_in, request, given)


def _log_in(request: Request, given: FormData) -> Response:
    username, password = str(given.get("username", ""))[:200], str(given.get("password", ""))[:1000]
    address, at = address_of(request), now(request)
    with reading(request) as session:
        fits = login.password_fits(session, username, password, address, at)
    with writing(request) as session:
        outcome = login.with_password(session, username, fits, address, at,
                                      code_required=not settings().development)
    if outcome.refused:
        return _login_page(request, outcome.refused, status=429 if outcome.refused == "wait" else 401,
                           username=username)
    where = {"full": "/", "totp": "/login/code", "enrol": "/login/enrol"}[outcome.stage or "full"]
    return _in(outcome.token or "", where)


@router.get("/login/code")
def code_form(request: Request, visitor: Annotated[Visitor, Depends(half_signed_in)]) -> Response:
    if visitor.session.stage != "totp":
        return RedirectResponse("/", 303)
    return page(request, "code.html", why="", form_token=visitor.csrf)


@router.get("/login/enrol")
def enrol_form(request: Request, visitor: Annotated[Visitor, Depends(half_signed_in)]) -> Response:
    return _enrol_page(request, visitor)


@router.post("/login/code")
def code(request: Request, given: Form, visitor: Annotated[Visitor, Depends(half_signed_in)]) -> Response:
    with writing(request) as session:
        outcome = login.with_code(session, token_of(request) or "", str(given.get("code", ""))[:20],
                                  address_of(request), now(request))
    if outcome.token:
        return _in(outcome.token, "/")
    status = 429 if outcome.refused == "wait" else 401
    if visitor.session.stage == "enrol":
        return _enrol_page(request, visitor, outcome.refused or "", status)
    return page(request, "code.html", status=status, why=outcome.refused, form_token=visitor.csrf)


@router.post("/logout")
def logout(request: Request, given: Form) -> Response:
    with writing(request) as session:
        sessions.end(session, token_of(request) or "", now(request))
    response = RedirectResponse("/login?why=out", 303)
    drop_cookie(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.post("/still-here")
def still_here(given: Form, visitor: Annotated[Visitor, Depends(signed_in)]) -> Response:
    """Somebody moves or types on an open page: asking for it starts the idle clock again."""
    return Response(status_code=204)


def _in(token: str, where: str) -> Response:
    response = RedirectResponse(where, 303)
    set_cookie(response, token)
    response.delete_cookie(BEFORE)
    return response


def _enrol_page(request: Request, visitor: Visitor, why: str = "", status: int = 200) -> Response:
    with writing(request) as session:
        setup = login.enrolment(session, token_of(request) or "", now(request))
    if setup is None:
        return RedirectResponse("/", 303)
    return page(request, "enrol.html", status=status, why=why, secret=setup[0], address=setup[1],
                form_token=visitor.csrf)


def _login_page(request: Request, why: str, status: int = 200, username: str = "") -> Response:
    mark = request.cookies.get(BEFORE) or secrets.token_urlsafe(16)
    response = page(request, "login.html", status=status, why=why, username=username, form_token=_before_token(mark))
    response.set_cookie(BEFORE, mark, httponly=True, secure=secure(), samesite="strict", path="/login")
    return response


def _before_token(mark: str) -> str:
    return hmac.new(mark.encode(), b"careline desk login", hashlib.sha256).hexdigest()
