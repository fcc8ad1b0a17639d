"""The red-flag screen: the one thing that must work when everything else is down.

A message (with the few before it and what is known of the person) -> the flags it raises, the most urgent first.
No model, no database, no network; never raises on any `str`; linear in the length of the text.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from careline.language import context
from careline.language.condense import LONG, Condensed, condense
from careline.language.flags import RANK, Catalogue, FlagRule, catalogue
from careline.language.person import Person
from careline.language.rules import _MOST, Place, Places
from careline.language.tokens import MESSAGE, NUMBER, SENTENCE, WORD, Token, tokenise
from careline.language.vitals import read
from careline.language.wordings import Mention

WINDOW = 6  # messages that are read together
_LONG = 6_000  # tokens; longer texts are read in overlapping parts
_OVERLAP = 200
_PART, _PART_OVERLAP = 300, 40
_QUIET = context.NEGATED | context.PAST | context.HYPOTHETICAL
_NOT_NOW = context.RESOLVED | context.CHRONIC | context.MILD | context.JOKE
_OVER = _NOT_NOW & ~context.MILD
Kind = Literal["fire", "inform", "ask", "none"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Flag:
    """One raised red flag. `span` and `words` are the evidence in the message (span (0, 0) when it lies in an earlier
    one); `because` is the rule; `advice` names the first-aid text."""

    id: str
    name: str
    urgency: str
    span: tuple[int, int]
    words: str
    because: str
    advice: str


@dataclass(frozen=True, slots=True)
class Screen:
    """`urgency` is the highest of `flags`, "none" without. `kind`: fire (advice now), inform (an information question
    about an emergency), ask (one safety question), none."""

    urgency: str
    flags: tuple[Flag, ...]
    kind: Kind
    subject: Literal["self", "other"]
    person: Person
    language: str


def screen(text: str, history: Sequence[str] = (), person: Person = Person(), *, now_open: str | None = None) -> Screen:
    """Screen one message. `history`: the patient's earlier messages, oldest first. `now_open`: the advice that is
    already open in this episode (accepted for the caller's convenience; the result does not depend on it)."""
    try:
        if len(text) > LONG:
            short = condense(text)
            return _in_original(_screen(short.text, history, person), short)
        return _screen(text, history, person)
    except Exception:  # a broken rule must not silence the safety net: ask for a human, say nothing of the text
        log.error("the red-flag screen failed; answering with a safety question")
        return Screen("urgent_same_day", (), "ask", "self", person, "en")


def _screen(text: str, history: Sequence[str], person: Person) -> Screen:
    known = catalogue()
    tokens = tokenise(text, known.speller)
    language = _language(tokens, known)
    if len(tokens) > _LONG:
        alone = _long(tokens, text, person, known, language)
    else:
        alone = _Reading(tokens, 0, text, person, known, language=language)
        if alone.cut:  # more mentions than a rule looks at: look into smaller parts, so that none is hidden
            flags = alone.flags
            for begin in range(0, len(tokens), _PART - _PART_OVERLAP):
                if flags and flags[0].urgency == "call_ems":
                    break
                part = _Reading(tokens[begin : begin + _PART], 0, text, alone.person, known, language=language)
                flags = _merge(flags, part.flags)
            alone.flags, alone.kind = flags, "fire" if flags else alone.kind
    flags, kind = alone.flags, alone.kind
    if history:
        earlier: list[Token] = []
        learned = person
        for message in history[-(WINDOW - 1) :]:
            part = tokenise(message[-2000:], known.speller)
            earlier.extend(part)
            earlier.append(Token("\n", "\n", 0, 0, MESSAGE))
            if len(tokens) <= _LONG:
                learned = learned.merged(_Reading(part, 0, message, Person(), known, facts_only=True).person)
        if len(tokens) <= _LONG:
            together = _Reading(
                earlier + tokens, len(earlier), text, _filled(alone.person, learned), known, told=alone.person != person, language=language
            )
            flags = _merge(flags, together.flags)
            kind = "fire" if flags else together.kind if kind == "none" else kind
            alone = together
    urgency = flags[0].urgency if flags else "none"
    return Screen(urgency, flags, kind, context.subject(tokens), alone.person, language)


def _in_original(found: Screen, short: Condensed) -> Screen:
    flags = tuple(
        replace(flag, span=(short.origin(flag.span[0]), short.origin(flag.span[1] - 1) + 1)) if flag.span[1] else flag
        for flag in found.flags
    )
    return replace(found, flags=flags)


def _filled(now: Person, before: Person) -> Person:
    return before.merged(now)


def _merge(first: tuple[Flag, ...], second: tuple[Flag, ...]) -> tuple[Flag, ...]:
    best: dict[str, Flag] = {}
    for flag in (*first, *second):
        if flag.id not in best or RANK[flag.urgency] > RANK[best[flag.id].urgency]:
            best[flag.id] = flag
    return tuple(sorted(best.values(), key=lambda f: -RANK[f.urgency]))


def _long(tokens: list[Token], text: str, person: Person, known: Catalogue, language: str) -> _Reading:
    """A very long text: overlapping parts, each on its own; facts learned in one part hold in the next."""
    first: _Reading | None = None
    flags: tuple[Flag, ...] = ()
    kind: Kind = "none"
    for begin in range(0, len(tokens), _LONG - _OVERLAP):
        part = _Reading(tokens[begin : begin + _LONG], 0, text, person, known, language=language)
        person = part.person
        flags = _merge(flags, part.flags)
        kind = part.kind if kind == "none" else kind
        first = first or part
    assert first is not None
    first.flags, first.kind, first.person = flags, "fire" if flags else kind, person
    return first


def _language(tokens: Sequence[Token], known: Catalogue) -> str:
    scores = dict.fromkeys(known.languages, 0)
    for token in tokens[:200]:
        for name, words in known.languages.items():
            if token.raw in words:
                scores[name] += 1
    best = max(scores, key=lambda name: scores[name], default="en")
    return best if scores.get(best, 0) > scores.get("en", 0) else "en"


class _Reading:
    """One pass over a run of tokens. `fresh` is the index of the first token of the current message: what came
    before is context, and a flag needs evidence from the current message. `told`: that message says who it is about (age,
    pregnancy, medicines), which is evidence too."""

    def __init__(
        self,
        tokens: list[Token],
        fresh: int,
        text: str,
        person: Person,
        known: Catalogue,
        facts_only: bool = False,
        told: bool = False,
        language: str = "en",
    ) -> None:
        self._known, self._tokens, self._fresh, self._text = known, tokens, fresh, text
        self._told = told
        self.cut = False  # were there more mentions of something than the rules look at?
        mentions = known.wordings.find(tokens)
        idiom = bytearray(len(tokens))
        consumed = set()
        # Portuguese "no" is "in the" and denies nothing: "dor no peito"
        prepositions = {i for i, t in enumerate(tokens) if t.text == "no"} if language == "pt" else set()
        for mention in mentions:
            if mention.name.startswith("idiom"):
                for i in range(mention.start, mention.end):
                    idiom[i] = 1
        for i, token in enumerate(tokens):
            if (token.text in context.NEGATORS or token.text in context.VERB_NEGATORS) and i not in prepositions:
                consumed.add(i)  # a wording that says "not" itself ("not breathing") is not denied by it
        self._masks = context.annotate(tokens, prepositions)
        self._by_name: dict[str, list[tuple[Place, int]]] = {}
        for mention in mentions:
            if not mention.name.startswith("idiom") and any(idiom[i] for i in mention.used):
                continue
            self._keep(mention, consumed)
        self.sentence = _sentences(tokens)
        self._vitals, self.person = read(tokens, self._masks, person)
        self._learn()
        self.flags: tuple[Flag, ...] = ()
        self.kind: Kind = "none"
        if not facts_only:
            self._judge()

    def _keep(self, mention: Mention, consumed: set[int]) -> None:
        mask = 0
        for i in mention.used:
            mask |= self._masks[i]
        if not consumed.isdisjoint(mention.used):
            mask &= ~context.NEGATED
        self._by_name.setdefault(mention.name, []).append((mention.used, mask))

    def _learn(self) -> None:
        """Facts about the person that the text states, for later turns."""
        facts = set(self.person.facts)
        for name, ids in self._known.facts.items():
            if any(not mask & _QUIET for _, mask in self._by_name.get(name, ())):
                facts.update(ids)
        pregnant = self.person.pregnant
        if pregnant is None and "pregnant" in facts:
            pregnant = True
        self.person = Person(
            self.person.age_years,
            self.person.sex,
            pregnant,
            self.person.gestation_weeks,
            self.person.postpartum_days,
            frozenset(facts),
        )

    # what rules ask

    def places(self, name: str, mode: str) -> Places:
        key = (name, mode, self._blind)
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = self._places(name, mode)
        return found

    def _places(self, name: str, mode: str) -> Places:
        rule = self._known.findings.get(name)
        if rule is not None:
            if mode == "any":
                before, self._blind = self._blind, self._blind & ~context.PAST
                out = rule(self)
                self._blind = before
                return out
            out = rule(self)
            if mode in ("now", "cur"):
                unwanted = _NOT_NOW if mode == "now" else _OVER
                out = [p for p in out if not any(self._masks[i] & unwanted for i in p)]
            return out
        blind = self._blind
        if mode == "now":
            blind |= _NOT_NOW
        elif mode == "cur":
            blind |= _OVER
        elif mode == "any":
            blind &= ~context.PAST
        elif mode == "all":
            blind &= ~context.NEGATED
        out = [place for place, mask in self._by_name.get(name, ()) if not mask & blind]
        if len(out) > _MOST:
            self.cut = True
            out = out[: _MOST // 2] + out[-_MOST // 2 :]
        ids = self._known.facts.get(name)
        if not out and ids and not ids.isdisjoint(self.person.facts):
            return [()]
        return out

    def holds(self, name: str, op: str, value: float) -> Places:
        person = self.person
        if name == "age":
            return [()] if person.age_years is not None and _compare(person.age_years, op, value) else []
        if name == "known_age":
            return [()] if person.age_years is not None else []
        if name == "gestation":
            return [()] if person.gestation_weeks is not None and _compare(person.gestation_weeks, op, value) else []
        if name == "pregnant":
            return [()] if person.pregnant or person.gestation_weeks is not None else self.places("pregnant", "")
        if name == "postpartum":
            days = person.postpartum_days
            return [()] if days is not None and _compare(float(days), op or "<", value or 90) else []
        if name == "male":
            return [()] if person.sex == "male" else []
        if name == "female":
            return [()] if person.sex == "female" else []
        if name == "short":
            return [()] if sum(t.kind in (WORD, NUMBER) for t in self._tokens[self._fresh :]) < (value or 8) else []
        return [place for number, place in self._vitals.found.get(name, ()) if _compare(number, op, value)]

    # the verdict

    def _judge(self) -> None:
        self._memo: dict[tuple[str, str, int], Places] = {}
        self._blind = _QUIET
        flags: dict[str, Flag] = {}
        for rule in self._known.rules:
            if rule.flag in flags:
                continue
            evidence = self._evidence(rule)
            if evidence is not None:
                flags[rule.flag] = self._flag(rule, evidence)
        self.flags = tuple(sorted(flags.values(), key=lambda f: -RANK[f.urgency]))
        if self.flags:
            self.kind = "fire"
            return
        if any(self._evidence(rule) is not None for rule in self._known.asks):
            self.kind = "ask"
            return
        if any(mask & context.HYPOTHETICAL for mask in self._masks):
            self._memo, self._blind = {}, _QUIET & ~context.HYPOTHETICAL
            if any(self._evidence(rule) is not None for rule in self._known.rules if RANK[rule.urgency] >= 3):
                self.kind = "inform"

    def _evidence(self, rule: FlagRule) -> Place | None:
        for place in reversed(rule.rule(self)):
            if not self._fresh or self._told or any(i >= self._fresh for i in place):
                return place
        return None

    def _flag(self, rule: FlagRule, place: Place) -> Flag:
        mine = sorted(i for i in place if i >= self._fresh)
        span = (0, 0)
        words = ""
        if mine:
            span = (self._tokens[mine[0]].start, self._tokens[mine[-1]].end)
            words = " ".join(self._tokens[i].text for i in dict.fromkeys(mine))
        name = self._known.flags[rule.flag]["name"]
        return Flag(rule.flag, name, rule.urgency, span, words, rule.source, rule.advice)


def _compare(number: float, op: str, value: float) -> bool:
    if op == ">=":
        return number >= value
    if op == "<":
        return number < value
    if op == ">":
        return number > value
    if op == "<=":
        return number <= value
    return True


def _sentences(tokens: Sequence[Token]) -> list[int]:
    """Sentence number per token. Fragments of up to five words belong together with their neighbours: people send
    "Chest. Really heavy. Sweating" and one thought in three messages."""
    out = [0] * len(tokens)
    number, start, before = 0, 0, 99
    for i in range(len(tokens) + 1):
        if i == len(tokens) or tokens[i].kind in (SENTENCE, MESSAGE):
            words = sum(1 for t in tokens[start:i] if t.kind in (WORD, NUMBER))
            if words:
                if words > 5 and before > 5 and start:
                    number += 1
                before = words
            for j in range(start, min(i + 1, len(tokens))):
                out[j] = number
            start = i + 1
    return out
