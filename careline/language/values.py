"""Numbers in a patient's text: temperature, blood pressure, glucose, pulse, oxygen, pain scores; and how long.

All patterns are short and bounded (no nested repeats): linear in the length of the text. Works on folded text
(`normalise`), so spans are of the folded text; the caller maps them back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from careline.language.wordlist import words

_N = r"(\d{1,3}(?:[.,]\d{1,2})?)"


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement. Units: temperature degC, pressure mmHg, glucose and ketones mmol/L, oxygen %, rates /min."""

    kind: str
    value: float
    unit: str
    span: tuple[int, int]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a problem has been going on (`hours`), and the words that say so."""

    hours: float
    span: tuple[int, int]
    text: str
    ago: bool = False


_TEMP_WORD = r"(?:temp\w*|fever\w*|febrile|thermometer|t|tmax|pyrexia\w*|reading)"
_TEMP_BEFORE = re.compile(
    rf"\b{_TEMP_WORD}\b[^.!?\n\d]{{0,28}}?(?<![\d.])(\d{{2,3}}(?:[.,]\d{{1,2}})?)(?![\d/]|[.,]\d)\s?"
    r"(?:degrees?|deg)?\s?(c|f|celsius|centigrade|fahrenheit)?\b"
)
_TEMP_AFTER = re.compile(
    r"(?<![\d.])(\d{2,3}(?:[.,]\d{1,2})?)\s?(?:degrees?|deg)?\s?(c|f|celsius|centigrade|fahrenheit)?\s?"
    r"(?:temp\w*|fever)\b"
)
_TEMP_UNIT = re.compile(
    r"(?<![\d.])(\d{2,3}(?:[.,]\d{1,2})?)\s?(?:degrees?\s?|deg\s?)?(c|f|celsius|centigrade|fahrenheit|degrees)\b(?!-)"
)
# "she has 38.5": a bare number with a decimal that only a temperature has, after a verb of having
_TEMP_BARE = re.compile(
    r"\b(?:has|have|had|got|is|was|at|hit|reached|up to|now|still|running|reading|reads|says|said|around|about|over|nearly)\s"
    r"(?:a |of |got |at |about |around |over |up to )?(3[89][.,]\d|4[01][.,]\d)(?![\d/.])()(?!\s?(?:%|mg|ml|kg|st\b|lb|week|wk|day|hour|hr|year|"
    r"yr|month|min|bpm|mmol|times|x|/|:|yo|am|pm|cm|mm|m\b|in\b|inch|k\b|miles?|pounds?|units?|bmi))"
)
_TEMP_WHEN = re.compile(
    r"(?<![\d./,])(3[89][.,]\d|4[01][.,]\d)(?![\d/.])()(?=\s(?:this|today|now|last night|tonight|yesterday|since|under)\b)"
)
_OTHER_NUMBER = re.compile(
    r"\b(?:bmi|body mass|weigh\w*|hba1c|a1c|waist|hip|ph|level|count|ferritin|size|hb|haemoglobin|crp|sugar\w*|pulse)\b"
)
_NOT_TEMP = re.compile(
    r"\s?(?:%|mg|ml|kg|st|lb|week|wk|day|hour|hr|year|yr|month|min|bpm|mmol|times|x|/|:|yo|am|pm|\bm\b)"
)
_BP = re.compile(r"(?<![\d/.])(\d{2,3})\s?(?:/|over|on)\s?(\d{2,3})(?![\d/])")
_GLUCOSE = re.compile(
    r"\b(?:blood sugars?|sugars?|glucose|bms?|bgl?|bgs|cbg|finger ?prick|glucometer|blood glucose|meter|bsl|libre)\b"
    rf"[^.!?\n\d]{{0,30}}?(?<![\d.]){_N}(?![\d/])\s?(mmol\w*(?:/l)?|mg/?dl|mg)?"
)
_GLUCOSE_UNIT = re.compile(rf"(?<![\d.]){_N}\s?(mmol(?:s|es)?(?:/l)?|mg/?dl)\b")
_KETONES = re.compile(rf"\bketones?\b[^.!?\n\d]{{0,20}}?{_N}")
_PULSE = re.compile(
    r"\b(?:pulse|heart ?rate|hr|heart beat|heartbeat|resting heart|heart going|heart doing|heart (?:is |"
    r"was |been |keeps )?(?:racing|pounding|beating))\b[^.!?\n\d/]{0,25}?(\d{2,3})(?![\d/.]|\s?%)"
)
_BPM = re.compile(r"(?<!\d)(\d{2,3})\s?(?:bpm|beats (?:a|per) minute|beats/min)")
_OXYGEN = re.compile(
    r"\b(?:sats?|spo2|oxygen\w*(?: (?:level|saturation|reading|sats))?|o2(?: sats?)?|saturations?|"
    r"pulse ?ox\w*|oximeter)\b"
    r"[^.!?\n\d]{0,22}?(?<!\d)(\d{2,3})(?!\d)\s?%?"
)
_BREATHS = re.compile(
    r"\b(?:rr|resp(?:iratory)? rate|breathing rate|breaths|"
    r"breathing)\b[^.!?\n\d]{0,25}?(\d{1,3})(?:\s?(?:/|a|per)\s?min|\s?breaths|(?=\s*$))"
)
_BREATHS_2 = re.compile(r"(?<!\d)(\d{1,3}) (?:breaths?|times?) (?:a|per) min")
_SCORE = re.compile(r"(?<![\d/.])(\d{1,2})(?:\.\d)?\s?(?:/|out of|outta|of)\s?10(?![\d/])")
_SIZES = re.compile(
    r"(?<![\d.])(\d{1,4}(?:[.,]\d{1,3})?)\s?(mg|mcg|micrograms?|grams?|g|ml|units?|iu|puffs?|tablets?|"
    r"tabs?|pills?|caps\w*)\b"
)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def readings(text: str) -> list[Reading]:
    """Every measurement in folded text, in order of kind; overlapping ones are reported once."""
    out: list[Reading] = []
    taken = bytearray(len(text) + 1)

    def add(kind: str, value: float, unit: str, start: int, end: int) -> None:
        if not any(taken[start:end]):
            out.append(Reading(kind, value, unit, (start, end), text[start:end].strip()))
            taken[start:end] = b"\1" * (end - start)

    if not any(c.isdigit() for c in text) and "lost" not in text:
        return out
    for m in _BP.finditer(text):
        high, low = int(m[1]), int(m[2])
        near = text[max(0, m.start() - 30) : m.start()]
        named = bool(re.search(r"\b(?:bp|blood pressure|pressure)\b", near))
        if 60 <= high <= 280 and 30 <= low <= 160 and high > low + 5 and (named or (high >= 80 and low >= 40)):
            add("systolic", high, "mmHg", m.start(), m.end())
            out.append(Reading("diastolic", low, "mmHg", (m.start(), m.end()), m[0]))
    for m in _KETONES.finditer(text):
        if _number(m[1]) <= 15:
            add("ketones", _number(m[1]), "mmol/L", m.start(), m.end())
    for m in _GLUCOSE.finditer(text):
        value, unit = _number(m[1]), m[2] or ""
        if not _NOT_TEMP.match(text, m.end()) or unit:
            mg = "mg" in unit or (not unit and value > 40)
            if 0.5 <= value <= 900:
                add("glucose", round(value / 18.016, 1) if mg else value, "mmol/L", m.start(), m.end())
    for m in _GLUCOSE_UNIT.finditer(text):
        value = _number(m[1])
        add("glucose", round(value / 18.016, 1) if "dl" in m[2] else value, "mmol/L", m.start(), m.end())
    for m in _OXYGEN.finditer(text):
        if 50 <= int(m[1]) <= 100:
            add("oxygen", int(m[1]), "%", m.start(), m.end())
    for pattern in (_PULSE, _BPM):
        for m in pattern.finditer(text):
            if 20 <= int(m[1]) <= 260:
                add("heart_rate", int(m[1]), "/min", m.start(), m.end())
    for pattern in (_BREATHS, _BREATHS_2):
        for m in pattern.finditer(text):
            if 2 <= int(m[1]) <= 120:
                add("breaths", int(m[1]), "/min", m.start(), m.end())
    for m in _LOST.finditer(text):
        add("weight_lost", _number(m[1]) if m[1][0].isdigit() else 1.0, m[2], m.start(), m.end())
    for m in _SCORE.finditer(text):
        if int(m[1]) <= 10:
            add("pain_score", int(m[1]), "/10", m.start(), m.end())
    for pattern in (_TEMP_BEFORE, _TEMP_UNIT, _TEMP_AFTER, _TEMP_BARE, _TEMP_WHEN):
        for m in pattern.finditer(text):
            value, unit = _number(m[1]), (m[2] or "")[:1]
            if unit == "d":
                unit = ""
            if not unit and _NOT_TEMP.match(text, m.end(1)):
                continue
            if pattern in (_TEMP_BARE, _TEMP_WHEN) and _OTHER_NUMBER.search(
                text[max(0, m.start() - 24) : m.start() + 1]
            ):
                continue
            celsius = None
            if 33 <= value <= 43.5 and unit != "f":
                celsius = value
            elif 92 <= value <= 110 and unit != "c":
                celsius = round((value - 32) / 1.8, 1)
            if celsius is not None and not (pattern is _TEMP_UNIT and not unit and value != celsius and value < 95):
                add("temperature", celsius, "C", m.start(), m.end())
    return out


_LOST = re.compile(
    r"\b(?:lost|losing|dropped|shed)\s(?:about |around |nearly |over |almost )?"
    r"(\d{1,3}(?:[.,]\d)?|a|an|half a|one|two|three|four|five|six|seven|eight|ten)\s?(kgs?|kilos?|kilograms?|lbs?|pounds?|stones?)\b"
)


def severity_of_score(score: float) -> Literal["mild", "moderate", "severe"]:
    return "severe" if score >= 7 else "moderate" if score >= 4 else "mild"


_UNIT_HOURS = {
    "sec": 1 / 3600, "min": 1 / 60, "hour": 1.0, "hr": 1.0, "h": 1.0, "day": 24.0, "d": 24.0, "week": 168.0,
    "wk": 168.0, "w": 168.0, "month": 730.0, "mth": 730.0, "mo": 730.0, "year": 8766.0, "yr": 8766.0, "y": 8766.0,
    "night": 24.0,
    "fortnight": 336.0, "nite": 24.0, "decade": 87660.0,
}  # fmt: skip
_WORD_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "couple": 2, "couple of": 2, "a couple of": 2, "a couple": 2,
    "few": 3, "a few": 3,
    "several": 4, "half": 0.5, "half a": 0.5, "half an": 0.5, "twenty": 20, "thirty": 30, "last": 1, "past": 1,
    "the last": 1,
    "the past": 1, "last few": 3, "past few": 3, "last couple of": 2, "past couple of": 2, "many": 5, "fifteen": 15,
}  # fmt: skip
_AMOUNT = (
    r"(\d{1,3}(?:[.,]\d)?(?:\s?(?:-|to|or)\s?\d{1,3})?|(?:a |the )?(?:last |past )?(?:couple(?: of)?|few|"
    r"several)|half(?: an?)?|"
    r"an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|many|"
    r"(?:the )?(?:last|past))"
)
_SPAN = re.compile(
    rf"\b{_AMOUNT}\+?(?:\s?(?:-|and a half|n half|and half|more|full|or so|long|good|whole))?\s?-?"
    r"(seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|wks?|w|months?|mths?|mos?|years?|yrs?|"
    r"nights?|nites?|fortnight|decades?)"
    r"\b(\s(?:ago|back|old|pregnant|gestation|along|apart|pp|post ?partum|later))?"
)
_SLASH = re.compile(r"(?<![\d/])(\d{1,2})/(7|52|12|24)(?![\d/])")
_TIMES_D = re.compile(r"\bx\s?(\d{1,3})\s?(d|days?|wks?|w|weeks?|months?|mths?|h|hrs?|hours?|yrs?|years?)\b")
_SINCE = re.compile(
    r"\b(?:since|from|started|began|woke up|woke|came on|come on|it began|starting|onset)\s(?:on |at |in |"
    r"with it |up |)?(?:the |)?"
    r"(yesterday(?: morning| afternoon| evening)?|today|this morning|this afternoon|this evening|"
    r"last night|last nite|last week|"
    r"last month|lunch\w*|dinner\w*|breakfast|bedtime|this week|tonight|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues?|wed|thurs?|fri|sat|sun|weekend|the weekend|"
    r"christmas|the summer|childhood|birth|i was a (?:child|kid)|last year|\d{1,2}(?::\d\d)?\s?(?:am|pm))\b"
)
_PLAIN = re.compile(
    r"\b(since yesterday|yesterday|this morning|this afternoon|this evening|last night|last nite|today|"
    r"tonight|overnight|"
    r"for (?:days|weeks|months|years|ages|hours)|(?:days|weeks|months|years) now|just now|right now|"
    r"last week|all day|all night|all week|"
    r"day before yesterday|the other day|few minutes ago)\b"
)
_PLAIN_HOURS = {
    "since yesterday": 24, "yesterday": 24, "this morning": 8, "this afternoon": 4, "this evening": 3, "last night": 14,
    "last nite": 14, "today": 8, "tonight": 3, "overnight": 12, "for days": 96, "days now": 96,
    "for weeks": 504, "weeks now": 504,
    "for months": 2190, "months now": 2190, "for years": 17532, "years now": 17532, "for ages": 2190,
    "for hours": 6, "just now": 0.2,
    "right now": 0.2, "last week": 168, "all day": 12, "all night": 12, "all week": 120,
    "day before yesterday": 48, "the other day": 72,
    "few minutes ago": 0.1, "last month": 730, "this week": 72, "last year": 8766, "christmas": 2190,
    "the summer": 2190,
    "childhood": 87660, "birth": 87660, "weekend": 72, "the weekend": 72, "breakfast": 8, "bedtime": 12,
}  # fmt: skip
_NOT_BEFORE = re.compile(
    r"(?:\b(?:every|each|per|in|within|next|another|age|aged|toddler|baby|infant|newborn|"
    r"son|daughter|girl|boy|child|kid|until|till|after|only lasts?|lasts|lasting|"
    r"gone in|takes?|"
    r"appointment|due|old|at|another|over|about every|wait(?:ed|ing)?|times an?|times in)|"
    r"[/x])\s(?:about |around |the |just |only )?$"
)
_NOT_AFTER = re.compile(
    r"\s?(?:-?old|pregnant|gestation|of gestation|postpartum|post partum|post-op|along|apart|premature|early|"
    r"at a time|away|walk|drive|each time|per day|in a row of|a day\b|a week\b|a night\b|mark\b|jab)"
)

_LASTING = re.compile(r"\b(?:for|about|nearly|almost|over|around|at least|maybe|past|since)\s$")


def durations(text: str) -> list[Duration]:
    """How long things have lasted, in text order. Ages, gestation, frequencies and the future are left out."""
    out: list[Duration] = []
    taken = bytearray(len(text) + 1)

    def add(hours: float, start: int, end: int, ago: bool = False) -> None:
        if not any(taken[start:end]):
            out.append(Duration(hours, (start, end), text[start:end].strip(), ago))
            taken[start:end] = b"\1" * (end - start)

    for m in _SINCE.finditer(text):
        when = m[1]
        hours = _PLAIN_HOURS.get(when)
        if hours is None:
            hours = (
                24.0
                if when.startswith("yesterday")
                else 60.0
                if when[:3] in _DAYS
                else 8766.0
                if "was a" in when
                else 6.0
            )
        add(float(hours), m.start(), m.end())
    for m in _SPAN.finditer(text):
        tail = (m[3] or "").strip()
        if tail in ("old", "pregnant", "gestation", "along", "apart", "pp", "later") or tail.startswith("post"):
            continue
        if _NOT_BEFORE.search(text[max(0, m.start() - 24) : m.start()]) and tail not in ("ago", "back"):
            before = text[max(0, m.start() - 24) : m.start()]
            if not re.search(r"\b(?:over|after|in)\s(?:the |about )?$", before) or (
                "last" not in m[1] and "past" not in m[1]
            ):
                continue
        if _NOT_AFTER.match(text, m.end()):
            continue
        if (
            m[1] in ("a", "an")
            and tail not in ("ago", "back")
            and not _LASTING.search(text[max(0, m.start() - 16) : m.start()])
        ):
            continue  # "20 a day", "once a week"
        unit = m[2].rstrip("s") if m[2] not in ("h", "d", "w") else m[2]
        unit = {"second": "sec", "minute": "min", "hour": "hour", "hr": "hr", "mo": "month", "decade": "decade"}.get(
            unit, unit
        )
        if m[2] in ("d", "w", "h") and not m[1][0].isdigit():
            continue
        amount = _amount(m[1])
        if "half" in text[m.start(1) : m.end()] and not m[1].startswith("half"):
            amount += 0.5
        add(amount * _UNIT_HOURS.get(unit, 24.0), m.start(), m.end(), tail in ("ago", "back"))
    for m in _SLASH.finditer(text):
        if int(m[1]) and not (m[2] == "12" and int(m[1]) > 24):
            add(int(m[1]) * {"7": 24.0, "52": 168.0, "12": 730.0, "24": 1.0}[m[2]], m.start(), m.end())
    for m in _TIMES_D.finditer(text):
        add(int(m[1]) * _UNIT_HOURS.get(m[2].rstrip("s") or m[2], 24.0), m.start(), m.end())
    for m in _PLAIN.finditer(text):
        add(float(_PLAIN_HOURS[m[1]]), m.start(), m.end())
    return sorted(out, key=lambda d: d.span)


_DAYS = words("mon tue wed thu fri sat sun")


def _amount(text: str) -> float:
    text = text.strip()
    if text[0].isdigit():
        numbers = re.findall(r"\d+(?:[.,]\d)?", text)
        return _number(numbers[-1])
    for key in (text, text.removeprefix("the ").strip(), text.split()[-1], text.split()[0]):
        if key in _WORD_NUMBERS:
            return float(_WORD_NUMBERS[key])
    if "couple" in text:
        return 2.0
    return 3.0


def doses(text: str) -> list[Reading]:
    """Amounts of medicine ("500 mg", "2 tablets"); kind `dose`, unit as written."""
    return [Reading("dose", _number(m[1]), m[2], m.span(), m[0]) for m in _SIZES.finditer(text)]
