# ruff: noqa: E501 - the patterns of a grammar read better whole
"""Directions as patients and labels write them -> a schedule, a question, or a refusal.

`understand()` never guesses: directions that can be read in two ways, that would be unsafe, or that hold a word it
does not know create no reminders (`schedules` is False) and say what to ask (`asks`). Directions that ask for advice
on a dose are refused. Even a clear schedule is only stored after a read-back and a yes.

Sources: HL7 FHIR R4 Timing and its GTSAbbreviation codes; UK prescription shorthand (BNF); the ISMP and Joint
Commission lists of error-prone abbreviations, which always carry a `confirm_...` ask.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from dateutil.relativedelta import relativedelta

from careline.clinic.medications import guard
from careline.clinic.medications.clause import BYDAY, DAYS, MASS, Clock, Said, read
from careline.clinic.medications.directions_text import normalise
from careline.clinic.medications.medicines import Medicine, find_in
from careline.clinic.medications.schedule import Amount, Basis, Phase, local_occurrences, total_doses

Kind = Literal["scheduled", "prn", "taper", "cyclic", "one_off", "ambiguous", "unsafe", "refuse"]

# When a label gives a number of times a day but no clock times; the patient confirms them in the read-back.
TIMES: dict[int, tuple[Clock, ...]] = {
    1: ((8, 0),),
    2: ((8, 0), (20, 0)),
    3: ((8, 0), (14, 0), (20, 0)),
    4: ((8, 0), (12, 0), (18, 0), (22, 0)),
}
MEAL_TIMES: dict[int, tuple[Clock, ...]] = {
    1: ((8, 0),), 2: ((8, 0), (18, 0)), 3: ((8, 0), (13, 0), (18, 0)),
}
FIRST_DOSE: Clock = (8, 0)
LAST_AWAKE = 22
# Dosing intervals in use; any other ("every 7 hours") is grammatical but odd: a pharmacist looks at it first.
KNOWN_INTERVALS = {1, 2, 3, 4, 6, 8, 12, 24, 36, 48, 72, 96, 120, 168}


@dataclass(frozen=True)
class AsNeeded:
    """An as-needed medicine: the limits that the patient entered, never ours."""

    reason: str | None = None
    min_interval_h: float | None = None
    max_per_day: float | None = None
    max_unit: str | None = None


@dataclass(frozen=True)
class Directions:
    """What directions mean.

    `schedules`: reminders may be made once the patient says yes to the read-back. `asks`: what to confirm or, when
    `schedules` is False, what must be answered first. `amount` is None when none is given or it differs by phase.
    """

    kind: Kind
    schedules: bool = False
    amount: Amount | None = None
    phases: tuple[Phase, ...] = ()
    basis: Basis = "wall_clock"
    as_needed: AsNeeded | None = None
    asks: tuple[str, ...] = ()
    strength: str | None = None
    site: str | None = None
    route: str | None = None
    meals: str | None = None
    lead_minutes: int = 0
    medicine: str | None = None
    unclear: str = ""

    def occurrences(self, limit: int = 8) -> list[datetime]:
        """The first due times on the patient's wall clock (naive)."""
        return local_occurrences(self.phases, limit)

    @property
    def total(self) -> int | None:
        """How many doses in all, None when open-ended or nothing is scheduled."""
        return total_doses(self.phases) if self.phases else None


def understand(
    text: str,
    now: datetime,
    *,
    medicine: Medicine | None = None,
    times: Mapping[int, tuple[Clock, ...]] = TIMES,
    find: Callable[[str], tuple[str, Medicine] | None] = find_in,
) -> Directions:
    """Read directions. `now`: the patient's naive wall-clock time. Never raises, for any string."""
    try:
        return _Reader(now, medicine, times, find).read(text)
    except (ValueError, OverflowError):
        # Numbers that no calendar holds ("every 99999999 days").
        return Directions("ambiguous", asks=("unclear",), unclear=text[:200])


