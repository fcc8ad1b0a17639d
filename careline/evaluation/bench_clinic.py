"""How the clinic's two hot questions grow: the next free slots, and the doses that are due.

`bench(url)` measures on a database of its own: a temporary SQLite file, or an empty PostgreSQL database given by URL
(`CARELINE_BENCH_POSTGRES`). Rows are written in bulk; only the question itself is timed.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from careline.clinic import db
from careline.clinic.appointments.models import (
    Appointment,
    AppointmentType,
    Clinician,
    Site,
    WorkingHours,
    clinician_types,
)
from careline.clinic.appointments.search import find_slots
from careline.clinic.crypto import encrypt
from careline.clinic.db import new_id, session_scope
from careline.clinic.medications import doses
from careline.clinic.medications.models import Dose
from careline.clinic.patients import Patient

NOW = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
SLOTS_A_DAY = 24  # eight hours of 20 minutes
DAYS = 60
RUNS = 15
DUE = 50
SLOT_SIZES = (1_000, 10_000, 100_000, 1_000_000)
DOSE_SIZES = (1_000, 10_000, 100_000, 1_000_000)


def bench() -> Iterator[dict[str, Any]]:
    """Rows {what, size, ours_ms}, as they come, for SQLite and, when there is a server to use, PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        yield from measure(f"sqlite:///{Path(folder) / 'bench.db'}", "SQLite")
    if url := os.environ.get("CARELINE_BENCH_POSTGRES"):
        yield from measure(url, "PostgreSQL")


def measure(url: str, name: str) -> Iterator[dict[str, Any]]:
    """Both questions at all sizes on one database, which is filled anew for each."""
    db.migrate(url)
    engine = db.make_engine(url)
    for size in SLOT_SIZES:
        found = _slots(engine, size)
        yield {"what": f"next five free slots, nine in ten taken ({name})", "size": size, "ours_ms": found}
    for size in DOSE_SIZES:
        yield {"what": f"tick with no dose due ({name})", "size": size, "ours_ms": _ticks(engine, size, 0)}
        yield {"what": f"tick with {DUE} doses due ({name})", "size": size, "ours_ms": _ticks(engine, size, DUE)}
    engine.dispose()


def _median_ms(run: Callable[[], object], runs: int = RUNS) -> float:
    run()
    taken = []
    for _ in range(runs):
        begin = time.perf_counter()
        run()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def _slots(engine: Engine, size: int) -> float:
    """Milliseconds for the next five slots in schedules that hold `size` slots, nine in ten of them taken."""
    clinicians = max(1, round(size / (SLOTS_A_DAY * DAYS)))
    with session_scope(engine) as session:
        for table in ("appointments", "working_hours", "clinician_types", "clinicians", "appointment_types", "sites"):
            session.execute(text(f"DELETE FROM {table}"))
        site, kind, patient = Site(name="Bench", zone="Europe/London"), _kind(), _patient(session)
        session.add_all([site, kind])
        session.flush()
        ids = [new_id() for _ in range(clinicians)]
        session.execute(
            insert(Clinician),
            [
                {"id": i, "site_id": site.id, "name": f"C{n}", "role": "doctor", "skills": [], "active": True}
                for n, i in enumerate(ids)
            ],
        )
        session.execute(insert(clinician_types), [{"clinician_id": i, "type_id": kind.id} for i in ids])
        session.execute(
            insert(WorkingHours),
            [
                {"id": new_id(), "clinician_id": i, "weekday": d, "starts": 540, "ends": 1020}
                for i in ids
                for d in range(7)
            ],
        )
    for n in range(0, len(ids), 50):
        with session_scope(engine) as session:
            rows = [
                _taken(patient, i, site.id, kind.id, day, slot)
                for i in ids[n : n + 50]
                for day in range(DAYS)
                for slot in range(SLOTS_A_DAY)
                if (slot + day) % 10
            ]
            session.execute(insert(Appointment), rows)
    _analyse(engine)

    def search() -> None:
        with db.read_scope(engine) as session:
            found = find_slots(session, type_code="bench", now=NOW, limit=5)
            assert len(found) == 5

    return _median_ms(search)


def _ticks(engine: Engine, size: int, due: int) -> float:
    """Milliseconds for one tick of the worker when `size` doses are planned and `due` of them are due."""
    with session_scope(engine) as session:
        for table in ("dose_events", "doses", "outbox", "medications"):
            session.execute(text(f"DELETE FROM {table}"))
        patient = _patient(session)
    ids = [new_id() for _ in range(max(1, size // 1000))]
    secret = encrypt("bench")
    plan = encrypt('{"phases": [{"rrule": "FREQ=DAILY;BYHOUR=8"}], "basis": "elapsed", "amount": null}')
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO medications (id, patient_id, name, directions, words, plan, zone, status, high_alert, "
                "critical, dose_approved, grace, planned_until, created_at, changed_at) "
                "VALUES (:id, :p, :s, :s, :s, :plan, 'UTC', "
                "'active', :no, :no, :no, 120, :t, :t, :t)"
            ),
            [
                {
                    "id": i,
                    "p": patient,
                    "s": secret,
                    "plan": plan,
                    "t": _raw(engine, NOW + timedelta(days=9)),
                    "no": False,
                }
                for i in ids
            ],
        )
    with engine.begin() as connection:
        for number, i in enumerate(ids):
            rows = [
                _dose(i, patient, NOW + timedelta(minutes=10 + number, seconds=20 * n)) for n in range(size // len(ids))
            ]
            if number == 0:
                for row in rows[: due * (RUNS + 1)]:
                    row["remind_at"] = NOW
            connection.execute(insert(Dose), rows)
    _analyse(engine)

    def tick() -> None:
        with session_scope(engine) as session:
            doses.plan_ahead(session, NOW)
            reminded, late = doses.remind_due(session, NOW, DUE)
            doses.close_unanswered(session, NOW)
        assert (reminded, late) == (due, 0)

    return _median_ms(tick)


def _dose(medication: str, patient: str, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "medication_id": medication,
        "patient_id": patient,
        "due_at": at,
        "slot": at.strftime("%Y%m%dT%H%M%S"),
        "zone": "UTC",
        "amount": None,
        "status": "scheduled",
        "remind_at": at,
        "stale_at": at + timedelta(hours=2),
        "closes_at": at + timedelta(hours=3),
        "prompts": 0,
        "snoozes": 0,
    }


def _kind() -> AppointmentType:
    return AppointmentType(code="bench", name="Bench", mode="in_person", minutes=20, notice=60, horizon_days=DAYS)


def _patient(session: Session) -> str:
    patient = Patient(id=new_id(), zone="Europe/London", created_at=NOW)
    session.add(patient)
    session.flush()
    return patient.id


def _taken(patient: str, clinician: str, site: str, kind: str, day: int, slot: int) -> dict[str, Any]:
    start = NOW.replace(hour=9) + timedelta(days=day, minutes=20 * slot)
    end = start + timedelta(minutes=20)
    return {
        "id": new_id(),
        "patient_id": patient,
        "clinician_id": clinician,
        "site_id": site,
        "type_id": kind,
        "starts_at": start,
        "ends_at": end,
        "busy_from": start,
        "busy_until": end,
        "state": "booked",
        "created_at": NOW,
        "changed_at": NOW,
    }


def _raw(engine: Engine, at: datetime) -> Any:
    return at if engine.dialect.name == "postgresql" else at.replace(tzinfo=None).isoformat(" ") + ".000000"


def _analyse(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
