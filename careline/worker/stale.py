"""What must not be sent any more: a reminder to take a dose, held up in the outbox until its time was over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from careline.clinic.medications import doses
from careline.clinic.messages import Message
from careline.clinic.outbox import OutboxRow


def stale(session: Session, row: OutboxRow, now: datetime) -> bool:
    """Is this row a dose reminder that came too late, or whose dose has been answered meanwhile?"""
    origin: OutboxRow | None = row
    if row.channel == "sms" and row.message_id:
        message = session.get(Message, row.message_id)
        posted = (message.client_id or "") if message else ""
        origin = session.get(OutboxRow, posted.removeprefix("outbox:")) if posted.startswith("outbox:") else None
    if origin is None or origin.kind != "dose_reminder":
        return False
    return not doses.still_due(session, origin.dedupe_key.split(":")[1], now)
