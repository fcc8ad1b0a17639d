"""Finding free slots: the next ones that fit the wish, the urgency and the needs, in a few short queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import islice, repeat
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from careline.clinic.appointments.models import (
    LIVE,
    Appointment,
    AppointmentType,
    Clinician,
    ScheduleException,
    Site,
    Unavailability,
    WorkingHours,
    clinician_types,
)
from careline.clinic.appointments.slots import Span, free_starts, local_date, local_instant, make_ref, open_spans
from careline.clinic.appointments.when import When
from careline.errors import Conflict, Invalid, NotFound
from careline.levels import Level
from careline.settings import settings

# How far ahead a triage level lets an appointment be, in days; 0 is today. Nobody is offered a later one.
LATEST_DAYS = {Level.URGENT: 0, Level.ROUTINE: 14}
URGENT_TYPE = "urgent"
LONGEST = timedelta(days=1)
# Clinicians looked at first; each further block is four times as big.
BLOCK = 40


@dataclass(frozen=True)
class SlotOffer:
    """A free slot. `ref` is opaque: hand it to `hold` or `move`. Times are aware UTC; `local` is the site's."""

    ref: str
    starts_at: datetime
    ends_at: datetime
    local: datetime
    clinician: str
    clinician_id: str
    site: str
    mode: str
    type_code: str


def find_slots(
    session: Session,
    *,
    type_code: str,
    now: datetime,
    level: Level | str | None = None,
    when: When | None = None,
    earliest: datetime | None = None,
    latest: datetime | None = None,
    clinician_id: str | None = None,
    needs: Sequence[str] = (),
    limit: int = 5,
) -> list[SlotOffer]:
    """The next free slots, earliest first; an empty list when the wish cannot be met.

    `level` is the triage level: it caps `latest` (urgent: today, the urgent kind also counts; routine: 14 days), and
    an emergency level raises Invalid("appointments.emergency"). `when` is what the patient asked for
    (`understand_when`), `earliest`/`latest` are aware bounds, `needs` are access needs ("wheelchair",
    "interpreter:pl"). Urgent and nothing in time raises Conflict("appointments.nothing_in_time").
    """
    level = Level(level) if level else None
    if level and level.is_emergency:
        raise Invalid("appointments.emergency")
    kinds = [kind_of(session, type_code)]
    if kinds[0].level and kinds[0].level != level:
        raise Invalid("appointments.urgent_only", phone=settings().clinic_phone)
    if level is Level.URGENT and type_code != URGENT_TYPE:
        kinds += session.scalars(select(AppointmentType).where(AppointmentType.code == URGENT_TYPE)).all()
    found: list[SlotOffer] = []
    for kind in kinds:
        found += _of_kind(session, kind, now, level, when, earliest, latest, clinician_id, needs, limit)
    found.sort(key=lambda offer: (offer.starts_at, offer.clinician))
    if not found and level is Level.URGENT and (when is None or when.soonest) and earliest is None:
        raise Conflict("appointments.nothing_in_time", phone=settings().clinic_phone)
    return found[:limit]


def kind_of(session: Session, type_code: str) -> AppointmentType:
    """The kind of appointment with this code; NotFound when there is none."""
    kind = session.scalar(select(AppointmentType).where(AppointmentType.code == type_code, AppointmentType.active))
    if kind is None:
        raise NotFound("appointments.unknown_type", type=type_code)
    return kind


def _of_kind(
    session: Session,
    kind: AppointmentType,
    now: datetime,
    level: Level | None,
    when: When | None,
    earliest: datetime | None,
    latest: datetime | None,
    clinician_id: str | None,
    needs: Sequence[str],
    limit: int,
) -> list[SlotOffer]:
    by_zone: dict[str, list[Row]] = defaultdict(list)
    for row in _clinicians(session, kind.id, clinician_id, needs):
        by_zone[row.zone].append(row)
    found: list[SlotOffer] = []
    for name, rows in by_zone.items():
        zone = ZoneInfo(name)
        first = max(now + timedelta(minutes=kind.notice), earliest or now)
        last = local_instant(local_date(now, zone), 0, zone) + timedelta(days=kind.horizon_days)
        if level in LATEST_DAYS:
            cap = local_date(now, zone) + timedelta(days=LATEST_DAYS[level] + 1)
            last = min(last, local_instant(cap, 0, zone) - timedelta(minutes=1))
        if latest:
            last = min(last, latest)
        windows = _windows(when, zone, first, last)
        found += _in_windows(session, kind, rows, zone, windows, limit)
    return found


