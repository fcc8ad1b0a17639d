"""What a text says about texting itself: stop, start, help. Everything else is dialogue.

Twilio takes the single words of its default list before we see them; other carriers and other wordings reach us, and
47 CFR 64.1200(a)(10) wants any reasonable manner honoured. A cry for help is never the carrier keyword HELP.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

OPT_OUT, OPT_IN, HELP, SAFETY_FIRST, OTHER = "opt_out", "opt_in", "help", "safety_first", "other"
REMINDER_REPLY = "reminder_reply"
LONGEST_MANNER = 12  # words; a longer text that says stop is a story, not a request


@lru_cache(maxsize=1)
def _lists() -> dict[str, Any]:
    return yaml.load((Path(__file__).parent / "keywords.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _plain(body: str) -> str:
    folded = unicodedata.normalize("NFKD", body[:400]).casefold().replace("’", "'")
    kept = "".join(c for c in folded if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join(re.sub(r"[^\w' ]+", " ", kept).split())


def _has(phrases: list[str], words: str) -> bool:
    padded = f" {words} "
    return any(f" {phrase} " in padded for phrase in phrases)


def reminder_reply(body: str) -> str | None:
    """taken, skip or snooze: what a text says about the dose that was just asked about; None for anything else."""
    plain = _plain(body).replace("'", "")
    if re.fullmatch(r"(\w )+\w", plain):
        plain = plain.replace(" ", "")  # T A K E N
    core = " ".join(w for w in plain.split() if w not in _lists()["polite"])
    without_time = re.sub(r"(?: for)? \d{1,3} ?(?:m|min|mins|minutes|h|hr|hour|hours)?$", "", core)
    for meaning, wordings in _lists()["reminder_reply"].items():
        if core in wordings or (meaning == "snooze" and without_time in wordings):
            return str(meaning)
    return None


def classify(body: str, awaiting_dose: bool = False) -> str:
    """One of opt_out, opt_in, help, safety_first, other; and reminder_reply while a dose was just asked about."""
    lists = _lists()
    plain = _plain(body)
    words = plain.split()
    if awaiting_dose and (plain in {"1", "2", "3"} or reminder_reply(body)):
        return REMINDER_REPLY
    core = " ".join(w for w in words if w not in lists["polite"]) or plain
    if plain in lists["safety_first"] or core in lists["safety_first"]:
        return SAFETY_FIRST
    for kind in (OPT_OUT, OPT_IN, HELP):
        if core.replace("-", " ") in lists[kind] or plain in lists[kind]:
            return kind
    manner = lists["manner"]
    if (len(words) <= LONGEST_MANNER and _has(manner["verbs"], plain) and _has(manner["objects"], plain)
            and not _has(lists["scoped"], plain)):
        return OPT_OUT
    return OTHER


def holds_opt_out_word(body: str) -> bool:
    """Whether an opt-out word stands somewhere in a longer text."""
    return _has(_lists()["inflected"], _plain(body))


def clinical(body: str) -> bool:
    """Whether the text speaks of a symptom: then an opt-out word in it is about the symptom."""
    return _has(_lists()["clinical"], _plain(body)) and not _has(_lists()["scoped"][:12], _plain(body))