# Numbers that are misread (ISMP): naked decimal, trailing zero, thousands, the micro sign, U for units.
_ERROR_PRONE_NUMBER = re.compile(r"(?<!\d)[.,]\d|\d\.0\b|\d,\d|[\u00b5\u03bc]|\d ?(?:U|IU|iu|u)\b")
_REFUSE_MISSED = re.compile(
    r"\b(miss(?:ed|ing)?|forg[eo]t(?:ten)?|late|catch up|make up|skipped|extra (?:one|dose|tablet|pill)s? (?:if|when|because))\b"
)
_REFUSE_CHANGE = re.compile(
    r"\b(doubl(?:e|ed|ing)|triple|halve|can i|could i|should i|shall i|may i|is it (?:ok|okay|safe|alright)|do i (?:have|need)|"
    r"what if|what happens|instead|all at once|all together|take more(?! than)|take less|change (?:my|the) dose|cut down|"
    r"stop taking|come off|wean (?:my|off)|(?:feel|if) (?:worse|better)|until (?:i|you) feel|increase (?:it |the dose )?(?:if|when|until)|"
    r"(?:more|extra|another|2nd)(?: \w+){0,2} if|why|how (?:much|many)|too (?:much|many)|overdose)\b|\?"
)
_CONDITIONAL = re.compile(
    r"\b(according to|depending on|depends on|as per|sliding scale|adjust(?:ed)?|titrate|based on|inr|blood (?:sugar|glucose)|"
    r"carbs?|carbohydrates?|blood tests?|as (?:directed|advised|instructed|prescribed|discussed|told|per)|use as directed|"
    r"when told|ask (?:your )?(?:doctor|pharmacist|gp|nurse)|see (?:leaflet|packet|instructions)|variable|vary|varies)\b"
)
_THEN = re.compile(r"(?:[,;.|] ?|\b)(?:and )?(?:then|followed by|after that|afterwards|thereafter|after which)\b(?: take| use| reduce to| drop to| go (?:down|up) to| increase to| decrease to)?[ ,:]*")
_STEP = re.compile(
    r"(?:,? ?(?:and )?(?:then )?)?\b(reduc(?:e|ing)|decreas(?:e|ing)|taper(?:ing)?(?: down)?|lower(?:ing)?|drop(?:ping)?|down|increas(?:e|ing)|up)(?: the dose)? by "
    r"(?P<by>\d+(?:\.\d+)?) ?(?P<unit>mg|ug|mcg|g|ml|tablets?|tabs?|units?)? ?(?:every|each|per|a) ?(?P<n>\d+)?[a-z]{0,2} ?(?P<span>days?|weeks?|day|week)"
    r"(?: ?(?:until|to|down to|up to|til|till)(?: (?:reaching|you reach|it is))? ?(?P<to>\d+(?:\.\d+)?) ?(?:mg|ug|mcg|g|ml|tablets?|tabs?|units?)?(?: (?:daily|a day|once daily|then stop))?)?"
    r"(?P<stop>,? ?(?:and |then |until )*(?:stop(?:ped)?|finish(?:ed)?|zero|0|off|none)?)"
)
_PACK = re.compile(r"(?<![\d-])(\d{1,2}(?:-\d{1,2}){3,})(?![\d-])(?: ?(?:day|tablet|tab|dose)?[- ]?(?:dose ?-?pack|dosepak|pack|taper|course|reducing course))?")
_SLOTS = re.compile(
    r"(?<![\d.+/-])((?:\d+(?:\.\d+)?) ?[-+] ?(?:\d+(?:\.\d+)?) ?[-+] ?(?:\d+(?:\.\d+)?)(?: ?[-+] ?(?:\d+(?:\.\d+)?))?)(?![\d+/-])"
)


