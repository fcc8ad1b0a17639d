"""Directions in plain words, for the read-back and the list: no abbreviations, no bare decimals, both dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from careline.clinic.medications.dosage import AsNeeded, Directions
from careline.clinic.medications.schedule import Amount, Phase, total_doses
from careline.texts import text

DAY_NAMES = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_PLURAL = {"patch": "patches", "suppository": "suppositories", "pessary": "pessaries", "gummy": "gummies"}
_FIXED = {"mg": "mg", "mL": "ml", "ug": "micrograms", "g": "g", "mmol": "mmol", "%": "%"}


def read_back(name: str, directions: Directions, now: datetime) -> str:
    """The whole read-back: 'Amoxicillin: 1 capsule, 3 times a day, at 8:00, 14:00 and 20:00, from Tue 1 Dec, ...'."""
    lines = [f"{_upper(name)}: {say(directions)}."]
    confirmed = {
        "confirm_not_QID": "once",
        "confirm_OD_once_daily": "once",
        "confirm_every_other_day": "every_other",
        "confirm_bedtime": "bedtime",
        "confirm_at_night": "at_night",
    }
    for ask in directions.asks:
        if ask in confirmed:
            lines.append(text(f"medications.read_back.check_{confirmed[ask]}"))
        elif ask == "confirm_night_doses":
            lines.append(text("medications.read_back.night"))
    if directions.lead_minutes:
        lines.append(text("medications.read_back.lead", minutes=directions.lead_minutes))
    return " ".join(lines)


def say(directions: Directions) -> str:
    """Directions in words, without the name."""
    parts: list[str] = []
    if directions.phases:
        parts.append(_schedule(directions.phases, directions))
    if directions.as_needed:
        parts.append(say_as_needed(directions.as_needed, None if directions.phases else directions.amount))
    return "; ".join(parts)


def say_amount(amount: Amount | None) -> str:
    """'1 tablet', '1 to 2 puffs', '0.5 mg', '100 micrograms'; '' when none is given."""
    if amount is None:
        return ""
    number = _number(amount.low) if amount.low == amount.high else f"{_number(amount.low)} to {_number(amount.high)}"
    unit = amount.unit
    if unit is None:
        return number
    if unit in _FIXED:
        return f"{number} {_FIXED[unit]}"
    if amount.high <= 1:
        return f"{number} {unit}"
    return f"{number} {_PLURAL.get(unit, unit + 's')}"


def say_as_needed(limits: AsNeeded, amount: Amount | None) -> str:
    """'2 puffs when needed, at least 4 hours apart, no more than 8 in 24 hours'."""
    words = " ".join(w for w in (say_amount(amount), "when needed") if w)
    if limits.reason:
        words += f" for {limits.reason}"
    if limits.min_interval_h:
        words += f", at least {_number(limits.min_interval_h)} hours apart"
    if limits.max_per_day:
        unit = f" {_PLURAL.get(limits.max_unit, limits.max_unit + 's')}" if limits.max_unit else ""
        words += f", no more than {_number(limits.max_per_day)}{unit} in 24 hours"
    return words


def say_date(day: date) -> str:
    """'Tue 1 Dec'."""
    return f"{day:%a} {day.day} {day:%b}"


def say_clock(at: datetime) -> str:
    """'8:00'."""
    return f"{at.hour}:{at:%M}"


def _schedule(phases: Sequence[Phase], directions: Directions) -> str:
    steps = _sequential(phases)
    if len(steps) > 1:
        words = [f"{_step(step, directions)}, {_span(step)}" for step in steps]
        return ", then ".join(words)
    extra = ", ".join(w for w in (_site(directions), _meals(directions)) if w)
    words = _step(steps[0], directions) + (f", {extra}" if extra else "")
    return f"{words}, {_bounds(phases)}"


def _sequential(phases: Sequence[Phase]) -> list[list[Phase]]:
    """Phases that run side by side, grouped; groups that follow each other, in order."""
    groups: dict[tuple[date, int | None], list[Phase]] = {}
    for phase in phases:
        # Rules that belong together start on the same day or alternate from day to day.
        key = (phase.start.date(), phase.days)
        near = next(
            (k for k in groups if k[1] == phase.days and abs((k[0] - key[0]).days) <= 1 and phase.days is None), key
        )
        groups.setdefault(near, []).append(phase)
    return [groups[key] for key in sorted(groups, key=lambda k: k[0])]


def _step(phases: Sequence[Phase], directions: Directions) -> str:
    amounts = {phase.amount for phase in phases}
    rhythms = {_rhythm(phase) for phase in phases}
    if len(amounts) == 1:
        amount = say_amount(next(iter(amounts)))
        if len(rhythms) == 1:
            times = sorted({clock for phase in phases for clock in _clocks(phase)})
            return ", ".join(
                w for w in (amount, _rhythm_words(phases[0], len(times)), _times_words(phases, times)) if w
            )
    words = []
    for phase in phases:
        times = _clocks(phase)
        words.append(
            " ".join(w for w in (say_amount(phase.amount), _rhythm_words(phase, 0), _times_words([phase], times)) if w)
        )
    daily = all(phase.rule.startswith("FREQ=DAILY;BYHOUR") for phase in phases)
    return " and ".join(words) + (", every day" if daily else "")


def _rhythm(phase: Phase) -> str:
    return re.sub(r";BY(HOUR|MINUTE|SECOND)=[\d,]+", "", phase.rule) + f"/{phase.cycle_days}"


def _field(phase: Phase, name: str) -> str | None:
    m = re.search(rf"\b{name}=([^;]+)", phase.rule)
    return m[1] if m else None


def _clocks(phase: Phase) -> list[tuple[int, int]]:
    hours, minute = _field(phase, "BYHOUR"), _field(phase, "BYMINUTE")
    if hours is None:
        return []
    return [(int(h), int(minute or 0)) for h in hours.split(",")]


def _times_words(phases: Sequence[Phase], times: Sequence[tuple[int, int]]) -> str:
    if not times:
        return f"starting at {say_clock(phases[0].start)}" if "FREQ=HOURLY" in phases[0].rule else ""
    return "at " + _list([f"{h}:{m:02d}" for h, m in times])


def _rhythm_words(phase: Phase, times: int) -> str:
    freq, interval = _field(phase, "FREQ"), int(_field(phase, "INTERVAL") or 1)
    days = [d for d in (_field(phase, "BYDAY") or "").split(",") if d]
    if phase.cycle_days:
        off = phase.cycle_days - (phase.days or 0)
        return f"{_a_day(times)} for {_days(phase.days or 0)}, then {_days(off)} without, over and over"
    if freq == "HOURLY":
        return f"every {interval} hours" if interval > 1 else "every hour"
    if freq == "WEEKLY":
        names = [DAY_NAMES[d[-2:]] for d in days]
        if len(names) == 1:
            every = (
                "ONCE A WEEK"
                if interval == 1
                else "ONCE EVERY 2 WEEKS"
                if interval == 2
                else f"once every {interval} weeks"
            )
            return f"{every}, on {names[0]}s"
        return "on " + _list([f"{name}s" for name in names])
    if freq == "MONTHLY":
        if days:
            which = {"1": "first", "2": "second", "3": "third", "4": "fourth", "-1": "last"}[days[0][:-2]]
            return f"once a month, on the {which} {DAY_NAMES[days[0][-2:]]}"
        number = _list([_ordinal(int(d)) for d in (_field(phase, "BYMONTHDAY") or "1").split(",")])
        return f"on the {number} of each month"
    if _field(phase, "COUNT") == "1":
        return "once"
    if interval == 2:
        return "every other day"
    if interval > 2:
        return f"every {interval} days"
    return _a_day(times)


def _a_day(times: int) -> str:
    return {0: "", 1: "once a day", 2: "twice a day"}.get(times, f"{times} times a day")


def _span(phases: Sequence[Phase]) -> str:
    first = min(phase.start for phase in phases).date()
    days = phases[0].days
    if days is None:
        if _field(phases[0], "COUNT") == "1":
            return f"on {say_date(first)}"
        return f"from {say_date(first)}, no end date"
    if days == 1:
        return f"on {say_date(first)}"
    return f"for {_days(days)} ({say_date(first)} to {say_date(first + timedelta(days=days - 1))})"


def _bounds(phases: Sequence[Phase]) -> str:
    first = min(next(phase.local_times()) for phase in phases)
    total = total_doses(phases)
    if total == 1:
        return f"on {say_date(first.date())}"
    if total is None:
        return f"from {say_date(first.date())}, no end date"
    last = max(at for phase in phases for at in phase.local_times())
    return f"from {say_date(first.date())} to {say_date(last.date())} ({total} doses in all)"


def _site(directions: Directions) -> str:
    if directions.site:
        return f"in {directions.site}" if "eye" in directions.site or "ear" in directions.site else directions.site
    return directions.route or ""


def _meals(directions: Directions) -> str:
    return {"with": "with food", "before": "before food", "after": "after food"}.get(directions.meals or "", "")


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"


def _ordinal(n: int) -> str:
    return f"{n}{'th' if 10 <= n % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def _number(n: float) -> str:
    return f"{n:g}" if n < 1e6 else f"{n:.0f}"


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
