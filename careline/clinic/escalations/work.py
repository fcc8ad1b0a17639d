"""What a clinician does with a case. Each act acknowledges the case, and leaves an event and an audit row.

One clinician at a time is in a chat: whoever else tries gets a Conflict with the name of the one who holds it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import audit, conversations, messages
from careline.clinic.escalations import timers
from careline.clinic.escalations.cases import get
from careline.clinic.escalations.events import note
from careline.clinic.escalations.models import Escalation, EscalationNote, State
from careline.clinic.escalations.policy import POLICY
from careline.clinic.messages import Message
from careline.clinic.staff.models import Role, StaffMember
from careline.errors import Conflict, Invalid, NotFound
from careline.levels import Level

# The trusted intents by which the dialogue learns what happened while it was silent.
TAKEN_OVER = "EXTERNAL_takeover"
HANDED_BACK = "EXTERNAL_handback"
LONGEST_REPLY = 2000


class Resolution(StrEnum):
    """Why a case was closed."""

    ADVISED = "advised"
    CALLED_PATIENT = "called_patient"
    AMBULANCE = "ambulance"
    SENT_TO_EMERGENCY = "sent_to_emergency"
    SEEN_TODAY = "seen_today"
    APPOINTMENT = "appointment"
    NO_CONTACT = "no_contact"
    NOT_CLINICAL = "not_clinical"
    FALSE_ALARM = "false_alarm"


def acknowledge(session: Session, escalation_id: str, staff_id: str, now: datetime) -> Escalation:
    """"I have this one": the pages stop, and it is assigned to them when it was nobody's. The bot is not muted."""
    case, staff = _open(session, escalation_id, staff_id)
    case.assigned_id = case.assigned_id or staff.id
    _done(session, case, staff, "acknowledged", now)
    return case


def take_over(session: Session, escalation_id: str, staff_id: str, now: datetime) -> Escalation:
    """Enter the chat: the bot is muted, the patient is told who is there. Again by the same person: nothing more.

    Conflict("escalations.errors.taken", name=...) when somebody else is in the chat.
    """
    case, staff = _open(session, escalation_id, staff_id)
    _nobody_else(session, case, staff)
    if case.holder_id == staff.id:
        return case
    case.holder_id = case.assigned_id = staff.id
    conversation = conversations.get(session, case.conversation_id, lock=True)
    conversation.mode, conversation.staff_id, conversation.staff_name = "human", staff.id, staff.name
    timers.tell(session, case, "escalations.joined", now, name=staff.name)
    conversations.queue_event(session, case.conversation_id, TAKEN_OVER, {}, now)
    _done(session, case, staff, "taken_over", now)
    return case


def reply(session: Session, conversation_id: str, staff_id: str, text: str, client_key: str, now: datetime) -> Message:
    """Send the clinician's words to the patient, on the web or by SMS; the same `client_key` again sends nothing more.

    Conflict when they are not the one in the chat, or when the key came with other words; Invalid for an empty or
    too long text.
    """
    words = text.strip()
    if not words or len(words) > LONGEST_REPLY:
        raise Invalid("escalations.errors.reply_length", longest=LONGEST_REPLY)
    conversation = conversations.get(session, conversation_id, lock=True)
    key = f"desk:{client_key}"
    sent = session.scalar(select(Message).where(Message.conversation_id == conversation_id, Message.client_id == key))
    if sent is not None:
        if sent.text != words or sent.staff_id != staff_id:
            raise Conflict("escalations.errors.key_reused")
        return sent
    case = _held(session, conversation_id, staff_id)
    if conversation.mode != "human" or case is None:
        raise Conflict("escalations.errors.not_in_chat")
    staff = _staff(session, staff_id)
    message = messages.post(session, conversation_id, author="clinician", text=words, now=now, client_id=key,
                            staff_id=staff.id, staff_name=staff.name)
    _done(session, case, staff, "replied", now, message_id=message.id)
    return message


def hand_back(session: Session, escalation_id: str, staff_id: str, now: datetime) -> Escalation:
    """Leave the chat to the bot; the case stays open and theirs. The bot is told by an event, the patient by words."""
    case, staff = _open(session, escalation_id, staff_id)
    if case.holder_id != staff.id:
        raise Conflict("escalations.errors.not_in_chat")
    _leave(session, case, now, tell="escalations.handed_back", outcome="handed_back")
    _done(session, case, staff, "handed_back", now)
    return case


def assign(session: Session, escalation_id: str, staff_id: str, to_staff_id: str, now: datetime) -> Escalation:
    """Make a case a colleague's duty; they are paged. Who is in the chat does not change."""
    case, staff = _open(session, escalation_id, staff_id)
    to = _staff(session, to_staff_id)
    if to.role not in (Role.CLINICIAN.value, Role.COORDINATOR.value):
        raise Invalid("escalations.errors.cannot_work_cases", name=to.name)
    case.assigned_id = to.id
    _done(session, case, staff, "assigned", now, to=to.id)
    if to.id != staff.id:
        timers.page_assigned(session, case, to, now)
    return case