class _Reader:
    def __init__(
        self, now: datetime, medicine: Medicine | None, times: Mapping[int, tuple[Clock, ...]],
        find: Callable[[str], tuple[str, Medicine] | None],
    ) -> None:
        self.now = now.replace(tzinfo=None, second=0, microsecond=0)
        self.today = self.now.date()
        self.medicine = medicine
        self.times = times
        self.find = find

    def read(self, text: str) -> Directions:
        line = normalise(text[:1000])
        bare = re.sub(r"[^\w ]", "", line).strip()
        if not bare:
            return Directions("ambiguous", asks=("label_text",))
        if bare == "sos":
            return Directions("ambiguous", asks=("safety_check",))
        if _REFUSE_MISSED.search(line):
            return Directions("refuse", asks=("missed_dose_to_pharmacist",))
        if _REFUSE_CHANGE.search(line):
            return Directions("refuse", asks=("dose_change_to_clinician",))
        if _CONDITIONAL.search(line):
            return Directions("ambiguous", asks=("label_text",))
        found = self.find(line)
        if found and self.medicine is None:
            self.medicine = found[1]
        result = self._slots(line) or self._pack(line) or self._steps(line) or self._clauses(line)
        result = self._guard(result)
        if result.schedules and _ERROR_PRONE_NUMBER.search(text):
            result = replace(result, asks=(*result.asks, "read_back_dose"))
        return result

    # -- whole-line forms ---------------------------------------------------------------------------------

    def _slots(self, line: str) -> Directions | None:
        """'1-0-1', '1-0-1-0', '1+1+1': amounts by time of day."""
        m = _SLOTS.search(line)
        if not m:
            return None
        plus = "+" in m[1]
        if plus and "-" in m[1]:
            return None
        numbers = [float(n) for n in re.split(r" ?[-+] ?", m[1])]
        if max(numbers) > 10 or not any(numbers):
            return None
        if all(a > b for a, b in itertools.pairwise(numbers)) and numbers[-1]:
            # "3-2-1": a falling course by the day for one reader, times of the day for another.
            return _unclear("taper_details")
        rest = self._said((line[: m.start()] + " | " + line[m.end():]).strip())
        # A unit may stand beside the scheme ("1-0-1 tablets"), other amounts or times may not.
        if rest.leftover or rest.blocks or rest.timed or rest.prn or len(rest.amounts) > 1:
            return _unclear(rest)
        unit = rest.amounts[0].unit if rest.amounts else _stray_unit(line[m.end():]) or _stray_unit(line[: m.start()])
        if len(numbers) == 3 and plus:
            clocks: list[Clock] = [(8, 0), (14, 0), (20, 0)]
        else:
            clocks = [(8, 0), (12, 0), (18, 0), (22, 0)][: len(numbers)]
        by_amount: dict[float, list[Clock]] = {}
        for number, clock in zip(numbers, clocks, strict=True):
            if number:
                by_amount.setdefault(number, []).append(clock)
        start, days, end_asks = self._start_and_days(rest, min(c for n, c in zip(numbers, clocks, strict=True) if n))
        phases = tuple(
            phase
            for number, at in by_amount.items()
            for phase in _daily(at, Amount(number, number, unit), start, days)
        )
        return self._done("scheduled", phases, rest, ["read_back", *end_asks])

    def _pack(self, line: str) -> Directions | None:
        """'6-5-4-3-2-1 dose pack': one number of tablets a day, going down to the end."""
        m = _PACK.search(line)
        if not m:
            return None
        numbers = [int(n) for n in m[1].split("-")]
        falling = all(a > b for a, b in itertools.pairwise(numbers))
        rest = self._said(line[: m.start()] + " | " + line[m.end():])
        named = m[0] != m[1]
        if not falling or rest.leftover or rest.blocks or rest.amounts or (len(numbers) < 5 and not named):
            return _unclear(rest)
        start = self._taper_start(rest)
        phases = tuple(
            _daily([FIRST_DOSE], Amount(n, n, "tablet"), start + timedelta(days=i), 1)[0] for i, n in enumerate(numbers)
        )
        return self._done("taper", phases, rest, ["times_within_day", "read_back_all_phases"], amount=None)

    def _steps(self, line: str) -> Directions | None:
        """'30 mg daily, reducing by 5 mg every 3 days': all phases worked out, so that each can be read back."""
        m = _STEP.search(line)
        if not m:
            return None
        rest = self._said(line[: m.start()] + " | " + line[m.end():])
        if rest.leftover or rest.blocks or len(rest.amounts) != 1 or rest.prn or rest.interval_h or rest.weekdays:
            return _unclear(rest, "taper_details")
        first = rest.amounts[0]
        by, length = float(m["by"]), int(m["n"] or 1) * (7 if m["span"].startswith("w") else 1)
        up = m[1].startswith(("incr", "up"))
        target = float(m["to"]) if m["to"] else None
        if first.low != first.high or by <= 0 or (up and target is None):
            return _unclear(rest, "taper_details")
        clocks = self._clocks(rest) or [FIRST_DOSE]
        first_length = sum(rest.days) or length
        start, phases, level = self._taper_start(rest), [], first.low
        goal = target or 0.0
        while (level < goal if up else level > goal) and len(phases) < 40:
            phases += _daily(clocks, Amount(level, level, first.unit), start, first_length if not phases else length)
            start += timedelta(days=first_length if len(phases) == 1 else length)
            level = round(level + by if up else level - by, 4)
        if not phases or (target is not None and level != target) or (target is None and level < 0):
            return _unclear(rest, "taper_details")
        if target:
            phases += _daily(clocks, Amount(target, target, first.unit), start, length if m["stop"].strip() else None)
        return self._done("taper", tuple(phases), rest, ["read_back_all_phases"], amount=None)

    # -- clauses ------------------------------------------------------------------------------------------

    def _said(self, text: str) -> Said:
        return read(text, self.today, self._words)

    def _words(self, text: str) -> tuple[str, str] | None:
        found = self.find(text)
        return (found[0], found[1].name) if found else None

    def _clauses(self, line: str) -> Directions:
        whole = self._said(line)
        steps = [part for part in _THEN.split(line) if part.strip(" ,.;")]
        if whole.cycle and not whole.leftover:
            return self._cycle(whole)
        if len(steps) > 1:
            return self._sequence([self._said(part) for part in steps])
        alternating = self._alternating(line)
        if alternating:
            return alternating
        if whole.weekdays and len(whole.clocks) + len(whole.anchors) > 1:
            own = self._own_days(line, whole)
            if own:
                return own
        if len(whole.amounts) > 1 or whole.day_window:
            parts = [self._said(part) for part in _split(line)]
            if len(parts) == 1 and len(whole.amounts) > 1:
                # "1 tab mane 2 tabs nocte": nothing but the next amount parts them.
                cut = re.split(r" (?=\d+(?:\.\d+)? ?(?:tab|cap|pill|puff|drop|ml|mg|unit|mane|nocte|at night|in the|at bed))", line)
                parts = [self._said(part) for part in cut if part.strip(" ,.;")]
            if len(parts) > 1:
                return self._parts(parts, whole)
        return self._single(whole)

    def _own_days(self, line: str, whole: Said) -> Directions | None:
        """'Mon at 8 am and Thu at 9 pm': times that belong to their own days; None when all days share all times."""
        parts = [self._said(part) for part in re.split(r"[,;]|\band\b", line) if part.strip(" .")]
        both = [part for part in parts if part.weekdays and (part.clocks or part.anchors or part.unsure_clocks)]
        if len(both) < 2:
            return None
        amounts = [part.amounts for part in parts if part.amounts]
        if len(both) < len(parts) or (amounts and len(amounts) != len(parts) and len(amounts) > 1):
            return _unclear(whole, "clock_times")
        for part in parts:
            part.amounts = part.amounts or (list(amounts[0]) if amounts else [])
        return self._parts(parts, whole)

    def _alternating(self, line: str) -> Directions | None:
        m = re.search(
            r"\b(?:alternat(?:e|ing|ely)(?: (?:between|with))? )?(\d+(?:\.\d+)? ?(?:mg|ug|mcg|g|tablets?|tabs?|units?|ml))(?: ?(?:,|and|alternating with|/) ?)"
            r"(\d+(?:\.\d+)? ?(?:mg|ug|mcg|g|tablets?|tabs?|units?|ml))(?: (?:on )?(?:alternat(?:e|ing) days?|every other day))?", line)
        if not m or "alternat" not in line:
            return None
        rest = self._said(re.sub(r"\balternat\w+( days?| daily)?", " | ", line[: m.start()] + " | " + m[0][m.end(2) - m.start():] + line[m.end():]))
        first, second = self._said(m[1]), self._said(m[2])
        if rest.leftover or rest.blocks or rest.amounts or rest.prn or rest.interval_h or rest.weekdays or len(rest.counts) > 1:
            return _unclear(rest)
        clocks = self._clocks(rest) or [FIRST_DOSE]
        start, days, _ = self._start_and_days(rest, clocks[0])
        phases = []
        for i, said in enumerate((first, second)):
            phases += _rules("FREQ=DAILY;INTERVAL=2", clocks, said.amounts[0], start + timedelta(days=i), days and days - i)
        return self._done("scheduled", tuple(phases), rest, ["read_back", "start_date"], amount=None)

    def _cycle(self, said: Said) -> Directions:
        assert said.cycle
        on, off = said.cycle
        if said.blocks or said.interval_h or said.weekdays or said.every_days or said.prn or len(said.amounts) > 1:
            return _unclear(said)
        clocks = self._clocks(said)
        if isinstance(clocks, Directions):
            return clocks
        clocks = clocks or [FIRST_DOSE]
        start = self._taper_start(said)
        amount = said.amounts[0] if said.amounts else None
        phases = tuple(
            replace(phase, cycle_days=on + off) for phase in _daily(clocks, amount, start, on)
        )
        if said.days or said.months or said.until:
            return _unclear(said, "end_date")
        return self._done("cyclic", phases, said, ["first_day_of_pack"])

    def _sequence(self, steps: list[Said]) -> Directions:
        """Phases one after the other: 'A for 5 days then B for 5 days'."""
        if steps[-1].leftover == "stop" or (steps[-1].leftover in ("stop", "stop taking", "finish") and len(steps) > 1):
            steps = steps[:-1]
            if len(steps) == 1:
                return self._single(steps[0])
        if any(said.leftover or said.blocks for said in steps):
            return _unclear(*steps)
        prn = [said for said in steps if said.prn]
        if prn:
            return self._with_as_needed([said for said in steps if not said.prn], prn)
        start = self._taper_start(steps[0])
        phases: list[Phase] = []
        previous: Said | None = None
        for i, said in enumerate(steps):
            last = i == len(steps) - 1
            if len(said.amounts) > 1 or said.interval_h or said.every_weeks or said.month_days or said.per_week:
                return _unclear(said, "read_back_all_phases")
            clocks = self._clocks(said)
            if isinstance(clocks, Directions):
                return clocks
            if not clocks and not said.once:
                clocks = (self._clocks(previous) if previous and not previous.once else None) or []
            if said.once and len(clocks or []) > 1:
                return _unclear(said)
            clocks = clocks or [FIRST_DOSE]
            length = self._length(said, start)
            if said.day_window:
                first, end = said.day_window
                if end is None or first != (start - self._taper_start(steps[0])).days + 1:
                    return _unclear(said)
                length = end - first + 1
            if said.once:
                length = 1
            if length is None and not last:
                return _unclear(said, "end_date")
            if not said.amounts and previous and previous.amounts and said.timed and not said.once:
                said.amounts = list(previous.amounts)  # "1 tablet twice a day for 5 days then once a day"
            amount = said.amounts[0] if said.amounts else None
            if amount is not None and amount.unit is None and previous and previous.amounts:
                amount = replace(amount, unit=previous.amounts[0].unit)
                said.amounts = [amount]
            if amount is None and (not said.timed or any(step.amounts for step in steps)):
                return _unclear(said, "dose_unit")
            if said.every_days or said.weekdays:
                if length is not None and len(said.every_days) == 1 and not said.weekdays:
                    phases += _rules(f"FREQ=DAILY;INTERVAL={said.every_days[0]}", clocks, amount, start, length)
                else:
                    return _unclear(said)
            elif said.once == "today" or (said.once and i == 0):
                phases.append(_once(clocks[0], amount, start))
            else:
                phases += _daily(clocks, amount, start, length)
            if length is not None:
                start += timedelta(days=length)
            previous = said
        units = {phase.amount.unit for phase in phases if phase.amount}
        if len(units) > 1:
            return _unclear(*steps)
        first = steps[0]
        if first.once and len(steps) > 1 and first.amounts and len(phases) > 1 and phases[1].start.date() == phases[0].start.date():
            return _unclear(*steps)
        amount = first.amounts[0] if first.once == "today" else None
        return self._done("taper", tuple(phases), first, ["read_back_all_phases"], amount=amount, also=steps)

    def _with_as_needed(self, scheduled: list[Said], prn: list[Said]) -> Directions:
        if len(scheduled) != 1 or len(prn) != 1:
            return _unclear(*scheduled, *prn)
        main = self._single(scheduled[0])
        if not main.schedules:
            return main
        return replace(main, kind="prn", as_needed=_as_needed(prn[0]), asks=("read_back",))

    def _parts(self, parts: list[Said], whole: Said) -> Directions:
        """Amounts side by side ('2 in the morning and 1 at night'), or one after the other when each has a length."""
        if any(said.leftover or said.blocks for said in parts):
            return _unclear(*parts)
        prn = [said for said in parts if said.prn]
        if prn:
            return self._with_as_needed([said for said in parts if not said.prn], prn)
        if any(said.day_window for said in parts):
            return self._sequence(parts)
        bounded = [said for said in parts if said.days or said.months]
        if len(bounded) >= len(parts) - 1 and len(parts) > 1 and bounded and bounded[0] is parts[0]:
            return self._sequence(parts)
        if len(bounded) > 1 or any(len(said.amounts) > 1 or not said.timed for said in parts):
            return _unclear(*parts)
        if len({bool(said.amounts) for said in parts}) > 1:
            return _unclear(*parts)
        if any(said.weekdays == {"sat", "sun"} for said in parts):
            for said in parts:
                if said.per_week == 5 and not said.weekdays:
                    said.weekdays, said.per_week = set(DAYS[:5]), None
        named = set().union(*(said.weekdays for said in parts))
        for said in parts:
            if said.other_days and not said.weekdays and named:
                said.weekdays, said.weak_daily, named = set(DAYS) - named, False, set(DAYS)
        # What stands once at the end ("for 5 days") holds for all of them.
        common = bounded[0] if bounded else whole
        phases: list[Phase] = []
        seen: set[tuple[str | None, Clock]] = set()
        for said in parts:
            if said.interval_h or said.every_weeks or said.per_week or said.month_days or said.once or said.every_days:
                return _unclear(said)
            if said.amounts and said.amounts[0].unit is None and parts[0].amounts[0].unit:
                said.amounts = [replace(said.amounts[0], unit=parts[0].amounts[0].unit)]
            said.days, said.months = common.days, common.months
            said.start, said.until = whole.start, whole.until
            one = self._single(said)
            if not one.schedules:
                return one
            clocks = self._clocks(said)
            for clock in clocks if isinstance(clocks, list) else []:
                for day in said.weekdays or {None}:
                    # Two amounts at one time on one day contradict each other.
                    if (day, clock) in seen or (None, clock) in seen or (day and not said.weekdays):
                        return _unclear(*parts)
                    seen.add((day, clock))
            phases += one.phases
        if any(day is None for day, _ in seen) and any(day for day, _ in seen):
            return _unclear(*parts)
        amounts = {phase.amount for phase in phases}
        return self._done(
            "scheduled", tuple(phases), whole, ["read_back"], amount=amounts.pop() if len(amounts) == 1 else None
        )

    def _single(self, said: Said) -> Directions:
        if said.leftover:
            return _unclear(said)
        if len(said.amounts) > 1:
            return _unclear(said, "dose_unit")
        amount = said.amounts[0] if said.amounts else None
        if said.site is None and amount and amount.unit == "drop" and "confirm_OD_once_daily" in said.asks:
            # Beside eye drops OD is the right eye for some and once a day for others.
            return Directions("ambiguous", amount=amount, asks=("right_eye_or_once_a_day",), medicine=said.medicine)
        if said.blocks:
            blocks = tuple(dict.fromkeys(said.blocks))
            return Directions("ambiguous", amount=amount, asks=blocks, medicine=said.medicine)
        if said.unsure_clocks:
            return Directions("ambiguous", amount=amount, asks=("am_or_pm",), medicine=said.medicine)
        if amount and amount.unit is None and amount.high > 12:
            return _unclear(said, "dose_unit")
        if said.max_per_day is not None and not said.prn and not self._within(said, amount):
            said.prn = True
            said.asks.append("confirm_as_needed")
        if said.prn:
            return self._prn(said, amount)
        if said.interval_h:
            return self._interval(said, amount)
        clocks = self._clocks(said)
        if isinstance(clocks, Directions):
            return replace(clocks, amount=amount)
        if said.once and (not said.timed or not said.weak_daily):
            return self._once_only(said, amount, clocks)
        return self._days(said, amount, clocks)

    def _within(self, said: Said, amount: Amount | None) -> bool:
        """Does a day of the schedule stay within the limit that is written beside it?"""
        clocks = self._clocks(said)
        times = 24 / abs(said.interval_h[0]) if said.interval_h else len(clocks) if isinstance(clocks, list) else 99
        each = amount.high if amount and amount.unit not in MASS else 1
        return max(times, 1) * each <= (said.max_per_day or 0)

    def _prn(self, said: Said, amount: Amount | None) -> Directions:
        return Directions(
            "prn", amount=amount, as_needed=_as_needed(said), asks=tuple(dict.fromkeys(said.asks)),
            strength=said.strength, site=said.site, route=said.route, medicine=said.medicine,
        )

    def _once_only(self, said: Said, amount: Amount | None, clocks: list[Clock]) -> Directions:
        if len(clocks) > 1 or (said.counts and said.counts != [1]) or said.days or said.every_days or said.weekdays:
            return _unclear(said)
        if said.once == "once" and not clocks and not said.start and amount is None:
            return _unclear(said, "how_often")
        start = said.start or (self.today + timedelta(days=1) if said.once == "tomorrow" else self.today)
        clock = clocks[0] if clocks else FIRST_DOSE
        if start == self.today and datetime.combine(start, time(*clock)) < self.now:
            return _unclear(said, "clock_times")
        return self._done("one_off", (_once(clock, amount, start),), said, ["confirm_times"])

    def _interval(self, said: Said, amount: Amount | None) -> Directions:
        if len(set(said.interval_h)) > 1 or said.interval_h[0] < 0:
            return Directions("ambiguous", amount=amount, asks=("which_interval",), medicine=said.medicine)
        hours = said.interval_h[0]
        if said.weekdays or said.every_days or said.every_weeks or said.per_week or said.month_days:
            return _unclear(said)
        if hours not in KNOWN_INTERVALS or not float(hours).is_integer():
            return Directions("unsafe", amount=amount, asks=("confirm_with_pharmacist",), medicine=said.medicine)
        hours = int(hours)
        if said.counts:
            if len(set(said.counts)) > 1 or hours * said.counts[0] != 24:
                return Directions("ambiguous", amount=amount, asks=("how_often",), medicine=said.medicine)
            said.interval_h = []
            return self._single(said)
        if said.awake:
            if hours > 8:
                return _unclear(said)
            clocks = [(hour, 0) for hour in range(FIRST_DOSE[0], LAST_AWAKE + 1, hours)]
            start, days, asks = self._start_and_days(said, FIRST_DOSE)
            return self._done("scheduled", tuple(_daily(clocks, amount, start, days)), said, ["wake_and_sleep_times", *asks])
        clocks = sorted({*said.clocks, *(clock for clock, _ in said.anchors)})
        asks = ["first_dose_time"]
        if len(clocks) > 1:
            gaps = {(b[0] * 60 + b[1] - a[0] * 60 - a[1]) for a, b in itertools.pairwise(clocks)}
            if gaps != {hours * 60} or len(clocks) * hours != 24:
                return Directions("ambiguous", amount=amount, asks=("clock_times",), medicine=said.medicine)
            said.interval_h = []
            return self._single(said)
        first = clocks[0] if clocks else FIRST_DOSE
        start = datetime.combine(said.start or self.today, time(*first))
        while start < self.now:
            # A dose time of today that has gone by: the grid continues, the first dose is the next on it.
            start += timedelta(hours=hours)
        count = said.dose_count
        length = self._length(said, start.date())
        if count is None and length is not None:
            if length * 24 % hours:
                return Directions("ambiguous", amount=amount, asks=("end_date",), medicine=said.medicine)
            count = length * 24 // hours
        if hours not in {n for n in range(1, 25) if 24 % n == 0}:
            asks.append("confirm_unusual_interval")
        if hours <= 3:
            asks.append("confirm_night_doses")
        rule = f"FREQ=HOURLY;INTERVAL={hours}" + (f";COUNT={count}" if count else "")
        basis: Basis = "wall_clock" if 24 % hours == 0 else "elapsed"
        return replace(
            self._done("scheduled", (Phase(rule, start, amount),), said, asks), basis=basis
        )

    def _days(self, said: Said, amount: Amount | None, clocks: list[Clock]) -> Directions:
        """Schedules that name days: every day, every n days, weekdays, weeks, months."""
        patterns = [bool(said.every_days), bool(said.weekdays or said.per_week), bool(said.month_days or said.month_weekday or said.per_month or said.every_months)]
        if sum(patterns) > 1 or len(set(said.every_days)) > 1 or len(set(said.every_weeks)) > 1:
            return _unclear(said, "which_days")
        if said.weak_daily and any(patterns) and not said.every_days and not (said.weekdays and not said.per_week):
            return _unclear(said, "which_days")
        rare = ""
        asks: list[str] = []
        day_asked: str | None = None
        weekly_start: date | None = None
        if said.every_days:
            if not 2 <= said.every_days[0] <= 400:
                rare = "" if said.every_days[0] == 1 else "odd"
            rare = f"FREQ=DAILY;INTERVAL={said.every_days[0]}" if said.every_days[0] > 1 else ""
            asks.append("start_date")
        elif said.weekdays:
            if said.per_week not in (None, len(said.weekdays)):
                return _unclear(said, "which_days")
            days = [day for day in DAYS if day in said.weekdays]
            every = said.every_weeks[0] if said.every_weeks else 1
            if every > 1 and len(days) > 1:
                return _unclear(said, "which_days")
            interval = f";INTERVAL={every}" if every > 1 else ""
            if len(days) < 7:
                rare = f"FREQ=WEEKLY{interval};BYDAY={','.join(BYDAY[day] for day in days)}"
            if every > 1:
                asks.append("start_date")
                first = said.start or self.today
                weekly_start = first + timedelta(days=(DAYS.index(days[0]) - first.weekday()) % 7)
            if len(days) == 1:
                asks.append("read_back_weekly")
        elif said.per_week or said.every_weeks:
            if said.per_week == 7:
                rare = ""
            else:
                day_asked = "which_day" if (said.per_week or 1) == 1 else "which_days"
        elif said.month_weekday:
            rare = f"FREQ=MONTHLY;BYDAY={said.month_weekday}"
        elif said.month_days:
            days_of_month = sorted(set(said.month_days))
            if any(not 1 <= day <= 28 for day in days_of_month):
                return Directions("ambiguous", amount=amount, asks=("short_months",), medicine=said.medicine)
            rare = f"FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, days_of_month))}"
            if said.every_months:
                return _unclear(said, "start_date")
        elif said.per_month or said.every_months:
            day_asked = "which_date"
        if day_asked:
            return Directions("scheduled", amount=amount, asks=(day_asked,), medicine=said.medicine)
        timed = said.counts or said.weak_daily or clocks or rare or said.per_week == 7
        if not timed:
            return Directions("ambiguous", amount=amount, asks=("how_often",), medicine=said.medicine, strength=said.strength)
        clocks = clocks or [FIRST_DOSE]
        start, days_long, more = self._start_and_days(said, clocks[0])
        if weekly_start:
            if days_long is not None and weekly_start != start:
                return _unclear(said, "start_date")
            start = weekly_start
        phases = _rules(rare or "FREQ=DAILY", clocks, amount, start, days_long)
        if said.dose_count:
            if days_long is not None or len(phases) != 1:
                return _unclear(said, "end_date")
            phases = [replace(phases[0], rule=_with_count(phases[0].rule, said.dose_count))]
        elif days_long is not None and not rare and start == self.today and len(phases) == 1 and phases[0].start < self.now:
            # Part of today has gone by: the same number of doses, from the next one on.
            total = days_long * len(clocks)
            phases = [replace(phases[0], rule=_with_count(phases[0].rule, total), start=self.now, days=None)]
            more.append("confirm_start_date")
        elif start == self.today and phases[0].start < self.now:
            phases = [replace(phase, start=max(phase.start, self.now)) if not rare or "BY" in rare else phase for phase in phases]
            if rare.startswith("FREQ=DAILY") and days_long is None:
                phases = [replace(p, start=p.start + timedelta(days=1)) for p in phases] if clocks[-1] < (self.now.hour, self.now.minute) else phases
        if not said.clocks and not said.anchors:
            asks.append("confirm_meal_times" if said.meals or said.each_meal else "confirm_times")
        return self._done("scheduled", tuple(phases), said, [*asks, *more])

    # -- parts --------------------------------------------------------------------------------------------

    def _clocks(self, said: Said | None) -> list[Clock] | Directions:
        """Clock times of a clause, [] when it gives none; Directions when they contradict each other or must be asked."""
        if said is None:
            return []
        def ask(code: str, kind: Kind = "ambiguous") -> Directions:
            return Directions(kind, asks=(code,), medicine=said.medicine)

        counts = set(said.counts)
        if len(counts) > 1:
            return ask("how_often")
        count = counts.pop() if counts else None
        if said.unsure_clocks:
            return ask("am_or_pm")
        anchors = list(dict.fromkeys(clock for clock, _ in said.anchors))
        if said.clocks:
            clocks = set(said.clocks)
            clocks |= {clock for clock, name in said.anchors if not any(_near(c, name) for c in said.clocks)}
            if count is not None and count != len(clocks):
                return ask("clock_times")
            return sorted(clocks)
        if said.each_meal or (said.meals and (count or anchors)):
            meal_count = count - len(anchors) if count else (3 if said.each_meal else 0)
            if said.each_meal and count == 1 and not anchors:
                meal_count = 1
            if meal_count == 0 and anchors:
                return sorted(anchors)
            if meal_count in MEAL_TIMES:
                shift = said.offset_min
                shifted = [_shift(clock, shift) for clock in MEAL_TIMES[meal_count]]
                return sorted(set(shifted) | set(anchors))
            if count in self.times and not anchors:
                return list(self.times[count])
            return ask("five_clock_times" if count == 5 else "clock_times", "scheduled")
        if anchors:
            if count is not None and count != len(anchors):
                return ask("clock_times" if count > len(anchors) else "how_often")
            return sorted(anchors)
        if count is not None:
            if count in self.times:
                return list(self.times[count])
            return ask("five_clock_times" if count == 5 else "clock_times", "scheduled")
        return []

    def _length(self, said: Said, start: date) -> int | None:
        """Calendar days from `start`, from days, months or an end date (inclusive)."""
        if said.months is not None:
            return ((start + relativedelta(months=said.months)) - start).days
        if said.days:
            return said.days[0] if len(set(said.days)) == 1 else sum(said.days)
        if said.until:
            return (said.until - start).days + 1
        return None

    def _start_and_days(self, said: Said, first: Clock) -> tuple[date, int | None, list[str]]:
        start = said.start or self.today
        days = self._length(said, start)
        asks: list[str] = []
        if days is not None and days < 1:
            raise ValueError("ends before it starts")
        if len(set(said.days)) > 1:
            raise ValueError("two lengths")
        return start, days, asks

    def _taper_start(self, said: Said) -> date:
        """Courses with phases start whole: today when the first dose is still to come, else tomorrow."""
        if said.start:
            return said.start
        if datetime.combine(self.today, time(*FIRST_DOSE)) >= self.now:
            return self.today
        if "start_date" not in said.asks:
            said.asks.append("start_date")
        return self.today + timedelta(days=1)

    def _done(
        self, kind: Kind, phases: tuple[Phase, ...], said: Said, asks: list[str], *,
        amount: Amount | Literal["same"] | None = "same", also: list[Said] | None = None,
    ) -> Directions:
        if amount == "same":
            amounts = {phase.amount for phase in phases}
            amount = amounts.pop() if len(amounts) == 1 else None
        asks = [*dict.fromkeys([*said.asks, *asks])]
        given = [phase.amount for phase in phases]
        if kind == "scheduled" and any(one is None or one.unit is None for one in given) and "read_back" not in asks:
            asks.append("dose_unit")
        if said.lead_min:
            asks.append(f"lead_time_{said.lead_min}min")
        return Directions(
            kind, True, amount, phases, asks=tuple(asks), strength=said.strength, site=said.site, route=said.route,
            meals=said.meals, lead_minutes=said.lead_min or 0, medicine=said.medicine,
        )

    def _guard(self, result: Directions) -> Directions:
        """Weekly-only medicines taken daily, and amounts above the guard list, are never scheduled."""
        if result.kind in ("refuse", "ambiguous", "unsafe"):
            return result
        problem = guard.check(
            self.medicine, result.amount, result.phases, result.strength, result.as_needed is not None and not result.phases,
            result.as_needed.max_per_day if result.as_needed else None,
        )
        if problem is None:
            return result
        return Directions("unsafe", amount=result.amount, asks=(problem,), medicine=self.medicine.name if self.medicine else None)


