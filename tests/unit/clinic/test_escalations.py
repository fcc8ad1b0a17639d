"""A case is one, only rises, gets louder on time, and ends only by a clinician. Times are the injected clock's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from careline.clinic import conversations, db, escalations, oncall
from careline.clinic.conversations import Turn
from careline.clinic.escalations import Escalation, State
from careline.clinic.outbox import OutboxRow
from careline.clinic.staff import Role
from careline.errors import Conflict, Invalid
from careline.levels import Level
from careline.settings import settings
from tests.desk import START, Clinic, make_clinic


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    sqlite = f"sqlite:///{tmp_path / 'clinic.db'}"
    made = make_clinic(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    for number, name in enumerate(("ada", "ben", "eve"), start=1):
        made.member(name, phone=f"+44770090000{number}", email=f"{name}@clinic.example")
    with db.session_scope(made.engine) as session:
        for position, name in enumerate(("ada", "ben"), start=1):
            starts, ends = START - timedelta(hours=1), START + timedelta(hours=9)
            oncall.add_shift(session, made.staff[name], starts, ends, position)
    yield made
    made.engine.dispose()


def pages(clinic: Clinic) -> list[tuple[str, str]]:
    """(channel, address) of every page so far."""
    with db.read_scope(clinic.engine) as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.kind == "page").order_by(OutboxRow.created_at))
        return [(row.channel, row.to or "") for row in rows]


def case_of(clinic: Clinic, case_id: str) -> Escalation:
    with db.read_scope(clinic.engine) as session:
        return escalations.get(session, case_id)


def do(clinic: Clinic, what, *args, **named):
    with db.session_scope(clinic.engine) as session:
        return what(session, *args, now=clinic.now, **named)


def test_the_same_flag_twenty_times_is_one_case_with_every_event(clinic: Clinic) -> None:
    conversation = clinic.conversation()
    ids = {clinic.case(conversation, Level.EMERGENCY) for _ in range(20)}
    assert len(ids) == 1
    with db.read_scope(clinic.engine) as session:
        kinds = [event.kind for event in escalations.get(session, ids.pop()).events]
    assert kinds.count("repeated") == 19
    assert len(pages(clinic)) == 2, "one person, on both channels, once"


def test_its_level_only_rises(clinic: Clinic) -> None:
    conversation = clinic.conversation()
    for level, held in [("urgent", "urgent"), ("emergency_ambulance", "emergency_ambulance"),
                        ("self_care", "emergency_ambulance"), ("emergency", "emergency_ambulance")]:
        case_id = clinic.case(conversation, level)
        assert case_of(clinic, case_id).level == held


def test_a_rise_pages_at_once(clinic: Clinic) -> None:
    conversation = clinic.conversation()
    clinic.case(conversation, Level.ROUTINE)
    assert pages(clinic) == []
    clinic.later(minutes=30)
    clinic.case(conversation, Level.EMERGENCY)
    assert pages(clinic) == [("sms", "+447700900001"), ("email", "ada@clinic.example")]


def test_the_database_itself_refuses_a_second_open_case(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    one = case_of(clinic, case_id)
    with pytest.raises(IntegrityError), db.session_scope(clinic.engine) as session:
        session.add(Escalation(conversation_id=one.conversation_id, level="urgent", level_rank=3, reason="x",
                               opened_at=clinic.now, waiting_since=clinic.now, next_action_at=clinic.now))


def test_the_database_itself_refuses_an_open_case_without_a_timer(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    with pytest.raises(IntegrityError), db.session_scope(clinic.engine) as session:
        session.execute(update(Escalation).where(Escalation.id == case_id).values(next_action_at=None))


def test_unanswered_it_goes_to_the_next_then_everyone_and_the_patient_hears_the_truth(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    heard: dict[int, set[str]] = {0: {address for _, address in pages(clinic)}}
    for second in range(10, 31 * 60, 10):
        before = len(pages(clinic))
        clinic.now = START + timedelta(seconds=second)
        clinic.tick()
        new = pages(clinic)[before:]
        if new:
            heard[second] = {address for _, address in new}
    clinic_phone = settings().clinic_phone
    assert list(heard) == [0, 120, 300, 600, 1200, 1800], "on time, and it never ends"
    assert heard[0] == heard[120] == {"+447700900001", "ada@clinic.example"}
    assert heard[300] == {"+447700900002", "ben@clinic.example"}
    assert {"+447700900003", clinic_phone} <= heard[600]
    told = [text for author, text in clinic.transcript(case_id) if author == "system"]
    assert sum("No nurse has answered yet" in text for text in told) == 1
    assert any(settings().emergency_number in text and clinic_phone in text for text in told)


def test_a_worker_that_slept_does_what_is_overdue_once(clinic: Clinic) -> None:
    clinic.emergency()
    clinic.later(hours=3)
    clinic.tick()
    after_first = len(pages(clinic))
    clinic.tick()
    assert len(pages(clinic)) == after_first
    assert settings().clinic_phone in {address for _, address in pages(clinic)}


def test_with_nobody_on_call_everyone_is_paged_and_with_nobody_at_all_the_clinics_phone(tmp_path: Path) -> None:
    empty = make_clinic(f"sqlite:///{tmp_path / 'empty.db'}")
    empty.emergency()
    assert pages(empty) == [("sms", settings().clinic_phone)]


def test_there_is_somebody_to_page_in_every_hour_of_a_year(clinic: Clinic) -> None:
    with db.read_scope(clinic.engine) as session:
        for hour in range(0, 365 * 24, 7):
            at = START + timedelta(hours=hour)
            assert all(oncall.targets(session, who, at) for who in ("first", "next", "everyone"))


def test_gaps_in_the_rota_are_seen_ahead(clinic: Clinic) -> None:
    with db.read_scope(clinic.engine) as session:
        gaps = oncall.gaps(session, START, START + timedelta(hours=24))
    assert gaps == [(START + timedelta(hours=9), START + timedelta(hours=24))]


def test_acknowledged_and_left_it_opens_again(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    do(clinic, escalations.take_over, case_id, clinic.staff["ada"])
    clinic.says(case_of(clinic, case_id).conversation_id, "Are you there?")
    clinic.later(minutes=9)
    assert clinic.tick().reopened == []
    clinic.later(minutes=1)
    assert clinic.tick().reopened == [case_id]
    case = case_of(clinic, case_id)
    assert (case.state, case.holder_id) == (State.OPEN, None)
    with db.read_scope(clinic.engine) as session:
        assert conversations.get(session, case.conversation_id).mode == "waiting"
    assert "Sorry for the wait" in clinic.transcript(case_id)[-1][1]


def test_a_silent_patient_is_asked_once_and_the_case_stays_open(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    for _ in range(60):
        clinic.later(seconds=30)
        clinic.tick()
    asked = [text for _, text in clinic.transcript(case_id) if text.startswith("Are you safe")]
    assert len(asked) == 1
    assert case_of(clinic, case_id).unresolved


def test_one_clinician_at_a_time(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    do(clinic, escalations.take_over, case_id, clinic.staff["ada"])
    with pytest.raises(Conflict) as refused:
        do(clinic, escalations.take_over, case_id, clinic.staff["ben"])
    assert refused.value.fields["name"] == clinic.name_of("ada")
    conversation = case_of(clinic, case_id).conversation_id
    with pytest.raises(Conflict):
        do(clinic, escalations.reply, conversation, clinic.staff["ben"], "Hello", "key-of-ben")
    with pytest.raises(Conflict):
        do(clinic, escalations.resolve, case_id, clinic.staff["ben"], reason="advised", level="urgent")


def test_a_reply_is_sent_once_by_its_key(clinic: Clinic) -> None:
    case_id = clinic.emergency(channel="sms")
    conversation = case_of(clinic, case_id).conversation_id
    do(clinic, escalations.take_over, case_id, clinic.staff["ada"])
    first = do(clinic, escalations.reply, conversation, clinic.staff["ada"], "Hello, I am Ada", "key-1")
    again = do(clinic, escalations.reply, conversation, clinic.staff["ada"], "Hello, I am Ada", "key-1")
    assert first.id == again.id
    assert [author for author, _ in clinic.transcript(case_id)].count("clinician") == 1
    with db.read_scope(clinic.engine) as session:
        sent = session.scalars(select(OutboxRow).where(OutboxRow.message_id == first.id)).all()
    assert [(row.channel, row.to) for row in sent] == [("sms", "+447700900123")]
    with pytest.raises(Conflict):
        do(clinic, escalations.reply, conversation, clinic.staff["ada"], "Other words", "key-1")


def test_two_take_overs_at_the_same_moment_have_one_winner(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    outcomes: list[str] = []

    def try_it(name: str) -> None:
        try:
            do(clinic, escalations.take_over, case_id, clinic.staff[name])
            outcomes.append("in")
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=try_it, args=(name,)) for name in ("ada", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused"]


def test_flags_and_ticks_at_the_same_moment_open_one_case_and_page_once(clinic: Clinic) -> None:
    conversation = clinic.conversation()
    threads = [threading.Thread(target=clinic.case, args=(conversation, Level.EMERGENCY)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clinic.later(minutes=2)
    threads = [threading.Thread(target=clinic.tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read_scope(clinic.engine) as session:
        assert len(session.scalars(select(Escalation)).all()) == 1
    assert len(pages(clinic)) == 4, "opening and reminding, each on two channels"


def test_handing_back_tells_the_patient_and_the_dialogue_and_keeps_the_case(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    do(clinic, escalations.take_over, case_id, clinic.staff["ada"])
    do(clinic, escalations.hand_back, case_id, clinic.staff["ada"])
    case = case_of(clinic, case_id)
    assert (case.state, case.holder_id, case.assigned_id) == (State.ACKNOWLEDGED, None, clinic.staff["ada"])
    with db.read_scope(clinic.engine) as session:
        assert conversations.get(session, case.conversation_id).mode == "bot"
        intents = session.scalars(select(Turn.intent).where(Turn.kind == "event").order_by(Turn.id)).all()
    assert intents == ["EXTERNAL_takeover", "EXTERNAL_handback"]


def test_closing_keeps_the_clinicians_level_and_lets_it_fall(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    do(clinic, escalations.resolve, case_id, clinic.staff["ada"], reason="false_alarm", level="routine",
       remark="Spoke to her")
    case = case_of(clinic, case_id)
    assert (case.state, case.level, case.clinician_level) == (State.RESOLVED, "emergency_ambulance", "routine")
    with db.read_scope(clinic.engine) as session:
        assert conversations.get(session, case.conversation_id).level == "routine"
    clinic.later(days=2)
    assert clinic.tick().paged == []
    assert clinic.case(case.conversation_id, Level.URGENT) != case_id, "what comes later is a case of its own"


def test_it_cannot_be_closed_without_reason_level_or_clinical_role(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    coordinator = clinic.member("cora", role=Role.COORDINATOR)
    for staff, reason, level in [(clinic.staff["ada"], "", "urgent"), (clinic.staff["ada"], "advised", ""),
                                 (coordinator, "advised", "urgent")]:
        with pytest.raises(Invalid):
            do(clinic, escalations.resolve, case_id, staff, reason=reason, level=level)


def test_a_snoozed_case_comes_back_by_itself_and_at_once_when_the_patient_writes(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    conversation = case_of(clinic, case_id).conversation_id
    with pytest.raises(Invalid):
        do(clinic, escalations.snooze, case_id, clinic.staff["ada"], clinic.now + timedelta(hours=1))
    do(clinic, escalations.snooze, case_id, clinic.staff["ada"], clinic.now + timedelta(minutes=10))
    clinic.later(minutes=3)
    clinic.case(conversation)
    assert case_of(clinic, case_id).state == State.OPEN
    do(clinic, escalations.snooze, case_id, clinic.staff["ada"], clinic.now + timedelta(minutes=10))
    clinic.later(minutes=10)
    clinic.tick()
    assert case_of(clinic, case_id).state == State.OPEN


def test_asking_for_a_person_silences_the_bot(clinic: Clinic) -> None:
    conversation = clinic.conversation()
    do(clinic, escalations.request_human, conversation, reason="asked_for_human")
    with db.read_scope(clinic.engine) as session:
        assert conversations.get(session, conversation).mode == "waiting"


def test_the_queue_is_by_urgency_then_waiting_time(clinic: Clinic) -> None:
    order = []
    for level in ("routine", "urgent", "emergency", "emergency_ambulance", "emergency", "urgent"):
        order.append((level, clinic.case(clinic.conversation(), level)))
        clinic.later(minutes=1)
    with db.read_scope(clinic.engine) as session:
        shown = [row.id for row in escalations.queue(session, clinic.now)]
    by_urgency = sorted(order, key=lambda pair: -Level(pair[0]).rank)
    assert shown == [case_id for _, case_id in by_urgency]


def test_pages_hold_nothing_of_the_patient(clinic: Clinic) -> None:
    clinic.emergency("my name is Zebedee Quux and my chest hurts", name="Zebedee Quux", phone="+447700900555")
    clinic.later(minutes=10)
    clinic.tick()
    with db.read_scope(clinic.engine) as session:
        texts = " ".join(row.text or "" for row in session.scalars(select(OutboxRow).where(OutboxRow.kind == "page")))
    assert texts and not any(secret in texts for secret in ("Zebedee", "chest", "900555"))


def test_a_rolled_back_case_tells_nobody_anything(clinic: Clinic) -> None:
    conversation = clinic.conversation()
    with pytest.raises(RuntimeError), db.session_scope(clinic.engine) as session:
        escalations.request_human(session, conversation, reason="asked_for_human", now=clinic.now)
        raise RuntimeError
    assert pages(clinic) == []
    with db.read_scope(clinic.engine) as session:
        assert escalations.current(session, conversation) is None
        assert conversations.get(session, conversation).mode == "bot"
