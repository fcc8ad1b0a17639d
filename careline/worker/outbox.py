"""Sending what stands in the outbox: claim with a lease, hand to the provider, write down what came of it.

A row is "sending" while it is at the provider. When this process dies there, the lease ends and the row is sent again:
one wire duplicate in the window in which nobody can know is the price of losing nothing, and each text names its dose
or message so that a duplicate cannot be read as a second one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from careline.clinic import messages, outbox, sms_numbers
from careline.clinic.db import session_scope
from careline.clinic.messages import Choice, Message
from careline.clinic.outbox import OutboxRow
from careline.gateway.sms.compose import body, split
from careline.gateway.sms.sender import Sender, TransportError
from careline.worker.stale import stale

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
BATCH = 50
MAX_ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=15)
OPTED_OUT = 21610  # the provider's code for a number that said stop


@dataclass(frozen=True)
class Claimed:
    """A row that is ours to send."""

    id: str
    channel: str
    to: str
    bodies: tuple[str, ...]
    attempts: int


def retry_at(attempts: int, now: datetime) -> datetime:
    """When to try again after `attempts` failures: doubling from five seconds to a quarter of an hour."""
    return now + min(FIRST_RETRY * 2 ** max(0, attempts - 1), LONGEST_RETRY)


def send_due(now: datetime, sender: Sender, page: Callable[[str, str, str], None] | None = None) -> int:
    """Send what is due; the number of rows that left. `page(channel, to, text)` sends e-mails and webhooks."""
    with session_scope() as session:
        posted = _post_due(session, now)
    with session_scope() as session:
        claimed = _claim(session, now)
    for row in claimed:
        _send(row, sender, page, now)
    return posted + len(claimed)


def _due(session: Session, now: datetime, *channels: str) -> list[OutboxRow]:
    return list(session.scalars(
        select(OutboxRow)
        .where(OutboxRow.channel.in_(channels), OutboxRow.status.in_(outbox.OPEN), OutboxRow.not_before <= now,
               or_(OutboxRow.lease_until.is_(None), OutboxRow.lease_until < now))
        .order_by(OutboxRow.not_before, OutboxRow.created_at).limit(BATCH).with_for_update(skip_locked=True)))


def _post_due(session: Session, now: datetime) -> int:
    """What the system says by itself becomes a message of a conversation; on SMS that queues the text as well."""
    rows = _due(session, now, "post")
    for row in rows:
        if stale(session, row, now):
            row.status, row.error = "cancelled", "stale"
            continue
        conversation_id = row.conversation_id or outbox.conversation_for(session, row.patient_id or "")
        if conversation_id is None:
            row.status, row.error = "failed", "no_conversation"
            continue
        message = messages.post(
            session, conversation_id, author="assistant", text=row.text or "", now=now,
            choices=[Choice(c["label"], c["payload"]) for c in row.choices or []], client_id=f"outbox:{row.id}")
        row.message_id, row.conversation_id, row.status, row.sent_at = message.id, conversation_id, "sent", now
    return len(rows)


def _claim(session: Session, now: datetime) -> list[Claimed]:
    claimed = []
    for row in _due(session, now, "sms", "email", "webhook"):
        if row.channel == "sms" and row.kind != "page" and sms_numbers.opted_out(session, row.to or ""):
            row.status, row.error = "cancelled", "opted_out"
            continue
        if stale(session, row, now):
            row.status, row.error = "cancelled", "stale"
            continue
        row.status, row.lease_until, row.attempts = "sending", now + LEASE, row.attempts + 1
        claimed.append(Claimed(row.id, row.channel, row.to or "", tuple(_bodies(session, row)), row.attempts))
    session.flush()
    return claimed


def _bodies(session: Session, row: OutboxRow) -> list[str]:
    if row.message_id is None:
        return split(row.text or "")
    message = session.get_one(Message, row.message_id)
    return split(body(message.text, message.choices))


def _send(row: Claimed, sender: Sender, page: Callable[[str, str, str], None] | None, now: datetime) -> None:
    try:
        if row.channel == "sms":
            provider_id = [sender.send(row.to, part) for part in row.bodies][-1]
        elif page is not None:
            provider_id = None
            page(row.channel, row.to, "\n".join(row.bodies))
        else:
            raise TransportError(f"no way to send {row.channel}", permanent=True)
    except TransportError as error:
        _failed(row, error, now)
        return
    with session_scope() as session:
        session.execute(update(OutboxRow).where(OutboxRow.id == row.id, OutboxRow.status == "sending").values(
            status="sent", provider_id=provider_id, sent_at=now, lease_until=None, error=None))


def _failed(row: Claimed, error: TransportError, now: datetime) -> None:
    final = error.permanent or row.attempts >= MAX_ATTEMPTS
    log.warning("an outbox row was not taken (%s, attempt %d): %s", error, row.attempts,
                "given up" if final else "will be tried again")
    with session_scope() as session:
        stored = session.get_one(OutboxRow, row.id)
        stored.error = str(error.code or "transport")[:40]
        stored.lease_until = None
        if final:
            stored.status = "failed"
            if error.code == OPTED_OUT and row.channel == "sms":
                sms_numbers.note(session, row.to, "out", words="", source="provider", now=now)
        else:
            stored.status, stored.not_before = "queued", retry_at(row.attempts, now)
