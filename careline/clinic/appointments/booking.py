"""Hold, book, move, give back: one patient for each slot, whatever is retried, raced or killed.

The clinician's row is held for the moment of taking a slot, so that what is checked still holds when it is written;
behind it stands the database's own constraint, which nobody can forget. Each request carries a key of the caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from careline.clinic import audit
from careline.clinic.appointments.models import (
    LIVE,
    NEXT,
    Appointment,
    AppointmentType,
    Clinician,
    RequestKey,
    Site,
    clinician_types,
)
from careline.clinic.appointments.search import Plan, SlotOffer, busy_times, day_counts, find_slots
from careline.clinic.appointments.slots import STEP_MINUTES, local_date, local_instant, open_spans, read_ref
from careline.clinic.appointments.words import describe
from careline.clinic.db import new_id
from careline.errors import CarelineError, Conflict, Invalid, NotFound
from careline.levels import Level

HOLD_FOR = timedelta(minutes=10)
ALTERNATIVES = 3
Hold = Appointment
Made = TypeVar("Made", bound=Appointment)


def hold(session: Session, slot_ref: str, *, patient_id: str, key: str, now: datetime) -> Hold:
    """Keep a slot for the patient for ten minutes -> Hold (id, expires_at, starts_at, ends_at, type, clinician, site).

    The same `key` again gives the same hold; a patient's earlier open hold is given back.
    Errors: slot_gone, too_soon, past, already_booked, unknown_slot, key_reused.
    """

    def make() -> Appointment:
        for earlier in _open_holds(session, patient_id):
            _to(session, earlier, "expired", now)
        taken = _take(session, slot_ref, patient_id=patient_id, state="held", now=now)
        taken.hold_expires_at = now + HOLD_FOR
        session.flush()
        return taken

    return _once(session, patient_id, key, ("hold", slot_ref), now, make)


def book(
    session: Session,
    *,
    hold_id: str,
    patient_id: str,
    reason: str,
    key: str,
    now: datetime,
    booked_by: str | None = None,
    level: Level | str | None = None,
    conversation_id: str | None = None,
) -> Appointment:
    """Turn a hold into an appointment -> Appointment (id, starts_at, ends_at, state, type, clinician, site).

    The same `key` again gives the same appointment. `booked_by` is the patient id of a parent who books for a
    child. Errors: emergency, hold_expired, already_booked, key_reused, not_found.
    """
    if level and Level(level).is_emergency:
        raise Invalid("appointments.emergency")

    def make() -> Appointment:
        kept = _own(session, hold_id, patient_id, lock=True)
        # A hold that ran out but that nobody took since is still this patient's.
        if kept.state != "held" or kept.starts_at <= now:
            raise Conflict(
                "appointments.hold_expired", alternatives=_near(session, kept.type.code, kept.starts_at, now)
            )
        kept.reason, kept.booked_by, kept.conversation_id = reason, booked_by, conversation_id
        kept.level = Level(level).value if level else None
        _to(session, kept, "booked", now)
        return kept

    return _once(session, patient_id, key, ("book", hold_id, reason, booked_by or ""), now, make)


def cancel(session: Session, appointment_id: str, *, patient_id: str, now: datetime) -> Appointment:
    """Give the slot back -> Appointment. Cancelling twice is the same as once. Errors: not_found, not_changeable."""
    found = _own(session, appointment_id, patient_id, lock=True)
    if found.state != "cancelled":
        _to(session, found, "cancelled", now)
    return found


def move(
    session: Session, appointment_id: str, slot_ref: str, *, patient_id: str, key: str, now: datetime
) -> Appointment:
    """Take the new slot and give back the old in one step -> the new Appointment. Errors: as hold, not_changeable."""

    def make() -> Appointment:
        _, clinician_id, _ = read_ref(slot_ref)
        old = _own(session, appointment_id, patient_id)
        # Always in the same order: two moves that cross must not wait for each other.
        _lock_clinicians(session, {old.clinician_id, clinician_id})
        old = _own(session, appointment_id, patient_id, lock=True)
        if old.state != "booked" or old.starts_at <= now:
            raise Conflict("appointments.not_changeable", state=old.state)
        with session.begin_nested():
            _to(session, old, "cancelled", now)
            new = _take(session, slot_ref, patient_id=patient_id, state="booked", now=now)
        new.reason, new.level, new.booked_by = old.reason, old.level, old.booked_by
        new.conversation_id, new.moved_from, new.series_id = old.conversation_id, old.id, old.series_id
        session.flush()
        return new

    return _once(session, patient_id, key, ("move", appointment_id, slot_ref), now, make)


def confirm(session: Session, appointment_id: str, *, patient_id: str, now: datetime) -> Appointment:
    """Note that the patient said they will come (reply to a reminder) -> Appointment."""
    found = _own(session, appointment_id, patient_id, lock=True)
    if found.state != "booked":
        raise Conflict("appointments.not_changeable", state=found.state)
    found.confirmed_at = found.confirmed_at or now
    return found


def mark(session: Session, appointment_id: str, *, state: str, staff_id: str, now: datetime) -> Appointment:
    """The desk notes arrived, completed, missed or cancelled -> Appointment. Only forward: else not_changeable."""
    found = session.scalar(select(Appointment).where(Appointment.id == appointment_id).with_for_update(of=Appointment))
    if found is None:
        raise NotFound("appointments.not_found")
    if found.state != state:
        _to(session, found, state, now, actor=staff_id)
    return found


def upcoming(session: Session, patient_id: str, now: datetime) -> list[Appointment]:
    """The patient's booked appointments that have not ended, soonest first."""
    return list(
        session.scalars(
            select(Appointment)
            .where(
                Appointment.patient_id == patient_id,
                Appointment.ends_at > now,
                Appointment.state.in_(("booked", "arrived")),
            )
            .order_by(Appointment.starts_at)
        )
    )


