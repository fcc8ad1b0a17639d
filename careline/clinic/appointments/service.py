"""What the dialogue, the desk and the worker may do with appointments.

Every function works inside the caller's transaction (`with session_scope() as session`) and flushes, never
commits; so a booking, its audit row and its messages stand or fall together. Failures are `CarelineError`s whose
code is a sentence of the text catalogue:

| code | type | fields |
|---|---|---|
| appointments.emergency | Invalid | - (emergencies are never offered a slot) |
| appointments.nothing_in_time | Conflict | phone (level "urgent" and nothing today: escalate, and say so) |
| appointments.urgent_only | Invalid | phone (kind of appointment that only a symptom check can give) |
| appointments.slot_gone | Conflict | alternatives: tuple[SlotOffer, ...] |
| appointments.hold_expired | Conflict | alternatives |
| appointments.too_soon / .past | Invalid | alternatives |
| appointments.unknown_slot | Invalid | - (a reference that we did not make) |
| appointments.key_reused | Conflict | - (same idempotency key, another request) |
| appointments.already_booked | Conflict | appointment_id, when (the patient has one at an overlapping time) |
| appointments.not_found | NotFound | - (also: somebody else's) |
| appointments.not_changeable | Conflict | state |
| appointments.unknown_type | NotFound | type |

A request that was refused has done nothing: the same key may be used again for it.
"""

from __future__ import annotations

from careline.clinic.appointments.booking import (
    Hold,
    book,
    cancel,
    confirm,
    day_list,
    hold,
    mark,
    move,
    release_expired,
    upcoming,
    withdraw,
)
from careline.clinic.appointments.ical import calendar
from careline.clinic.appointments.models import Appointment
from careline.clinic.appointments.search import SlotOffer, find_slots
from careline.clinic.appointments.waitlist import decline, join_waitlist, leave_waitlist, offered
from careline.clinic.appointments.when import TimeWindow, When, understand_when
from careline.clinic.appointments.words import describe

__all__ = [
    "Appointment",
    "Hold",
    "SlotOffer",
    "TimeWindow",
    "When",
    "book",
    "calendar",
    "cancel",
    "confirm",
    "day_list",
    "decline",
    "describe",
    "find_slots",
    "hold",
    "join_waitlist",
    "leave_waitlist",
    "mark",
    "move",
    "offered",
    "release_expired",
    "understand_when",
    "upcoming",
    "withdraw",
]
