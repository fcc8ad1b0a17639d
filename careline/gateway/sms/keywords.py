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


def classify(body: str) -> str:
    """One of opt_out, opt_in, help, safety_first, other."""
    lists = _lists()
    plain = _plain(body)
    words = plain.split()
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
