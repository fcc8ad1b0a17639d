"""Who is on call: shifts as rows, and a list of people to page that is never empty.

Shifts are stored as instants, so a change of the clocks inside one makes it an hour longer or shorter, as it is for
the person who works it. A gap in the rota is reported a day ahead; when it comes, everyone is paged instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from careline.clinic.db import Base, UTCDateTime, new_id
from careline.clinic.staff.models import Role, StaffMember
from careline.errors import Invalid
from careline.settings import settings


class OncallShift(Base):
    """A person's time on call, from `starts_at` up to `ends_at`. `position` 1 is paged first, then 2, ..."""

    __tablename__ = "oncall_shifts"
    __table_args__ = (
        Index("ix_oncall_shifts_time", "starts_at", "ends_at"),
        CheckConstraint("starts_at < ends_at", name="order"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff_members.id"))
    position: Mapped[int] = mapped_column(default=1)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)


@dataclass(frozen=True)
class Target:
    """Where a page goes. `staff_id` is None for the clinic's fallback phone."""

    staff_id: str | None
    name: str
    channels: tuple[tuple[str, str], ...]  # (channel, address), the preferred one first


def fallback() -> Target:
    """The clinic's phone of last resort; Invalid when the clinic has none (the settings refuse to start so)."""
    phone = settings().fallback_phone or settings().clinic_phone
    if not phone:
        raise Invalid("oncall.no_fallback")
    return Target(None, "clinic", (("sms", phone),))


def on_call(session: Session, now: datetime) -> list[StaffMember]:
    """The people on call at `now`, in the order in which they are paged; may be empty (a gap)."""
    rows = session.scalars(
        select(StaffMember)
        .join(OncallShift, OncallShift.staff_id == StaffMember.id)
        .where(OncallShift.starts_at <= now, OncallShift.ends_at > now, StaffMember.active)
        .order_by(OncallShift.position, OncallShift.starts_at, OncallShift.id)
    )
    return list(dict.fromkeys(rows))


def everyone(session: Session) -> list[StaffMember]:
    """All active clinicians."""
    return list(session.scalars(
        select(StaffMember).where(StaffMember.active, StaffMember.role == Role.CLINICIAN.value)
        .order_by(StaffMember.created_at, StaffMember.id)))


def targets(session: Session, who: str, now: datetime) -> list[Target]:
    """Whom to page. `who` is first | next | everyone.

    Somebody without a phone or an e-mail address cannot be paged; whenever nobody is left, the fallback phone is.
    """
    rota = on_call(session, now)
    if who == "first" and rota:
        chosen = rota[:1]
    elif who == "next" and len(rota) > 1:
        chosen = rota[1:2]
    else:
        chosen = list(dict.fromkeys([*rota, *everyone(session)]))
    reachable = [target for target in map(_target, chosen) if target.channels]
    if who == "everyone" or not reachable:
        reachable.append(fallback())
    return reachable


def has_rota(session: Session, now: datetime) -> bool:
    """Whether the clinic keeps a rota here: one that ended in the last month or is still to come."""
    recent = select(OncallShift.id).where(OncallShift.ends_at > now - timedelta(days=30)).limit(1)
    return session.scalar(recent) is not None


def shifts(session: Session, start: datetime, end: datetime) -> list[tuple[OncallShift, StaffMember]]:
    """The shifts that touch the time from `start` to `end`, with whose they are."""
    return [(shift, member) for shift, member in session.execute(
        select(OncallShift, StaffMember).join(StaffMember, OncallShift.staff_id == StaffMember.id)
        .where(OncallShift.starts_at < end, OncallShift.ends_at > start)
        .order_by(OncallShift.starts_at, OncallShift.position))]


def gaps(session: Session, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The times between `start` and `end` in which nobody is on call."""
    shifts = session.execute(
        select(OncallShift.starts_at, OncallShift.ends_at)
        .join(StaffMember, OncallShift.staff_id == StaffMember.id)
        .where(OncallShift.starts_at < end, OncallShift.ends_at > start, StaffMember.active)
        .order_by(OncallShift.starts_at)
    ).all()
    found, covered = [], start
    for starts_at, ends_at in shifts:
        if starts_at > covered:
            found.append((covered, starts_at))
        covered = max(covered, ends_at)
    if covered < end:
        found.append((covered, end))
    return found


def add_shift(session: Session, staff_id: str, starts_at: datetime, ends_at: datetime,
              position: int = 1) -> OncallShift:
    """Put somebody on the rota. Invalid when it ends before it starts, or lasts more than a week."""
    if not starts_at < ends_at <= starts_at + timedelta(days=7):
        raise Invalid("oncall.bad_shift")
    shift = OncallShift(staff_id=staff_id, position=position, starts_at=starts_at, ends_at=ends_at)
    session.add(shift)
    session.flush()
    return shift


def channels_of(member: StaffMember) -> tuple[tuple[str, str], ...]:
    """How a person can be paged: (channel, address), the preferred one first."""
    channels = (("sms", member.phone), ("email", member.email))
    return tuple((channel, address) for channel, address in channels if address)


def _target(member: StaffMember) -> Target:
    return Target(member.id, member.name, channels_of(member))
