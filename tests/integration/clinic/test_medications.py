"""A medicine from the first words to the last dose: asked, read back, stored after the yes, answered once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select

from careline.clinic.db import session_scope
from careline.clinic.medications import adherence, service
from careline.clinic.medications.models import Dose, DoseEvent, Medication
from careline.clinic.patients import Patient
from careline.errors import Conflict, NotFound
from tests.integration.clinic.conftest import NOW


def propose(session, patient, medicine, directions, now=NOW):
    return service.propose(session, patient_id=patient, medicine_text=medicine, directions_text=directions, now=now)


def started(session, patient, medicine="amoxicillin", directions="1 capsule three times a day for 7 days", now=NOW):
    proposal = propose(session, patient, medicine, directions, now)
    assert proposal.status == "ready", proposal
    return service.confirm(session, draft_id=proposal.draft_id, patient_id=patient, now=now)


def test_nothing_is_stored_before_the_yes(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        proposal = propose(session, patients[0], "amoxicillin", "1 capsule tds for 7 days")
        assert proposal.read_back == (
            "Amoxicillin: 1 capsule, 3 times a day, at 8:00, 14:00 and 20:00, "
            "from Tue 1 Dec to Mon 7 Dec (21 doses in all)."
        )
        assert session.scalar(select(func.count()).select_from(Medication)) == 0
        first = service.confirm(session, draft_id=proposal.draft_id, patient_id=patients[0], now=NOW)
        again = service.confirm(session, draft_id=proposal.draft_id, patient_id=patients[0], now=NOW)
        assert first.id == again.id and len(service.list_active(session, patients[0])) == 1


def test_a_misspelt_name_is_asked_about(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        proposal = propose(session, patients[0], "amoxicilin", "1 capsule tds")
        assert proposal.status == "ask" and proposal.questions[0].code == "which_medicine"
        proposal = service.answer(session, draft_id=proposal.draft_id, patient_id=patients[0], text="yes", now=NOW)
        assert proposal.status == "ready" and proposal.medicine == "Amoxicillin"


@pytest.mark.parametrize(
    ("directions", "code", "answer", "words"),
    [
        ("1 tablet at 8", "am_or_pm", "in the evening", "at 20:00"),
        ("1 tablet once a week", "which_day", "Friday", "ONCE A WEEK, on Fridays"),
        ("1 tablet every 4-6 hours", "which_interval", "6", "every 6 hours"),
        (
            "1 tab 5 times a day",
            "five_clock_times",
            "7am, 11am, 3pm, 7pm and 11pm",
            "at 7:00, 11:00, 15:00, 19:00 and 23:00",
        ),
        ("twice a day", "dose", "2 puffs", "2 puffs, twice a day"),
        ("one at night", "dose_unit", "tablets", "1 tablet, once a day, at 22:00"),
        ("1 tab on the 31st of each month", "short_months", "28", "on the 28th of each month"),
        ("1 tab bd until next friday", "end_date", "11 December", "to Fri 11 Dec"),
        ("take as directed", "label_text", "1 tablet every morning", "1 tablet, once a day, at 8:00"),
    ],
)
def test_an_answer_settles_the_question(engine: Engine, patients, directions, code, answer, words) -> None:
    with session_scope(engine) as session:
        proposal = propose(session, patients[0], "unheard", directions)
        assert proposal.status == "ask" and proposal.questions[0].code == code and proposal.questions[0].text
        proposal = service.answer(session, draft_id=proposal.draft_id, patient_id=patients[0], text=answer, now=NOW)
        assert proposal.status == "ready", proposal
        assert words in proposal.read_back


def test_options_are_answers(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        for directions in ("1 tab at 8", "1 tab biweekly", "1 drop od", "2 tablets a day", "1 tab once a week"):
            for number in range(2):
                proposal = propose(session, patients[0], "unheard", directions)
                option = proposal.questions[0].options[number]
                after = service.answer(
                    session, draft_id=proposal.draft_id, patient_id=patients[0], text=option.answer, now=NOW
                )
                assert after.status in ("ready", "ask")
                assert after.status == "ready" or after.questions[0].code != proposal.questions[0].code


def test_after_some_tries_a_pharmacist_takes_over(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        proposal = propose(session, patients[0], "ramipril", "mumble")
        for _ in range(4):
            assert proposal.status == "ask"
            proposal = service.answer(
                session, draft_id=proposal.draft_id, patient_id=patients[0], text="mumble", now=NOW
            )
        assert (proposal.status, proposal.route) == ("refuse", "pharmacist")
        with pytest.raises(Conflict, match="draft_not_ready"):
            service.confirm(session, draft_id=proposal.draft_id, patient_id=patients[0], now=NOW)


@pytest.mark.parametrize(
    ("medicine", "directions", "reason", "route"),
    [
        ("methotrexate", "10 mg daily", "weekly_only", "same_day"),
        ("Fosamax", "1 tablet every morning", "weekly_only", "same_day"),
        ("paracetamol", "4 tablets four times a day", "too_much", "same_day"),
        ("ramipril", "every 7 hours", "unusual", "pharmacist"),
        ("ramipril", "can I take two?", "dose_change", "clinician"),
        ("ramipril", "I missed one", "missed_dose", "pharmacist"),
    ],
)
def test_what_is_unsafe_is_refused_and_routed(engine: Engine, patients, medicine, directions, reason, route) -> None:
    with session_scope(engine) as session:
        proposal = propose(session, patients[0], medicine, directions)
        assert (proposal.status, proposal.reason_code, proposal.route) == ("refuse", reason, route)
        assert proposal.reason and session.scalar(select(func.count()).select_from(Medication)) == 0


def test_a_second_reminder_for_the_same_medicine_is_asked_about(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        old = started(session, patients[0], "ramipril", "5 mg every morning")
        proposal = propose(session, patients[0], "ramipril", "10 mg every morning")
        assert proposal.questions[0].code == "duplicate"
        proposal = service.answer(session, draft_id=proposal.draft_id, patient_id=patients[0], text="replace", now=NOW)
        new = service.confirm(session, draft_id=proposal.draft_id, patient_id=patients[0], now=NOW)
        assert old.status == "stopped" and [m.id for m in service.list_active(session, patients[0])] == [new.id]


def test_drafts_and_medicines_are_the_patients_own_and_drafts_end(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        proposal = propose(session, patients[0], "ramipril", "5 mg every morning")
        with pytest.raises(NotFound):
            service.confirm(session, draft_id=proposal.draft_id, patient_id=patients[1], now=NOW)
        with pytest.raises(Conflict, match="draft_expired"):
            service.confirm(session, draft_id=proposal.draft_id, patient_id=patients[0], now=NOW + timedelta(hours=1))
        mine = started(session, patients[0])
        for act in (service.stop, service.pause, service.resume):
            with pytest.raises(NotFound):
                act(session, mine.id, patient_id=patients[1], now=NOW)


def test_todays_doses_name_their_slot(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        started(session, patients[0])
        today = service.todays_doses(session, patients[0], NOW)
        assert [service.describe_dose(d) for d in today] == [
            "Amoxicillin, 8:00 dose, Tue 1 Dec",
            "Amoxicillin, 14:00 dose, Tue 1 Dec",
            "Amoxicillin, 20:00 dose, Tue 1 Dec",
        ]
        assert service.describe_dose(today[0], names=False) == "your 8:00 dose, Tue 1 Dec"
        started(session, patients[0], "ramipril", "5 mg every morning", NOW + timedelta(minutes=1))
        assert service.describe_dose(today[0], names=False) == "your 8:00 dose of medicine 1, Tue 1 Dec"


def test_pausing_stops_reminders_and_resuming_starts_at_the_next_dose(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = started(session, patients[0])
        service.pause(session, mine.id, patient_id=patients[0], now=NOW)
        assert service.todays_doses(session, patients[0], NOW) == []
        later = NOW + timedelta(hours=5)
        service.resume(session, mine.id, patient_id=patients[0], now=later)
        assert [d.slot[11:] for d in service.todays_doses(session, patients[0], later)] == ["14:00", "20:00"]
        service.stop(session, mine.id, patient_id=patients[0], now=later)
        assert (
            service.todays_doses(session, patients[0], later) == [] and service.list_active(session, patients[0]) == []
        )
        with pytest.raises(Conflict, match="not_active"):
            service.resume(session, mine.id, patient_id=patients[0], now=later)


def test_travel_moves_wall_clock_doses_but_not_critical_ones(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        started(session, patients[0])
        warfarin = started(session, patients[0], "warfarin", "3 mg every evening")
        noon = NOW + timedelta(hours=6)
        left = service.switch_zone(session, patients[0], "America/New_York", noon)
        assert [m.id for m in left] == [warfarin.id]
        doses = session.scalars(select(Dose).where(Dose.due_at > noon, Dose.medication_id != warfarin.id)).all()
        local = [d.due_at.astimezone(ZoneInfo("America/New_York")) for d in doses]
        assert {at.hour for at in local} == {8, 14, 20} and len({d.slot for d in doses}) == len(doses)


def test_as_needed_use_is_logged_and_the_entered_limit_watched(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        mine = started(session, patients[0], "salbutamol", "2 puffs when required, no more than 8 puffs in 24 hours")
        assert mine.as_needed and service.todays_doses(session, patients[0], NOW) == []
        over = []
        for n in range(5):
            used = service.log_as_needed(session, mine.id, patient_id=patients[0], now=NOW + timedelta(hours=n))
            over.append(adherence.over_limit(session, used))
        assert over == [False, False, False, False, True]


def test_the_stock_counts_down_and_asks_once(engine: Engine, patients) -> None:
    from careline.clinic.outbox import OutboxRow

    with session_scope(engine) as session:
        mine = started(session, patients[0], "amoxicillin", "1 capsule three times a day")
        service.set_stock(session, mine.id, patient_id=patients[0], units=23, now=NOW)
        for dose in service.todays_doses(session, patients[0], NOW)[:2]:
            service.record(session, patients[0], dose_id=dose.id, action="taken", now=dose.due_at)
        assert mine.stock == 21 and adherence.days_left(session, mine, NOW) == 7
        rows = session.scalars(select(OutboxRow).where(OutboxRow.kind == "refill")).all()
        assert len(rows) == 1 and "Amoxicillin" not in rows[0].text


def test_the_log_keeps_every_event_and_the_weeks_add_up(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        started(session, patients[0])
        a, b, _ = service.todays_doses(session, patients[0], NOW)
        service.record(session, patients[0], dose_id=a.id, action="taken", now=NOW + timedelta(hours=1))
        service.record(session, patients[0], dose_id=a.id, action="taken", now=NOW + timedelta(hours=1))
        service.record(session, patients[0], dose_id=b.id, action="skipped", now=NOW + timedelta(hours=7))
        with pytest.raises(Conflict, match="already_recorded"):
            service.record(session, patients[0], dose_id=a.id, action="skipped", now=NOW + timedelta(hours=2))
    with session_scope(engine) as session:
        assert [e.kind for e in session.scalars(select(DoseEvent).order_by(DoseEvent.id))] == ["taken", "skipped"]
        week = adherence.by_week(session, patients[0], NOW + timedelta(hours=8))[-1]
        assert (week.monday, week.due, week.taken) == (date(2026, 11, 30), 2, 1)
        assert [e["what"] for e in adherence.log(session, patients[0])] == ["taken", "skipped"]


@pytest.mark.parametrize(
    ("kind", "medicine", "child", "route"),
    [
        ("missed", "ramipril", False, "pharmacist"),
        ("missed", "apixaban", False, "same_day"),
        ("missed", "Microgynon", False, "same_day"),
        ("double", "ramipril", False, "same_day"),
        ("double", "warfarin", False, "emergency"),
        ("double", "ramipril", True, "emergency"),
        ("interaction", "ibuprofen", False, "pharmacist"),
        ("pregnancy", "x", False, "pharmacist"),
        ("allergy", "x", False, "same_day"),
    ],
)
def test_questions_about_doses_get_fixed_texts_and_a_human(
    engine: Engine, patients, kind, medicine, child, route
) -> None:
    with session_scope(engine) as session:
        guidance = service.dose_question(
            session, patient_id=patients[0], kind=kind, medicine_text=medicine, child=child
        )
        assert guidance.route == route and guidance.text
        if kind == "missed":
            assert "Do not take a double dose" in guidance.text


def test_an_unnamed_medicine_counts_as_the_riskiest_the_patient_takes(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        started(session, patients[0], "warfarin", "3 mg every evening")
        assert service.dose_question(session, patient_id=patients[0], kind="missed").route == "same_day"


def test_the_patients_zone_decides(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        session.get_one(Patient, patients[0]).zone = "Australia/Sydney"
        mine = started(session, patients[0], "ramipril", "5 mg at 8 am")
        dose = session.scalars(select(Dose).where(Dose.medication_id == mine.id).order_by(Dose.due_at)).first()
        assert dose.due_at.astimezone(ZoneInfo("Australia/Sydney")).hour == 8
        assert dose.slot == "2026-12-02T08:00"
        assert isinstance(dose.due_at, datetime)