def day_list(session: Session, start: datetime, end: datetime) -> list[Appointment]:
    """Every appointment that starts in [start, end), for the desk, in order."""
    return list(
        session.scalars(
            select(Appointment)
            .where(
                Appointment.starts_at >= start,
                Appointment.starts_at < end,
                Appointment.state.in_(("booked", "arrived", "completed", "missed")),
            )
            .order_by(Appointment.starts_at)
        )
    )


def release_expired(session: Session, now: datetime, limit: int = 500) -> int:
    """Give back holds that ran out; returns how many."""
    done = session.execute(
        update(Appointment)
        .where(
            Appointment.id.in_(
                select(Appointment.id)
                .where(Appointment.state == "held", Appointment.hold_expires_at <= now)
                .limit(limit)
            ),
            Appointment.state == "held",
        )
        .values(state="expired", changed_at=now)
        .execution_options(synchronize_session="fetch")
    )
    return done.rowcount


def withdraw(
    session: Session, clinician_id: str, start: datetime, end: datetime, *, staff_id: str, now: datetime
) -> list[Appointment]:
    """A clinician is away: note it, cancel what was held or booked, and return the booked ones, to be told."""
    from careline.clinic.appointments.models import Unavailability

    _lock_clinicians(session, {clinician_id})
    session.add(Unavailability(clinician_id=clinician_id, starts_at=start, ends_at=end))
    hit = session.scalars(
        select(Appointment).where(
            Appointment.clinician_id == clinician_id,
            Appointment.busy_from < end,
            Appointment.busy_until > start,
            Appointment.state.in_(LIVE),
        )
    ).all()
    told = [one for one in hit if one.state == "booked"]
    for one in hit:
        _to(session, one, "expired" if one.state == "held" else "cancelled", now, actor=staff_id)
    return told


# -- inside ---------------------------------------------------------------------------------------------------------


def _once(
    session: Session,
    patient_id: str,
    key: str,
    request: tuple[str, ...],
    now: datetime,
    make: Callable[[], Appointment],
) -> Appointment:
    """Do a request once. The key is written first: whoever comes with the same one waits for it, then finds it."""
    digest = hashlib.sha256("\0".join(request).encode()).hexdigest()
    known = _known(session, patient_id, key)
    if known is None:
        row = RequestKey(patient_id=patient_id, key=key, request_hash=digest, result_id=new_id(), at=now)
        try:
            with session.begin_nested():
                session.add(row)
                session.flush()
        except IntegrityError:
            known = _known(session, patient_id, key)
            if known is None:
                raise
        else:
            try:
                with session.begin_nested():
                    made = make()
                    row.result_id = made.id
                    session.flush()
                return made
            except CarelineError:
                # A refused request may be tried again with the same key: it has done nothing.
                session.delete(row)
                session.flush()
                raise
    if known.request_hash != digest:
        raise Conflict("appointments.key_reused")
    return session.get_one(Appointment, known.result_id)


def _known(session: Session, patient_id: str, key: str) -> RequestKey | None:
    return session.scalar(
        select(RequestKey)
        .where(RequestKey.patient_id == patient_id, RequestKey.key == key)
        .execution_options(populate_existing=True)
    )


def _own(session: Session, appointment_id: str, patient_id: str, *, lock: bool = False) -> Appointment:
    query = select(Appointment).where(Appointment.id == appointment_id)
    if lock:
        query = query.with_for_update(of=Appointment).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None or patient_id not in (found.patient_id, found.booked_by):
        raise NotFound("appointments.not_found")
    return found


def _open_holds(session: Session, patient_id: str) -> list[Appointment]:
    return list(
        session.scalars(select(Appointment).where(Appointment.patient_id == patient_id, Appointment.state == "held"))
    )


def _lock_clinicians(session: Session, ids: set[str]) -> None:
    session.execute(select(Clinician.id).where(Clinician.id.in_(ids)).order_by(Clinician.id).with_for_update())


