"""Find, hold, book, move, give back: one patient for each slot, and every failure with a way on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError

from careline.clinic.appointments import service
from careline.clinic.appointments.models import Appointment, Clinician, ScheduleException, Site
from careline.clinic.db import new_id, session_scope
from careline.errors import Conflict, Invalid, NotFound
from careline.levels import Level
from tests.integration.clinic.conftest import NOW


def first(session, kind="gp", **more):
    return service.find_slots(session, type_code=kind, now=NOW, **more)[0]


def booked(session, patient, key="b", kind="gp", **more):
    kept = service.hold(session, first(session, kind, **more).ref, patient_id=patient, key=f"{key}h", now=NOW)
    return service.book(session, hold_id=kept.id, patient_id=patient, reason="knee", key=key, now=NOW)


def test_the_next_slots_keep_notice_hours_and_order(engine: Engine) -> None:
    with session_scope(engine) as session:
        found = service.find_slots(session, type_code="gp", now=NOW)
        assert [offer.starts_at for offer in found] == sorted(offer.starts_at for offer in found)
        assert found[0].starts_at >= NOW + timedelta(minutes=60)
        assert service.describe(found[0]) == "Tue 1 Dec 2026 at 8:30"
        assert {o.clinician for o in service.find_slots(session, type_code="gp", now=NOW, limit=40)} == {
            "Dr Amira Hassan",
            "Dr Tom Barker",
        }


def test_a_wish_is_kept_and_what_cannot_be_met_gives_nothing(engine: Engine) -> None:
    with session_scope(engine) as session:
        when = service.understand_when("thursday after 3", NOW)
        found = service.find_slots(session, type_code="gp", now=NOW, when=when)
        assert all(o.local.weekday() == 3 and o.local.hour >= 15 for o in found) and len(found) == 5
        night = service.understand_when("tomorrow at 10pm", NOW)
        assert service.find_slots(session, type_code="gp", now=NOW, when=night) == []


def test_needs_choose_clinicians(engine: Engine) -> None:
    with session_scope(engine) as session:
        found = service.find_slots(session, type_code="gp", now=NOW, needs=["interpreter:pl", "wheelchair"], limit=10)
        assert {o.clinician for o in found} == {"Dr Tom Barker"}
        assert service.find_slots(session, type_code="gp", now=NOW, needs=["interpreter:cy"]) == []


def test_a_holiday_is_closed(engine: Engine) -> None:
    with session_scope(engine) as session:
        session.add(ScheduleException(site_id=session.scalar(select(Site.id)), day=date(2026, 12, 2), name="Closed"))
        session.flush()
        found = service.find_slots(session, type_code="gp", now=NOW, limit=200)
        assert date(2026, 12, 2) not in {o.local.date() for o in found}
        assert date(2026, 12, 3) in {o.local.date() for o in found}


def test_urgent_is_today_or_an_honest_no(engine: Engine) -> None:
    with session_scope(engine) as session:
        found = service.find_slots(session, type_code="gp", now=NOW, level=Level.URGENT, limit=50)
        assert {o.local.date() for o in found} == {date(2026, 12, 1)} and "urgent" in {o.type_code for o in found}
        late = NOW.replace(hour=20)
        with pytest.raises(Conflict) as none:
            service.find_slots(session, type_code="gp", now=late, level=Level.URGENT)
        assert none.value.code == "appointments.nothing_in_time" and none.value.fields["phone"]


def test_routine_is_within_two_weeks(engine: Engine) -> None:
    with session_scope(engine) as session:
        found = service.find_slots(session, type_code="gp", now=NOW, level=Level.ROUTINE, limit=5000)
        assert found[-1].local.date() <= date(2026, 12, 15)


@pytest.mark.parametrize("level", [Level.EMERGENCY, Level.EMERGENCY_AMBULANCE])
def test_an_emergency_is_never_offered_a_slot(engine: Engine, patients, level: Level) -> None:
    with session_scope(engine) as session:
        with pytest.raises(Invalid, match="emergency"):
            service.find_slots(session, type_code="gp", now=NOW, level=level)
        kept = service.hold(session, first(session).ref, patient_id=patients[0], key="h", now=NOW)
        with pytest.raises(Invalid, match="emergency"):
            service.book(session, hold_id=kept.id, patient_id=patients[0], reason="", key="b", now=NOW, level=level)


def test_same_day_slots_are_not_booked_without_a_check(engine: Engine) -> None:
    with session_scope(engine) as session, pytest.raises(Invalid, match="urgent_only"):
        service.find_slots(session, type_code="urgent", now=NOW)


def test_retries_give_the_same_booking_and_another_request_under_the_key_is_refused(engine: Engine, patients) -> None:
    patient = patients[0]
    with session_scope(engine) as session:
        offer = first(session)
        kept = service.hold(session, offer.ref, patient_id=patient, key="h", now=NOW)
        done = service.book(session, hold_id=kept.id, patient_id=patient, reason="knee", key="b", now=NOW)
    for _ in range(5):
        with session_scope(engine) as session:
            again = service.hold(session, offer.ref, patient_id=patient, key="h", now=NOW)
            same = service.book(session, hold_id=again.id, patient_id=patient, reason="knee", key="b", now=NOW)
            assert same.id == done.id
    with session_scope(engine) as session:
        with pytest.raises(Conflict, match="key_reused"):
            service.book(session, hold_id=kept.id, patient_id=patient, reason="another", key="b", now=NOW)
        assert len(service.upcoming(session, patient, NOW)) == 1


def test_a_lost_slot_comes_with_alternatives(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        offer = first(session)
        service.hold(session, offer.ref, patient_id=patients[0], key="h", now=NOW)
        with pytest.raises(Conflict, match="slot_gone") as lost:
            service.hold(session, offer.ref, patient_id=patients[1], key="h", now=NOW)
        others = lost.value.fields["alternatives"]
        assert others and offer.ref not in {o.ref for o in others}
        assert service.hold(session, others[0].ref, patient_id=patients[1], key="h", now=NOW).state == "held"


def test_a_hold_that_ran_out_frees_the_slot(engine: Engine, patients) -> None:
    later = NOW + timedelta(minutes=11)
    with session_scope(engine) as session:
        offer = first(session)
        kept = service.hold(session, offer.ref, patient_id=patients[0], key="h", now=NOW)
    with session_scope(engine) as session:
        taken = service.hold(session, offer.ref, patient_id=patients[1], key="h", now=later)
        assert taken.state == "held"
        with pytest.raises(Conflict, match="hold_expired") as gone:
            service.book(session, hold_id=kept.id, patient_id=patients[0], reason="", key="b", now=later)
        assert gone.value.fields["alternatives"]


def test_a_hold_that_nobody_took_since_can_still_be_booked(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        kept = service.hold(session, first(session).ref, patient_id=patients[0], key="h", now=NOW)
        late = service.book(
            session, hold_id=kept.id, patient_id=patients[0], reason="", key="b", now=NOW + timedelta(minutes=12)
        )
        assert late.state == "booked"


def test_expired_holds_are_given_back(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        kept = service.hold(session, first(session).ref, patient_id=patients[0], key="h", now=NOW)
        assert service.release_expired(session, NOW) == 0
        assert service.release_expired(session, NOW + timedelta(minutes=11)) == 1
        assert kept.state == "expired"


def test_a_new_hold_gives_back_the_earlier_one(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        a, b = service.find_slots(session, type_code="gp", now=NOW)[:2]
        one = service.hold(session, a.ref, patient_id=patients[0], key="1", now=NOW)
        service.hold(session, b.ref, patient_id=patients[0], key="2", now=NOW)
        assert one.state == "expired"


def test_moving_takes_the_new_and_frees_the_old_in_one_step(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        old = booked(session, patients[0])
        ref = first(session).ref
        new = service.move(session, old.id, ref, patient_id=patients[0], key="m", now=NOW)
        again = service.move(session, old.id, ref, patient_id=patients[0], key="m", now=NOW)
        assert (old.state, new.state, again.id) == ("cancelled", "booked", new.id)
        assert [a.id for a in service.upcoming(session, patients[0], NOW)] == [new.id]


def test_a_move_to_a_lost_slot_keeps_the_old_appointment(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine_id = booked(session, patients[0]).id
        ref = service.find_slots(session, type_code="gp", now=NOW)[0].ref
        service.hold(session, ref, patient_id=patients[1], key="x", now=NOW)
        with pytest.raises(Conflict, match="slot_gone"):
            service.move(session, mine_id, ref, patient_id=patients[0], key="m", now=NOW)
    with session_scope(engine) as session:
        assert [a.id for a in service.upcoming(session, patients[0], NOW)] == [mine_id]


def test_nobody_sees_or_changes_somebody_elses(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = booked(session, patients[0])
        for act in (
            lambda: service.cancel(session, mine.id, patient_id=patients[1], now=NOW),
            lambda: service.confirm(session, mine.id, patient_id=patients[1], now=NOW),
            lambda: service.move(session, mine.id, first(session).ref, patient_id=patients[1], key="m", now=NOW),
            lambda: service.book(session, hold_id=mine.id, patient_id=patients[1], reason="", key="x", now=NOW),
            lambda: service.cancel(session, new_id(), patient_id=patients[0], now=NOW),
        ):
            with pytest.raises(NotFound, match="not_found"):
                act()
        assert service.upcoming(session, patients[1], NOW) == []


def test_the_same_person_is_not_in_two_places(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = booked(session, patients[0])
        mine_id = mine.id
        other = next(
            o
            for o in service.find_slots(session, type_code="nurse", now=NOW, limit=50)
            if o.starts_at <= mine.starts_at < o.ends_at
        )
        with pytest.raises(Conflict, match="already_booked") as twice:
            service.hold(session, other.ref, patient_id=patients[0], key="n", now=NOW)
        assert twice.value.fields["appointment_id"] == mine_id


def test_states_only_move_forward(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = booked(session, patients[0])
        service.mark(session, mine.id, state="arrived", staff_id="s", now=NOW)
        service.mark(session, mine.id, state="completed", staff_id="s", now=NOW)
        for state in ("booked", "arrived", "cancelled", "missed"):
            with pytest.raises(Conflict, match="not_changeable"):
                service.mark(session, mine.id, state=state, staff_id="s", now=NOW)
        with pytest.raises(Conflict, match="not_changeable"):
            service.cancel(session, mine.id, patient_id=patients[0], now=NOW)


def test_cancelling_twice_is_once_and_frees_the_slot(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = booked(session, patients[0])
        service.cancel(session, mine.id, patient_id=patients[0], now=NOW)
        service.cancel(session, mine.id, patient_id=patients[0], now=NOW)
        assert first(session).starts_at == mine.starts_at


def test_references_that_we_did_not_make_and_times_gone_by_are_refused(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        offer = first(session)
        for ref in ("", "x", "../../etc", offer.ref[:-3], "A" * 48):
            with pytest.raises(Invalid, match="unknown_slot"):
                service.hold(session, ref, patient_id=patients[0], key="k", now=NOW)
        with pytest.raises(Invalid, match="past"):
            service.hold(session, offer.ref, patient_id=patients[0], key="k", now=NOW + timedelta(hours=3))
        with pytest.raises(Invalid, match="too_soon") as soon:
            service.hold(
                session, offer.ref, patient_id=patients[0], key="k", now=offer.starts_at - timedelta(minutes=5)
            )
        assert soon.value.fields["alternatives"]
        with pytest.raises(NotFound, match="unknown_type"):
            service.find_slots(session, type_code="surgery", now=NOW)


def test_a_clinician_who_is_away_loses_the_slots_and_the_patients_are_known(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = booked(session, patients[0])
        offer = next(
            o
            for o in service.find_slots(session, type_code="gp", now=NOW, limit=20)
            if o.clinician_id == mine.clinician_id
        )
        told = service.withdraw(session, mine.clinician_id, NOW, NOW + timedelta(days=1), staff_id="s", now=NOW)
        assert [a.id for a in told] == [mine.id] and mine.state == "cancelled"
        with pytest.raises(Conflict, match="slot_gone"):
            service.hold(session, offer.ref, patient_id=patients[1], key="h", now=NOW)


def test_the_daily_maximum_holds(engine: Engine) -> None:
    from careline.clinic.patients import register

    with session_scope(engine) as session:
        doctor = session.scalar(select(Clinician.id).where(Clinician.name == "Dr Amira Hassan"))
        for n in range(12):
            who = register(session, phone=f"+4477009001{n:02d}", now=NOW).id
            booked(session, who, kind="phone", clinician_id=doctor)
        after = first(session, "phone", clinician_id=doctor)
        assert after.local.date() == date(2026, 12, 2)


def test_the_wall_clock_holds_across_the_change(engine: Engine, patients) -> None:
    spring = datetime(2027, 3, 26, 12, 0, tzinfo=UTC)
    with session_scope(engine) as session:
        when = service.understand_when("monday at 9", spring)
        found = service.find_slots(session, type_code="gp", now=spring, when=when)
        assert found[0].local.strftime("%a %H:%M %z") == "Mon 09:00 +0100"
        assert found[0].starts_at == datetime(2027, 3, 29, 8, 0, tzinfo=UTC)


def test_the_database_itself_refuses_an_overlap(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = booked(session, patients[0])
        row = {c.name: getattr(mine, c.name) for c in Appointment.__table__.columns}
    for shift in (0, 10, -10):
        at = timedelta(minutes=shift)
        moved = {**row, "id": new_id(), "patient_id": patients[1]}
        for name in ("starts_at", "ends_at", "busy_from", "busy_until"):
            moved[name] = row[name] + at
        with pytest.raises(DatabaseError, match="overlap"), engine.begin() as connection:
            connection.execute(Appointment.__table__.insert(), moved)
    with engine.begin() as connection:
        apart = {**row, "id": new_id(), "patient_id": patients[1]}
        for name in ("starts_at", "ends_at", "busy_from", "busy_until"):
            apart[name] = row[name] + (row["busy_until"] - row["busy_from"])
        connection.execute(Appointment.__table__.insert(), apart)
        with pytest.raises(DatabaseError, match="overlap"), connection.begin_nested():
            connection.execute(
                text("UPDATE appointments SET busy_from = :a, starts_at = :a WHERE id = :i"),
                {"a": str(row["busy_from"].replace(tzinfo=None)) + ".000000", "i": apart["id"]},
            )


def test_an_icalendar_file_says_when_and_where_never_why(engine: Engine, patients) -> None:
    from icalendar import Calendar

    with session_scope(engine) as session:
        mine = booked(session, patients[0])
        raw = service.calendar(mine, NOW)
        event = Calendar.from_ical(raw).walk("VEVENT")[0]
        assert event.decoded("dtstart") == mine.starts_at and event.decoded("dtend") == mine.ends_at
        assert b"knee" not in raw and b"VTIMEZONE" in raw
