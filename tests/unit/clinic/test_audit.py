"""The log cannot be changed, and a change made behind its back is found."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from careline.clinic import audit, db
from careline.clinic.audit import AuditEntry, AuditHead

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'a.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = db.make_engine(url)
    db.Base.metadata.create_all(made, tables=[AuditEntry.__table__, AuditHead.__table__])  # type: ignore[list-item]
    yield made
    made.dispose()


def act(engine: Engine, number: int = 1, **detail: object) -> None:
    with db.session_scope(engine) as session:
        for _ in range(number):
            audit.record(session, actor="s1", action="case.view", object_type="escalation", object_id="c1",
                         detail=detail, now=NOW)


def check(engine: Engine, anchor: audit.Head | None = None) -> audit.Verification:
    with db.read_scope(engine) as session:
        return audit.verify(session, anchor)


def test_what_was_recorded_verifies(engine: Engine) -> None:
    act(engine, 3)
    act(engine)
    result = check(engine)
    assert (result.ok, result.rows) == (True, 4)


def test_an_act_that_was_rolled_back_leaves_no_trace(engine: Engine) -> None:
    act(engine)
    with pytest.raises(RuntimeError), db.session_scope(engine) as session:
        audit.record(session, actor="s1", action="x", object_type="o", object_id="1", now=NOW)
        raise RuntimeError
    assert check(engine).rows == 1


def test_a_savepoint_that_was_rolled_back_leaves_no_trace(engine: Engine) -> None:
    with db.session_scope(engine) as session:
        audit.record(session, actor="s1", action="kept", object_type="o", object_id="1", now=NOW)
        savepoint = session.begin_nested()
        audit.record(session, actor="s1", action="lost", object_type="o", object_id="1", now=NOW)
        savepoint.rollback()
    with db.read_scope(engine) as session:
        assert list(session.scalars(select(AuditEntry.action))) == ["kept"]
    assert check(engine).ok


@pytest.mark.parametrize("change", [
    update(AuditEntry).where(AuditEntry.seq == 1).values(actor="somebody"),
    delete(AuditEntry).where(AuditEntry.seq == 1),
])
def test_the_database_refuses_changes(engine: Engine, change) -> None:
    act(engine, 2)
    with pytest.raises(DBAPIError), db.session_scope(engine) as session:
        session.execute(change)
    assert check(engine).ok


def test_many_at_once_make_one_chain(engine: Engine) -> None:
    threads = [threading.Thread(target=lambda: [act(engine) for _ in range(10)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = check(engine)
    assert (result.ok, result.rows) == (True, 50)


def test_names_phones_and_sentences_never_get_in(engine: Engine) -> None:
    act(engine, phone="+447700900123", digits="447700900123", words="my chest hurts", level="urgent", count=3)
    with db.read_scope(engine) as session:
        detail = session.scalar(select(AuditEntry.detail)) or ""
    assert "447700900123" not in detail and "chest" not in detail
    assert '"level":"urgent"' in detail and '"count":3' in detail


def test_tampering_is_found_every_time(tmp_path: Path) -> None:
    """Rows edited, removed, inserted, swapped or cut off behind the guard's back."""
    made = db.make_engine(f"sqlite:///{tmp_path / 't.db'}")
    db.Base.metadata.create_all(made, tables=[AuditEntry.__table__, AuditHead.__table__])  # type: ignore[list-item]
    act(made, 40)
    with made.begin() as connection:
        for name in ("audit_entries_no_update", "audit_entries_no_delete"):
            connection.execute(text(f"DROP TRIGGER {name}"))
    with db.read_scope(made) as session:
        anchor = audit.head(session)
    chance = random.Random(7)
    for _ in range(100):
        with made.connect() as connection, connection.begin() as tampering:
            _tamper(connection, chance)
            with db.Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
                assert not audit.verify(session, anchor).ok
            tampering.rollback()
    assert check(made, anchor).ok


def _tamper(connection, chance: random.Random) -> None:
    seq = chance.randint(1, 39)
    kind = chance.choice(["edit", "delete", "swap", "cut"])
    if kind == "edit":
        column = chance.choice(["actor", "action", "object_id", "detail", "hash", "previous"])
        connection.execute(text(f"UPDATE audit_entries SET {column} = 'changed' WHERE seq = {seq}"))
    elif kind == "delete":
        connection.execute(text(f"DELETE FROM audit_entries WHERE seq = {seq}"))
    elif kind == "swap":
        connection.execute(text(f"UPDATE audit_entries SET seq = -1 WHERE seq = {seq}"))
        connection.execute(text(f"UPDATE audit_entries SET seq = {seq} WHERE seq = {seq + 1}"))
        connection.execute(text(f"UPDATE audit_entries SET seq = {seq + 1} WHERE seq = -1"))
    else:  # with the head moved too, so that only the copy outside can tell
        connection.execute(text(f"DELETE FROM audit_entries WHERE seq > {seq}"))
        connection.execute(text(f"UPDATE audit_head SET seq = {seq}, "
                                f"hash = (SELECT hash FROM audit_entries WHERE seq = {seq})"))


def test_the_anchor_file_keeps_the_last_head(tmp_path: Path) -> None:
    path = tmp_path / "anchors" / "audit.jsonl"
    assert audit.read_anchor(path) is None
    for seq in (1, 2):
        audit.write_anchor(path, audit.Head(seq, "ab" * 32), NOW)
    assert audit.read_anchor(path) == audit.Head(2, "ab" * 32)


def test_seq_counts_without_holes(engine: Engine) -> None:
    act(engine, 5)
    with db.read_scope(engine) as session:
        assert session.scalar(select(func.max(AuditEntry.seq))) == 5