def _take(session: Session, slot_ref: str, *, patient_id: str, state: str, now: datetime) -> Appointment:
    type_id, clinician_id, start = read_ref(slot_ref)
    _lock_clinicians(session, {clinician_id})
    row = session.execute(
        select(AppointmentType, Clinician, Site)
        .join(clinician_types, clinician_types.c.type_id == AppointmentType.id)
        .join(Clinician, Clinician.id == clinician_types.c.clinician_id)
        .join(Site)
        .where(AppointmentType.id == type_id, Clinician.id == clinician_id)
    ).first()
    if row is None:
        raise Invalid("appointments.unknown_slot")
    kind, clinician, site = row
    end = start + timedelta(minutes=kind.minutes)
    busy_from = start - timedelta(minutes=kind.buffer_before)
    busy_until = end + timedelta(minutes=kind.buffer_after)
    if start <= now:
        raise Invalid("appointments.past", alternatives=_near(session, kind.code, start, now))
    # Offered a moment ago and taken a little late is fine: what counts is that it can still be reached.
    if start < now + timedelta(minutes=kind.notice) - HOLD_FOR:
        raise Invalid("appointments.too_soon", alternatives=_near(session, kind.code, start, now))
    session.execute(
        update(Appointment)
        .where(
            Appointment.clinician_id == clinician_id,
            Appointment.state == "held",
            Appointment.hold_expires_at <= now,
            Appointment.busy_from < busy_until,
            Appointment.busy_until > busy_from,
        )
        .values(state="expired", changed_at=now)
        .execution_options(synchronize_session="fetch")
    )
    own = session.scalar(
        select(Appointment)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.state.in_(("booked", "arrived")),
            Appointment.starts_at < end,
            Appointment.ends_at > start,
        )
        .limit(1)
    )
    if own is not None:
        raise Conflict("appointments.already_booked", appointment_id=own.id, when=describe(own))
    if not clinician.active or not _is_free(session, kind, clinician, site, start, end, busy_from, busy_until):
        raise Conflict("appointments.slot_gone", alternatives=_near(session, kind.code, start, now))
    taken = Appointment(
        id=new_id(),
        patient_id=patient_id,
        clinician=clinician,
        site=site,
        type=kind,
        starts_at=start,
        ends_at=end,
        busy_from=busy_from,
        busy_until=busy_until,
        state=state,
        created_at=now,
        changed_at=now,
    )
    try:
        with session.begin_nested():
            session.add(taken)
            session.flush()
    except (IntegrityError, OperationalError) as error:
        if "overlap" not in str(error):
            raise
        raise Conflict("appointments.slot_gone", alternatives=_near(session, kind.code, start, now)) from error
    _note(session, taken, now)
    return taken


def _is_free(
    session: Session,
    kind: AppointmentType,
    clinician: Clinician,
    site: Site,
    start: datetime,
    end: datetime,
    busy_from: datetime,
    busy_until: datetime,
) -> bool:
    """Does the schedule of today still hold this slot, and is nobody in it?"""
    zone = ZoneInfo(site.zone)
    day = local_date(start, zone)
    plan = Plan.load(session, [clinician.id], {clinician.id: site.id}, zone)
    plan.read_days(session, day, day + timedelta(days=1))
    step = timedelta(minutes=STEP_MINUTES)
    inside = any(
        a <= start and end <= b and (start - a) % step == timedelta()
        for a, b in open_spans(day, plan.hours(clinician.id, day), zone)
    )
    if not inside or busy_times(session, [clinician.id], busy_from, busy_until).get(clinician.id):
        return False
    if kind.daily_max:
        a, b = local_instant(day, 0, zone), local_instant(day, 1440, zone)
        return day_counts(session, kind, [clinician.id], a, b, zone).get((clinician.id, day), 0) < kind.daily_max
    return True


def _near(session: Session, type_code: str, start: datetime, now: datetime) -> tuple[SlotOffer, ...]:
    """Free slots around a lost one: the next from its day on, or else the next at all."""
    try:
        kind_level = session.scalar(select(AppointmentType.level).where(AppointmentType.code == type_code))
        level = Level(kind_level) if kind_level else None
        day = max(now, start.replace(hour=0, minute=0))
        found = find_slots(session, type_code=type_code, now=now, level=level, earliest=day, limit=ALTERNATIVES)
        return tuple(found)
    except CarelineError:
        return ()


def _to(session: Session, one: Appointment, state: str, now: datetime, actor: str | None = None) -> None:
    """Move forward to `state`; Conflict("appointments.not_changeable") where the way does not lead there."""
    if state not in NEXT[one.state]:
        raise Conflict("appointments.not_changeable", state=one.state)
    one.state, one.changed_at = state, now
    session.flush()
    _note(session, one, now, actor)


def _note(session: Session, one: Appointment, now: datetime, actor: str | None = None) -> None:
    audit.record(
        session,
        actor=actor or f"patient:{one.booked_by or one.patient_id}",
        action=f"appointment.{one.state}",
        object_type="appointment",
        object_id=one.id,
        detail={"type": one.type.code},
        now=now,
    )
