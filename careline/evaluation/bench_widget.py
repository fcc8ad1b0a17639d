"""The widget's weight, as it is served, beside what its peers weigh (gzip -9 of the main browser bundle)."""

from __future__ import annotations

import gzip
from typing import Any

from careline.gateway.pages import widget_script
from careline.settings import settings


def bench() -> list[dict[str, Any]]:
    """One row: kilobytes after gzip -9. The peer is the smallest full chat widget on npm that we weighed."""
    weight = len(gzip.compress(widget_script(settings()), 9)) / 1000
    return [{"what": "widget, gzip", "size": "", "ours_ms": weight, "unit": "kB", "peer": "deep-chat 2.4.2",
             "peer_ms": 111.0}]