def _as_needed(said: Said) -> AsNeeded:
    interval = said.min_interval_h
    if interval is None and said.interval_h:
        interval = min(abs(hours) for hours in said.interval_h)
    most = said.max_per_day
    if most is None and interval:
        most = 24 // interval
    elif most is None and said.counts:
        most = max(said.counts)
    return AsNeeded(said.prn_reason, interval, most, said.max_unit)


def _unclear(*said: Said, ask: str | None = None) -> Directions:
    """Nothing is scheduled: the open questions of the clauses, or that it was not understood."""
    codes = [code for one in said if isinstance(one, Said) for code in one.blocks]
    codes += [one for one in said if isinstance(one, str)]
    left = " ".join(one.leftover for one in said if isinstance(one, Said)).strip()
    medicine = next((one.medicine for one in said if isinstance(one, Said) and one.medicine), None)
    return Directions("ambiguous", asks=tuple(dict.fromkeys(codes)) or ("unclear",), unclear=left, medicine=medicine)


def _split(line: str) -> list[str]:
    """Clauses that each begin with an amount: '50 ug on weekdays and 100 ug at weekends'."""
    number = r"\d+(?:\.\d+)?(?: ?(?:-|to|or) ?\d+(?:\.\d+)?)?"
    begins = re.compile(
        rf"(?:[,;.]| and| plus| \+|(?<=\|)) ?(?:and )?(?:take |use |inject )?(?={number} ?(?:mg|ug|mcg|g|ml|tab|cap|puff|drop|unit|spray|patch|sachet|pill|x \d|(?:in|at|before|after|with|every|on|for|daily|once|twice|extra)\b|$)(?! ?(?:am|pm|:)))"
        r"|(?:[,;.]| and) ?(?=(?:days?|weeks?) \d)|(?:; ?)"
    )
    return [part for part in begins.split(line) if part and part.strip(" ,.;")]


