# ruff: noqa: E501 - the patterns of a grammar read better whole
"""One clause of a direction -> what it says of amount and timing, and the words that were not understood.

Patterns eat what they understand from the line; whatever is left and is not a filler word makes the direction
unclear. So a word nobody thought of leads to a question, never to a guessed schedule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from careline.clinic.medications.schedule import Amount

Clock = tuple[int, int]

ANCHORS: dict[str, Clock] = {
    "morning": (8, 0), "breakfast": (8, 0), "noon": (12, 0), "lunch": (13, 0), "afternoon": (15, 0),
    "dinner": (18, 0), "evening": (18, 0), "bedtime": (22, 0), "night": (22, 0), "midnight": (0, 0),
}
MEALS = ("breakfast", "lunch", "dinner")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BYDAY = dict(zip(DAYS, ("MO", "TU", "WE", "TH", "FR", "SA", "SU"), strict=True))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = (
    r"(?:mon(?:days?)?|tues?(?:days?)?|wed(?:s|nesdays?)?|thu(?:rs?|rsdays?)?|fri(?:days?)?|sat(?:urdays?)?|"
    r"sun(?:days?)?)"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    rf"(?:(?:next |this |coming )?{_DAY}|tomorrow|today|tonight|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?: \d{{4}})?|"
    rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}[/.]\d{{1,2}}(?:[/.]\d{{2,4}})?|"
    r"(?:the )?\d{1,2}(?:st|nd|rd|th))"
)
_N = r"(\d+(?:\.\d+)?)"

UNITS: dict[str, str] = {
    r"tab(?:let)?s?|tabl|pills?|caplets?|tbs": "tablet",
    r"cap(?:sule)?s?": "capsule",
    r"puffs?|inhalations?": "puff",
    r"drops?|gtts?|gtt": "drop",
    r"ml spoon(?:ful)?s?|ml|mls|millilit(?:er|re)s?|cc": "mL",
    r"mcg|ug|mikrog|micrograms?|micrograms|mics?": "ug",
    r"mg|mgs|milligrams?|milligrammes?": "mg",
    r"gm?|grams?|grammes?": "g",
    r"units?|iu|i\.?u|u|international units?": "unit",
    r"patch(?:es)?": "patch",
    r"sachets?|packets?": "sachet",
    r"sprays?|squirts?": "spray",
    r"suppositor(?:y|ies)": "suppository",
    r"pessar(?:y|ies)": "pessary",
    r"lozenges?": "lozenge",
    r"ampoules?|nebules?|vials?": "ampoule",
    r"injections?|jabs?|shots?": "injection",
    r"applications?": "application",
    r"tea ?spoon(?:ful)?s?|tsps?": "teaspoon",
    r"table ?spoon(?:ful)?s?|tbsps?": "tablespoon",
    r"mmol": "mmol",
    r"gumm(?:y|ies)|chews?": "gummy",
    r"strips?|films?|wafers?": "film",
    r"scoops?": "scoop",
    r"%": "%",
}
MASS = {"mg", "ug", "g"}
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}

DAILY_COUNT = {
    "bd": 2, "bid": 2, "bds": 2, "tds": 3, "tid": 3, "tdd": 3, "td": 3, "qds": 4, "qid": 4, "qd": 1, "od": 1, "sid": 1,
}
_REASONS = (
    "pain|pains|fever|temperature|nausea|sickness|vomiting|sleep|insomnia|anxiety|itch|itching|itchiness|wheeze|"
    "wheezing|breathlessness|shortness of breath|headache|headaches|migraine|cough|constipation|diarrhoea|diarrhea|"
    "heartburn|indigestion|reflux|allergy|allergies|hay fever|hayfever|infection|chest infection|blood pressure|"
    "high blood pressure|cholesterol|diabetes|asthma|swelling|spasm|spasms|cramps|cramp|dizziness|rash|eczema|acne|"
    "angina|chest pain|gout|arthritis|depression|mood|epilepsy|fits|seizures|thyroid|inflammation|water infection|"
    "uti|heart|stomach|bones|osteoporosis|copd|agitation|muscle pain|back pain|joint pain|period pain|sore throat|"
    "runny nose|congestion|symptoms|relief|pain relief|breakthrough pain|hypertension|vertigo|palpitations|cold"
)
_FILLERS = set(
    ["take", "taking", "takes", "taken", "use", "using", "apply", "inhale", "instil", "instill", "insert", "inject", "give", "given", "put", "swallow", "dissolve", "place", "chew", "drink", "suck", "have", "has", "the", "a", "an", "of", "please", "your", "my", "his", "her", "their", "our", "it", "them", "this", "that", "is", "i", "you", "to", "be", "with", "by", "in", "at", "on", "and", "or", "per", "for", "dose", "doses", "daily", "each", "mouth", "orally", "oral", "po", "water", "glass", "full", "plenty", "whole", "medicine", "medication", "tabs", "tab", "name", "as", "into", "onto", "under", "tongue", "via", "per", "os", "skin", "then", "also", "usual", "usually", "prescribed", "label", "says", "say", "every", "need", "want", "reminder", "reminders", "remind", "me", "set", "up", "about", "around", "ok", "thanks", "hi", "hello", "day", "ie", "eg", "total", "course", ",", "now", "just", "starting", "start", "begin", "beginning", "change", "replace", "new", "spacer", "inhaler", "am", "a'", "regularly", "strength", "of", "only", "him", "she", "he", "we", "us", "was", "were", "from", "dr", "doctor", "gp", "told", "said", "put", "im", "i'm"]
)


@dataclass
class Said:
    """What one clause says. Lists keep contradictions visible: two frequencies are a question, not the last one."""

    amounts: list[Amount] = field(default_factory=list)
    strength: str | None = None
    counts: list[int] = field(default_factory=list)
    weak_daily: bool = False
    anchors: list[tuple[Clock, str]] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    unsure_clocks: list[Clock] = field(default_factory=list)
    bare_clocks: int = 0
    meals: str | None = None
    each_meal: bool = False
    offset_min: int = 0
    interval_h: list[float] = field(default_factory=list)
    awake: bool = False
    every_days: list[int] = field(default_factory=list)
    weekdays: set[str] = field(default_factory=set)
    every_weeks: list[int] = field(default_factory=list)
    per_week: int | None = None
    month_days: list[int] = field(default_factory=list)
    month_weekday: str | None = None
    every_months: int | None = None
    per_month: int | None = None
    days: list[int] = field(default_factory=list)
    months: int | None = None
    dose_count: int | None = None
    day_window: tuple[int, int | None] | None = None
    start: date | None = None
    until: date | None = None
    once: str | None = None
    other_days: bool = False
    prn: bool = False
    prn_reason: str | None = None
    max_per_day: float | None = None
    max_unit: str | None = None
    min_interval_h: float | None = None
    cycle: tuple[int, int] | None = None
    step: tuple[float, str | None, int, int] | None = None
    step_to: float | None = None
    lead_min: int | None = None
    site: str | None = None
    route: str | None = None
    asks: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    medicine: str | None = None
    leftover: str = ""

    @property
    def timed(self) -> bool:
        return bool(
            self.counts or self.weak_daily or self.anchors or self.clocks or self.unsure_clocks or self.interval_h
            or self.every_days or self.weekdays or self.every_weeks or self.per_week or self.month_days
            or self.other_days or self.month_weekday or self.every_months or self.per_month or self.each_meal or self.once
        )


class _Line:
    def __init__(self, text: str) -> None:
        self.text = text
        self.ends_with_on = bool(
            re.search(r"(?:^|tab|caps?|tablets?|capsules?|\d) on(?: (?:x ?|for )?\d+(?:/(?:7|52|12)| days?| weeks?| months?))?$|^on$", text.strip())
        )

    def eat(self, pattern: str, do: Callable[[re.Match[str]], object] | None = None) -> bool:
        found = False

        def replace(m: re.Match[str]) -> str:
            nonlocal found
            if do is not None and do(m) is False:
                return m.group()
            found = True
            return " | "

        self.text = re.sub(rf"(?<![\w.])(?:{pattern})(?!\w)", replace, self.text)
        return found


def read(text: str, today: date, medicine_words: Callable[[str], tuple[str, str] | None]) -> Said:
    """Read one clause of normalised text. `medicine_words` finds a medicine: text -> (its words, its name) or None."""
    said = Said()
    line = _Line(text)
    found = medicine_words(text)
    if found:
        said.medicine = found[1]
        words = re.escape(found[0])
        # "8 paracetamol" counts tablets; elsewhere the name says nothing about the amount.
        line.eat(rf"{_N} (?:x )?{words}(?! \d+(?:\.\d+)? ?(?:mg|ug|mcg|g|ml))", lambda m: said.amounts.append(_amount(m[1], m[1], "tablet")))
        line.eat(words)
    _labels(line)
    _prn(line, said)
    _bounds(line, said, today)
    _rhythm(line, said)
    _clock_times(line, said)
    _anchors(line, said)
    _counts(line, said)
    _site(line, said)
    _amounts(line, said)
    # "at 8 every morning": the part of the day says which 8 is meant.
    if len(said.unsure_clocks) == 1 and len({name for _, name in said.anchors}) == 1:
        (hour, minute), name = said.unsure_clocks[0], said.anchors[0][1]
        if name in ("morning", "breakfast") and 4 <= hour < 12:
            said.clocks, said.unsure_clocks = [(hour, minute)], []
        elif name in ("evening", "dinner", "night", "bedtime", "afternoon") and 1 <= hour < 12 and (hour >= 5 or name == "afternoon"):
            said.clocks, said.unsure_clocks = [(hour + 12, minute)], []
    # "6 in the morning and 8 at night": clock times for one reader, units of insulin for another.
    if (said.bare_clocks > 1 and not said.amounts) or (said.bare_clocks and any(a.unit is None for a in said.amounts)):
        said.blocks.append("clock_or_amount")
    if any(amount.unit in ("teaspoon", "tablespoon") for amount in said.amounts):
        said.asks.append("confirm_spoon_size")
    said.leftover = _leftover(line.text, said)
    return said


def _labels(line: _Line) -> None:
    for pattern in (
        r"(?:swallow(?:ed)?|taken?)? ?whole(?: with (?:a )?(?:full )?(?:glass|plenty|lots)? ?(?:of )?water)?",
        r"(?:with|in) (?:a |1 )?(?:full |large |big |small |half a )?(?:glass|plenty|lots|sip|drink)(?: full)?(?: of)?(?: cold| still)? ?water",
        r"with water", r"(?:do not|don't|dont) (?:crush|chew|drink alcohol|drive|break|cut|suck)(?: (?:or|and) (?:crush|chew|break|drive|suck))*(?: it| them)?",
        r"avoid (?:alcohol|grapefruit|sunlight|sun|milk|antacids|dairy)(?: (?:juice|and \w+))?",
        r"may (?:cause|make you) (?:drowsiness|drowsy|sleepy|feel sleepy)[^|,.]*",
        r"(?:finish|complete) (?:the|all|your)? ?(?:whole )?(?:course|packet|pack|prescription|tablets)?",
        r"until (?:the )?(?:course|pack|packet)? ?(?:is |are )?(?:all )?(?:finished|complete|completed|gone|used up)",
        r"(?:and )?(?:stay|sit|remain) upright[^|,]*", r"spaced? (?:the doses |out )*evenly[^|,.]*", r"keep taking[^|]*?(?:told to stop|finished|$)", r"evenly spaced",
        r"at (?:about |around )?the same time(?: each| every)?(?: day)?", r"shake (?:the bottle|well|before use)[^|,]*",
        r"(?:rinse|wash)[^|,]*", r"dissolved? (?:in|under)[^|,]*?(?:water|tongue)", r"sparingly|thinly|liberally|generously|to (?:the )?affected (?:area|areas|skin|parts?)",
        r"on an? empty stomach|empty stomach", r"regular(?:ly)?", r"ongoing|long ?term|continuous(?:ly)?|indefinitely|for life|lifelong|no end(?: date)?",
        r"(?:the )?1st dose|first dose", r"by mouth|orally|per os|p\.?o", r"slow release|modified release|mr|sr|xl|er|ec|e/c|prolonged release|gastro-?resistant|dispersible|soluble|effervescent",
    ):
        line.eat(pattern)


def _prn(line: _Line, said: Said) -> None:
    unit = rf"({_UNIT}|times|doses|uses)?"
    day = r"(?:(?:in|within|per|over) (?:any |a |1 )?(?:24 ?(?:hours|hrs|hr|h)|day)(?: period)?|(?:a|1|per|each|every|/) ?(?:day|24 ?(?:hours|hrs|h))|/ ?24 ?(?:hours|hrs|h)|/ ?day|daily)"
    words = (
        r"(?:and |but |to )?(?:a )?(?:max(?:imum)?(?: dose)?(?: of|:|=)?|no more than|not more than|not exceeding|(?:do not|don't|dont|not to|never) "
        r"(?:exceed|take more than|use more than)|nte|limit(?: of)?|at most|never more than)"
    )
    line.eat(rf"{words} {_N} ?{unit} ?{day}(?: max(?:imum)?)?", lambda m: _limit(said, m[1], m[2]))
    line.eat(rf"{_N} ?{unit} ?{day} max(?:imum)?", lambda m: _limit(said, m[1], m[2]))

    def up_to(m: re.Match[str]) -> None:
        _limit(said, m[1], m[2])
        if not said.prn:
            said.prn = True
            said.asks.append("confirm_as_needed")

    line.eat(rf"up to (?:a max(?:imum)? of )?{_N} ?{unit} ?{day}", up_to)
    gap = r"(?:(?:at least|minimum(?: of)?|min) )?(\d+)(?:-\d+)? ?(?:hours?|hrs?|h)"
    line.eat(r"(?:leave |wait |with |and )*(?:at least|minimum(?: of)?|min) (\d+) ?(?:hours?|hrs?|h) (?:apart|between(?: each)?(?: doses| dose)?|gap)",
             lambda m: setattr(said, "min_interval_h", float(m[1])))
    line.eat(rf"(?:not|no) more (?:often|frequently) than (?:once )?every {gap}", lambda m: setattr(said, "min_interval_h", float(m[1])))
    reason = rf"(?: (?:(?:for|if|with|when) (?:the |your |my |severe |bad |mild |any |in |you have |i have |having |feeling )*)?({_REASONS})(?: (?:or|and) (?:{_REASONS}))*)?"

    def needed(m: re.Match[str]) -> None:
        said.prn = True
        said.prn_reason = said.prn_reason or m[2]
        if m[1] == "sos" and "confirm_as_needed" not in said.asks:
            said.asks.append("confirm_as_needed")

    line.eat(
        rf"(?:only )?(prn|sos|as needed|as required|as necessary|when(?:ever)? (?:it is |it's |i |you )?(?:needed|required|necessary|need it|need)|"
        rf"if (?:it is |i |you )?(?:needed|required|necessary|need it|need)|as and when(?: needed| required)?|on demand|only when needed){reason}",
        needed,
    )
    line.eat(
        rf"(?:if|when|whenever) (?:you |i |she |he )?(?:have |get |are |am |feel |in |having |the |a |there is |)*({_REASONS}|sick|unwell)(?: (?:comes|starts|is bad|occurs))?",
        lambda m: _as_needed(said, m[1]),
    )
    if said.prn and said.prn_reason is None:
        line.eat(rf"for (?:the |your |my |severe |bad |mild |any )?({_REASONS})(?: (?:or|and) (?:{_REASONS}))*",
                 lambda m: setattr(said, "prn_reason", m[1]))
    line.eat(rf"(?:for|against|to help|to treat) (?:the |your |my |severe |bad |mild |any |with )*(?:{_REASONS})(?: (?:or|and) (?:{_REASONS}))*")
    line.eat(r"(?:and |, )?(?:please )?remind(?:er)?(?: me| at)? (\d+) ?(?:minutes|minute|mins|min) (?:before(?:hand)?|early|earlier|ahead)",
             lambda m: setattr(said, "lead_min", int(m[1])))


def _as_needed(said: Said, reason: str) -> None:
    said.prn = True
    said.prn_reason = said.prn_reason or reason


def _limit(said: Said, number: str, unit: str | None) -> None:
    said.max_per_day = float(number)
    said.max_unit = _unit(unit) if unit and unit not in ("times", "doses", "uses") else None


_SPAN_DAYS = {"d": 1, "w": 7}


def _bounds(line: _Line, said: Said, today: date) -> None:
    line.eat(r"(\d+) ?(weeks?|days?|wks?|wk|d) on,? ?(?:and |then |/)?(\d+)(?: ?(weeks?|days?|wks?|wk|d))? (?:off|break|rest|free|out)",
             lambda m: _set_cycle(said, int(m[1]) * _span(m[2]), int(m[3]) * _span(m[4] or m[2])))
    line.eat(r"(?:for |daily for |take for )?(\d+) ?(weeks?|days?),? ?(?:and |then |followed by |stop for |off for |no tablets for |break for )+(?:a )?(\d+)[- ]?(weeks?|days?)(?: (?:off|break|rest|free|pill free|tablet free|interval|gap))",
             lambda m: _set_cycle(said, int(m[1]) * _span(m[2]), int(m[3]) * _span(m[4])))
    line.eat(r"(?:on )?days? 1(?:-| to | through )(\d+) (?:of|in) (?:a |each |every |the )?(\d+)[- ]day (?:cycle|pack|course)s?",
             lambda m: _set_cycle(said, int(m[1]), int(m[2]) - int(m[1])))
    line.eat(r"for (\d+) (days?|weeks?) (?:of |out of |in |every |each )(?:every |a |each )?(\d+)[- ](days?|weeks?)(?: cycle)?",
             lambda m: _set_cycle(said, int(m[1]) * _span(m[2]), int(m[3]) * _span(m[4]) - int(m[1]) * _span(m[2])))
    line.eat(r"(\d+) (days?|weeks?) (?:out of|in) (?:every )?(\d+)(?: (?:days?|weeks?))?",
             lambda m: _set_cycle(said, int(m[1]) * _span(m[2]), (int(m[3]) - int(m[1])) * _span(m[2])))
    line.eat(r"(?:for )?(\d+) (weeks?|days?),? ?(?:and |then )?(?:stop|off|no tablets|break|rest|nothing|pause) for (\d+) (weeks?|days?)",
             lambda m: _set_cycle(said, int(m[1]) * _span(m[2]), int(m[3]) * _span(m[4])))
    # Days of a course: "on day 1", "days 2-5".
    line.eat(r"(?:on |for )?(?<!a )(?<!per )(?<!every )(?<!each )(?<!1 )(?<!/)days? (\d+)(?: ?(?:-|to|through|until) ?(\d+))?:?(?! ?(?:times|x)\b)",
             lambda m: setattr(said, "day_window", (int(m[1]), int(m[2] or m[1]))))
    line.eat(r"(?:on |for )?(?:the )?1st day(?: only)?:?", lambda m: setattr(said, "day_window", (1, 1)))
    line.eat(r"(?:in |for )?weeks? (\d+)(?: ?(?:-|to|through) ?(\d+))?:?(?! ?(?:days?|weeks?))",
             lambda m: setattr(said, "day_window", (int(m[1]) * 7 - 6, int(m[2] or m[1]) * 7)))
    # Start and end dates.
    line.eat(rf"(?:from )?({_DATE}) (?:to|until|till|through|-) ({_DATE})",
             lambda m: (_set_start(said, m[1], today), _set_until(said, m[2], said.start or today))
             if not (re.fullmatch(_DAY, m[1]) and re.fullmatch(_DAY, m[2])) else False)
    line.eat(rf"(?:start(?:ing|s)?|begin(?:ning|s)?|commenc(?:e|ing)|from)(?: from| on| again)? ({_DATE})",
             lambda m: _set_start(said, m[1], today))
    line.eat(rf"(?:until|til|till|through|thru|up to|up until|ending|ends?|finish(?:ing)?|last dose|stop(?:ping)?)(?: on)? (?:and including |the )?({_DATE})(?: inclusive)?",
             lambda m: _set_until(said, m[1], today))
    line.eat(r"(?:until|til|till)(?: [^|,]*)?", lambda m: said.blocks.append("end_date"))
    # Lengths.
    line.eat(r"(?:x ?|for )(\d+) doses", lambda m: setattr(said, "dose_count", int(m[1])))
    line.eat(r"(\d+) doses(?: in total| only| total)?", lambda m: setattr(said, "dose_count", int(m[1])))
    line.eat(r"(?:x ?|for )?(\d+)/(7|52|12)", lambda m: _shorthand(said, int(m[1]), int(m[2])))
    line.eat(r"(?:for|x|over|during)(?: a total of| total| about| the next| the)? ?(?:(\d+(?:\.5)?)|(a|1|next))[ -]?(days?|d|weeks?|wks?|wk|w|months?|mths?|fortnights?|nights?)(?: only| in total| total)?",
             lambda m: _length(said, m[1] or "1", m[3]))
    line.eat(r"(\d+)[ -](day|week|month)s?(?:'s?)? (?:course|supply|treatment)(?: of)?", lambda m: _length(said, m[1], m[2]))
    line.eat(r"course of (\d+) (days?|weeks?|months?)", lambda m: _length(said, m[1], m[2]))


def _set_cycle(said: Said, on: int, off: int) -> None:
    if on > 0 and off > 0:
        said.cycle = (on, off)
    else:
        said.blocks.append("unclear")


def _span(word: str) -> int:
    return 7 if word.startswith("w") else 1


def _length(said: Said, number: str, unit: str) -> None:
    n = float(number)
    if unit.startswith("m"):
        if not n.is_integer():
            said.blocks.append("end_date")
        said.months = int(n)
    else:
        days = n * (14 if unit.startswith("f") else 7 if unit.startswith("w") else 1)
        if not float(days).is_integer():
            said.blocks.append("end_date")
        said.days.append(int(days))


def _shorthand(said: Said, number: int, base: int) -> None:
    if number == 24:
        said.blocks.append("unclear")
    elif base == 12:
        said.months = number
    else:
        said.days.append(number * (1 if base == 7 else 7))


def _set_start(said: Said, words: str, today: date) -> None:
    day, sure = read_date(words, today)
    if day is None or not sure:
        said.blocks.append("start_date")
    else:
        said.start = day
        said.asks.append("confirm_start_date")


def _set_until(said: Said, words: str, today: date) -> None:
    day, sure = read_date(words, today)
    if day is None or not sure:
        said.blocks.append("end_date")
    else:
        said.until = day
        said.asks.append("confirm_end_inclusive")


def read_date(words: str, today: date) -> tuple[date | None, bool]:
    """A date as people write it, on or after `today`, and whether it can be read in one way only."""
    words = words.removeprefix("the ").strip()
    if words in ("today", "tonight"):
        return today, True
    if words == "tomorrow":
        return today + timedelta(days=1), True
    if m := re.fullmatch(rf"(next |this |coming )?({_DAY})", words):
        ahead = (DAYS.index(m[2][:3]) - today.weekday()) % 7
        if ahead == 0:
            return today + timedelta(days=7), m[1] == "next "
        # "next Friday" said on Tuesday is this week's for some and the week after for others; when the weekday
        # falls in the next calendar week both mean the same.
        same_week = today.weekday() + ahead <= 6
        return today + timedelta(days=ahead), not (m[1] == "next " and same_week)
    if m := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", words):
        return _safe_date(int(m[1]), int(m[2]), int(m[3])), True
    if m := re.fullmatch(rf"(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})(?: (\d{{4}}))?", words):
        return _coming(int(m[1]), MONTHS.index(m[2][:3]) + 1, m[3], today), True
    if m := re.fullmatch(rf"({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?", words):
        return _coming(int(m[2]), MONTHS.index(m[1][:3]) + 1, m[3], today), True
    if m := re.fullmatch(r"(\d{1,2})[/.](\d{1,2})(?:[/.](\d{2,4}))?", words):
        a, b = int(m[1]), int(m[2])
        year = (m[3] if len(m[3]) == 4 else f"20{m[3]}") if m[3] else None
        if a > 12 >= b:
            return _coming(a, b, year, today), True
        if b > 12 >= a:
            return _coming(b, a, year, today), True
        return _coming(a, b, year, today), a == b
    if m := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", words):
        day = int(m[1])
        for step in range(3):
            month = today + relativedelta(months=step, day=1)
            found = _safe_date(month.year, month.month, day)
            if found and found >= today:
                return found, True
    return None, False


def _coming(day: int, month: int, year: str | None, today: date) -> date | None:
    if year:
        return _safe_date(int(year), month, day)
    found = _safe_date(today.year, month, day)
    if found is None or found < today:
        found = _safe_date(today.year + 1, month, day)
    return found


def _safe_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _rhythm(line: _Line, said: Said) -> None:
    hours = r"(?:hours?|hourly|hrs?|hr|h)"
    line.eat(r"(?:(?:every|each|q|once every) ?)?(\d+) ?(?:-|to|or) ?(\d+) ?(?:hours|hourly|hrs|h)", lambda m: said.interval_h.append(-float(m[1])))
    line.eat(rf"(?:every|each|q|once every|1 every) ?(\d+(?:\.\d+)?)(?:st|nd|rd|th)?[ -]?{hours}", lambda m: said.interval_h.append(float(m[1])))
    line.eat(r"(\d+)[ -]hourly", lambda m: said.interval_h.append(float(m[1])))
    line.eat(r"hourly|every hour|each hour|qh", lambda m: said.interval_h.append(1))
    line.eat(r"(?:every|q) ?(\d+) ?(?:minutes?|mins?|min)", lambda m: said.interval_h.append(float(m[1]) / 60))
    line.eat(r"(?:while|when|whilst) (?:you are |i am |i'm )?awake|during waking hours|(?:in|during) the day ?time|wa", lambda m: setattr(said, "awake", True))
    line.eat(r"(?:1 )?(?:time )?every other day|every 2nd day|alternate days?|(?:on )?alternate days?|every alternate day|eod|altern[ae]te? days?|other days?",
             lambda m: said.every_days.append(2) if not m[0].startswith("other day") else False)
    line.eat(r"(?:on )?(?:all )?(?:the )?(?:other|remaining) days?|(?:the )?rest of (?:the|each) week", lambda m: setattr(said, "other_days", True))
    line.eat(r"qod|q ?o ?d", lambda m: (said.every_days.append(2), said.asks.append("confirm_every_other_day")))
    line.eat(r"(?:once |1 )?(?:every|each|q) ?(\d+)(?:st|nd|rd|th)? ?(?:days?|d)", lambda m: said.every_days.append(int(m[1])))
    line.eat(r"(?:once |1 )?(?:every|each|q) ?(\d+)(?:st|nd|rd|th)? ?(?:weeks?|wks?|wk|w)", lambda m: said.every_weeks.append(int(m[1])))
    line.eat(r"(?:once |1 )?(?:every other|every 2nd|alternate) weeks?|fortnightly|(?:once )?(?:every|a|each|per) fortnight|once fortnightly", lambda m: said.every_weeks.append(2))
    line.eat(r"(\d+)[ -]weekly", lambda m: said.every_weeks.append(int(m[1])))
    line.eat(r"bi-?weekly|biw|b ?i ?w|bi-?monthly|semi-?weekly", lambda m: said.blocks.append("twice_a_week_or_every_two_weeks"))
    line.eat(rf"(?:(?:on |every )?(?:the )?(1st|2nd|3rd|4th|last) ({_DAY}) (?:of|in) (?:every|each|the|a) month)",
             lambda m: setattr(said, "month_weekday", {"1st": "1", "2nd": "2", "3rd": "3", "4th": "4", "last": "-1"}[m[1]] + BYDAY[m[2][:3]]))
    line.eat(r"(?:on |every )?(?:the )?(\d{1,2})(?:st|nd|rd|th)(?: and (?:the )?(\d{1,2})(?:st|nd|rd|th))?(?: day)?(?: (?:of|in) (?:every|each|the|a) month| monthly| every month| each month)",
             lambda m: said.month_days.extend(int(d) for d in m.groups() if d))
    line.eat(r"(?:every month|monthly|each month|once a month) (?:on )?(?:the )?(\d{1,2})(?:st|nd|rd|th)?(?! ?(?:am|pm|:))", lambda m: said.month_days.append(int(m[1])))
    line.eat(r"(?:on )?(?:the )?(\d{1,2})(?:st|nd|rd|th)", lambda m: said.blocks.append("short_months" if int(m[1]) > 28 else "every_month_or_once"))
    line.eat(r"(?:once |1 )?every (\d+) ?(?:months|mths)", lambda m: setattr(said, "every_months", int(m[1])))
    line.eat(r"(?:once|1 time|1 x|1) ?(?:a|1|per|each|every|/) ?month|monthly|every month|each month|(?:once|1 x) monthly", lambda m: setattr(said, "per_month", 1))
    line.eat(r"(?:(twice)|(\d+) (?:times|x)) (?:a|1|per|each|every) month", lambda m: setattr(said, "per_month", 2 if m[1] else int(m[2])))
    line.eat(r"(?:once|1 x|1) (?:a|1|per|each|every) year|yearly|annually", lambda m: said.blocks.append("which_date"))
    _weekdays(line, said)


def _weekdays(line: _Line, said: Said) -> None:
    def add(*days: str) -> None:
        said.weekdays.update(days)

    line.eat(rf"(?:(?:once )?(?:every ?day|daily|each day|a day)|all days)? ?(?:except|but not|not on|apart from|excluding) (?:on |for )?({_DAY}(?:(?:,| and|,? ?or|/)+ ?{_DAY})*)",
             lambda m: add(*(set(DAYS) - {d[:3] for d in re.findall(_DAY, m[1])})))
    line.eat(rf"(?:on |from )?({_DAY}) ?(?:-|to|through|thru) ?({_DAY})", lambda m: add(*_range(m[1][:3], m[2][:3])))
    line.eat(r"(?:on |at |during )?(?:the )?(?:week-?days?|working days?)(?: only)?|(?:on |every )week ?days?", lambda m: add(*DAYS[:5]))
    line.eat(r"(?:on |at |during |every )?(?:the )?week-? ?ends?(?: only)?", lambda m: add("sat", "sun"))
    line.eat(r"(?:on )?m/w/f|mwf", lambda m: add("mon", "wed", "fri"))
    line.eat(r"(?:on )?t/th|tu/th|tth", lambda m: add("tue", "thu"))
    line.eat(rf"(?:each|every)? ?(?:other|alternate|2nd) ({_DAY})", lambda m: (said.every_weeks.append(2), add(m[1][:3])))
    line.eat(rf"(?:on |every |each |on a |once weekly on |only on )*({_DAY})(?: only|'s)?", lambda m: add(m[1][:3]))
    line.eat(r"twice (?:a|1|per|each|every)? ?(?:week(?:ly)?|wk)|2 x weekly", lambda m: _per_week(said, 2))
    line.eat(r"(\d+) ?(?:times|x|days) ?(?:a|1|per|each|every|/)? ?(?:week(?:ly)?|wk)", lambda m: _per_week(said, int(m[1])))
    line.eat(r"(?:once|1 time|1 x|1) ?(?:a|1|per|each|every|/)? ?(?:week(?:ly)?|wk)|weekly|every week|each week|per week|qw|q ?week", lambda m: _per_week(said, 1))
    line.eat(r"tiw", lambda m: (_per_week(said, 3), said.asks.append("confirm_three_times_a_week")))


def _range(first: str, last: str) -> list[str]:
    a, b = DAYS.index(first), DAYS.index(last)
    return [DAYS[(a + i) % 7] for i in range((b - a) % 7 + 1)]


def _per_week(said: Said, n: int) -> None:
    if said.per_week not in (None, n):
        said.blocks.append("conflict")
    said.per_week = n


def _clock_times(line: _Line, said: Said) -> None:
    def add(hour: int, minute: int, sure: bool = True) -> None:
        if hour > 24 or minute > 59:
            said.blocks.append("clock_times")
        else:
            (said.clocks if sure else said.unsure_clocks).append((hour % 24, minute))

    def half_day(m: re.Match[str]) -> None:
        hour, minute = int(m[1]), int(m[2] or 0)
        if not 1 <= hour <= 12:
            # "20 pm" is a slip of the pen, "14 am" is not readable.
            add(hour, minute, sure=m[3].startswith("p") and 13 <= hour < 24)
            return
        hour %= 12
        add(hour + (12 if m[3].startswith("p") else 0), minute)

    def part_of_day(m: re.Match[str]) -> bool | None:
        hour, minute, part = int(m[1]), int(m[2] or 0), m[3]
        if not re.match(r"at |@|by |around |about ", m[0]) and "clock" not in m[0] and not m[2]:
            if hour < 5 and part != "in the afternoon":
                return False  # "one at night", "2 in the morning": an amount
            said.bare_clocks += 1
        if hour > 12:
            return add(hour, minute)
        if "morning" in part:
            return add(hour % 12, minute)
        if "afternoon" in part or "evening" in part:
            return add(hour % 12 + 12, minute)
        # "at night": 8 to 11 is evening, 12 is midnight, 1 to 4 is after midnight.
        if hour == 12:
            return add(0, minute)
        return add(hour + 12, minute) if hour >= 6 else add(hour, minute, sure=hour <= 4 and False)

    at = r"(?:at |@ ?|by |around |about )?"
    half = r"\d{1,2}(?:[:.]\d{2})? ?(?:am|pm)"
    line.eat(rf"(?:from |between )?{half} ?(?:-|to|until|and until) ?{half}", lambda m: said.blocks.append("clock_times"))
    # Shared half day: "8 and 10 pm" is not read as 8 pm: asked.
    line.eat(rf"{at}(\d{{1,2}})(?:[:.](\d{{2}}))? ?(?:o'?clock )?(a\.?m\.?|p\.?m\.?)", half_day)
    line.eat(rf"{at}(\d{{1,2}})(?:[:.](\d{{2}}))? ?(?:o'?clock )?(in the morning|(?:every|each) morning|in the afternoon|(?:in the|every|each) evening|at night|(?:every|each) night|nightly)", part_of_day)
    line.eat(rf"{at}(?:12 )?(?:noon|mid-?day)", lambda m: said.clocks.append((12, 0)))
    line.eat(rf"{at}(?:12 )?midnight", lambda m: said.clocks.append((0, 0)))
    full: list[tuple[int, int, bool]] = []
    line.eat(rf"{at}(\d{{1,2}}):(\d{{2}}) ?(?:hours|hrs|h)?", lambda m: full.append((int(m[1]), int(m[2]), m[1].startswith("0"))))
    line.eat(r"(?:at )?([01]\d|2[0-3])([0-5]\d) ?(?:hours|hrs|hr|h)", lambda m: add(int(m[1]), int(m[2])))
    line.eat(r"at ([01]\d|2[0-3])([0-5]\d)(?! ?(?:mg|ug|mcg|ml|g|units?))", lambda m: add(int(m[1]), int(m[2])))
    line.eat(r"(0\d)([0-5]\d)(?: and|,| &)? ([012]\d)([0-5]\d)", lambda m: (add(int(m[1]), int(m[2])), add(int(m[3]), int(m[4]))))
    # 9:00 alone may be either half of the day; beside 18:00, or written 09:00 or 12:00, it is the 24-hour clock.
    sure = any(h >= 13 or h == 0 or zero for h, _, zero in full)
    for h, m, _ in full:
        add(h, m, sure or h == 12)
    line.eat(rf"(?:at |@ ?)(\d{{1,2}})(?: ?o'?clock)?((?:(?:,| and|, and) ?\d{{1,2}})*)(?! ?(?:{_UNIT}|x|times|days?|weeks?)\b)(?![./]\d)",
             lambda m: [add(int(h), 0, int(h) >= 13) for h in re.findall(r"\d+", m[0])])
    line.eat(r"(\d{1,2}) ?o'?clock", lambda m: add(int(m[1]), 0, int(m[1]) >= 13))


def _anchors(line: _Line, said: Said) -> None:
    def add(name: str, shift: int = 0) -> None:
        hour, minute = ANCHORS[name]
        total = hour * 60 + minute + shift
        said.anchors.append(((total // 60 % 24, total % 60), name))

    meal = r"(breakfast|lunch|dinner|supper|tea|evening meal|midday meal|morning meal|lunch ?time|dinner ?time)"
    name = {"supper": "dinner", "tea": "dinner", "evening meal": "dinner", "midday meal": "lunch", "morning meal": "breakfast",
            "lunchtime": "lunch", "lunch time": "lunch", "dinnertime": "dinner", "dinner time": "dinner"}
    amount = r"(?:(\d+) ?(minutes?|mins?|min|hours?|hrs?|hr|h) )"

    def minutes(number: str | None, unit: str | None, default: int) -> int:
        return int(number) * (60 if unit and unit.startswith("h") else 1) if number else default

    def before_meal(m: re.Match[str]) -> None:
        sign = -1 if m[3] == "before" else 1
        for one in (m[4], *re.findall(meal, m[5])):
            add(name.get(one, one), sign * minutes(m[1], m[2], 30 if sign < 0 else 0))

    line.eat(rf"{amount}?(?:just )?(before|after) (?:your |my |the |having )?{meal}((?:(?:,| and|, and|,? ?&) {meal})*)", before_meal)
    line.eat(rf"(?:with|at|during|w/) (?:your |my |the )?{meal}(?:(?:,| and|,? ?&) (?:with |at )?(?:your |my |the )?{meal})*",
             lambda m: [add(name.get(x, x)) for x in re.findall(meal, m[0])])
    each = r"(?:each |every |your |my |the |main |3 )*"

    def meals(m: re.Match[str]) -> None:
        kind, what = m[3], m[4]
        sign = {"before": -1, "after": 1}.get(kind, 0)
        said.meals = {"before": "before", "after": "after"}.get(kind, "with")
        said.offset_min = sign * minutes(m[1], m[2], 30 if sign < 0 else 0)
        said.each_meal = said.each_meal or what.startswith("meal")

    line.eat(rf"{amount}?(?:just )?(with|before|after|during|at|w/) (?:or after )?{each}(meals?(?: ?times?)?|food|eating|a meal|snack)(?: or (?:a )?(?:snack|milk|just after food))?", meals)
    line.eat(r"at meal ?times?", lambda m: (setattr(said, "each_meal", True), setattr(said, "meals", said.meals or "with")))
    line.eat(r"ac", lambda m: (setattr(said, "each_meal", True), setattr(said, "meals", "before"), setattr(said, "offset_min", -30)))
    line.eat(r"pc|cc", lambda m: (setattr(said, "each_meal", True), setattr(said, "meals", "after")))
    line.eat(rf"{amount}?before (?:going to )?(?:bed(?:time)?|sleep(?:ing)?)", lambda m: add("bedtime", -minutes(m[1], m[2], 0)))
    line.eat(r"(?:at )?(?:bed ?time|bed)|qhs|on going to bed|when (?:going|you go|i go) to bed|before you sleep", lambda m: add("bedtime"))
    line.eat(r"hs", lambda m: (add("bedtime"), said.asks.append("confirm_bedtime")))
    line.eat(r"(?:every |each |in the |at |1 )?(?:mornings?)|mane|qam|q am|om|o/m|in the am|every am|(?:on|after) waking(?: up)?|when (?:i|you) wake(?: up)?|am(?= (?:and|&|\+) (?:pm|hs|bed|night))|once in the morning", lambda m: add("morning"))
    line.eat(r"(?:every |each |in the )?afternoons?", lambda m: add("afternoon"))
    line.eat(r"(?:every |each |in the |this )?evenings?|qpm|q pm|in the pm|every pm|vesp|pm", lambda m: add("evening"))
    line.eat(r"(?:every |each |at |in the |1 )?nights?(?: ?time)?|nightly|nocte|o/n|qn|once at night", lambda m: add("night"))
    line.eat(r"(?:at )?lunch ?(?:time)?", lambda m: add("lunch"))
    line.eat(r"(?:at )?breakfast(?: time)?", lambda m: add("breakfast"))
    line.eat(r"(?:at )?(?:dinner|supper|tea) ?(?:time)?", lambda m: add("dinner"))
    line.eat(r"tonight", lambda m: (add("night"), setattr(said, "once", "today")))
    # "1 on": omni nocte. In the middle of a sentence "on" is the English word.
    if line.ends_with_on and not (said.anchors or said.weekdays or said.counts or said.clocks):
        line.eat(r"on(?=[|,. ]*$)", lambda m: (add("night"), said.asks.append("confirm_at_night")))


def _counts(line: _Line, said: Said) -> None:
    day = r"(?:daily|(?:a|1|per|each|every|in a|in the|/) ?day|/ ?day|day|in 24 hours|(?:per|every|each) 24 ?(?:hours|hrs|h)|d)"
    for code, n in DAILY_COUNT.items():
        def coded(m: re.Match[str], code: str = code, n: int = n) -> None:
            said.counts.append(n)
            if code == "qd":
                said.asks.append("confirm_not_QID")
            if code == "od":
                said.asks.append("confirm_OD_once_daily")
        line.eat(code, coded)
    line.eat(rf"(?:(\d+) ?(?:-|to|or) ?(\d+)) ?(?:times|x) {day}", lambda m: said.blocks.append("how_often"))
    line.eat(rf"(?:once|1 time|1 x) ?{day}|(?:1 )once {day}|once every day", lambda m: said.counts.append(1))
    line.eat(rf"twice ?{day}", lambda m: said.counts.append(2))
    line.eat(rf"thrice ?{day}", lambda m: said.counts.append(3))
    line.eat(rf"(\d+) ?(?:times|time|x) ?{day}|x ?(\d+) {day}|(\d+) ?x ?/ ?day", lambda m: said.counts.append(int(m[1] or m[2] or m[3])))
    # "one a day" is one, once a day; "2 a day" may be two at once or one twice.
    def a_day(m: re.Match[str]) -> bool | None:
        number = float(m[1])
        unit = _unit(m[2]) if m[2] else None
        said.amounts.append(_amount(m[1], m[1], unit))
        said.weak_daily = True
        if number > 1 and unit not in MASS and unit not in ("mL", "unit") and not (said.counts or said.anchors or said.clocks):
            said.blocks.append("all_at_once_or_split")
        return None
    line.eat(rf"{_N} ?({_UNIT})? ?(?:a|1|per|/) ?day", a_day)
    line.eat(r"every day|each day|everyday|daily|q ?day|q ?daily|days?(?= *$)", lambda m: setattr(said, "weak_daily", True))
    line.eat(r"(?:a|per|1) day|/day", lambda m: setattr(said, "weak_daily", True))
    line.eat(r"(?:today(?: only)?|stat|straight ?away|immediately|right now|as soon as possible|asap|now)", lambda m: setattr(said, "once", "today"))
    line.eat(r"(?:as )?(?:a )?single dose|1 dose(?: only)?|once only|(?:just|only) once|as a one[- ]off|1 ?off|for 1 dose", lambda m: setattr(said, "once", "once"))
    line.eat(r"tomorrow(?: only)?", lambda m: setattr(said, "once", "tomorrow"))


_SITES = {
    r"(?:in(?:to)? |to |in the )?(?:each|both|every) eyes?|both eyes|ou": "both eyes",
    r"(?:in(?:to)? |to )?(?:the |your |my )?left eye|os": "left eye",
    r"(?:in(?:to)? |to )?(?:the |your |my )?right eye": "right eye",
    r"(?:in(?:to)? |to )?(?:the |your |my )?affected eyes?": "affected eye",
    r"(?:in(?:to)? |to )?(?:each|both) ears?|au": "both ears",
    r"(?:in(?:to)? |to )?(?:the |your |my )?left ear|as(?= (?:bd|tds|qds))": "left ear",
    r"(?:in(?:to)? |to )?(?:the |your |my )?right ear|ad": "right ear",
    r"(?:in(?:to)? |to |up )?(?:each|both) nostrils?": "both nostrils",
    r"(?:in(?:to)? |to )?(?:the |your |my )?(?:left|right) nostril": "one nostril",
}
_ROUTES = {
    r"sublingual(?:ly)?|under (?:the|your) tongue|sl": "under the tongue",
    r"inhaled?|by inhalation|inh|neb(?:ulised|ulized|uliser)?": "inhaled",
    r"subcut(?:aneous(?:ly)?)?|sc|s/c|sq|under the skin": "injected under the skin",
    r"intramuscular(?:ly)?|im": "injected into a muscle",
    r"rectal(?:ly)?|per rectum|pr": "into the bottom",
    r"vaginal(?:ly)?|per vagina|pv": "into the vagina",
    r"topical(?:ly)?|top|(?:on |to |onto )(?:the |your |my )?(?:skin|scalp|face|arms?|legs?|hands?|feet|back|chest)": "on the skin",
    r"intranasal(?:ly)?|nasal(?:ly)?": "into the nose",
    r"by injection": "injected",
}


def _site(line: _Line, said: Said) -> None:
    for pattern, site in _SITES.items():
        line.eat(pattern, lambda m, site=site: setattr(said, "site", site))
    for pattern, route in _ROUTES.items():
        line.eat(pattern, lambda m, route=route: setattr(said, "route", route))


def _amount(low: str, high: str | None, unit: str | None) -> Amount:
    return Amount(float(low), float(high or low), _unit(unit) if unit else None)


def _unit(word: str) -> str:
    word = word.strip()
    for pattern, unit in UNITS.items():
        if re.fullmatch(pattern, word) or word == unit:
            return unit
    return word


def _amounts(line: _Line, said: Said) -> None:
    def strength(m: re.Match[str]) -> None:
        said.strength = m[0].strip(" ()")

    line.eat(r"\(?\d+(?:\.\d+)? ?(?:mg|ug|mcg|g|units?) ?(?:/|per|in) ?(?:\d+(?:\.\d+)?)? ?(?:ml|puff|dose|actuation|hour|hr|h|tablet)s?\)?", strength)
    line.eat(r"\d+(?:\.\d+)? ?%", strength)
    line.eat(r"\d+ ?mg ?/ ?\d+ ?mg", strength)
    mass = r"(?:mg|mgs|ug|mcg|micrograms?|g|grams?|milligrams?)"
    noun = r"(tab(?:let)?s?|cap(?:sule)?s?|pills?|patch(?:es)?|sachets?|caplets?)"
    # "2 x 500 mg tablets", "one 10 mg tablet": the count is the amount, the mass is the strength.
    line.eat(rf"{_N}(?: x | )({_N} ?{mass}) {noun}", lambda m: (said.amounts.append(_amount(m[1], m[1], m[4])), setattr(said, "strength", m[2])))
    line.eat(rf"{_N} (?:x )?{_N} ?ml (?:medicine |measuring )?spoon(?:ful)?s?",
             lambda m: said.amounts.append(Amount(float(m[1]) * float(m[2]), float(m[1]) * float(m[2]), "mL")))
    line.eat(rf"{_N} ?x ?({_N} ?{mass})", lambda m: (said.amounts.append(_amount(m[1], m[1], None)), setattr(said, "strength", m[2])))
    line.eat(rf"{_N} ?(?:(?:-|to|or) ?{_N} ?)?({_UNIT})(?: spoon(?:ful)?s?)?",
             lambda m: said.amounts.append(_amount(m[1], m[2], m[3])))
    line.eat(rf"({_UNIT}) {_N}(?: ?(?:-|to|or) ?{_N})?(?![\d./])", lambda m: said.amounts.append(_amount(m[2], m[3], m[1])))
    line.eat(rf"(i|ii|iii|iv) ({_UNIT})", lambda m: said.amounts.append(_amount(str(_ROMAN[m[1]]), None, m[2])))
    line.eat(rf"(?:a|an) ({_UNIT})", lambda m: said.amounts.append(_amount("1", None, m[1])))
    line.eat(rf"{_N}(?: ?(?:-|to|or) ?{_N})?(?![\d./])", lambda m: said.amounts.append(_amount(m[1], m[2], None)))
    units = [a for a in said.amounts if a.unit not in MASS]
    masses = [a for a in said.amounts if a.unit in MASS]
    if len(units) == 1 and len(masses) == 1:
        said.strength = said.strength or f"{masses[0].low:g} {masses[0].unit}"
        said.amounts = units
    # A form without a number ("500 mg tablet") adds nothing to an amount that is known.
    line.eat(_UNIT, lambda m: None if said.amounts or said.strength else False)


def _leftover(text: str, said: Said) -> str:
    words = [w for w in re.findall(r"[^\W_]+(?:'[^\W_]+)?", text) if w not in _FILLERS]
    return " ".join(words)
