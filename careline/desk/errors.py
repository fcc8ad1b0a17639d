"""Errors as pages: a clear sentence, no stack trace, and a way back."""

from __future__ import annotations

import logging
from http import HTTPStatus

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from careline.clinic.staff.sessions import Visitor
from careline.desk.context import is_fragment, page
from careline.desk.security import BACKGROUND, Forbidden, NotSignedIn, Refused, half_signed_in
from careline.desk.words import say
from careline.errors import CarelineError, Conflict, NotFound

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Give the application its error pages."""
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(CarelineError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Unforeseen)


def show(request: Request, status: int, sentence: str, back: str | None = None) -> Response:
    """The error page, or for htmx the sentence into the page's alert line."""
    if is_fragment(request):
        return page(request, "_alert.html", status=status, sentence=sentence,
                    headers={"HX-Retarget": "#alert", "HX-Reswap": "innerHTML"})
    return page(request, "error.html", _visitor(request), status=status, sentence=sentence,
                title=HTTPStatus(status).phrase, back=back or "/")


def _visitor(request: Request) -> Visitor | None:
    try:
        visitor = half_signed_in(request)
    except Exception:  # an error page must come even when the database does not
        return None
    return visitor if visitor.session.stage == "full" else None


def _not_signed_in(request: Request, error: Exception) -> Response:
    if is_fragment(request) or BACKGROUND in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/login?why=over"})
    if request.method in ("GET", "HEAD"):
        return RedirectResponse("/login", 303)
    return show(request, 401, say("desk.errors.signed_out"), "/login")


def _forbidden(request: Request, error: Exception) -> Response:
    assert isinstance(error, Forbidden)
    if error.case_id and request.method == "GET" and not is_fragment(request):
        return page(request, "glass.html", _visitor(request), status=403, case_id=error.case_id, problem=None)
    return show(request, 403, say("desk.errors.forbidden"))


def _refused(request: Request, error: Exception) -> Response:
    return show(request, 403, say("desk.errors.refused"))


def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, CarelineError)
    status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
    case_id = request.path_params.get("case_id")
    back = f"/cases/{case_id}" if case_id and status != 404 else None
    return show(request, status, say(error.code, **error.fields), back)


def _invalid(request: Request, error: Exception) -> Response:
    return show(request, 422, say("desk.errors.invalid"))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return show(request, error.status_code, say(f"desk.errors.http_{error.status_code}"))


class Unforeseen:
    """Whatever nobody caught becomes a clean page. It stops here: a server that logged the traceback would log what
    is in it, and the message of a database error can hold what a patient said."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception as error:
            route = scope.get("route")
            log.error("the desk failed at %s: %s", getattr(route, "path", "?"), type(error).__name__)
            if scope["type"] == "http" and not started:
                request = Request(scope, receive)
                response = await to_thread.run_sync(show, request, 500, say("desk.errors.internal"))
                await response(scope, receive, send)