def _stray_unit(text: str) -> str | None:
    said = read(f"1 {text.strip()}", date(2000, 1, 1), lambda _: None)
    return said.amounts[0].unit if said.amounts else None


def _near(clock: Clock, name: str) -> bool:
    """Is a clock time what the part of the day means ('8:30 in the morning')?"""
    hour = clock[0]
    if name in ("morning", "breakfast"):
        return 4 <= hour < 12
    if name in ("noon", "lunch"):
        return 11 <= hour < 15
    if name == "afternoon":
        return 12 <= hour < 18
    if name in ("evening", "dinner"):
        return 16 <= hour < 23
    return hour >= 19 or hour < 3


def _shift(clock: Clock, minutes: int) -> Clock:
    total = (clock[0] * 60 + clock[1] + minutes) % 1440
    return total // 60, total % 60


def _daily(clocks: list[Clock], amount: Amount | None, start: date, days: int | None) -> list[Phase]:
    return _rules("FREQ=DAILY", clocks, amount, start, days)


def _rules(
    base: str, clocks: list[Clock] | tuple[Clock, ...], amount: Amount | None, start: date, days: int | None
) -> list[Phase]:
    """One rule for each minute of the hour: BYHOUR and BYMINUTE multiply, so 9:00 and 22:30 need two."""
    phases = []
    for minute in sorted({m for _, m in clocks}, key=lambda m: min(c for c in clocks if c[1] == m)):
        hours = sorted(h for h, m in clocks if m == minute)
        rule = f"{base};BYHOUR={','.join(map(str, hours))};BYMINUTE={minute};BYSECOND=0"
        phases.append(Phase(rule, datetime.combine(start, time(hours[0], minute)), amount, days))
    return phases


def _once(clock: Clock, amount: Amount | None, day: date) -> Phase:
    rule = f"FREQ=DAILY;COUNT=1;BYHOUR={clock[0]};BYMINUTE={clock[1]};BYSECOND=0"
    return Phase(rule, datetime.combine(day, time(*clock)), amount)


def _with_count(rule: str, count: int) -> str:
    freq, _, rest = rule.partition(";")
    return f"{freq};COUNT={count};{rest}" if rest else f"{freq};COUNT={count}"
