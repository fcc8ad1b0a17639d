"""The audit log: append-only, each row chained to the one before by its hash.

`record()` may be called anywhere in a transaction. The rows are chained and written at its commit, in one go:
so the lock on the head of the chain is held for a moment only, and an act that was rolled back leaves no trace.
Who, what, on which thing, when: never what a patient said. Details hold codes, ids and numbers; anything that
looks like free text, a name or a phone number is left out, so that a slip of a caller cannot put it here.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DDL, Index, Integer, String, Text, event, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic.db import Base, UTCDateTime

GENESIS = "0" * 64
SYSTEM = "system"
_PENDING = "careline_audit_pending"
_CODE = re.compile(r"[A-Za-z0-9_.:/-]{1,80}")
_LONG_NUMBER = re.compile(r"[0-9][0-9.:/-]{6,}")
LEFT_OUT = "left_out"


class AuditEntry(Base):
    """One act. `hash` is the SHA-256 of the previous row's hash and this row's own fields."""

    __tablename__ = "audit_entries"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_entries_object", "object_type", "object_id"),
        Index("ix_audit_entries_actor", "actor"),
    )


class AuditHead(Base):
    """The end of the chain, in one row: whoever appends holds it, so two rows can never share a place."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True)
class Head:
    """The number of rows and the last row's hash. Kept outside the database, it shows a cut-off tail."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Verification:
    """Result of `verify`. `broken_at` is the first seq that does not fit; `problem` is a code:
    changed | missing | head | anchor. Both None when the whole chain holds."""

    ok: bool
    rows: int
    head: Head
    broken_at: int | None = None
    problem: str | None = None


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    object_type: str,
    object_id: str,
    detail: dict[str, Any] | None = None,
    now: datetime,
) -> None:
    """Note an act; it is written when `session` commits, and forgotten when it rolls back.

    `actor` is a staff id, "patient:<id>", or "system". `action` is a dotted code such as "case.take_over".
    `detail` takes numbers, booleans and codes; everything else becomes "left_out". Never raises for its content.
    """
    row = {
        "at": now,
        "actor": _code(actor),
        "action": _code(action),
        "object_type": _code(object_type),
        "object_id": str(object_id)[:64],
        "detail": json.dumps(_safe(detail or {}), sort_keys=True, separators=(",", ":")),
    }
    session.info.setdefault(_PENDING, []).append((_nesting(session), row))
    if not session.in_transaction():
        session.begin()


def head(session: Session) -> Head:
    """The end of the chain as committed; (0, GENESIS) for an empty log."""
    row = session.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1)).first()
    return Head(row.seq, row.hash) if row else Head(0, GENESIS)


def verify(session: Session, anchor: Head | None = None) -> Verification:
    """Recompute the chain from its first row. With an `anchor` (a head noted earlier outside the database),
    also prove that no row up to there was cut off or rewritten. Reads every row, in batches."""
    end = head(session)
    expected, previous, rows, anchored = 1, GENESIS, 0, anchor is None or anchor.seq == 0

    def broken(seq: int, problem: str) -> Verification:
        return Verification(False, rows, end, seq, problem)

    query = select(AuditEntry).order_by(AuditEntry.seq).execution_options(yield_per=1000)
    for entry in session.scalars(query):
        if entry.seq != expected:
            return broken(expected, "missing")
        if entry.previous != previous or entry.hash != _hash(previous, _fields(entry)):
            return broken(entry.seq, "changed")
        if anchor is not None and entry.seq == anchor.seq:
            if entry.hash != anchor.hash:
                return broken(entry.seq, "anchor")
            anchored = True
        expected, previous, rows = entry.seq + 1, entry.hash, rows + 1
    if (rows, previous) != (end.seq, end.hash):
        return broken(rows + 1, "head")
    if not anchored:
        return broken(rows + 1, "anchor")
    return Verification(True, rows, end)


def write_anchor(path: Path, head: Head, now: datetime) -> None:
    """Append the head to a file that lives outside the database (one JSON line: at, seq, hash)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": _time(now), "seq": head.seq, "hash": head.hash}) + "\n")


def read_anchor(path: Path) -> Head | None:
    """The last head in an anchor file; None when there is none."""
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1]) if lines else None
    return Head(int(last["seq"]), str(last["hash"])) if last else None


def _nesting(session: Session) -> tuple[Any, ...]:
    """The savepoints around this moment, innermost first: rolling one of them back forgets what was noted in it."""
    chain, transaction = [], session.get_nested_transaction()
    while transaction is not None:
        chain.append(transaction)
        transaction = transaction.parent
    return tuple(chain)


def _safe(detail: dict[str, Any]) -> dict[str, Any]:
    return {_code(str(key)): _safe_value(value) for key, value in detail.items()}


def _safe_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_safe_value(item) for item in value]
    return _code(str(value))


def _code(value: str) -> str:
    """The value when it is a code or an id; a long run of digits may be a phone number, so it is not."""
    if not _CODE.fullmatch(value) or (_LONG_NUMBER.fullmatch(value) and len(value) != 32):
        return LEFT_OUT
    return value


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _fields(entry: AuditEntry) -> list[Any]:
    return [entry.seq, _time(entry.at), entry.actor, entry.action, entry.object_type, entry.object_id, entry.detail]


def _hash(previous: str, fields: list[Any]) -> str:
    return hashlib.sha256(json.dumps([previous, *fields], ensure_ascii=True).encode()).hexdigest()


@event.listens_for(Session, "before_commit")
def _append(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get(_PENDING):
        return
    # What the caller still has to write goes first: from here on the head of the chain is ours alone.
    session.flush()
    pending = session.info.pop(_PENDING)
    session.execute(update(AuditHead).where(AuditHead.id == 1).values(id=1))
    end = head(session)
    seq, previous, rows = end.seq, end.hash, []
    for _, row in pending:
        seq += 1
        fields = [seq, _time(row["at"]), *(row[k] for k in ("actor", "action", "object_type", "object_id", "detail"))]
        digest = _hash(previous, fields)
        rows.append({**row, "seq": seq, "previous": previous, "hash": digest})
        previous = digest
    session.execute(insert(AuditEntry), rows)
    session.execute(update(AuditHead).where(AuditHead.id == 1).values(seq=seq, hash=previous))


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, previous_transaction: Any) -> None:
    pending = session.info.get(_PENDING)
    if not pending:
        return
    if not previous_transaction.nested:
        session.info.pop(_PENDING)
    else:
        session.info[_PENDING] = [entry for entry in pending if previous_transaction not in entry[0]]


SQLITE_GUARDS = (
    "CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
)
POSTGRES_GUARDS = (
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_entries_guard BEFORE UPDATE OR DELETE ON audit_entries "
    "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_entries_truncate_guard BEFORE TRUNCATE ON audit_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)
# The row of the head is there from the start: two first acts at once could not both make it.
event.listen(AuditHead.__table__, "after_create", DDL(f"INSERT INTO audit_head VALUES (1, 0, '{GENESIS}')"))
for _dialect, _statements in (("sqlite", SQLITE_GUARDS), ("postgresql", POSTGRES_GUARDS)):
    for _statement in _statements:
        event.listen(
            AuditEntry.__table__, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect=_dialect)
        )
