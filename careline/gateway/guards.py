"""Guards around every request: body size, security headers, and how many messages are too many.

Plain ASGI: a response that streams for hours must not pass through anything that waits for its end.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from careline.settings import Settings
from careline.texts import text

MAX_BODY = 64 * 1024


class _TooBig(Exception):
    pass


class BodyLimit:
    """413 for a request body over 64 kB, counted as it arrives: a length header can lie."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await _refuse(send, 413, "too_big")
            return
        got = 0
        started = False

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._limit:
                raise _TooBig
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooBig:
            if not started:
                await _refuse(send, 413, "too_big")


async def _refuse(send: Send, status: int, code: str) -> None:
    body = json.dumps({"error": {"code": code, "message": text(f"error.{code}")}}).encode()
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"application/json"), (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})


class SecurityHeaders:
    """The headers of OWASP's secure headers project, with a content policy that allows nothing inline."""

    def __init__(self, app: ASGIApp, settings: Settings, connect: str = "'self'") -> None:
        self._app = app
        ancestors = " ".join(settings.frame_ancestors) or "'none'"
        policy = (f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
                  f"connect-src {connect}; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}")
        headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
            "cross-origin-opener-policy": "same-origin",
        }
        if settings.public_url.startswith("https://"):
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in self._headers if h[0] not in names)]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class RateLimit:
    """A token bucket for each key, in memory: `burst` at once, then `per_minute`."""

    def __init__(self, burst: int, per_minute: float, keys: int = 50_000) -> None:
        self._burst = burst
        self._rate = per_minute / 60
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._keys = keys

    def allow(self, key: str, now: float | None = None) -> bool:
        """Whether one more is all right for `key`; `now` in seconds of a monotonic clock."""
        now = time.monotonic() if now is None else now
        tokens, then = self._buckets.pop(key, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        while len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return allowed
