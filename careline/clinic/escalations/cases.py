"""Opening a case, and finding it again. One open case per conversation; without a clinician its level only rises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import audit, conversations
from careline.clinic.escalations import timers
from careline.clinic.escalations.events import note
from careline.clinic.escalations.models import Escalation, State
from careline.clinic.escalations.policy import SILENCE
from careline.errors import NotFound
from careline.levels import Level


def open_or_raise(
    session: Session,
    conversation_id: str,
    *,
    level: Level | str,
    reason: str,
    flags: Sequence[dict[str, Any]] = (),
    words_message_id: str | None = None,
    now: datetime,
) -> Escalation:
    """The conversation's open case, opened or raised to at least `level`, with an event for what was just said.

    `flags` are plain dicts ({id, name, urgency, words, because, ...}); `words_message_id` is the patient's message.
    Opening pages somebody in the same transaction; so does a rise, and a repeat on a snoozed case. The conversation's
    level is raised with it. Its mode is not touched, and nothing is said to the patient: that a human was told may be
    said only by what commits together with this case. NotFound for an unknown conversation.
    """
    level = Level(level)
    # This holds the conversation's row, so that two flags at once cannot open two cases.
    conversations.raise_level(session, conversation_id, level, reason, now)
    case = current(session, conversation_id)
    details = {"reason": reason, "flags": [dict(flag) for flag in flags]}
    if case is None:
        case = Escalation(
            conversation_id=conversation_id, level=level.value, level_rank=level.rank, reason=reason,
            state=State.OPEN.value, opened_at=now, waiting_since=now, next_action_at=now,
            words_message_id=words_message_id, silence_check_at=_silence(level, now),
        )
        session.add(case)
        session.flush()
        note(session, case, "opened", now=now, data=details, message_id=words_message_id)
        audit.record(session, actor=audit.SYSTEM, action="escalation.open", object_type="escalation",
                     object_id=case.id, detail={"level": level.value, "flags": _ids(flags)}, now=now)
        timers.restart(session, case, now)
        return case

    risen = level.rank > case.level_rank
    if risen:
        case.level, case.level_rank = level.value, level.rank
        case.words_message_id = words_message_id or case.words_message_id
        case.silence_check_at = _silence(level, now) or case.silence_check_at
    case.words_message_id = case.words_message_id or words_message_id
    note(session, case, "raised" if risen else "repeated", now=now, data=details, message_id=words_message_id)
    audit.record(session, actor=audit.SYSTEM, action="escalation.raise" if risen else "escalation.repeat",
                 object_type="escalation", object_id=case.id,
                 detail={"level": case.level, "flags": _ids(flags)}, now=now)
    if risen or case.snoozed_until is not None:
        timers.restart(session, case, now)
    return case


def request_human(
    session: Session, conversation_id: str, *, reason: str, level: Level | str = Level.URGENT, now: datetime
) -> Escalation:
    """Somebody asked for a person (or a clinician must look): open or raise the case, and let the bot fall silent.

    The mode becomes `waiting` unless a clinician is already in the chat.
    """
    case = open_or_raise(session, conversation_id, level=level, reason=reason, now=now)
    conversation = conversations.get(session, conversation_id, lock=True)
    if conversation.mode == "bot":
        conversation.mode = "waiting"
    return case


def get(session: Session, escalation_id: str, *, lock: bool = False) -> Escalation:
    """The case; NotFound when there is none. `lock` holds its row until the transaction ends."""
    query = select(Escalation).where(Escalation.id == escalation_id)
    found = session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)
    if found is None:
        raise NotFound("escalations.errors.unknown")
    return found


def current(session: Session, conversation_id: str) -> Escalation | None:
    """The conversation's case that is not resolved yet, if any."""
    return session.scalar(
        select(Escalation)
        .where(Escalation.conversation_id == conversation_id, Escalation.state != State.RESOLVED.value)
    )


def earlier(session: Session, conversation_id: str, limit: int = 20) -> list[Escalation]:
    """The conversation's resolved cases, newest first."""
    return list(session.scalars(
        select(Escalation)
        .where(Escalation.conversation_id == conversation_id, Escalation.state == State.RESOLVED.value)
        .order_by(Escalation.resolved_at.desc()).limit(limit)))


def open_emergencies(session: Session, conversation_ids: Sequence[str]) -> list[Escalation]:
    """Emergencies that are not resolved in these conversations: they stand in the way of erasing them."""
    return list(session.scalars(
        select(Escalation).where(Escalation.conversation_id.in_(conversation_ids),
                                 Escalation.state != State.RESOLVED.value, Escalation.level_rank >= 4)))


def _silence(level: Level, now: datetime) -> datetime | None:
    return now + SILENCE if level is Level.EMERGENCY_AMBULANCE else None


def _ids(flags: Sequence[dict[str, Any]]) -> list[str]:
    return [str(flag.get("id", "")) for flag in flags]
