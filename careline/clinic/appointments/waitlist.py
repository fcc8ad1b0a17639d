"""The waiting list: an earlier slot that comes free is held for who asked first, and offered for a short time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from careline.clinic import audit, outbox
from careline.clinic.appointments.booking import hold
from careline.clinic.appointments.models import Appointment, AppointmentType, WaitlistEntry
from careline.clinic.appointments.search import find_slots, kind_of
from careline.clinic.appointments.when import TimeWindow, When
from careline.clinic.appointments.words import describe
from careline.clinic.messages import Choice
from careline.errors import CarelineError, Conflict, NotFound
from careline.texts import text

OFFER_FOR = timedelta(minutes=60)


def join_waitlist(
    session: Session,
    *,
    patient_id: str,
    type_code: str,
    when: When | None,
    key: str,
    now: datetime,
    before: datetime | None = None,
) -> WaitlistEntry:
    """Ask to be offered an earlier slot when one comes free -> WaitlistEntry (id, type, state).

    `before`: only slots earlier than this. Asking again for the same kind changes the wish and keeps the place.
    """
    kind = kind_of(session, type_code)
    windows = [[w.start.isoformat(), w.end.isoformat()] for w in when.windows] if when else None
    entry = session.scalar(
        select(WaitlistEntry).where(
            WaitlistEntry.patient_id == patient_id,
            WaitlistEntry.type_id == kind.id,
            WaitlistEntry.state.in_(("waiting", "offered")),
        )
    )
    if entry is None:
        entry = WaitlistEntry(patient_id=patient_id, type=kind, state="waiting", created_at=now, changed_at=now)
        session.add(entry)
    entry.windows, entry.before, entry.changed_at = windows, before, now
    session.flush()
    audit.record(
        session,
        actor=f"patient:{patient_id}",
        action="waitlist.join",
        object_type="waitlist",
        object_id=entry.id,
        detail={"type": kind.code},
        now=now,
    )
    return entry


def position(session: Session, entry: WaitlistEntry) -> int:
    """The place in the line, 1 is next."""
    ahead = session.scalar(
        select(func.count()).where(
            WaitlistEntry.type_id == entry.type_id,
            WaitlistEntry.state == "waiting",
            WaitlistEntry.created_at < entry.created_at,
        )
    )
    return (ahead or 0) + 1


def leave_waitlist(session: Session, entry_id: str, *, patient_id: str, now: datetime) -> None:
    """No longer wait; an offered slot is given back. NotFound when it is not this patient's."""
    entry = _own(session, entry_id, patient_id)
    if entry.state in ("waiting", "offered"):
        _give_back(session, entry, "withdrawn", now)


def decline(session: Session, entry_id: str, *, patient_id: str, now: datetime) -> None:
    """Not this slot: it goes to the next in line, and the patient keeps waiting."""
    entry = _own(session, entry_id, patient_id)
    if entry.state == "offered":
        _give_back(session, entry, "waiting", now)


def offered(session: Session, patient_id: str) -> list[WaitlistEntry]:
    """What is on offer for the patient now; book it with `book(hold_id=entry.hold_id, ...)`."""
    return list(
        session.scalars(
            select(WaitlistEntry).where(WaitlistEntry.patient_id == patient_id, WaitlistEntry.state == "offered")
        )
    )


def tick(session: Session, now: datetime, limit: int = 20) -> int:
    """Give freed slots to the next in line, and take back offers that ran out; returns how many were offered."""
    for entry in session.scalars(select(WaitlistEntry).where(WaitlistEntry.state == "offered")).all():
        kept = session.get(Appointment, entry.hold_id) if entry.hold_id else None
        if kept is not None and kept.state == "booked":
            entry.state, entry.changed_at = "taken", now
        elif kept is None or kept.state != "held":
            entry.state, entry.hold_id, entry.changed_at = "waiting", None, now
    done = 0
    waiting = session.scalars(
        select(WaitlistEntry)
        .join(AppointmentType)
        .where(WaitlistEntry.state == "waiting")
        .order_by(WaitlistEntry.created_at)
        .limit(limit)
    ).all()
    for entry in waiting:
        done += _offer(session, entry, now)
    return done


def _offer(session: Session, entry: WaitlistEntry, now: datetime) -> bool:
    when = (
        When(tuple(TimeWindow(datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in entry.windows))
        if entry.windows
        else None
    )
    latest = entry.before - timedelta(minutes=1) if entry.before else None
    try:
        slots = find_slots(session, type_code=entry.type.code, now=now, when=when, latest=latest, limit=1)
        if not slots:
            return False
        kept = hold(
            session, slots[0].ref, patient_id=entry.patient_id, key=f"waitlist:{entry.id}:{slots[0].ref}", now=now
        )
    except (Conflict, NotFound, CarelineError):
        return False  # somebody was faster, or the wish cannot be met: the next round tries again
    kept.hold_expires_at = now + OFFER_FOR
    entry.state, entry.hold_id, entry.changed_at = "offered", kept.id, now
    outbox.enqueue(
        session,
        conversation_id=None,
        patient_id=entry.patient_id,
        kind="waitlist_offer",
        text=text("appointments.waitlist.offer", when=describe(kept), minutes=int(OFFER_FOR.total_seconds() // 60)),
        choices=[
            Choice(text("appointments.waitlist.take"), f'/waitlist_take{{"entry_id": "{entry.id}"}}'),
            Choice(text("appointments.waitlist.decline"), f'/waitlist_decline{{"entry_id": "{entry.id}"}}'),
        ],
        dedupe_key=f"waitlist:{entry.id}:{kept.id}",
        now=now,
    )
    return True


def _own(session: Session, entry_id: str, patient_id: str) -> WaitlistEntry:
    entry = session.get(WaitlistEntry, entry_id)
    if entry is None or entry.patient_id != patient_id:
        raise NotFound("appointments.not_found")
    return entry


def _give_back(session: Session, entry: WaitlistEntry, state: str, now: datetime) -> None:
    kept = session.get(Appointment, entry.hold_id) if entry.hold_id else None
    if kept is not None and kept.state == "held":
        kept.state, kept.changed_at = "expired", now
    entry.state, entry.hold_id, entry.changed_at = state, None, now
    session.flush()
