"""The medicine list (knowledge/medicines.yml): names, brands, class, flags and guard limits; finding one in text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from rapidfuzz import fuzz, process

FILE = Path(__file__).resolve().parents[3] / "knowledge" / "medicines.yml"
# Below this likeness a name is not even asked about.
SUGGEST_AT = 82


@dataclass(frozen=True)
class Medicine:
    """One medicine. Flags: weekly_only, high_alert, critical. Limits are daily totals that are never scheduled
    beyond without a pharmacist (`max_mg`; `max_units` of tablets, capsules or puffs); `unit_mg`: the usual strength."""

    name: str
    group: str
    brands: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    max_mg: float | None = None
    max_units: float | None = None
    unit_mg: float | None = None

    @property
    def weekly_only(self) -> bool:
        return "weekly_only" in self.flags

    @property
    def high_alert(self) -> bool:
        return "high_alert" in self.flags

    @property
    def critical(self) -> bool:
        return "critical" in self.flags


@dataclass(frozen=True)
class Found:
    """A medicine name in what was typed: `exact` or only alike (then ask whether it is meant)."""

    medicine: Medicine
    words: str
    exact: bool


@lru_cache(maxsize=1)
def medicines() -> dict[str, Medicine]:
    """Every generic and brand name in lower case -> its medicine."""
    data = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    index: dict[str, Medicine] = {}
    for group, entries in data["groups"].items():
        shared = frozenset(data["flags"].get(group, ()))
        for name, facts in entries.items():
            facts = facts or {}
            flags = frozenset(facts["flags"]) if "flags" in facts else shared
            medicine = Medicine(
                name,
                group,
                tuple(facts.get("brands", ())),
                flags,
                facts.get("max_mg"),
                facts.get("max_units"),
                facts.get("unit_mg"),
            )
            for word in (name, *medicine.brands, *facts.get("also", ())):
                key = str(word).lower()
                if key in index and index[key].name != name:
                    raise ValueError(f"'{word}' names two medicines in {FILE.name}")
                index[key] = medicine
    return index


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    names = sorted(medicines(), key=len, reverse=True)
    return re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, names)) + r")s?(?![\w-])")


def find_in(text: str) -> tuple[str, Medicine] | None:
    """The first medicine named exactly in lower-case text, with its words there."""
    m = _pattern().search(text)
    return (m[0], medicines()[m[1]]) if m else None


def recognise(text: str) -> Found | None:
    """The medicine a patient names, tolerating spelling; None when nothing is alike. Never raises."""
    line = re.sub(r"\s+", " ", text.casefold()).strip()
    found = find_in(line)
    if found:
        return Found(found[1], found[0], True)
    words = [w for w in re.findall(r"[a-z][a-z-]{4,}", line) if w not in _NOT_NAMES]
    best: tuple[float, str, str] | None = None
    names = [name for name in medicines() if len(name) > 4]
    for word in words:
        match = process.extractOne(word, names, scorer=fuzz.ratio, score_cutoff=SUGGEST_AT)
        if match and (best is None or match[1] > best[0]):
            best = (match[1], match[0], word)
    return Found(medicines()[best[1]], best[2], False) if best else None


_NOT_NAMES = {
    "tablet",
    "tablets",
    "capsule",
    "capsules",
    "daily",
    "twice",
    "every",
    "morning",
    "night",
    "evening",
    "needed",
    "hours",
    "weeks",
    "cream",
    "inhaler",
    "drops",
    "medicine",
    "medication",
    "water",
    "blood",
    "pressure",
}


@lru_cache(maxsize=1)
def _grace() -> dict[str, int]:
    return yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["grace_minutes"]


def grace_minutes(medicine: Medicine | None) -> int:
    """How many minutes late a reminder may still go out, by the class of the medicine."""
    table = _grace()
    if medicine is None:
        return table["default"]
    if medicine.weekly_only:
        return table["weekly_only"]
    return table.get(medicine.group, table["critical"] if medicine.critical else table["default"])
