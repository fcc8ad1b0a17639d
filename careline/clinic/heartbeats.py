"""Signs of life of what must never stop. The desk raises an alarm when one falls silent: a dead worker pages nobody."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic.db import Base, UTCDateTime

SILENT_AFTER = timedelta(minutes=2)
ESCALATIONS = "escalations"


class Heartbeat(Base):
    """When `name` last did its work."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


def beat(session: Session, name: str, now: datetime) -> None:
    """It is alive at `now`. Several workers may say so at once, also for the first time."""
    row = session.scalar(select(Heartbeat).where(Heartbeat.name == name))
    if row is not None:
        row.at = max(row.at, now)
        session.flush()
        return
    # Another worker's first sign of life may be faster, and is as good.
    with suppress(IntegrityError), session.begin_nested():
        session.add(Heartbeat(name=name, at=now))


def silent_for(session: Session, name: str, now: datetime) -> timedelta | None:
    """For how long it has given no sign of life, when that is too long. Never seen at all counts as an hour."""
    at = session.scalar(select(Heartbeat.at).where(Heartbeat.name == name))
    if at is None:
        return timedelta(hours=1)
    return now - at if now - at > SILENT_AFTER else None
