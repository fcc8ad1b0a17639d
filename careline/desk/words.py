"""How the desk says things: levels, times and waiting in words, from the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from careline import texts
from careline.levels import Level


def say(path: str, **values: object) -> str:
    """A text of the catalogue, or the last part of its path in plain letters when there is none."""
    return texts.text(path, **values) if texts.has(path) else plain(path.rpartition(".")[2])


def plain(code: object) -> str:
    """`called_patient` -> "Called patient"."""
    return str(code).replace("_", " ").replace(".", " ").strip().capitalize()


def ago(span: timedelta) -> str:
    """A waiting time in short: "now", "4 min", "2 h 05", "3 days"."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d}"
    return f"{minutes // (24 * 60)} days"


def lasted(hours: float) -> str:
    """How long something has been going on: "40 min", "5 h", "3 days"."""
    if hours < 1:
        return f"{round(hours * 60)} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """The time of day at the clinic."""
    return at.astimezone(zone).strftime("%H:%M")


def day_and_clock(at: datetime, zone: ZoneInfo) -> str:
    """Day and time at the clinic, such as "Mon 3 Mar, 14:05"."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def iso(at: datetime) -> str:
    return at.isoformat()


def initials(name: str) -> str:
    """Two letters for an avatar."""
    parts = [part for part in name.split() if part[:1].isalpha()]
    if len(parts) > 2:
        parts = parts[1:]  # without the title: Nurse, Dr
    return "".join(part[0].upper() for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts))


def short(text: str | None, length: int = 160) -> str:
    """The beginning of a text, cut at a word."""
    text = " ".join((text or "").split())
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0] + " ..."


def percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"


GLOBALS: dict[str, Any] = {"say": say, "levels": list(Level)}
FILTERS: dict[str, Callable[..., Any]] = {
    "plain": plain, "ago": ago, "clock": clock, "day_and_clock": day_and_clock, "iso": iso, "initials": initials,
    "short": short, "percent": percent,
}