def _clinicians(session: Session, type_id: str, clinician_id: str | None, needs: Sequence[str]) -> list[Row]:
    """(id, site_id, zone) of who sees patients for this and meets the needs."""
    columns = [Clinician.id, Clinician.site_id, Site.zone]
    if needs:
        columns += [Clinician.skills, Site.facilities]
    query = (
        select(*columns)
        .join(Site, Site.id == Clinician.site_id)
        .join(clinician_types, clinician_types.c.clinician_id == Clinician.id)
        .where(clinician_types.c.type_id == type_id, Clinician.active)
    )
    if clinician_id:
        query = query.where(Clinician.id == clinician_id)
    rows = session.execute(query).all()
    if not needs:
        return list(rows)
    return [row for row in rows if set(needs) <= {*(row.skills or ()), *(row.facilities or ())}]


def _windows(when: When | None, zone: ZoneInfo, first: datetime, last: datetime) -> list[Span]:
    """The instants at which an appointment may start, as stretches [from, until]."""
    if when is None or not when.windows:
        return [(first, last)] if first <= last else []
    spans = []
    for window in when.windows:
        a = max(first, _instant(window.start, zone))
        b = min(last, _instant(window.end, zone) - timedelta(minutes=1))
        if a <= b:
            spans.append((a, b))
    return spans


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    return local_instant(wall.date(), wall.hour * 60 + wall.minute, zone)


def _in_windows(
    session: Session, kind: AppointmentType, rows: list[Row], zone: ZoneInfo, windows: list[Span], limit: int
) -> list[SlotOffer]:
    """The first `limit` slots in the windows.

    A big clinic is read in blocks of clinicians: what the first block has bounds how late a slot of the others may
    be to matter, so most of the schedules are never looked at.
    """
    found: list[tuple[datetime, str]] = []
    for start, end in windows:
        floor: datetime | None = None
        size, done = BLOCK, 0
        while done < len(rows):
            bound = end
            if len(found) >= limit:
                floor = floor or _opening(session, kind, start, zone)
                bound = found[limit - 1][0] - timedelta(minutes=1)
                if bound < floor:
                    break
            block = rows[done : done + size]
            found = sorted([*found, *_in_block(session, kind, block, zone, start, bound, limit)])[:limit]
            done, size = done + size, size * 4
        if len(found) >= limit:
            break
    return _offers(session, kind, zone, found)


def _opening(session: Session, kind: AppointmentType, start: datetime, zone: ZoneInfo) -> datetime:
    """No slot from `start` on can begin before this."""
    day = local_date(start, zone)
    own = session.scalar(select(func.min(ScheduleException.starts)).where(ScheduleException.day == day))
    weekly = session.scalar(
        select(func.min(WorkingHours.starts))
        .join(clinician_types, clinician_types.c.clinician_id == WorkingHours.clinician_id)
        .where(clinician_types.c.type_id == kind.id, WorkingHours.weekday == day.weekday())
    )
    opens = min((minutes for minutes in (own, weekly) if minutes is not None), default=0)
    return max(start, local_instant(day, opens, zone))


def _in_block(
    session: Session, kind: AppointmentType, rows: list[Row], zone: ZoneInfo, start: datetime, end: datetime, limit: int
) -> list[tuple[datetime, str]]:
    """The first `limit` starts of these clinicians in [start, end]."""
    plan = Plan.load(session, [row.id for row in rows], {row.id: row.site_id for row in rows}, zone)
    found: list[tuple[datetime, str]] = []
    day, last_day = local_date(start, zone), local_date(end, zone)
    step = 1  # most searches end on the first days; a full clinic is read in growing stretches
    while day <= last_day and len(found) < limit:
        until = min(day + timedelta(days=step), last_day + timedelta(days=1))
        found += _days(session, kind, rows, zone, plan, day, until, start, end, limit - len(found))
        day, step = until, min(step * 2, 14)
    return found


def _days(
    session: Session, kind: AppointmentType, rows: list[Row], zone: ZoneInfo, plan: Plan, day: date, until: date,
    start: datetime, end: datetime, limit: int,
) -> list[tuple[datetime, str]]:
    a, b = local_instant(day, 0, zone), local_instant(until, 0, zone)
    ids = [row.id for row in rows]
    plan.read_days(session, day, until)
    reach = timedelta(minutes=kind.minutes + kind.buffer_after + kind.buffer_before)
    busy = busy_times(session, ids, a, min(b, end + reach))
    counts = day_counts(session, kind, ids, a, b, zone) if kind.daily_max else {}
    found: list[tuple[datetime, str]] = []
    while day < until and len(found) < limit:
        streams = []
        for who in ids:
            if kind.daily_max and counts.get((who, day), 0) >= kind.daily_max:
                continue
            hours = plan.hours(who, day)
            if hours:
                starts = free_starts(
                    open_spans(day, hours, zone), busy.get(who, ()), minutes=kind.minutes, before=kind.buffer_before,
                    after=kind.buffer_after, earliest=start, latest=end,
                )
                streams.append(zip(starts, repeat(who)))
        found += islice(merge(*streams), limit - len(found))
        day += timedelta(days=1)
    return found


