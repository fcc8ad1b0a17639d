"""Doses through the worker: reminded once, never late, answered once, closed; several workers, kills."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, update

from careline.clinic.conversations import Conversation
from careline.clinic.db import new_id, session_scope
from careline.clinic.escalations import Escalation
from careline.clinic.medications import doses, service
from careline.clinic.medications.models import TERMINAL, Dose, DoseEvent, Medication
from careline.clinic.outbox import OutboxRow
from careline.clinic.patients import Patient
from careline.errors import Conflict, NotFound
from careline.worker import doses as worker
from tests.integration.clinic.conftest import NOW

EIGHT = NOW + timedelta(hours=1)


@pytest.fixture
def amoxicillin(engine: Engine, patients) -> str:
    with session_scope(engine) as session:
        return add(session, patients[0], "amoxicillin", "1 capsule three times a day for 7 days")


def add(session, patient: str, medicine: str, directions: str, now: datetime = NOW) -> str:
    proposal = service.propose(session, patient_id=patient, medicine_text=medicine, directions_text=directions, now=now)
    return service.confirm(session, draft_id=proposal.draft_id, patient_id=patient, now=now).id


def talk(session, patient: str, channel: str) -> str:
    row = Conversation(
        id=new_id(),
        channel=channel,
        patient_id=patient,
        verified_at=NOW,
        created_at=NOW,
        last_inbound_at=NOW,
        address="+447700900001" if channel == "sms" else None,
    )
    session.add(row)
    session.flush()
    return row.id


def texts(session) -> list[str]:
    return [row.text for row in session.scalars(select(OutboxRow).order_by(OutboxRow.created_at, OutboxRow.id))]


def test_a_dose_is_reminded_when_it_is_due_and_once(engine: Engine, patients, amoxicillin) -> None:
    for at in (EIGHT - timedelta(minutes=1), EIGHT, EIGHT, EIGHT + timedelta(minutes=5)):
        with session_scope(engine) as session:
            doses.remind_due(session, at)
    with session_scope(engine) as session:
        assert texts(session) == ["Reminder from Riverside Clinic: your 8:00 dose, Tue 1 Dec. Have you taken it?"]
        row = session.scalar(select(OutboxRow))
        dose = session.scalar(select(Dose).where(Dose.status == "prompted"))
        assert [c["payload"] for c in row.choices] == [
            f'/{what}{{"dose": "{dose.id}"}}' for what in ("dose_taken", "dose_skip", "dose_snooze")
        ]


def test_names_only_where_the_patient_alone_reads_them_or_agreed(engine: Engine, patients, amoxicillin) -> None:
    with session_scope(engine) as session:
        chat = talk(session, patients[0], "sms")
        doses.remind_due(session, EIGHT)
        assert "Amoxicillin" not in texts(session)[-1] and "1 capsule" not in texts(session)[-1]
        session.get_one(Patient, patients[0]).names_in_sms = True
        doses.remind_due(session, EIGHT + timedelta(hours=6))
        assert "Amoxicillin, 14:00 dose, Tue 1 Dec. Your label says 1 capsule." in texts(session)[-1]
        session.get_one(Patient, patients[0]).names_in_sms = False
        session.get_one(Conversation, chat).channel = "web"
        doses.remind_due(session, EIGHT + timedelta(hours=12))
        assert "Amoxicillin, 20:00 dose" in texts(session)[-1]


def test_a_high_alert_dose_is_shown_only_once_approved_and_weekly_says_so(engine: Engine, patients) -> None:
    friday = datetime(2026, 12, 4, 8, 0, tzinfo=UTC)
    with session_scope(engine) as session:
        talk(session, patients[0], "web")
        mine = add(session, patients[0], "methotrexate", "10 mg once a week on fridays")
        doses.plan_ahead(session, friday - timedelta(hours=3))
        doses.remind_due(session, friday)
        said = texts(session)[-1]
        assert "ONCE A WEEK, on Friday" in said and "10 mg" not in said
        service.approve_dose(session, mine, staff_id="s", now=friday)
        doses.plan_ahead(session, friday + timedelta(days=6, hours=12))
        doses.remind_due(session, friday + timedelta(days=7))
        assert "Your label says 10 mg." in texts(session)[-1]


def test_after_an_outage_nothing_stale_is_sent_but_one_line(engine: Engine, patients, amoxicillin) -> None:
    with session_scope(engine) as session:
        add(session, patients[0], "ramipril", "5 mg every morning")
    late = EIGHT + timedelta(hours=4)
    with session_scope(engine) as session:
        assert doses.remind_due(session, late) == (0, 2)
        said = texts(session)
        assert len(said) == 1 and said[0].startswith("I could not remind you in time") and "double dose" in said[0]
        assert {d.status for d in session.scalars(select(Dose).where(Dose.due_at <= late))} == {"expired"}


def test_a_reminder_held_up_in_the_outbox_is_not_sent_late(engine: Engine, patients, amoxicillin) -> None:
    from careline.worker.stale import stale

    with session_scope(engine) as session:
        doses.remind_due(session, EIGHT)
        row = session.scalar(select(OutboxRow))
        assert not stale(session, row, EIGHT + timedelta(minutes=5))
        assert stale(session, row, EIGHT + timedelta(hours=5))
        assert session.scalar(select(Dose.status).where(Dose.due_at == EIGHT)) == "expired"


def test_nobody_answers_the_dose_is_missed_half_way_to_the_next(engine: Engine, patients, amoxicillin) -> None:
    with session_scope(engine) as session:
        doses.remind_due(session, EIGHT)
        assert doses.close_unanswered(session, EIGHT + timedelta(hours=2, minutes=59)) == []
        closed = doses.close_unanswered(session, EIGHT + timedelta(hours=3))
        assert [d.status for d in closed] == ["missed"]
        with pytest.raises(Conflict, match="already_recorded"):
            service.record(session, patients[0], dose_id=closed[0].id, action="taken", now=EIGHT + timedelta(hours=4))


def test_taken_twice_is_one_dose_and_a_late_one_is_not_the_next(engine: Engine, patients, amoxicillin) -> None:
    with session_scope(engine) as session:
        doses.remind_due(session, EIGHT)
        first = service.record(session, patients[0], action="taken", now=EIGHT + timedelta(minutes=3))
        again = service.record(session, patients[0], action="taken", now=EIGHT + timedelta(minutes=4))
        assert first.id == again.id
        with pytest.raises(NotFound, match="no_dose"):
            service.record(session, patients[0], action="taken", now=EIGHT + timedelta(hours=3))
        assert session.scalar(select(func.count()).select_from(Dose).where(Dose.status == "taken")) == 1


def test_two_that_wait_are_told_apart(engine: Engine, patients, amoxicillin) -> None:
    with session_scope(engine) as session:
        add(session, patients[0], "ramipril", "5 mg every morning", NOW + timedelta(minutes=1))
        doses.remind_due(session, EIGHT)
        assert service.last_prompted_dose(session, patients[0], EIGHT) is None
    try:
        with session_scope(engine) as session:
            service.record(session, patients[0], action="taken", now=EIGHT)
    except Conflict as error:
        assert error.code == "medications.which_dose"
        # Described after the transaction is gone, as the dialogue does.
        assert sorted(service.describe_dose(d, names=False) for d in error.fields["doses"]) == [
            "your 8:00 dose of medicine 1, Tue 1 Dec",
            "your 8:00 dose of medicine 2, Tue 1 Dec",
        ]
    else:
        pytest.fail("two doses were waiting")


def test_snoozing_is_bounded_and_reminds_again(engine: Engine, patients, amoxicillin) -> None:
    now = EIGHT
    with session_scope(engine) as session:
        for _ in range(3):
            doses.remind_due(session, now)
            dose = service.record(session, patients[0], action="snoozed", now=now)
            assert dose.remind_at == now + timedelta(minutes=15)
            now += timedelta(minutes=15)
        doses.remind_due(session, now)
        with pytest.raises(Conflict, match="snooze_limit"):
            service.record(session, patients[0], dose_id=dose.id, action="snoozed", now=now)
    with session_scope(engine) as session:
        assert len(texts(session)) == 4 and len(set(r.dedupe_key for r in session.scalars(select(OutboxRow)))) == 4


def test_after_the_end_there_is_nothing(engine: Engine, patients, amoxicillin) -> None:
    now = NOW
    while now < NOW + timedelta(days=12):
        with session_scope(engine) as session:
            doses.plan_ahead(session, now)
        now += timedelta(hours=12)
    with session_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Dose)) == 21
        assert session.scalar(select(Medication.status)) == "ended"


def test_a_changed_time_zone_rule_keeps_the_wall_clock_time(engine: Engine, patients, amoxicillin) -> None:
    with session_scope(engine) as session:
        # As if the dose had been planned when the zone's rules put 8:00 an hour earlier.
        session.execute(
            update(Dose)
            .where(Dose.due_at == EIGHT)
            .values(
                due_at=EIGHT - timedelta(hours=1), remind_at=EIGHT - timedelta(hours=1), stale_at=EIGHT, closes_at=EIGHT
            )
        )
    with session_scope(engine) as session:
        assert doses.remind_due(session, EIGHT - timedelta(hours=1)) == (0, 0)
        assert doses.remind_due(session, EIGHT) == (1, 0)


def test_missed_critical_doses_open_a_case_at_the_desk(engine: Engine, patients, monkeypatch) -> None:
    monkeypatch.setattr(worker, "session_scope", lambda: session_scope(engine))
    monkeypatch.setattr(worker, "read_scope", lambda: session_scope(engine))
    with session_scope(engine) as session:
        talk(session, patients[0], "web")
        add(session, patients[0], "apixaban", "5 mg twice a day")
    now = NOW
    for _ in range(60):
        worker.run(now)
        now += timedelta(minutes=30)
    with session_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Dose).where(Dose.status == "missed")) >= 2
        assert [case.reason for case in session.scalars(select(Escalation))] == ["missed_critical_doses"]


def test_three_workers_remind_each_dose_once(engine: Engine, patients) -> None:
    with session_scope(engine) as session:
        for number in range(60):
            add(session, patients[number % 2], f"medicine {number}", "1 tablet every morning")

    def work(_: int) -> int:
        done = 0
        while True:
            with session_scope(engine) as session:
                sent, _late = doses.remind_due(session, EIGHT, limit=7)
            if not sent:
                return done
            done += sent

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 60
    with session_scope(engine) as session:
        assert len(texts(session)) == 60
        assert session.scalar(select(func.count()).select_from(DoseEvent).where(DoseEvent.kind == "prompted")) == 60


SCRIPT = """
import os, random, sys
from datetime import datetime
from careline.clinic import db, tables
from careline.clinic.medications import doses
tables.metadata()
url, now, seed = sys.argv[1:]
now, dice = datetime.fromisoformat(now), random.Random(seed)
engine = db.make_engine(url)
for _ in range(40):
    with db.session_scope(engine) as session:
        doses.remind_due(session, now, limit=5)
        if dice.random() < 0.2:
            os.kill(os.getpid(), 9)
    if dice.random() < 0.2:
        os.kill(os.getpid(), 9)
