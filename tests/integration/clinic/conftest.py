"""A migrated database with the demo clinic and two patients, on SQLite and on PostgreSQL, copied for each test."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from careline.clinic import audit, db
from careline.clinic.appointments.seed import seed_demo_clinic
from careline.clinic.db import session_scope
from careline.clinic.patients import register

# A Tuesday morning in winter: the clinic's wall shows the same as UTC.
NOW = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


def _prepare(url: str) -> None:
    db.migrate(url)
    made = db.make_engine(url)
    with session_scope(made) as session:
        seed_demo_clinic(session, now=NOW)
        # A house in use has an audit log that has begun.
        audit.record(session, actor="system", action="clinic.seed", object_type="clinic", object_id="demo", now=NOW)
    made.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "clinic.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    name = "clinic_template"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    _prepare(f"{postgres_server}/{name}")
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        copy = tmp_path / "clinic.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), copy)
        yield f"sqlite:///{copy}"
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template")
    name = f"c{uuid.uuid4().hex[:16]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield f"{server}/{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = db.make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def patients(engine: Engine) -> tuple[str, str]:
    with session_scope(engine) as session:
        one, two = (register(session, phone=f"+44770090000{n}", now=NOW).id for n in (1, 2))
        return one, two
