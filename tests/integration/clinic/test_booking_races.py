"""Many at once: one slot, one booking, on both databases; and a booking that dies half way leaves nothing half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import Engine, func, select

from careline.clinic.appointments import service
from careline.clinic.appointments.models import LIVE, Appointment, RequestKey
from careline.clinic.db import session_scope
from careline.clinic.patients import register
from careline.errors import CarelineError
from tests.integration.clinic.conftest import NOW

CLIENTS = 64


@pytest.fixture
def crowd(engine: Engine) -> list[str]:
    with session_scope(engine) as session:
        return [register(session, phone=f"+4477008{n:05d}", now=NOW).id for n in range(CLIENTS)]


def attempt(engine: Engine, patient: str, *, ref: str, key: str, gate: threading.Barrier) -> str:
    gate.wait()
    try:
        with session_scope(engine) as session:
            kept = service.hold(session, ref, patient_id=patient, key=f"{key}h", now=NOW)
            return service.book(session, hold_id=kept.id, patient_id=patient, reason="", key=key, now=NOW).id
    except CarelineError as error:
        assert error.fields.get("alternatives"), error.code
        return error.code


@pytest.mark.parametrize("rounds", [4])
def test_64_clients_on_one_slot_give_one_booking_and_63_alternatives(engine: Engine, crowd, rounds: int) -> None:
    for number in range(rounds):
        with session_scope(engine) as session:
            ref = service.find_slots(session, type_code="gp", now=NOW)[0].ref
        gate = threading.Barrier(CLIENTS)
        # Another patient of the crowd comes out first each time, so nobody is refused for being booked already.
        with ThreadPoolExecutor(CLIENTS) as pool:
            results = list(pool.map(partial(attempt, engine, ref=ref, key=f"r{number}", gate=gate), crowd))
        won = [r for r in results if not r.startswith("appointments.")]
        lost = {r for r in results if r.startswith("appointments.")}
        assert len(won) == 1 and lost <= {"appointments.slot_gone", "appointments.already_booked"}
        with session_scope(engine) as session:
            winner = session.get_one(Appointment, won[0])
            service.cancel(session, winner.id, patient_id=winner.patient_id, now=NOW)
            crowd.remove(winner.patient_id)
            crowd.append(register(session, phone=f"+4477007{number:05d}", now=NOW).id)
    assert no_overlaps(engine)


def test_the_same_request_many_times_at_once_is_one_booking(engine: Engine, crowd) -> None:
    with session_scope(engine) as session:
        ref = service.find_slots(session, type_code="gp", now=NOW)[0].ref
    gate = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(lambda _: attempt(engine, crowd[0], ref=ref, key="one", gate=gate), range(8)))
    assert len(results) == 1
    with session_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Appointment)) == 1


def test_a_mixed_history_never_overlaps(engine: Engine, crowd) -> None:
    def live_a_little(number: int) -> None:
        patient = crowd[number]
        for turn in range(6):
            key = f"{number}-{turn}"
            try:
                with session_scope(engine) as session:
                    slots = service.find_slots(session, type_code=("gp", "phone")[turn % 2], now=NOW, limit=4)
                    ref = slots[(number + turn) % len(slots)].ref
                    mine = service.upcoming(session, patient, NOW)
                    if turn % 3 == 2 and mine:
                        service.cancel(session, mine[0].id, patient_id=patient, now=NOW)
                    elif turn % 3 == 1 and mine:
                        service.move(session, mine[0].id, ref, patient_id=patient, key=key, now=NOW)
                    else:
                        kept = service.hold(session, ref, patient_id=patient, key=f"{key}h", now=NOW)
                        service.book(session, hold_id=kept.id, patient_id=patient, reason="", key=key, now=NOW)
            except CarelineError:
                continue

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(live_a_little, range(12)))
    assert no_overlaps(engine)
    with session_scope(engine) as session:
        # Every key leads to an appointment: nothing was half done.
        keys = session.scalars(select(RequestKey)).all()
        assert keys and all(session.get(Appointment, key.result_id) for key in keys)


POINTS = ("before_begin", "after_hold", "after_book", "before_commit", "after_commit")
SCRIPT = """
import os, sys
from datetime import datetime
from careline.clinic import db
from careline.clinic.appointments import service
url, point, ref, patient, now = sys.argv[1:]
now = datetime.fromisoformat(now)
def die(at):
    if at == point:
        os.kill(os.getpid(), 9)
die("before_begin")
with db.session_scope(db.make_engine(url)) as session:
    kept = service.hold(session, ref, patient_id=patient, key="h", now=now)
    die("after_hold")
    service.book(session, hold_id=kept.id, patient_id=patient, reason="", key="b", now=now)
    die("after_book")
    session.flush()
    die("before_commit")
die("after_commit")
"""


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_booking_is_there_whole_or_not_at_all_and_the_retry_is_the_same(
    engine: Engine, database_url: str, crowd, point: str
) -> None:
    with session_scope(engine) as session:
        ref = service.find_slots(session, type_code="gp", now=NOW)[0].ref
    died = subprocess.run(
        [sys.executable, "-c", SCRIPT, database_url, point, ref, crowd[0], NOW.isoformat()],
        env=os.environ,
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-500:]
    with session_scope(engine) as session:
        after = service.upcoming(session, crowd[0], NOW)
        assert len(after) == (1 if point == "after_commit" else 0)
    with session_scope(engine) as session:
        kept = service.hold(session, ref, patient_id=crowd[0], key="h", now=NOW)
        done = service.book(session, hold_id=kept.id, patient_id=crowd[0], reason="", key="b", now=NOW)
        assert [done.id] == [a.id for a in service.upcoming(session, crowd[0], NOW)]
        assert not after or after[0].id == done.id


def no_overlaps(engine: Engine) -> bool:
    with session_scope(engine) as session:
        live = session.scalars(
            select(Appointment)
            .where(Appointment.state.in_(LIVE))
            .order_by(Appointment.clinician_id, Appointment.busy_from)
        ).all()
        return all(a.clinician_id != b.clinician_id or a.busy_until <= b.busy_from for a, b in pairwise(live)) and all(
            a.ends_at - a.starts_at < timedelta(hours=1) for a in live
        )
