"""The database: engine, sessions, and the column types that keep times true and patients' words unreadable.

SQLite in WAL mode is the embedded default, PostgreSQL the same code with another `DATABASE_URL`. A writing session on
SQLite begins IMMEDIATE: a read that later becomes a write could otherwise fail on a stale snapshot without waiting.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, MetaData, Text, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from careline.clinic.crypto import blind_index, decrypt, encrypt
from careline.settings import settings

__all__ = [
    "Base", "EncryptedJSON", "EncryptedText", "UTCDateTime", "blind_index", "engine", "make_engine", "migrate",
    "new_id", "read_scope", "session_scope", "utcnow",
]

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(naming_convention=NAMES)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time. Naive ones are refused: they hide a zone that nobody wrote down."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was given to the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EncryptedText(TypeDecorator[str]):
    """Text that only this application can read (see careline.clinic.crypto). It cannot be searched or sorted."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else encrypt(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else decrypt(value)


class EncryptedJSON(TypeDecorator[Any]):
    """A JSON value that only this application can read. Assign a new object to change it: it is not tracked inside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else encrypt(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else json.loads(decrypt(value))


def new_id() -> str:
    """A random 128-bit identifier, 32 hex digits."""
    return uuid.uuid4().hex


def utcnow() -> datetime:
    """The wall clock, for process edges only: rules take `now` as an argument."""
    return datetime.now(UTC)


def make_engine(url: str) -> Engine:
    """An engine for `url`, with what SQLite needs to be a safe multi-process store."""
    if url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20, hide_parameters=True)

    path = url.partition(":///")[2]
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    made = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(made, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def _begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("careline_read")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return made


@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    return make_engine(url)


def engine() -> Engine:
    """The engine of this process's DATABASE_URL."""
    return _engine(settings().database_url)


@contextmanager
def session_scope(on: Engine | None = None) -> Iterator[Session]:
    """One writing transaction: committed at the end, rolled back on any error. No network calls inside it."""
    with Session(on or engine(), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def read_scope(on: Engine | None = None) -> Iterator[Session]:
    """One reading transaction; on SQLite it waits for no writer. Nothing in it may change rows."""
    reading = (on or engine()).execution_options(careline_read=True)
    with Session(reading, expire_on_commit=False) as session:
        yield session


def migrate(url: str | None = None, revision: str = "head") -> None:
    """Bring the database at `url` (default: this process's) to `revision`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url or settings().database_url
    command.upgrade(config, revision)
