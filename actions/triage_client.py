"""The triage service over HTTP: two seconds, one more try, then `Unavailable`."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from careline.errors import Unavailable
from careline.settings import settings

TIMEOUT = httpx.Timeout(2.0, connect=1.0)
TRIES = 2

_clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}
_plain: dict[str, str] = {}


def _client() -> httpx.AsyncClient:
    # One for each event loop: connections cannot move between loops (tests have several, the server has one).
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        for old in [known for known in _clients if known.is_closed()]:
            del _clients[old]
        _clients[loop] = httpx.AsyncClient(base_url=settings().triage_url, timeout=TIMEOUT, trust_env=False)
    return _clients[loop]


async def close() -> None:
    """Close this event loop's connections."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client:
        await client.aclose()


async def _call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    for _ in range(TRIES):
        try:
            response = await _client().request(method, path, json=body)
        except httpx.HTTPError:
            continue
        if response.status_code < 400:
            return response.json()
        if response.status_code < 500:
            break  # the same request would be refused again
    raise Unavailable("triage.unavailable")


async def parse(text: str, about: dict[str, Any], context: list[str]) -> dict[str, Any]:
    """Findings, red flags and what is said of the person in `text` (`ParseOut` of the service)."""
    return await _call("POST", "/v1/parse", {"text": text, "context": context, **about})


async def diagnosis(case: dict[str, Any], interview: dict[str, Any]) -> dict[str, Any]:
    """The next question, or that there is none; and the level with its reasons (`DiagnosisOut`)."""
    return await _call("POST", "/v1/diagnosis", {**case, "interview": interview})


async def plain_names() -> dict[str, str]:
    """Finding id -> what patients call it. Asked for once: knowledge changes only with a restart."""
    if not _plain:
        _plain.update({finding["id"]: finding["plain"] for finding in await _call("GET", "/v1/findings")})
    return _plain
