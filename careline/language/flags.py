"""The red flags as data: catalogue, rules, concepts and findings, read once from `knowledge/` and compiled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from careline.language.common_words import COMMON
from careline.language.rules import Rule, compile_rule, names_in
from careline.language.tokens import Speller
from careline.language.wordings import FILLERS, Wordings, split

KNOWLEDGE = Path(__file__).resolve().parents[2] / "knowledge"
URGENCIES = ("none", "gp_days", "urgent_same_day", "ed_now", "call_ems")
RANK = {name: rank for rank, name in enumerate(URGENCIES)} | {"self_care": 0}


@dataclass(frozen=True, slots=True)
class FlagRule:
    """One way to raise a flag; `urgency` and `advice` may differ from the flag's own."""

    flag: str
    source: str
    rule: Rule
    urgency: str
    advice: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that the screen knows. `rules` are sorted, the most urgent first."""

    flags: dict[str, dict[str, Any]]
    rules: tuple[FlagRule, ...]
    asks: tuple[FlagRule, ...]
    wordings: Wordings
    findings: dict[str, Rule]
    facts: dict[str, frozenset[str]]
    speller: Speller
    languages: dict[str, frozenset[str]]


def _read(name: str) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((KNOWLEDGE / name).read_text(encoding="utf-8"), Loader=loader)


def catalogue() -> Catalogue:
    """Read and compile, once in a process; ValueError when a rule names a concept that does not exist.

    A failure is remembered like a success: it is raised again at once, without reading the files again.
    """
    loaded = _loaded()
    if isinstance(loaded, Exception):
        raise loaded.with_traceback(None)
    return loaded


@lru_cache(maxsize=1)
def _loaded() -> Catalogue | Exception:
    try:
        return _load()
    except Exception as error:  # a file that is gone, broken or inconsistent: every call has to say so
        return error


def _load() -> Catalogue:
    words, other = _read("red_flag_words.yml"), _read("red_flag_words_other.yml")
    listed, ruled = _read("red_flags.yml"), _read("red_flag_rules.yml")
    classes = words["classes"] | other["classes"]
    english = {name: split(text) for name, text in words["concepts"].items()}
    concepts = {name: list(wordings) for name, wordings in english.items()}
    for by_concept in other["concepts"].values():
        for name, text in by_concept.items():
            concepts.setdefault(name, []).extend(split(text))
    wordings = Wordings(concepts, classes)
    targets = Wordings(english, classes).words
    known = set(words["known"].split()) | COMMON | set(words["glue"].split()) | FILLERS
    foreign = set(wordings.words) - set(targets)
    for word in words["never_mend_to"].split():
        del targets[word]
        known.add(word)
    speller = Speller(targets, known, words["glue"].split(), foreign)
    findings = {name: compile_rule(rule) for name, rule in ruled["findings"].items()}
    names = set(concepts) | set(findings)
    flags = {flag["id"]: flag for flag in listed["red_flags"]}
    sources = list(ruled["findings"].values())
    rules, asks = [], []
    for kind, into in (("flags", rules), ("asks", asks)):
        for flag_id, entries in ruled[kind].items():
            for entry in entries:
                entry = {"rule": entry} if isinstance(entry, str) else entry
                sources.append(entry["rule"])
                flag = flags[flag_id]
                into.append(
                    FlagRule(
                        flag_id,
                        entry["rule"],
                        compile_rule(entry["rule"]),
                        entry.get("urgency", flag["urgency"]),
                        entry.get("advice", flag["advice"]),
                    )
                )
    for source in sources:
        missing = names_in(source) - names
        if missing:
            raise ValueError(f"rule {source!r} names unknown {sorted(missing)}")
    rules.sort(key=lambda r: -RANK[r.urgency])
    facts = {name: frozenset(split(ids)) for name, ids in words["facts"].items()}
    languages = {name: frozenset(text.split()) for name, text in other["languages"].items()}
    return Catalogue(flags, tuple(rules), tuple(asks), wordings, findings, facts, speller, languages)
