"""Appointment times in words, always with weekday, date and clock time of the site."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from careline.clinic.appointments.models import Appointment
from careline.clinic.appointments.search import SlotOffer


def describe(what: Appointment | SlotOffer) -> str:
    """The time in the site's zone as people say it: 'Tue 1 Dec 2026 at 9:20'."""
    return say_time(local_time(what))


def local_time(what: Appointment | SlotOffer) -> datetime:
    """The start on the site's wall (aware)."""
    if isinstance(what, SlotOffer):
        return what.local
    return what.starts_at.astimezone(ZoneInfo(what.site.zone))


def say_time(local: datetime) -> str:
    """'Tue 1 Dec 2026 at 9:20' for a wall-clock time."""
    return f"{local:%a} {local.day} {local:%b} {local.year} at {local.hour}:{local:%M}"
