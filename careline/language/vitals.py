"""Measurements and ages in a message, for the screen: temperature, blood pressure, pulse, oxygen, sugar, ketones,
age, weeks of pregnancy, days since a birth. Cautious: a number counts only with a unit, a cue or a telling form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from careline.language.context import HYPOTHETICAL, NEGATED, PAST
from careline.language.person import Person
from careline.language.rules import Place
from careline.language.tokens import NUMBER, WORD, Token

_TEMP = frozenset("temp temperature fever feverish degree degrees thermometer celsius fahrenheit febrile fieber fiebre fievre febre "
                  "goraczka pyrexia hot burning roasting boiling tmp".split())  # fmt: skip
_PULSE = frozenset("pulse heartrate bpm beats heart hr rate watch fitbit".split())
_SATS = frozenset("saturation saturations oxygen oximeter sat".split())
_SUGAR = frozenset("sugar sugars glucose reading mmol bloods hypo libre dexcom level levels cgm monitor meter".split())
_TREATED = frozenset("juice lucozade glucogel dextrose glucotabs hypo hypos".split())
_KETONES = frozenset("ketone ketones".split())
_PRESSURE = frozenset("bp pressure systolic diastolic mmhg".split())
_DAY, _WEEK, _MONTH, _YEAR = (frozenset(w.split()) for w in (
    "day days dia dias jour jours tag tage dni d", "week weeks semana semanas semaine semaines woche wochen tydzien tygodni tygodnie wekk weks",
    "month months mes meses mois monat monate miesiac miesiace miesiecy", "year years ano anos ans lat jahre jahr an rok yers"))  # fmt: skip
_PREGNANCY = frozenset(
    "pregnant pregnancy gestation bump trimester expecting embarazada enceinte gravida schwanger ciazy contraction contractions tightenings waters midwife "
    "placenta labour labor fetal foetal kicks kicking movements kick braxton gestational".split()
)
_NOT_GESTATION_BEFORE = frozenset("for past last after about over every around within of nearly almost than previous next another another's ago these few in since".split())
_NOT_GESTATION_AFTER = frozenset("old ago now later post left time running straight solid postpartum postnatal break holiday off waiting wait of notice worth early late".split())
_ADULT_WORDS = frozenset("husband wife mum dad boyfriend girlfriend partner grandad grandma nan grandpa uncle aunt".split())
_BABYISH = frozenset("baby newborn infant bub neonate bebe bebek niemowle saugling nourrisson".split())
_MALE = frozenset("husband dad son grandad grandpa brother uncle boyfriend nephew male m boy lad man".split())
_FEMALE = frozenset("wife mum daughter nan grandma sister aunt girlfriend niece female f girl lady woman".split())


class Vitals:
    """What was measured: name -> list of (value, place in the tokens)."""

    def __init__(self) -> None:
        self.found: dict[str, list[tuple[float, Place]]] = {}

    def add(self, name: str, value: float, *place: int) -> None:
        self.found.setdefault(name, []).append((value, place))


def _near(tokens: Sequence[Token], i: int, words: frozenset[str], back: int = 5, ahead: int = 3) -> bool:
    return any(tokens[j].text in words for j in range(max(0, i - back), min(len(tokens), i + ahead + 1)))


def read(tokens: Sequence[Token], masks: Sequence[int], person: Person) -> tuple[Vitals, Person]:
    """Measurements, and the person with age, sex and pregnancy as the text tells them."""
    vitals = Vitals()
    texts = [t.text for t in tokens]
    pregnant_words = not _PREGNANCY.isdisjoint(texts)
    baby = not _BABYISH.isdisjoint(texts)
    n = len(tokens)
    for i, token in enumerate(tokens):
        value = token.value
        if value is None or masks[i] & (PAST | HYPOTHETICAL):
            continue
        after = texts[i + 1] if i + 1 < n else ""
        after2 = texts[i + 2] if i + 2 < n else ""
        before = texts[i - 1] if i else ""
        unit = _unit(after)
        if unit is None and after in ("and", ".") and after2 in ("half", "a") and i + 3 < n:
            unit = _unit(texts[i + 3]) or _unit(after2)
        if unit:
            person = _time(tokens, texts, i, value, unit, after2, before, vitals, person, pregnant_words, baby)
            continue
        if token.kind == WORD and value < 13:
            continue
        if after == "/" and i + 2 < n and texts[i + 2] == "40" and 4 <= value <= 42 and value == int(value):
            person = replace(person, gestation_weeks=value, pregnant=True)  # clinicians' "31/40": weeks of forty
            continue
        if after in ("/", "over") and i + 2 < n and tokens[i + 2].value is not None:
            low = tokens[i + 2].value or 0
            if 60 <= value <= 300 and 30 <= low <= 200 and value > low:
                vitals.add("systolic", value, i, i + 2)
                vitals.add("diastolic", low, i, i + 2)
                continue
        if before in ("/", "over") and i >= 2 and tokens[i - 2].value is not None:
            continue
        person = _age(texts, i, value, after, after2, before, person)
        _measure(tokens, texts, i, value, after, before, vitals)
    for word, months in (("newborn", 0.5), ("neonate", 0.5)):
        if word in texts and person.age_years is None and not pregnant_words and "had" not in texts and "birth" not in texts:
            person = replace(person, age_years=months / 12)
    if person.sex is None:
        if not _FEMALE.isdisjoint(texts[:12]) and _MALE.isdisjoint(texts[:12]):
            person = replace(person, sex="female")
        elif not _MALE.isdisjoint(texts[:12]) and _FEMALE.isdisjoint(texts[:12]):
            person = replace(person, sex="male")
    return vitals, person


def _unit(word: str) -> str | None:
    for name, words in (("day", _DAY), ("week", _WEEK), ("month", _MONTH), ("year", _YEAR)):
        if word in words:
            return name
    return None


_PER_YEAR = {"day": 365.25, "week": 52.18, "month": 12.0, "year": 1.0}
_PER_DAY = {"day": 1.0, "week": 7.0, "month": 30.4, "year": 365.25}


def _time(
    tokens: Sequence[Token], texts: list[str], i: int, value: float, unit: str, after2: str, before: str,
    vitals: Vitals, person: Person, pregnant_words: bool, baby: bool,
) -> Person:  # fmt: skip
    after3 = texts[i + 3] if i + 3 < len(texts) else ""
    years = value / _PER_YEAR[unit]
    lead = texts[max(0, i - 4) : i]
    if after2 in ("post", "postpartum", "postnatal", "pp", "postnatally") or (after2 == "after" and after3 in ("birth", "delivery", "giving", "having", "c", "csection", "section", "the", "my")):
        birth = texts[i + 2 : i + 7]
        if after2 != "after" or any(w in ("birth", "delivery", "baby", "section", "csection", "labour", "caesarean", "cesarean", "partum") for w in birth):
            if after2 != "post" or after3 in ("partum", "natal", "birth", "delivery", "baby", "c", "csection", "section"):
                return replace(person, postpartum_days=int(value * _PER_DAY[unit]))
    if after2 in ("ago", "back"):
        whole = texts[max(0, i - 9) : i]
        if any(w in ("birth", "delivered", "postpartum") for w in whole) or ("baby" in whole and any(w in ("had", "having") for w in whole)) or "csection" in whole or ("section" in whole and "c" in whole) or any(w in ("caesarean", "cesarean", "caesar", "emcs") for w in whole):
            return replace(person, postpartum_days=int(value * _PER_DAY[unit]))
        vitals.add("days_ago", value * _PER_DAY[unit], i)
        return person
    old = after2 in ("old", "olds", "o", "of") or (after2 == "and" and "old" in texts[i + 2 : i + 6])
    if unit in ("week",) and not old and 3 <= value <= 43 and _gestation(texts, i, value, after2, before, pregnant_words, baby):
        return replace(person, gestation_weeks=value, pregnant=True)
    if unit == "month" and "pregnant" in texts[i + 2 : i + 4]:
        return replace(person, gestation_weeks=value * 4.345, pregnant=True)
    if old and person.age_years is None and years < 120:
        return replace(person, age_years=years)
    person_before = any(w in ("hes", "shes", "is", "im", "aged", "baby", "newborn", "son", "daughter", "only", "infant", "has", "tiene", "tem", "ist", "ma", "a", "at", "boy", "girl", "grandson", "granddaughter", "he", "she", "mum", "dad", "my") for w in lead[-2:])
    if person.age_years is None and unit in ("week", "month", "day") and before not in _NOT_GESTATION_BEFORE and (baby or person_before) and after2 not in ("now", "later", "straight"):
        if before not in ("every", "for", "within") and years < 3 and not (unit == "day" and not baby):
            return replace(person, age_years=years)
    if person.age_years is None and unit == "year" and 0 < value < 115 and before not in _NOT_GESTATION_BEFORE and after2 not in ("ago", "later", "now"):
        if person_before or after2 in ("m", "f", "male", "female"):
            return replace(person, age_years=years)
    return person


def _gestation(texts: list[str], i: int, value: float, after2: str, before: str, pregnant_words: bool, baby: bool) -> bool:
    near = texts[max(0, i - 6) : i + 8]
    if "pregnant" in near or "gestation" in near or "pregnancy" in near:
        return before not in ("for", "last", "past") or "pregnant" in texts[i + 2 : i + 4]
    if before in _NOT_GESTATION_BEFORE or after2 in _NOT_GESTATION_AFTER or value < 4:
        return False
    if any(w in ("hes", "shes", "newborn", "infant", "his", "tiene", "son", "daughter", "toddler") for w in texts[max(0, i - 3) : i + 4]):
        return False
    if baby and not pregnant_words and before in ("baby", "is", "only", "my", "at", "a", "the"):
        return False
    if pregnant_words:
        return True
    return value >= 10 and (i == 0 or before in ("im", "at", "am", ",", ".", "still", "nearly", "only", "i") or i + 2 >= len(texts) or after2 in ("and", ",", "with", "but", "preg") or value >= 20)


def _age(texts: list[str], i: int, value: float, after: str, after2: str, before: str, person: Person) -> Person:
    if person.age_years is not None or value < 1 or value > 110 or value != int(value):
        return person
    sexed = after in ("f", "m", "female", "male") or before in ("f", "m", "female", "male")
    if sexed:
        sex = "female" if after in ("f", "female") or before in ("f", "female") else "male"
        return replace(person, age_years=value, sex=person.sex or sex)
    ended = after in ("", ".", ",", "and", "with", ")", "(", "but", "has", "is", "so", "who", "got", "cant", "wont", "fell", "tripped", "just", "had", "woke", "feels", "keeps", "diarrhoea", "collapsed", "f", "m", "weighs", "suddenly", "\n")
    if before in ("im", "aged", "age", "is", "hes", "shes", "am", "turned") and (ended or before in ("aged", "age")) and 1 <= value:
        if after in ("weeks", "week", "days", "months"):
            return person
        return replace(person, age_years=value)
    if before in ("mum", "dad", "nan", "grandad", "wife", "husband", "son", "daughter", "grandma", "brother", "sister", "mother", "father", "woman", "man", "lady", "uncle", "aunt", "neighbour", "(", "smoker", "partner", "boyfriend", "girl", "boy") and ended:
        return replace(person, age_years=value)
    if i == 0 and ended and 10 <= value <= 105 and len(texts) > 3:
        return replace(person, age_years=value)
    return person


def _measure(tokens: Sequence[Token], texts: list[str], i: int, value: float, after: str, before: str, vitals: Vitals) -> None:
    decimal = "." in tokens[i].raw or "," in tokens[i].raw
    if 30 <= value <= 43.5:
        counted = after in ("mmol", "kg", "cm", "mg", "ml", "minutes", "hours", "miles", "puffs", "tablets", "pills", "f", "m", "years", "times", "of", "stone", "%", "/", "over", "bpm", "year", "y")
        if not counted and (after in ("c", "degrees", "celsius") or _near(tokens, i, _TEMP) or (decimal and 35 <= value and not _near(tokens, i, _SUGAR | _SATS, 3, 2))):
            if decimal or after in ("c", "degrees", "celsius") or _near(tokens, i, _TEMP, 4, 2):
                vitals.add("temp", value, i)
                return
    if 92 <= value <= 110 and (after in ("f", "fahrenheit", "degrees") or _near(tokens, i, _TEMP, 4, 2)) and after not in ("%",) and not _near(tokens, i, _PULSE | _SATS, 3, 1):
        vitals.add("temp", round((value - 32) / 1.8, 1), i)
        return
    if _near(tokens, i, _KETONES, 3, 2) and value < 20 and not _closer_sugar(texts, i):
        vitals.add("ketones", value, i)
        return
    if 50 <= value <= 100 and (_near(tokens, i, _SATS, 4, 3)):
        vitals.add("spo2", value, i)
        return
    if after in ("mg", "mgdl") and _near(tokens, i, _SUGAR, 5, 4) and 20 <= value <= 900:
        vitals.add("glucose", value / 18.0, i)
        return
    if _near(tokens, i, _SUGAR, 5, 2) and 0.5 <= value and after not in ("minutes", "hours", "times", "units", "tablets"):
        if value <= 45 and not _near(tokens, i, _KETONES, 1, 0):
            vitals.add("glucose", value, i)
            return
        if 46 <= value <= 900 and _near(tokens, i, frozenset("sugar sugars glucose".split()), 5, 2):
            vitals.add("glucose", value / 18.0, i)
            return
    if decimal and 1 <= value < 4 and "still" in texts[max(0, i - 2) : i] and not _TREATED.isdisjoint(texts):
        vitals.add("glucose", value, i)
        return
    if 110 <= value <= 230 and "on" in texts[i + 1 : i + 2] and not {"watch", "fitbit", "garmin", "monitor", "oximeter"}.isdisjoint(texts[i + 1 : i + 5]):
        vitals.add("pulse", value, i)
        return
    if 20 <= value <= 260 and (after == "bpm" or _near(tokens, i, _PULSE, 6, 2)) and not _near(tokens, i, _PRESSURE, 3, 1) and after not in ("minutes", "hours", "year", "years", "days", "mg"):
        vitals.add("pulse", value, i)
        return
    if 70 <= value <= 300 and _near(tokens, i, _PRESSURE, 3, 1):
        vitals.add("systolic", value, i)


def _closer_sugar(texts: list[str], i: int) -> bool:
    return (i > 0 and texts[i - 1] in _SUGAR) or (i > 1 and texts[i - 2] in _SUGAR and texts[i - 1] not in _KETONES)


__all__ = ["NEGATED", "NUMBER", "Vitals", "read"]
