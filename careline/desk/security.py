"""Who may come in, and what browsers are told: sessions, roles, form tokens, origins and response headers."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from careline.clinic.staff import access, sessions
from careline.clinic.staff.sessions import Visitor
from careline.desk.context import now, reading, writing
from careline.settings import settings

BIGGEST_FORM = 64 * 1024
# The polling of an open page is not a sign that somebody sits in front of it.
BACKGROUND = "x-careline-background"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}


class NotSignedIn(Exception):
    """Nobody, or a session that is over."""


class Forbidden(Exception):
    """Signed in, but not allowed; `what` names the permission, `case_id` the case that break-glass could open."""

    def __init__(self, what: str, case_id: str | None = None) -> None:
        super().__init__(what)
        self.what, self.case_id = what, case_id


class Refused(Exception):
    """A request that no page of ours made: wrong origin, or no form token."""


def secure() -> bool:
    return settings().desk_public_url.startswith("https://")


def cookie_name() -> str:
    """With https the browser itself guarantees that the cookie is ours alone (`__Host-`)."""
    return "__Host-careline-desk" if secure() else "careline-desk"


def token_of(request: Request) -> str | None:
    return request.cookies.get(cookie_name())


def set_cookie(response: Response, token: str) -> None:
    response.set_cookie(cookie_name(), token, httponly=True, secure=secure(), samesite="strict", path="/")


def drop_cookie(response: Response) -> None:
    response.delete_cookie(cookie_name(), httponly=True, secure=secure(), samesite="strict", path="/")


def half_signed_in(request: Request) -> Visitor:
    """Somebody whose login may not be complete."""
    token = token_of(request)
    with reading(request) as session:
        visitor = sessions.find(session, token, now(request))
    if visitor is None or token is None:
        raise NotSignedIn
    return visitor


def signed_in(request: Request) -> Visitor:
    """Somebody with a complete login. Whatever they do themselves starts their idle clock again."""
    visitor = half_signed_in(request)
    if visitor.session.stage != "full":
        raise NotSignedIn
    if BACKGROUND not in request.headers and sessions.stale(visitor, now(request)):
        with writing(request) as session:
            sessions.seen(session, token_of(request) or "", now(request))
    return visitor


def allowed(what: str) -> Callable[[Request], Visitor]:
    """A dependency: somebody whose role allows `what` (see careline.clinic.staff.access)."""

    def check(request: Request) -> Visitor:
        visitor = signed_in(request)
        if not access.may(visitor.staff, what):
            raise Forbidden(what)
        return visitor

    return check


def for_case(request: Request, case_id: str) -> Visitor:
    """Somebody who may see this case, by role or by broken glass."""
    visitor = signed_in(request)
    with reading(request) as session:
        if not access.may_open_case(session, visitor.staff, case_id, now(request)):
            raise Forbidden("case", case_id)
    return visitor


async def posted(request: Request) -> FormData:
    """A form that one of our own pages sent: its origin is ours, and it carries the session's form token."""
    check_origin(request)
    form = await request.form(max_files=0, max_fields=40, max_part_size=BIGGEST_FORM)
    given = str(form.get("csrf") or request.headers.get("x-csrf-token") or "")
    if not hmac.compare_digest(given.encode(), sessions.csrf_token(token_of(request) or "").encode()):
        raise Refused
    return form


def check_origin(request: Request) -> None:
    """Refused unless the browser says that the request comes from the desk's own address.

    Since our pages send no referrer, a browser gives "null" as the origin of their forms; then it says in
    Sec-Fetch-Site, which no script can set, whether the page was ours.
    """
    origin = request.headers.get("origin") or "null"
    if origin == "null":
        if request.headers.get("sec-fetch-site") != "same-origin":
            raise Refused
        return
    known = {_origin(settings().desk_public_url)}
    if settings().development:
        known.add(f"http://{request.headers.get('host', '')}")
    if origin not in known:
        raise Refused


def address_of(request: Request) -> str:
    """The network address that a login comes from."""
    return request.client.host if request.client else "unknown"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


Form = Annotated[FormData, Depends(posted)]


class SecurityHeaders:
    """Puts the headers on every response; pages are never stored, static files may be kept. Refuses huge bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > BIGGEST_FORM:
            await Response("Too large", 413, headers=HEADERS, media_type="text/plain")(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                kept = scope["path"].startswith("/static/") and message["status"] == 200
                headers["Cache-Control"] = "public, max-age=86400" if kept else "no-store"
                if secure():
                    headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
            await send(message)

        await self.app(scope, receive, send_with_headers)
