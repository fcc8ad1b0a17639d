"""What the dialogue, the desk and the worker may do with appointments.

Every function works inside the caller's transaction (`with session_scope() as session`) and flushes, never
commits; so a booking, its audit row and its messages stand or fall together. Failures are `CarelineError`s:

| code | type | fields |
|---|---|---|
| appointments.emergency | Invalid | - (emergencies are never offered a slot) |
| appointments.nothing_in_time | Conflict | latest, phone (level "urgent" and nothing today: escalate) |
| appointments.slot_gone | Conflict | alternatives: tuple[SlotOffer, ...] |
| appointments.hold_expired | Conflict | alternatives |
| appointments.too_soon / .past / .closed | Invalid | alternatives |
| appointments.key_reused | Conflict | - (same idempotency key, another request) |
| appointments.already_booked | Conflict | appointment (the patient has one of that type at that time or overlapping) |
| appointments.not_found | NotFound | - (also: somebody else's) |
| appointments.not_changeable | Conflict | state |
| appointments.unknown_type | NotFound | type |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from careline.clinic.appointments.when import TimeWindow, When, understand_when
from careline.levels import Level

__all__ = [
    "SlotOffer",
    "TimeWindow",
    "When",
    "book",
    "cancel",
    "confirm",
    "describe",
    "find_slots",
    "hold",
    "join_waitlist",
    "move",
    "understand_when",
    "upcoming",
]


@dataclass(frozen=True)
class SlotOffer:
    """A free slot. `ref` is opaque: hand it to `hold` or `move`. Times are aware UTC; `local` is the site's."""

    ref: str
    starts_at: datetime
    ends_at: datetime
    local: datetime
    clinician: str
    clinician_id: str
    site: str
    mode: str
    type_code: str


def find_slots(
    session: Session,
    *,
    type_code: str,
    now: datetime,
    level: Level | None = None,
    when: When | None = None,
    earliest: datetime | None = None,
    latest: datetime | None = None,
    clinician_id: str | None = None,
    needs: Sequence[str] = (),
    limit: int = 5,
) -> list[SlotOffer]:
    """The next free slots, earliest first; an empty list when the wish cannot be met.

    `level` is the triage level: it caps `latest` (urgent: today; routine: 14 days), and an emergency level
    raises Invalid("appointments.emergency"). `when` is what the patient asked for (`understand_when`),
    `earliest`/`latest` are aware bounds, `needs` are access needs ("wheelchair", "interpreter:pl").
    Urgent and nothing in time raises Conflict("appointments.nothing_in_time").
    """
    raise NotImplementedError


def hold(session: Session, slot_ref: str, *, patient_id: str, key: str, now: datetime):
    """Keep a slot for the patient for a few minutes -> Hold (id, expires_at, starts_at, ends_at, type, clinician, site).

    The same `key` again gives the same hold; a patient's earlier open hold is given back.
    Errors: slot_gone, too_soon, past, key_reused.
    """
    raise NotImplementedError


def book(
    session: Session,
    *,
    hold_id: str,
    patient_id: str,
    reason: str,
    key: str,
    now: datetime,
    booked_by: str | None = None,
    level: Level | None = None,
    conversation_id: str | None = None,
):
    """Turn a hold into an appointment -> Appointment (id, starts_at, ends_at, state, type, clinician, site).

    The same `key` again gives the same appointment. `booked_by` is the patient id of a parent who books for a
    child. Errors: hold_expired, already_booked, key_reused, not_found.
    """
    raise NotImplementedError


def upcoming(session: Session, patient_id: str, now: datetime) -> list:
    """The patient's booked appointments that have not ended, soonest first."""
    raise NotImplementedError


def cancel(session: Session, appointment_id: str, *, patient_id: str, now: datetime):
    """Give the slot back -> Appointment. Cancelling twice is the same as once. Errors: not_found, not_changeable."""
    raise NotImplementedError


def move(session: Session, appointment_id: str, slot_ref: str, *, patient_id: str, key: str, now: datetime):
    """Take the new slot and give back the old in one step -> the new Appointment. Errors as hold, and not_changeable."""
    raise NotImplementedError


def confirm(session: Session, appointment_id: str, *, patient_id: str, now: datetime):
    """Note that the patient said they will come (reply to a reminder) -> Appointment."""
    raise NotImplementedError


def join_waitlist(
    session: Session, *, patient_id: str, type_code: str, when: When | None, key: str, now: datetime
):
    """Ask to be offered an earlier slot when one comes free -> WaitlistEntry (id, position)."""
    raise NotImplementedError


def describe(what) -> str:
    """The time in the site's zone as people say it: 'Tue 1 Dec 2026 at 9:20'. Takes an Appointment, Hold or SlotOffer."""
    raise NotImplementedError
