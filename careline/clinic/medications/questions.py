"""What is asked when directions are not clear, and how an answer changes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from careline.texts import has, text

WHOLE = "="  # an option whose answer starts with this is the whole new directions


@dataclass(frozen=True)
class Option:
    """An answer to offer as a button: `answer` is what to hand to `answer()`."""

    label: str
    answer: str


@dataclass(frozen=True)
class Question:
    """One thing to ask before anything can be stored: `text` in plain words, `code` such as 'am_or_pm'."""

    code: str
    text: str
    options: tuple[Option, ...] = ()


def question(code: str, directions: str) -> Question:
    """The question of a code, with answers to choose from where there are few."""
    key = f"medications.ask.{code}"
    words = text(key) if has(key) else text("medications.ask.unclear")
    return Question(code, words, tuple(_options(code, directions)))


def candidates(code: str, directions: str, answer: str) -> list[str]:
    """New directions to try, best first: the answer worked in where it belongs, added, or alone."""
    answer = answer.strip()
    if answer.startswith(WHOLE):
        return [answer.removeprefix(WHOLE)]
    tries: list[str] = []
    work_in = _WORK_IN.get(code)
    if work_in:
        tries.append(work_in(directions, answer))
    return [*tries, f"{directions} {answer}", answer]


def _options(code: str, directions: str) -> list[Option]:
    def whole(label: str, pattern: str, to: str) -> Option:
        return Option(text(f"medications.option.{label}"), WHOLE + re.sub(pattern, to, directions, flags=re.I))

    clock = r"\bat (\d{1,2}(?:[:.]\d\d)?)(?! ?(?:am|pm|\d))"
    if code == "am_or_pm":
        return [whole("in_the_morning", clock, r"at \1 am"), whole("in_the_evening", clock, r"at \1 pm")]
    if code == "twice_a_week_or_every_two_weeks":
        return [
            whole("twice_a_week", r"\bb\.?i\.?w\.?\b|bi-?weekly", "twice a week"),
            whole("every_two_weeks", r"\bb\.?i\.?w\.?\b|bi-?weekly", "every 2 weeks"),
        ]
    if code == "right_eye_or_once_a_day":
        return [
            whole("right_eye", r"\bo\.?d\.?(?!\w)", "in the right eye"),
            whole("once_a_day", r"\bo\.?d\.?(?!\w)", "once a day"),
        ]
    if code == "all_at_once_or_split":
        m = re.search(r"\b(\d+|two|three|four)\b", directions, re.I)
        times = m[1] if m else "2"
        split = re.sub(r"\b(\d+|two|three|four)\b", "1", directions, count=1, flags=re.I)
        return [
            whole("all_at_once", r"(?:\b(?:a|per)|/) ?day\b", "once a day"),
            Option(
                text("medications.option.split"),
                WHOLE + re.sub(r"(?:\b(?:a|per)|/) ?day\b", f"{times} times a day", split, flags=re.I),
            ),
        ]
    if code == "dose":
        return [Option(text("medications.option.leave_out"), WHOLE + directions)]
    if code == "dose_unit":
        return [Option(text(f"medications.option.{unit}"), unit) for unit in ("tablets", "capsules", "ml", "mg")]
    if code == "which_day":
        return [
            Option(name, name)
            for name in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        ]
    return []


def _which_interval(directions: str, answer: str) -> str:
    hours = re.search(r"\d+", answer)
    return re.sub(
        r"(?:every |q ?)?\d+ ?(?:-|to|or) ?\d+ ?(?:hours|hourly|hrs|h)\b",
        f"every {hours[0] if hours else answer} hours",
        directions,
        flags=re.I,
    )


_BARE = (
    r"(?<![\d.:/-])\b(\d+(?:\.\d+)?(?: ?(?:-|to|or) ?\d+)?|one|two|three|four|half)"
    r"(?![\d.:/]| ?(?:x\b|times|am\b|pm\b|days?\b|weeks?\b|hours?\b|[-+]))"
)


def _dose(directions: str, answer: str) -> str:
    if re.fullmatch(r"[a-z ]+", answer, re.I):  # only a unit: it belongs to the number that is there
        return re.sub(_BARE, rf"\1 {answer}", directions, count=1, flags=re.I)
    if re.search(_BARE, directions, re.I) and understood_amount(directions):
        return re.sub(_BARE, answer, directions, count=1, flags=re.I)
    return f"{answer} {directions}"


def understood_amount(directions: str) -> bool:
    """Do the directions give a number of something, without saying of what?"""
    from careline.clinic.medications.dosage import understand

    amount = understand(directions, datetime(2000, 1, 1)).amount  # noqa: DTZ001 - a wall clock
    return amount is not None and amount.unit is None


def _day_of_month(directions: str, answer: str) -> str:
    day = re.search(r"\d+", answer)
    return re.sub(r"(?:on )?(?:the )?\b(?:29|30|31)(?:st|th)?\b", f"on the {day[0] if day else answer}th", directions)


def _until(directions: str, answer: str) -> str:
    kept = re.sub(r"\b(?:until|til|till)\b[^,;]*", "", directions, flags=re.I)
    return f"{kept} until {answer}" if not re.match(r"\s*for\b", answer) else f"{kept} {answer}"


def _from(directions: str, answer: str) -> str:
    kept = re.sub(r"\b(?:start(?:ing|s)?|from|begin(?:ning)?)\b(?: from| on)? [\w/. -]*$", "", directions, flags=re.I)
    return f"{kept} from {answer}"


_WORK_IN: dict[str, Callable[[str, str], str]] = {
    "which_interval": _which_interval,
    "dose_unit": _dose,
    "dose": _dose,
    "which_day": lambda d, a: f"{d} on {a}",
    "which_days": lambda d, a: f"{d} on {a}",
    "which_date": lambda d, a: f"{d} on the {a}" if a[:1].isdigit() else f"{d} on {a}",
    "clock_times": lambda d, a: f"{d} at {a}",
    "five_clock_times": lambda d, a: f"{d} at {a}",
    "short_months": _day_of_month,
    "end_date": _until,
    "start_date": _from,
}