def _offers(
    session: Session, kind: AppointmentType, zone: ZoneInfo, found: list[tuple[datetime, str]]
) -> list[SlotOffer]:
    query = select(Clinician.id, Clinician.name, Site.name.label("site")).join(Site, Site.id == Clinician.site_id)
    names = {row.id: row for row in session.execute(query.where(Clinician.id.in_({who for _, who in found})))}
    return [
        SlotOffer(
            make_ref(kind.id, who, at), at, at + timedelta(minutes=kind.minutes), at.astimezone(zone), names[who].name,
            who, names[who].site, kind.mode, kind.code,
        )
        for at, who in found
    ]


def busy_times(session: Session, clinician_ids: Sequence[str], start: datetime, end: datetime) -> dict[str, list[Span]]:
    """What takes up the clinicians' time between two instants: appointments, holds, absences."""
    busy: dict[str, list[Span]] = defaultdict(list)
    one = clinician_ids[0] if len(clinician_ids) == 1 else None
    taken = select(Appointment.clinician_id, Appointment.busy_from, Appointment.busy_until).where(
        Appointment.clinician_id == one if one else Appointment.clinician_id.in_(clinician_ids),
        Appointment.busy_from > start - LONGEST,
        Appointment.busy_from < end,
        Appointment.busy_until > start,
        Appointment.state.in_(LIVE),
    )
    for who, a, b in session.execute(taken):
        busy[who].append((a, b))
    away = select(Unavailability.clinician_id, Unavailability.starts_at, Unavailability.ends_at).where(
        Unavailability.clinician_id.in_(clinician_ids), Unavailability.starts_at < end, Unavailability.ends_at > start
    )
    for who, a, b in session.execute(away):
        busy[who].append((a, b))
    return busy


def day_counts(
    session: Session,
    kind: AppointmentType,
    clinician_ids: Sequence[str],
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> dict[tuple[str, date], int]:
    """How many appointments of a kind each clinician has on each local day."""
    counts: dict[tuple[str, date], int] = defaultdict(int)
    rows = session.execute(
        select(Appointment.clinician_id, Appointment.starts_at).where(
            Appointment.clinician_id.in_(clinician_ids),
            Appointment.type_id == kind.id,
            Appointment.busy_from >= start - LONGEST,
            Appointment.busy_from < end,
            Appointment.state.in_(LIVE),
        )
    )
    for who, at in rows:
        counts[who, local_date(at, zone)] += 1
    return counts


class Plan:
    """The working hours of some clinicians by local day: weekly hours, unless the day has hours of its own."""

    def __init__(self, sites: dict[str, str], zone: ZoneInfo) -> None:
        self._sites = sites
        self._zone = zone
        self._weekly: dict[tuple[str, int], list[Row]] = defaultdict(list)
        self._own: dict[tuple[str, date], list[tuple[int, int]]] = {}

    @classmethod
    def load(cls, session: Session, ids: Sequence[str], sites: dict[str, str], zone: ZoneInfo) -> Plan:
        plan = cls(sites, zone)
        query = select(
            WorkingHours.clinician_id,
            WorkingHours.weekday,
            WorkingHours.starts,
            WorkingHours.ends,
            WorkingHours.valid_from,
            WorkingHours.valid_until,
        ).where(WorkingHours.clinician_id.in_(ids))
        for row in session.execute(query):
            plan._weekly[row.clinician_id, row.weekday].append(row)
        return plan

    def read_days(self, session: Session, day: date, until: date) -> None:
        """Read the exceptions of the local days [day, until)."""
        rows = session.execute(
            select(
                ScheduleException.site_id,
                ScheduleException.clinician_id,
                ScheduleException.day,
                ScheduleException.starts,
                ScheduleException.ends,
            ).where(
                ScheduleException.site_id.in_(set(self._sites.values())),
                ScheduleException.day >= day,
                ScheduleException.day < until,
                or_(ScheduleException.clinician_id.is_(None), ScheduleException.clinician_id.in_(self._sites)),
            )
        ).all()
        # A clinician's own hours win over the site's holiday: they chose to work.
        for row in sorted(rows, key=lambda row: row.clinician_id is not None):
            for who in (
                [row.clinician_id] if row.clinician_id else [w for w, s in self._sites.items() if s == row.site_id]
            ):
                spans = [] if row.starts is None or row.ends is None else [(row.starts, row.ends)]
                if row.clinician_id and spans and (who, row.day) in self._own and self._own[who, row.day]:
                    self._own[who, row.day] = [*self._own[who, row.day], *spans]
                else:
                    self._own[who, row.day] = spans

    def hours(self, clinician_id: str, day: date) -> list[tuple[int, int]]:
        """Working stretches of a local day in minutes; empty when closed."""
        own = self._own.get((clinician_id, day))
        if own is not None:
            return own
        return [
            (row.starts, row.ends)
            for row in self._weekly.get((clinician_id, day.weekday()), ())
            if (row.valid_from is None or row.valid_from <= day) and (row.valid_until is None or day <= row.valid_until)
        ]
