"""The pages: the demo clinic page with the widget, the simulated phone, and the widget's script."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import rjsmin
from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, Response

from careline.gateway.state import Gateway, gateway
from careline.settings import ROOT, Settings
from careline.texts import branch

router = APIRouter(include_in_schema=False)

WIDGET = ROOT / "web_widget"
PAGES = WIDGET / "pages"
PLACE_OF_TEXTS = "__CARELINE_TEXTS__"


@lru_cache(maxsize=4)
def widget_script(settings: Settings) -> bytes:
    """The widget as it is served: its texts put in, minified. All that it needs to help without a server is inside."""
    source = (WIDGET / "careline-chat.js").read_text(encoding="utf-8")
    texts = {**branch("widget"), "emergency_number": settings.emergency_number,
             "clinic": {"name": settings.clinic_name, "phone": settings.clinic_phone},
             "crisis_line": settings.crisis_line, "quick_exit_url": settings.quick_exit_url}
    small = str(rjsmin.jsmin(short_private_names(source)))
    return small.replace(PLACE_OF_TEXTS, json.dumps(texts, ensure_ascii=True, separators=(",", ":"))).encode()


def short_private_names(source: str) -> str:
    """The script with its `#private` members renamed to one or two letters: nothing outside can see them."""
    names = sorted(set(re.findall(r"this\.#(\w+)", source)))
    short = {name: f"{chr(97 + n % 26)}{n // 26 or ''}" for n, name in enumerate(names)}
    return re.sub(r"#(\w+)", lambda match: f"#{short.get(match[1], match[1])}", source)


def integrity(script: bytes) -> str:
    """The Subresource Integrity value of a script (https://www.w3.org/TR/SRI/)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(script).digest()).decode()


@router.get("/widget/careline-chat.js")
def script(request: Request, house: Annotated[Gateway, Depends(gateway)]) -> Response:
    """The widget; any page may load it."""
    body = widget_script(house.settings)
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "public, max-age=300", "access-control-allow-origin": "*",
               "cross-origin-resource-policy": "cross-origin", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, 9)
    return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)


def page(name: str) -> FileResponse:
    return FileResponse(PAGES / name, headers={"cache-control": "no-cache"})


@router.get("/")
def clinic_page() -> FileResponse:
    """A clinic's page with the widget on it."""
    return page("clinic.html")


@router.get("/phone")
def phone_page(house: Annotated[Gateway, Depends(gateway)]) -> Response:
    """The simulated phone; in development only."""
    if house.settings.sms_provider != "simulated":
        return Response(status_code=404)
    return page("phone.html")


@router.get("/pages/{name}")
def asset(name: str) -> Response:
    """Styles and scripts of the pages."""
    path = PAGES / Path(name).name
    if not path.is_file() or path.suffix not in {".css", ".js", ".svg", ".png", ".ico"}:
        return Response(status_code=404)
    return page(path.name)
