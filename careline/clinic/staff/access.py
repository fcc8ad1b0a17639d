"""Who may see and do what; and breaking the glass: access outside one's role, with a reason, for an hour, noticed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import audit, oncall, outbox
from careline.clinic.db import blind_index
from careline.clinic.staff.models import BreakGlass, Role, StaffMember
from careline.errors import Invalid
from careline.settings import settings
from careline.texts import text

LASTS = timedelta(hours=1)
SHORTEST_REASON = 10

# What each role may do. The desk asks here and nowhere else.
MAY: dict[Role, frozenset[str]] = {
    Role.CLINICIAN: frozenset({"queue", "case", "work", "chat", "resolve", "day", "review"}),
    Role.COORDINATOR: frozenset({"queue", "case", "work", "day"}),
    Role.AUDITOR: frozenset({"audit", "review"}),
    Role.ADMIN: frozenset({"queue", "staff", "rota", "audit", "day"}),
}


def may(staff: StaffMember, what: str) -> bool:
    """Whether the role allows it: queue, case, work, chat, resolve, day, audit, review, staff, rota."""
    return what in MAY[Role(staff.role)]


def may_open_case(session: Session, staff: StaffMember, escalation_id: str, now: datetime) -> bool:
    """Whether they may see this case, by role or because they broke the glass in the last hour."""
    return may(staff, "case") or glass(session, staff, escalation_id, now) is not None


def glass(session: Session, staff: StaffMember, escalation_id: str, now: datetime) -> BreakGlass | None:
    """Their grant for this case that is still valid."""
    return session.scalar(select(BreakGlass).where(
        BreakGlass.staff_id == staff.id, BreakGlass.escalation_id == escalation_id, BreakGlass.until > now))


def break_glass(session: Session, staff: StaffMember, escalation_id: str, reason: str, now: datetime) -> BreakGlass:
    """Open one case outside one's role. All other admins and the fallback phone are told; Invalid without a reason."""
    words = reason.strip()
    if not SHORTEST_REASON <= len(words) <= 1000:
        raise Invalid("staff.errors.reason", shortest=SHORTEST_REASON)
    grant = BreakGlass(staff_id=staff.id, escalation_id=escalation_id, reason=words, at=now, until=now + LASTS)
    session.add(grant)
    session.flush()
    audit.record(session, actor=staff.id, action="access.break_glass", object_type="escalation",
                 object_id=escalation_id, detail={"grant": grant.id}, now=now)
    admins = session.scalars(select(StaffMember).where(
        StaffMember.active, StaffMember.role == Role.ADMIN.value, StaffMember.id != staff.id))
    alert = text("escalations.page.break_glass", name=staff.name, link=f"{settings().desk_public_url}/audit")
    for channel, address in [c for admin in admins for c in oncall.channels_of(admin)] or oncall.fallback().channels:
        outbox.enqueue_page(session, channel=channel, to=address, text=alert, now=now,
                            dedupe_key=f"glass:{grant.id}:{blind_index(address)[:32]}")
    return grant