def snooze(session: Session, escalation_id: str, staff_id: str, until: datetime, now: datetime) -> Escalation:
    """Put a case aside until a time; then it opens again and pages. Never for longer than its severity allows."""
    case, staff = _open(session, escalation_id, staff_id)
    if not now < until <= now + POLICY[case.severity].snooze:
        raise Invalid("escalations.errors.snooze_too_long",
                      minutes=int(POLICY[case.severity].snooze.total_seconds() // 60))
    case.assigned_id = case.assigned_id or staff.id
    _done(session, case, staff, "snoozed", now)
    case.snoozed_until = case.next_action_at = until
    return case


def add_note(session: Session, escalation_id: str, staff_id: str, text: str, now: datetime) -> EscalationNote:
    """A private note; also on a resolved case. It does not count as an answer to the patient."""
    case, staff = get(session, escalation_id, lock=True), _staff(session, staff_id)
    words = text.strip()
    if not words or len(words) > 10_000:
        raise Invalid("escalations.errors.note_length")
    written = EscalationNote(escalation_id=case.id, staff_id=staff.id, at=now, text=words)
    session.add(written)
    note(session, case, "noted", now=now, actor=staff.id)
    _audit(session, case, staff, "note", now)
    return written


def resolve(session: Session, escalation_id: str, staff_id: str, *, reason: Resolution | str, level: Level | str,
            now: datetime, remark: str = "") -> Escalation:
    """Close a case with a reason and the clinician's own level, which is kept as labelled data and replaces ours.

    Only a clinician can, else Invalid; not while a colleague is in the chat. The chat goes back to the bot. Again by
    the same person with the same outcome: nothing more.
    """
    case, staff = get(session, escalation_id, lock=True), _staff(session, staff_id)
    if reason not in list(Resolution) or level not in list(Level):
        raise Invalid("escalations.errors.resolution")
    reason, level = Resolution(reason), Level(level)
    if case.state == State.RESOLVED:
        if (case.resolved_by_id, case.resolution, case.clinician_level) == (staff.id, reason.value, level.value):
            return case
        raise Conflict("escalations.errors.resolved")
    if staff.role != Role.CLINICIAN.value:
        raise Invalid("escalations.errors.clinicians_only")
    _nobody_else(session, case, staff)
    if remark.strip():
        add_note(session, case.id, staff.id, remark, now)
    _leave(session, case, now, tell="escalations.resolved", outcome=reason.value, level=level)
    conversations.set_level_by_clinician(session, case.conversation_id, level)
    case.clinician_level, case.resolution = level.value, reason.value
    case.resolved_at, case.resolved_by_id = now, staff.id
    note(session, case, "resolved", now=now, actor=staff.id,
         data={"reason": reason.value, "level": level.value, "was": case.level})
    _audit(session, case, staff, "resolve", now, reason=reason.value, level=level.value, was=case.level)
    case.next_action_at = case.snoozed_until = case.silence_check_at = None
    case.state = State.RESOLVED.value
    session.flush()
    return case


def _open(session: Session, escalation_id: str, staff_id: str) -> tuple[Escalation, StaffMember]:
    case = get(session, escalation_id, lock=True)
    if case.state == State.RESOLVED:
        raise Conflict("escalations.errors.resolved")
    return case, _staff(session, staff_id)


def _staff(session: Session, staff_id: str) -> StaffMember:
    staff = session.get(StaffMember, staff_id)
    if staff is None or not staff.active:
        raise NotFound("staff.errors.unknown")
    return staff


def _held(session: Session, conversation_id: str, staff_id: str) -> Escalation | None:
    return session.scalar(
        select(Escalation)
        .where(Escalation.conversation_id == conversation_id, Escalation.state != State.RESOLVED.value,
               Escalation.holder_id == staff_id)
        .with_for_update())


def _nobody_else(session: Session, case: Escalation, staff: StaffMember) -> None:
    if case.holder_id not in (None, staff.id):
        raise Conflict("escalations.errors.taken", name=_name(session, case.holder_id))


def _name(session: Session, staff_id: str | None) -> str:
    holder = session.get(StaffMember, staff_id) if staff_id else None
    return holder.name if holder else ""


def _leave(session: Session, case: Escalation, now: datetime, *, tell: str, outcome: str,
           level: Level | None = None) -> None:
    """Give the conversation back to the bot; when it was not the bot's already, tell the patient and the bot."""
    conversation = conversations.get(session, case.conversation_id, lock=True)
    was = conversation.mode
    case.holder_id = None
    conversation.mode, conversation.staff_id, conversation.staff_name = "bot", None, None
    if was != "bot":
        timers.tell(session, case, tell, now)
        conversations.queue_event(session, case.conversation_id, HANDED_BACK,
                                  {"outcome": outcome, "level": level.value if level else case.level}, now)


def _done(session: Session, case: Escalation, staff: StaffMember, kind: str, now: datetime, *,
          message_id: str | None = None, **detail: str) -> None:
    timers.answered(case, now)
    note(session, case, kind, now=now, actor=staff.id, data=detail or None, message_id=message_id)
    _audit(session, case, staff, kind, now, **detail)
    session.flush()


def _audit(session: Session, case: Escalation, staff: StaffMember, action: str, now: datetime, **detail: str) -> None:
    audit.record(session, actor=staff.id, action=f"escalation.{action}", object_type="escalation", object_id=case.id,
                 detail=detail, now=now)