"""


def test_a_killed_worker_loses_no_dose_and_repeats_none(engine: Engine, database_url: str, patients) -> None:
    with session_scope(engine) as session:
        for number in range(40):
            add(session, patients[number % 2], f"medicine {number}", "1 tablet every morning")
    for seed in range(2):
        died = subprocess.run(
            [sys.executable, "-c", SCRIPT, database_url, EIGHT.isoformat(), str(seed)],
            env=os.environ,
            capture_output=True,
            check=False,
        )
        assert died.returncode in (0, -signal.SIGKILL), died.stderr.decode()[-500:]
    with session_scope(engine) as session:
        while doses.remind_due(session, EIGHT)[0]:
            pass
        assert (
            session.scalar(
                select(func.count()).select_from(Dose).where(Dose.due_at == EIGHT, Dose.status == "prompted")
            )
            == 40
        )
        keys = session.scalars(select(OutboxRow.dedupe_key)).all()
        assert len(keys) == len(set(keys)) == 40
        doses.close_unanswered(session, EIGHT + timedelta(hours=12))
        assert {d.status for d in session.scalars(select(Dose).where(Dose.due_at == EIGHT))} == {"missed"}


def test_a_jumping_clock_reminds_nothing_twice(engine: Engine, patients, amoxicillin) -> None:
    dice = random.Random(1)
    now = EIGHT
    with session_scope(engine) as session:
        for _ in range(60):
            now += timedelta(minutes=dice.choice([-120, 5, 30, 120, -30]))
            doses.plan_ahead(session, now)
            doses.remind_due(session, now)
            doses.close_unanswered(session, now)
        keys = session.scalars(select(OutboxRow.dedupe_key)).all()
        assert len(keys) == len(set(keys))
        per_dose = session.execute(
            select(DoseEvent.dose_id, func.count()).where(DoseEvent.kind.in_(TERMINAL)).group_by(DoseEvent.dose_id)
        ).all()
        assert all(count == 1 for _, count in per_dose)
