"""Who a message is about, as people write it in answer to "How old are you?" and the like."""

from __future__ import annotations

import re

_UNITS = {"d": 1 / 365.25, "w": 7 / 365.25, "m": 1 / 12, "y": 1.0}
_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_SMALL += ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBER_WORDS = {word: n for n, word in enumerate(_SMALL)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}

_AGE = re.compile(
    r"(?<![\d.])(\d{1,3})(?:\.(\d))?\s*-?\s*(days?|d|weeks?|wks?|wk|w|months?|mths?|mo|years?|yrs?|yr|y)?"
    r"(?:\s*-?\s*old|/?o|[fm])?(?![\d.])\b",
)
_BORN = re.compile(r"\b(?:born|dob|birth)\D{0,20}((?:19|20)\d\d)\b")
_HALF = re.compile(r"\b(\d{1,2}) and a half\b")

_WOMEN = (
    r"mum|mom|mam|mother|wife|daughter|sister|gran|granny|grandma|nan|grandmother|aunt|auntie|niece|girlfriend|"
    r"granddaughter"
)
_MEN = r"dad|father|husband|son|brother|grandad|granddad|grandpa|grandfather|uncle|nephew|boyfriend|grandson"
_ANYONE = (
    r"baby|child|kid|toddler|newborn|infant|partner|friend|neighbour|neighbor|twins?|colleague|client|resident|"
    r"cousin|parents?|boy|girl|lad|little one"
)
_FEMALE = re.compile(rf"\b(?:female|woman|girl|lady|fem|f|she|her|{_WOMEN})\b|\d\s?f\b")
_MALE = re.compile(rf"\b(?:male|man|boy|guy|m|he|him|his|{_MEN})\b|\d\s?m\b")
_OTHER = re.compile(
    rf"\b(?:my|our|the|a) (?:[\w-]+ ){{0,4}}?(?:{_WOMEN}|{_MEN}|{_ANYONE})\b|"
    r"\b(?:someone else|somebody else|another person|not me|not for me|on behalf of|for a friend|"
    r"she|he|they|him|her|them)\b"
)
_SELF = re.compile(r"\b(?:i|im|ive|me|my|myself|mine|self)\b")


def subject(text: str) -> str | None:
    """'other' when the words name somebody else, 'self' when they only speak of the writer, None when neither."""
    plain = _plain(text)
    if _OTHER.search(plain):
        return "other"
    return "self" if _SELF.search(plain) else None


def age(text: str, *, this_year: int) -> float | None:
    """An age in years in a reply to the question for it; None when there is none. Weeks and months are for babies."""
    plain = _plain(text)
    born = _BORN.search(plain)
    if born:
        years = this_year - int(born[1])
        return float(years) if 0 <= years <= 120 else None
    plain = _digits(plain)
    half = _HALF.search(plain)
    if half:
        return int(half[1]) + 0.5
    found = _AGE.search(plain)
    if not found:
        return None
    number = float(f"{found[1]}.{found[2] or 0}")
    years = number * _UNITS[(found[3] or "y")[0]]
    return years if years <= 120 else None


def sex(text: str) -> str | None:
    """'female' or 'male' as the words say, None when they say neither or both."""
    plain = _plain(text)
    found = [name for name, words in (("female", _FEMALE), ("male", _MALE)) if words.search(plain)]
    return found[0] if len(found) == 1 else None


def _plain(text: str) -> str:
    return re.sub(r"[’']", "", text.lower())


def _digits(plain: str) -> str:
    """'thirty four' -> '34'."""

    def number(match: re.Match[str]) -> str:
        return str(sum(_NUMBER_WORDS[word] for word in re.split(r"[\s-]+", match[0])))

    tens, small = "|".join(_TENS), "|".join(sorted(_SMALL, key=len, reverse=True))
    return re.sub(rf"\b(?:(?:{tens})(?:[\s-](?:{small}))?|(?:{small}))\b", number, plain)
