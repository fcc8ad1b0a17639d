"""Reading a message: the red-flag screen and the findings parser, on ordinary and on hostile text."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from careline.language import parse, screen

ORDINARY = [
    "hi i've had a sore throat for 3 days and a bit of a temperature, can i see someone",
    "my son is 5 and has been sick twice, no fever, drinking ok",
    "can i book an appointment for next tuesday please",
    "got a rash on both arms since yesterday its itchy but not painful, 34f",
]
HOSTILE = {
    "50 kB of one letter": "a" * 50_000,
    "50 kB of words": "my chest is not hurting and " * 1850,
    "50 kB of brackets": "([{<" * 12_500,
    "50 kB without spaces": "cantbreathe" * 4545,
}


def _median_ms(job: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def _rows(name: str, read: Callable[[str], object]) -> list[dict[str, Any]]:
    read(ORDINARY[0])
    ordinary = statistics.median(_median_ms(partial(read, text), 200) for text in ORDINARY)
    rows: list[dict[str, Any]] = [{"what": f"{name}: an ordinary message", "size": "", "ours_ms": ordinary}]
    for label, text in HOSTILE.items():
        rows.append({"what": f"{name}: {label}", "size": len(text), "ours_ms": _median_ms(partial(read, text), 5)})
    return rows


def bench() -> list[dict[str, Any]]:
    """Medians in milliseconds."""
    return _rows("red-flag screen", screen) + _rows("findings parser", parse)
