# ruff: noqa: E501 - the patterns of a grammar read better whole
"""Dates as people say them: 'next Tuesday after 3', 'tomorrow morning', 'the 3rd', 'in two weeks', 'not Friday'.

All times here are naive wall-clock times of the clinic. What can be read in two ways is asked, never guessed; the
hour of a clinic's day is not one of them ("after 3" is the afternoon).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

HORIZON_DAYS = 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Parts of the day in minutes.
PARTS = {
    "early morning": (0, 600), "first thing": (0, 600), "late morning": (600, 720), "morning": (0, 720),
    "early afternoon": (720, 900), "late afternoon": (900, 1080), "afternoon": (720, 1080),
    "lunch": (720, 840), "lunchtime": (720, 840), "midday": (690, 780), "noon": (690, 780),
    "after work": (1020, 1440), "after school": (930, 1440), "evening": (1020, 1440), "night": (1020, 1440),
    "before work": (0, 540), "end of the day": (960, 1440), "end of day": (960, 1440),
}
_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}
_ORDINALS = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
    "eighth": "8th", "ninth": "9th", "tenth": "10th", "twentieth": "20th", "thirtieth": "30th",
}
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)(?:s|day|sday|nesday|nes|r|rs|rsday|urday|ur)?s?"
_MONTH = (
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?"
)
_CLOCK = r"(\d{1,2})(?:[:.](\d{2}))? ?(am|pm|o'?clock)?"


@dataclass(frozen=True)
class TimeWindow:
    """Half-open stretch [start, end) of the clinic's wall-clock time (naive)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class When:
    """What was understood.

    `windows`: where an appointment may start, soonest first; empty when nothing was understood.
    `question`: key in the text catalogue of what must be asked first ('appointments.when.which_day', '.date_order',
    '.am_or_pm', '.past', '.too_far', '.unclear'), with `fields` to fill it and `options` as answers; None when clear.
    `soonest`: the patient wants the first that is free ('as soon as possible', 'any time').
    `words`: what was understood, for the read-back ('Tue 1 Dec, after 15:00').
    """

    windows: tuple[TimeWindow, ...] = ()
    question: str | None = None
    fields: dict[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    soonest: bool = False
    words: str = ""


def understand_when(text: str, now_local: datetime) -> When:
    """Read a wish for a date or time. `now_local` is the clinic's wall clock (naive or aware). Never raises."""
    try:
        return _Reader(text, now_local.replace(tzinfo=None)).read()
    except (ValueError, OverflowError):
        return _ask("unclear")


def _ask(code: str, *options: str, **fields: object) -> When:
    return When(question=f"appointments.when.{code}", options=options, fields=fields)


class _Ask(Exception):
    def __init__(self, when: When) -> None:
        self.when = when


class _Reader:
    def __init__(self, text: str, now: datetime) -> None:
        self.now = now
        self.today = now.date()
        self.line = _normalise(text)
        self.ranges: list[tuple[date, date]] = []
        self.not_days: set[int] = set()
        self.only_days: set[int] = set()
        self.not_dates: set[date] = set()
        self.times: list[tuple[int, int]] = []
        self.soonest = False
        self.found = False

    def read(self) -> When:
        try:
            self._past()
            self._excluded()
            self._times()
            self._days()
        except _Ask as ask:
            return ask.when
        if re.search(r"\b(?:as soon as|asap|soonest|earliest|first (?:one|available|free|slot|appointment)|next (?:one|available|free|slot|appointment)|any ?time|whenever|"
                     r"any ?day|don't mind|do not mind|no preference|anything|either|urgent(?:ly)?|sooner the better)\b", self.line):
            self.soonest = self.found = True
        if not (self.found or self.ranges or self.times or self.not_days or self.only_days or self.not_dates):
            return _ask("unclear")
        return self._answer()

    # -- what is said ---------------------------------------------------------------------------------------

    def _eat(self, pattern: str) -> list[re.Match[str]]:
        found = list(re.finditer(rf"\b(?:{pattern})(?!\w)", self.line))
        for m in reversed(found):
            self.line = self.line[: m.start()] + " | " + self.line[m.end():]
        return found

    def _past(self) -> None:
        if self._eat(rf"yesterday|last (?:week|month|{_DAY})|\d+ (?:days?|weeks?|months?) ago"):
            raise _Ask(_ask("past"))

    def _excluded(self) -> None:
        no = r"(?:not|except(?: for)?|but not|any ?(?:day|time) (?:but|except)|apart from|no|can'?t (?:do|make|manage)|cannot (?:do|make)|avoid|other than|don'?t (?:want|do))(?: on| the| a| any| for)*"
        days = rf"{_DAY}(?:(?:,| or| and|, or|, and|/)+ ?(?:on )?{_DAY})*"
        for m in self._eat(rf"{no} ({days})"):
            self.not_days |= {DAYS.index(d) for d in re.findall(_DAY, m[0])}
        for _ in self._eat(rf"{no} week ?ends?"):
            self.not_days |= {5, 6}
        for _ in self._eat(rf"{no} tomorrow"):
            self.not_dates.add(self.today + timedelta(days=1))
        for _ in self._eat(rf"{no} today"):
            self.not_dates.add(self.today)
        parts = "|".join(sorted(PARTS, key=len, reverse=True))
        for m in self._eat(rf"{no} (?:in )?(?:the )?(?:very )?({parts})s?"):
            a, b = PARTS[m[1]]
            self.times += [span for span in ((0, a), (b, 1440)) if span[0] < span[1]]
        for m in self._eat(rf"not before {_CLOCK}"):
            self.times.append((self._clock(m), 1440))
        for m in self._eat(rf"not (?:after|later than) {_CLOCK}"):
            self.times.append((0, self._clock(m)))

    def _times(self) -> None:
        for m in self._eat(r"(half past|quarter past|quarter to) (\d{1,2}) ?(am|pm)?"):
            at = self._minutes(m[2], None, m[3]) + {"half past": 30, "quarter past": 15, "quarter to": -15}[m[1]]
            self.times.append((at, at + 30))
        two = r"(\d{1,2})(?:[:.](\d{2}))? ?(am|pm)?"
        for m in self._eat(rf"(?:between|from) {two} (?:and|to|until|till|-) {two}|{two} ?(?:-|to) ?(\d{{1,2}})(?:[:.](\d{{2}}))? ?(am|pm)"):
            g = [x for x in (m.groups()[:6] if m[1] else m.groups()[6:])]
            late = self._minutes(g[3], g[4], g[5])
            early = self._minutes(g[0], g[1], g[2], before=late)
            self.times.append((early, late))
        for m in self._eat(rf"(?:any ?time )?(?:after|from|later than|past|not earlier than) {_CLOCK}(?: onwards?)?(?! (?:days?|weeks?|months?|{_MONTH}))"):
            self.times.append((self._clock(m), 1440))
        for m in self._eat(rf"(?:any ?time )?(?:before|until|till|by|earlier than) {_CLOCK}(?! (?:days?|weeks?|{_MONTH}))"):
            self.times.append((0, self._clock(m)))
        for m in self._eat(r"(?:at |around |about |approximately |@ ?)(\d{1,2})(?:[:.](\d{2}))? ?(am|pm|o'?clock)?(?! (?:days?|weeks?))|(\d{1,2})(?:[:.](\d{2}))? ?(am|pm|o'?clock)|(\d{1,2}):(\d{2})"):
            g = m.groups()
            at = self._minutes(g[0] or g[3] or g[6], g[1] or g[4] or g[7], g[2] or g[5])
            around = "around" in m[0] or "about" in m[0] or "approx" in m[0]
            self.times.append((at - 60, at + 61) if around else (at, at + 30))
        for m in self._eat(r"this (morning|afternoon|evening)"):
            self.ranges.append((self.today, self.today))
            self.times.append(PARTS[m[1]])
        parts = "|".join(sorted(PARTS, key=len, reverse=True))
        for m in self._eat(rf"(?:in |at |during )?(?:the |this |any )?({parts})s?(?: time| only)?"):
            self.times.append(PARTS[m[1]])
        if self._eat(r"tonight"):
            self.ranges.append((self.today, self.today))
            self.times.append(PARTS["evening"])

    def _days(self) -> None:
        today = self.today
        monday = today - timedelta(days=today.weekday())
        add = self.ranges.append

        def day(at: date) -> None:
            add((at, at))

        for _ in self._eat(r"(?:the )?day after tomorrow"):
            day(today + timedelta(days=2))
        for _ in self._eat(r"tomorrow|tomorow|tommorow|tmrw|tmr|tomoz"):
            day(today + timedelta(days=1))
        for _ in self._eat(r"today|this (?:morning|afternoon|evening)|now|right away|straight away|same day"):
            day(today)
        for m in self._eat(rf"(?:a|1) week (?:on |from |this )?(?:{_DAY}|today|tomorrow)|{_DAY} week"):
            name = m[1] or m[2]
            base = self._coming(DAYS.index(name)) if name else today + timedelta(days="tomorrow" in m[0])
            day(base + timedelta(days=7))
        for m in self._eat(rf"{_DAY},? (?:of )?next week|next week,? (?:on )?{_DAY}"):
            day(monday + timedelta(days=7 + DAYS.index(m[1] or m[2])))
        for m in self._eat(rf"{_DAY},? (?:of )?(?:this|the) week|this week,? (?:on )?{_DAY}"):
            self._this(DAYS.index(m[1] or m[2]), monday)
        for m in self._eat(r"(?:within|in) the next (\d+)? ?(days?|weeks?)|within (?:(\d+)|an?) (days?|weeks?)|(?:in )?the next (?:few|couple of) days"):
            n = int(m[1] or m[3] or 1) * (7 if "week" in m[0] else 1) if "few" not in m[0] and "couple" not in m[0] else 4
            add((today, today + timedelta(days=n)))
        for m in self._eat(r"(?:in (?:about )?|(?=\d+ (?:days?|weeks?|months?) (?:from now|time)))(?:(\d+)|an?) (days?|weeks?|months?)(?: from now|'?s?'? time)?"):
            n = int(m[1] or 1)
            if m[2].startswith("d"):
                day(today + timedelta(days=n))
            elif m[2].startswith("w"):
                add((today + timedelta(days=7 * n), today + timedelta(days=7 * n + 4)))
            else:
                add((today + timedelta(days=30 * n), today + timedelta(days=30 * n + 7)))
        self._dates()
        start = monday + timedelta(days=7)
        for _ in self._eat(r"(?:early|beginning of|start of) next week"):
            add((start, start + timedelta(days=1)))
        for _ in self._eat(r"(?:later|late|end of) next week"):
            add((start + timedelta(days=3), start + timedelta(days=4)))
        for _ in self._eat(r"(?:the )?week after next"):
            add((start + timedelta(days=7), start + timedelta(days=13)))
        for _ in self._eat(r"(?:some ?time |any ?time |anything )?next week(?: some ?time| any ?time)?"):
            add((start, start + timedelta(days=6)))
        for _ in self._eat(r"(?:later|end of) (?:the |this )?week|later this week"):
            add((max(today, monday + timedelta(days=3)), monday + timedelta(days=4)))
        for _ in self._eat(r"(?:some ?time |any ?time |anything )?this week(?: some ?time)?"):
            add((today, monday + timedelta(days=6)))
        for _ in self._eat(r"next week ?end"):
            if today.weekday() < 5:
                raise _Ask(_ask("which_day", self._say(monday + timedelta(days=5)), self._say(monday + timedelta(days=12))))
            add((monday + timedelta(days=12), monday + timedelta(days=13)))
        for _ in self._eat(r"(?:this |the )?week ?ends?"):
            self.only_days |= {5, 6}
        for _ in self._eat(r"week ?days?"):
            self.only_days |= set(range(5))
        for _ in self._eat(r"next month"):
            first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
            add((first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)))
        self._weekdays(monday)

    def _dates(self) -> None:
        for m in self._eat(r"(\d{4})-(\d{1,2})-(\d{1,2})"):
            self._date(date(int(m[1]), int(m[2]), int(m[3])), dated=True)
        for m in self._eat(rf"(?:{_DAY},? )?(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (\d{{4}}))?"):
            self._named(int(m[2]), MONTHS.index(m[3]) + 1, m[4], m[1])
        for m in self._eat(rf"(?:{_DAY},? )?{_MONTH} (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?"):
            self._named(int(m[3]), MONTHS.index(m[2]) + 1, m[4], m[1])
        for m in self._eat(r"(\d{1,2})[/.](\d{1,2})(?:[/.](\d{2,4}))?"):
            a, b = int(m[1]), int(m[2])
            year = None if not m[3] else m[3] if len(m[3]) == 4 else f"20{m[3]}"
            if a > 12:
                self._named(a, b, year, None)
            elif b > 12:
                self._named(b, a, year, None)
            elif a == b:
                self._named(a, b, year, None)
            else:
                both = [self._next(a, b, year), self._next(b, a, year)]
                near = [at for at in both if 0 <= (at - self.today).days <= HORIZON_DAYS]
                if len(near) != 1:
                    raise _Ask(_ask("date_order", *(self._say(at) for at in both)))
                self.ranges.append((near[0], near[0]))
        for m in self._eat(rf"(?:{_DAY},? )?(?:on )?(?:the )?(\d{{1,2}})(?:st|nd|rd|th)(?: of (?:the|this|next) month)?"):
            number = int(m[2])
            at = self.today
            while at.day != number:
                at += timedelta(days=1)
                if (at - self.today).days > 62:
                    raise _Ask(_ask("unclear"))
            if m[1] and at.weekday() != DAYS.index(m[1]):
                raise _Ask(_ask("weekday_differs", date=self._say(at)))
            self._date(at)

    def _named(self, day: int, month: int, year: str | None, weekday: str | None) -> None:
        at = self._next(day, month, year)
        if weekday and at.weekday() != DAYS.index(weekday):
            raise _Ask(_ask("weekday_differs", date=self._say(at)))
        self._date(at, dated=year is not None)

    def _next(self, day: int, month: int, year: str | None) -> date:
        if year:
            return date(int(year), month, day)
        at = date(self.today.year, month, day)
        return at if at >= self.today else date(self.today.year + 1, month, day)

    def _date(self, at: date, *, dated: bool = False) -> None:
        if at < self.today:
            raise _Ask(_ask("past"))
        if (at - self.today).days > HORIZON_DAYS:
            raise _Ask(_ask("too_far", days=HORIZON_DAYS))
        self.ranges.append((at, at))

    def _weekdays(self, monday: date) -> None:
        for m in self._eat(rf"{_DAY} ?(?:-|to|through) ?{_DAY}"):
            a, b = DAYS.index(m[1]), DAYS.index(m[2])
            self.only_days |= {(a + i) % 7 for i in range((b - a) % 7 + 1)}
        for m in self._eat(rf"(next |this |this coming |coming |on |any |every )?{_DAY}( ?s\b)?"):
            number = DAYS.index(m[2])
            lead = (m[1] or "").strip()
            coming = self._coming(number)
            if lead == "next":
                if coming <= monday + timedelta(days=6) and coming != self.today:
                    # "next Friday" on a Monday: this week's for one, the week after for another.
                    raise _Ask(_ask("which_day", self._say(coming), self._say(coming + timedelta(days=7))))
                self.ranges.append((coming, coming))
            elif lead in ("any", "every") or m[0].rstrip().endswith("days"):
                self.only_days.add(number)
            else:
                self.ranges.append((coming, coming))

    def _coming(self, number: int) -> date:
        """The next such weekday; on the day itself it is the one in a week."""
        return self.today + timedelta(days=(number - self.today.weekday() - 1) % 7 + 1)

    def _this(self, number: int, monday: date) -> None:
        at = monday + timedelta(days=number)
        if at < self.today:
            raise _Ask(_ask("past"))
        self.ranges.append((at, at))

    def _clock(self, m: re.Match[str]) -> int:
        return self._minutes(m[1], m[2], m[3])

    def _minutes(self, hour: str, minute: str | None, half: str | None, before: int | None = None) -> int:
        h, mi = int(hour), int(minute or 0)
        if h > 23 or mi > 59:
            raise _Ask(_ask("unclear"))
        if half in ("am", "pm") and h <= 12:
            h = h % 12 + (12 if half == "pm" else 0)
        elif h < 7:
            h += 12  # no clinic sees people at 3 in the night
        elif h == 7 and half != "am" and len(hour) == 1:
            if before is not None and before > 12 * 60 and before <= 13 * 60:
                return h * 60 + mi
            raise _Ask(_ask("am_or_pm", f"{h} am", f"{h} pm", hour=h))
        at = h * 60 + mi
        if before is not None and at > before and at >= 720:
            at -= 720
        return at

    # -- the answer -----------------------------------------------------------------------------------------

    def _answer(self) -> When:
        horizon = self.today + timedelta(days=HORIZON_DAYS)
        ranges = self.ranges or [(self.today, horizon)]
        times = self.times or [(0, 1440)]
        if len(self.times) == 2 and self.times[0][1] == 1440 and self.times[1][0] == 0 and self.times[0][0] < self.times[1][1]:
            times = [(self.times[0][0], self.times[1][1])]  # "after 2 and before 4"
        days: set[date] = set()
        for first, last in ranges:
            at = max(first, self.today)
            while at <= min(last, horizon):
                days.add(at)
                at += timedelta(days=1)
        if any(first > horizon for first, _ in ranges) and not days:
            return _ask("too_far", days=HORIZON_DAYS)
        windows: list[TimeWindow] = []
        for at in sorted(days):
            weekday = at.weekday()
            if weekday in self.not_days or at in self.not_dates or (self.only_days and weekday not in self.only_days):
                continue
            for a, b in sorted(times):
                start = max(_at(at, max(a, 0)), self.now)
                end = _at(at, min(b, 1440))
                if start < end:
                    if windows and windows[-1].end == start and (a, b) == (0, 1440):
                        windows[-1] = TimeWindow(windows[-1].start, end)
                    else:
                        windows.append(TimeWindow(start, end))
        if not windows:
            return _ask("past") if self.ranges and not self.not_days else _ask("unclear")
        return When(tuple(windows), soonest=self.soonest, words=self._words())

    def _words(self) -> str:
        parts = []
        for first, last in sorted(set(self.ranges))[:4]:
            parts.append(self._say(first) if first == last else f"{self._say(max(first, self.today))} to {self._say(last)}")
        if self.only_days:
            parts.append(" or ".join(DAYS[d].title() for d in sorted(self.only_days)))
        if self.not_days:
            parts.append("not " + " or ".join(DAYS[d].title() for d in sorted(self.not_days)))
        for a, b in self.times[:2]:
            parts.append(f"before {_hm(b)}" if a <= 0 else f"after {_hm(a)}" if b >= 1440 else f"between {_hm(a)} and {_hm(b)}")
        return ", ".join(parts)

    @staticmethod
    def _say(at: date) -> str:
        return f"{at:%a} {at.day} {at:%b}"


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def _hm(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"


def _normalise(text: str) -> str:
    line = text[:300].casefold().replace("’", "'").replace("–", "-")
    line = re.sub(r"\b([ap])\.?m\b\.?", r"\1m", line)
    line = re.sub(rf"\b(?:{'|'.join(_ORDINALS)})\b(?! (?:thing|available|free|one|slot|appointment))",
                  lambda m: _ORDINALS[m[0]], line)
    line = re.sub(r"\b(?:a )?couple of\b", "2", line)
    line = re.sub(r"\b(?:a )?fortnight\b", "2 weeks", line)
    line = re.sub(r"\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b(?! (?:is|please|that))",
                  lambda m: _WORDS[m[0]], line)
    line = re.sub(r"\b(\d) ?pm\b", r"\1 pm", line)
    return re.sub(r"\s+", " ", line)
