"""A migrated database with the demo clinic and two patients, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from careline.clinic import audit, db
from careline.clinic.appointments.seed import seed_demo_clinic
from careline.clinic.db import session_scope
from careline.clinic.patients import register

# A Tuesday morning in winter: the clinic's wall shows the same as UTC.
NOW = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'clinic.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    db.migrate(database_url)
    made = db.make_engine(database_url)
    with session_scope(made) as session:
        seed_demo_clinic(session, now=NOW)
        # A house in use has an audit log that has begun.
        audit.record(session, actor="system", action="clinic.seed", object_type="clinic", object_id="demo", now=NOW)
    yield made
    made.dispose()


@pytest.fixture
def patients(engine: Engine) -> tuple[str, str]:
    with session_scope(engine) as session:
        return tuple(  # type: ignore[return-value]
            register(session, phone=f"+44770090000{n}", now=NOW).id for n in (1, 2)
        )
