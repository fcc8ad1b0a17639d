"""Whose a finding is: the person the message is about (the focus), or somebody else who is only mentioned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from careline.language.tokens import CLAUSE, COMMA, MESSAGE, SENTENCE, Token
from careline.language.wordlist import words

_BLOOD = words(
    "mum dad mother father brother brothers sister sisters nan gran grandma grandad grandmother grandfather "
    "aunt auntie uncle cousin parent parents sibling siblings grandparents family"
)
_CHILDREN = words("son daughter baby child kid toddler boy girl infant newborn kids twins children")
_AROUND = words(
    "husband wife partner boyfriend girlfriend friend friends flatmate colleague housemate hubby missus "
    "neighbour roommate everyone classmates coworker coworkers boss"
)  # fmt: skip
_WHO = _BLOOD | _CHILDREN | _AROUND
_OWN = words("i im ive my me myself id")
_PATIENT = words("he hes she shes patient pt his her him")


@dataclass(frozen=True, slots=True)
class Whose:
    """`focus`: the person the message is about. `blood`: a blood relative of that person."""

    subject: Literal["self", "other"]
    focus: bool
    blood: bool = False


class About:
    """Answers `at(token)`: whose is what is said at this token."""

    def __init__(self, subject: Literal["self", "other"], ranges: list[tuple[int, int, bool]]) -> None:
        self.focus = Whose(subject, True)
        self._ranges = ranges

    def at(self, token: int) -> Whose:
        for begin, end, blood in self._ranges:
            if begin <= token < end:
                return Whose("other", False, blood)
        return self.focus


def whose(tokens: Sequence[Token], subject: Literal["self", "other"]) -> About:
    """Ranges of tokens that speak of somebody who is not the focus."""
    texts = [t.text for t in tokens]
    ranges: list[tuple[int, int, bool]] = []
    n = len(texts)
    focus = _focus(texts) if subject == "other" else None
    for i, text in enumerate(texts):
        nxt = texts[i + 1] if i + 1 < n else ""
        if (text in ("family", "fh", "fhx") and nxt in (":", "history", "hx")) or text in ("fh", "fhx"):
            ranges.append((i + 1, _end(tokens, i + 1, True), True))
            continue
        if text not in _WHO or text == focus:
            continue
        if text in _CHILDREN and focus in _CHILDREN | {None} and subject == "other":
            continue
        if not _subject_here(texts, i) or _is_the_patient(texts, i):
            continue
        if any(a <= i < b for a, b, _ in ranges):
            continue
        ranges.append((i + 1, _end(tokens, i + 1, False), text in _BLOOD))
    return About(subject, ranges)


def _focus(texts: Sequence[str]) -> str | None:
    """The word for the person the message is about: the first person named."""
    for text in texts:
        if text in _WHO or text in _PATIENT:
            return text if text in _WHO else None
    return None


_VERBS = words(
    "has have had is are was gets got died suffers suffered with also feels feel been being caught tested "
    "dies passed"
)  # fmt: skip
_ILLNESSES = frozenset(["mi", "ihd", "cad", "cancer", "stroke", "diabetes", "htn", "angina", "aneurysm", "lymphoma"])
_AFTER = frozenset(["too", "both", "all", "also", "side"])


def _subject_here(texts: Sequence[str], i: int) -> bool:
    """Is this person what the next words are about ("my mum has asthma"), not an object ("I told my mum")?"""
    after = [t for t in texts[i + 1 : i + 4] if t not in _AFTER]
    before = texts[max(0, i - 3) : i]
    if any(
        w in ("from", "told", "by", "with", "to", "gave", "called", "asked", "ask", "for", "at", "tell", "and")
        for w in before[-2:]
    ):
        return bool(after) and after[0] in ("has", "had", "have", "died") and "for" not in before[-2:]
    if any(w in ("in",) for w in before[-2:]):
        return True
    return bool(after) and (any(w in _VERBS for w in after[:2]) or after[0] in _ILLNESSES)


def _is_the_patient(texts: Sequence[str], i: int) -> bool:
    """ "A previously healthy boy presents with fever", "this baby was brought in": whom the note is about."""
    if texts[i] not in _CHILDREN or any(w in ("my", "our", "his", "her", "their") for w in texts[max(0, i - 4) : i]):
        return False
    after = texts[i + 1 : i + 4]
    return any(
        w.startswith("present") or w in ("brought", "admitted", "comes", "came", "attends", "referred") for w in after
    )


def _end(tokens: Sequence[Token], start: int, family: bool) -> int:
    """Where talk of this person ends: sentence end, or the focus speaking again."""
    for k in range(start, min(len(tokens), start + 30)):
        token = tokens[k]
        if token.kind in (SENTENCE, MESSAGE):
            return k
        if family:
            continue
        if token.kind == CLAUSE and token.text not in ("/",):
            return k
        if token.text in ("but", "now", "so"):
            return k
        nxt = tokens[k + 1].text if k + 1 < len(tokens) else ""
        if (token.kind == COMMA or token.text == "and") and (nxt in _OWN or nxt in _PATIENT):
            return k
        if token.text in ("i", "im", "ive"):
            return k
    return min(len(tokens), start + 30)


def speaks(tokens: Sequence[Token], at: int) -> Literal["self", "other"] | None:
    """Who has what is said at token `at`, going by the nearest person word before it in the sentence."""
    for k in range(at - 1, max(-1, at - 8), -1):
        token = tokens[k]
        if token.kind in (SENTENCE, MESSAGE):
            return None
        text = token.text
        if text in _WHO or text in _PATIENT:
            return "other"
        if text in ("i", "im", "ive") or (text in ("my", "me") and at - k <= 4):
            return "self"
    return None


_SORTS = words("guy man lady woman bloke lad girl boy student male female gent mum dad teacher nurse")


def describes_self(tokens: Sequence[Token]) -> bool:
    """ "17, tall skinny guy, chest hurts": a noun for oneself, with nobody else in the text."""
    texts = [t.text for t in tokens]
    if any(t in _PATIENT and t not in ("pt", "patient") for t in texts):
        return False
    people = [i for i, t in enumerate(texts) if t in _WHO or t in _SORTS or t in ("patient", "pt")]
    return (
        bool(people)
        and all(
            texts[i] in _SORTS and (i == 0 or texts[i - 1] not in ("my", "our", "the", "this", "that", "his", "her"))
            for i in people
        )
        and (any(t in _OWN for t in texts) or not any(texts[i - 1] in ("a", "an") for i in people if i))
    )


_SEXED = words("f m female male woman man lady guy bloke lad gent girl boy pregnant she he hes shes")


def says_own_sex(tokens: Sequence[Token]) -> bool:
    """Is there a word for the writer's sex that is not a relative ("52 f", "I am a woman", "17, tall guy")?"""
    texts = [t.text for t in tokens]
    if any(t in _WHO for t in texts):
        return any(t in _SEXED and not (i and texts[i - 1] in ("my", "our")) for i, t in enumerate(texts))
    return True
