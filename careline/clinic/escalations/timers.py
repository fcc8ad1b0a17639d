"""The timers of a case: it is never left alone. Unanswered, it gets louder; acknowledged but idle, it opens again.

Every wait is a row's `next_action_at`, so a killed worker loses nothing: the next tick does what is overdue. What a
step does (pages, events, words to the patient) is committed together with the step's number, and each page has a key
of its case, round, step and person: two workers at once, or the same one again, page nobody twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from careline.clinic import audit, conversations, heartbeats, messages, oncall, outbox
from careline.clinic.escalations.events import note
from careline.clinic.escalations.models import Escalation, State
from careline.clinic.escalations.policy import POLICY, SILENCE, Policy, Step, Who
from careline.clinic.staff.models import StaffMember
from careline.levels import Level
from careline.settings import settings
from careline.texts import text

BATCH = 100


@dataclass
class Ticked:
    """What a tick did, as ids of cases."""

    paged: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


def tick(session: Session, now: datetime) -> Ticked:
    """Do what is due at `now`, most urgent first; the caller commits. At most BATCH cases, so call it again soon."""
    done = Ticked()
    due = session.scalars(
        select(Escalation)
        .where(Escalation.state != State.RESOLVED.value,
               or_(Escalation.next_action_at <= now, Escalation.silence_check_at <= now))
        .order_by(Escalation.level_rank.desc(), Escalation.waiting_since)
        .limit(BATCH).with_for_update(skip_locked=True)
    )
    for case in due.all():
        if case.silence_check_at is not None and case.silence_check_at <= now and _check_silence(session, case, now):
            done.silent.append(case.id)
        if case.next_action_at is None or case.next_action_at > now:
            continue
        if case.state == State.ACKNOWLEDGED:
            _reopen(session, case, now)
            done.reopened.append(case.id)
        else:
            _advance(session, case, now)
        done.paged.append(case.id)
    heartbeats.beat(session, heartbeats.ESCALATIONS, now)
    return done


def restart(session: Session, case: Escalation, now: datetime) -> None:
    """Begin a new round at `now`: the case is open, and whoever must be told at once is paged."""
    case.state = State.OPEN.value
    case.round, case.step = case.round + 1, 0
    case.waiting_since = case.next_action_at = now
    case.acknowledged_at = case.snoozed_until = None
    _advance(session, case, now)


def answered(case: Escalation, now: datetime) -> None:
    """A clinician did something: the case is acknowledged, and its idle clock starts again."""
    case.state = State.ACKNOWLEDGED.value
    case.acknowledged_at = case.acknowledged_at or now
    case.staff_active_at = now
    case.snoozed_until = None
    case.next_action_at = now + POLICY[case.severity].idle


def _advance(session: Session, case: Escalation, now: datetime) -> None:
    """Run the latest step that is due (one that was slept through is covered by it), and set when the next one is."""
    policy = POLICY[case.severity]
    step = _latest_due(policy, case, now)
    if step is not None:
        _page(session, case, step, policy, now)
        if step.tell:
            tell(session, case, step.tell, now)
    following = case.waiting_since + policy.steps[case.step].after if case.step < len(policy.steps) else None
    case.next_action_at = following if following and following > now else now + policy.repeat


def _latest_due(policy: Policy, case: Escalation, now: datetime) -> Step | None:
    due = None
    while case.step < len(policy.steps) and case.waiting_since + policy.steps[case.step].after <= now:
        due = policy.steps[case.step]
        case.step += 1
    if due is None and case.step >= len(policy.steps):
        case.step += 1
        due = Step(now - case.waiting_since, Who.EVERYONE)
    return due


def _reopen(session: Session, case: Escalation, now: datetime) -> None:
    """Nobody acted on an acknowledged case, or its snooze is over: it opens again and its holder loses the chat."""
    woke = case.snoozed_until is not None
    note(session, case, "woke" if woke else "reopened", now=now, data={"holder": case.holder_id})
    audit.record(session, actor=audit.SYSTEM, action="escalation.reopen", object_type="escalation",
                 object_id=case.id, detail={"snoozed": woke}, now=now)
    if case.holder_id is not None:
        case.holder_id = None
        conversation = conversations.get(session, case.conversation_id, lock=True)
        conversation.mode, conversation.staff_id, conversation.staff_name = "waiting", None, None
        if _patient_waits(session, case.conversation_id):
            tell(session, case, "escalations.reopened", now)
    restart(session, case, now)


def _check_silence(session: Session, case: Escalation, now: datetime) -> bool:
    """Whether the patient has said nothing since the emergency; asks once (not while a clinician is in the chat)."""
    conversation = conversations.get(session, case.conversation_id, lock=True)
    heard = conversation.last_inbound_at
    if heard is not None and heard + SILENCE > now:
        case.silence_check_at = heard + SILENCE
        return False
    case.silence_check_at = None
    if conversation.mode != "human":
        tell(session, case, "escalations.safety_check", now)
    note(session, case, "silent", now=now)
    return True


def _page(session: Session, case: Escalation, step: Step, policy: Policy, now: datetime) -> None:
    reached = []
    minutes = int((now - case.opened_at).total_seconds() // 60)
    words = text(f"escalations.page.{case.level}", minutes=minutes,
                 link=f"{settings().desk_public_url}/cases/{case.id}")
    for target in oncall.targets(session, step.who.value, now):
        channels = target.channels if policy.every_channel else target.channels[:1]
        for channel, address in channels:
            key = f"page:{case.id}:{case.round}:{case.step}:{target.staff_id or 'clinic'}:{channel}"
            outbox.enqueue_page(session, channel=channel, to=address, text=words, dedupe_key=key, now=now)
        reached.append({"staff": target.staff_id, "name": target.name, "channels": [c for c, _ in channels]})
    webhook = settings().page_webhook
    if webhook:
        outbox.enqueue_page(session, channel="webhook", to=webhook, text=words, now=now,
                            dedupe_key=f"page:{case.id}:{case.round}:{case.step}:webhook")
    note(session, case, "paged", now=now, data={"who": step.who.value, "targets": reached, "step": case.step})
    audit.record(session, actor=audit.SYSTEM, action="escalation.page", object_type="escalation", object_id=case.id,
                 detail={"who": step.who.value, "step": case.step, "staff": [t["staff"] for t in reached]}, now=now)


def page_assigned(session: Session, case: Escalation, staff: StaffMember, now: datetime) -> None:
    """Tell somebody that a case is theirs now."""
    words = text("escalations.page.assigned", link=f"{settings().desk_public_url}/cases/{case.id}")
    for channel, address in oncall.channels_of(staff)[:1]:
        outbox.enqueue_page(session, channel=channel, to=address, text=words, now=now,
                            dedupe_key=f"assigned:{case.id}:{staff.id}:{int(now.timestamp())}")


def tell(session: Session, case: Escalation, key: str, now: datetime, **fields: object) -> messages.Message:
    """Say a sentence of the catalogue to the patient, as part of this transaction."""
    words = text(key, clinic_phone=settings().clinic_phone, emergency_number=settings().emergency_number, **fields)
    kind = "emergency" if case.severity is Level.EMERGENCY_AMBULANCE and "unanswered" in key else "notice"
    return messages.post(session, case.conversation_id, author="system", text=words, kind=kind, now=now)


def _patient_waits(session: Session, conversation_id: str) -> bool:
    last = messages.transcript(session, conversation_id, limit=1)
    return bool(last) and last[0].author == "patient"
