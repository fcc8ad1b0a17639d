"""The action server: rasa_sdk's executor behind a small Starlette application.

The SDK's own server starts four processes, listens on every address and repeats requests in its errors. This one is
one process, bound to loopback by its command, and its errors name the action and nothing else.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from json import JSONDecodeError, loads

from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from actions import triage_client

logger = logging.getLogger(__name__)
MAX_BODY = 4_000_000  # a long conversation's tracker with the domain; Rasa is the only caller

executor = ActionExecutor()
executor.register_package("actions")


async def webhook(request: Request) -> JSONResponse:
    """Run one action. 400 with the action's name makes Rasa take it for a rejection (a form that passes)."""
    try:
        call = loads(await _body(request))
    except (JSONDecodeError, UnicodeDecodeError, zlib.error, ValueError):
        return JSONResponse({"error": "not_json"}, status_code=422)
    if not isinstance(call, dict) or "tracker" not in call:
        return JSONResponse({"error": "not_an_action_call"}, status_code=422)
    call.setdefault("domain", {})
    name = str(call.get("next_action"))
    try:
        result = await executor.run(call)
    except ActionExecutionRejection as rejected:
        return JSONResponse({"error": rejected.message, "action_name": rejected.action_name}, status_code=400)
    except ActionNotFoundException:
        logger.error("There is no action '%s'", name)
        return JSONResponse({"error": "unknown_action", "action_name": name}, status_code=404)
    except Exception as failure:
        # The type and the place, not the message: it can hold the patient's words.
        logger.error("Action '%s' failed: %s at %s", name, type(failure).__name__, _place(failure))
        return JSONResponse({"error": "failed", "action_name": name}, status_code=500)
    return JSONResponse(result.model_dump() if result else None)


async def health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "actions": len(executor.actions)})


async def _body(request: Request) -> bytes:
    body = await request.body()
    if request.headers.get("content-encoding") == "deflate":
        body = zlib.decompressobj().decompress(body, MAX_BODY)
    if len(body) > MAX_BODY:
        raise ValueError("too large")
    return body


def _place(failure: BaseException) -> str:
    trace = failure.__traceback__
    place = "?"
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
    await triage_client.close()


app = Starlette(routes=[Route("/webhook", webhook, methods=["POST"]), Route("/health", health)], lifespan=_lifespan)
