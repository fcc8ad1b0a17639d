"""The small language of the red-flag rules, compiled to functions.

    chest ~6 pain            both within six words of each other in a sentence (~ alone: ten)
    fever & stiff_neck       both anywhere in the message
    a | b, (..), !a          either; grouping; absent
    now:pain                 mentioned as present, and neither over, long-standing, mild nor a joke
    any:stroke               mentioned, also as past
    all:insulin              mentioned, also when denied ("without insulin")
    cur:pain                 as now:, but a mild one counts too
    @age<0.25 @temp>=38      a fact about the person or a measurement; @pregnant, @infant, ...

A plain name counts when it is not negated, past or hypothetical. The result is the list of places (tuples of token
indexes) that prove the rule; an empty list means that it does not hold.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol

Place = tuple[int, ...]
Places = list[Place]


class Facts(Protocol):
    """What a rule asks of a message."""

    sentence: list[int]

    def places(self, name: str, mode: str) -> Places: ...
    def holds(self, name: str, op: str, value: float) -> Places: ...


Rule = Callable[[Facts], Places]
_LEX = re.compile(r"\s*(~\d*|[&|()!]|@[a-z_0-9]+(?:(?:<=|>=|<|>)[\d.]+)?|(?:now:|any:|cur:|all:)?[a-z][a-z_0-9]*)")
_MOST = 64  # places kept per finding: enough to prove anything, bounded for hostile text


def compile_rule(source: str) -> Rule:
    """Parse a rule; ValueError names the source when it is not well formed."""
    lexed, at = [], 0
    source = source.strip()
    while at < len(source):
        match = _LEX.match(source, at)
        if not match:
            raise ValueError(f"cannot read rule {source!r} at {source[at:]!r}")
        lexed.append(match.group(1))
        at = match.end()
    rule, i = _or(lexed, 0)
    if i != len(lexed):
        raise ValueError(f"cannot read rule {source!r} after {' '.join(lexed[:i])}")
    return rule


def names_in(source: str) -> set[str]:
    """The concepts and findings that a rule refers to."""
    found = {m.split(":")[-1] for m in _LEX.findall(source) if m[0].isalpha()}
    return {m for m in found if m}


def _or(lexed: list[str], i: int) -> tuple[Rule, int]:
    parts = []
    part, i = _and(lexed, i)
    parts.append(part)
    while i < len(lexed) and lexed[i] == "|":
        part, i = _and(lexed, i + 1)
        parts.append(part)
    if len(parts) == 1:
        return parts[0], i
    return (lambda facts: [p for rule in parts for p in rule(facts)][:_MOST]), i


def _and(lexed: list[str], i: int) -> tuple[Rule, int]:
    parts = []
    part, i = _near(lexed, i)
    parts.append(part)
    while i < len(lexed) and lexed[i] == "&":
        part, i = _near(lexed, i + 1)
        parts.append(part)
    if len(parts) == 1:
        return parts[0], i

    def both(facts: Facts) -> Places:
        found: Place = ()
        for rule in parts:
            places = rule(facts)
            if not places:
                return []
            found += places[-1]
        return [found]

    return both, i


def _near(lexed: list[str], i: int) -> tuple[Rule, int]:
    rule, i = _unary(lexed, i)
    while i < len(lexed) and lexed[i].startswith("~"):
        reach = int(lexed[i][1:] or 10)
        other, i = _unary(lexed, i + 1)
        rule = _joined(rule, other, reach)
    return rule, i


def _joined(left: Rule, right: Rule, reach: int) -> Rule:
    def near(facts: Facts) -> Places:
        a = left(facts)
        if not a:
            return []
        b = right(facts)
        if not b:
            return []
        if () in b:
            return a
        if () in a:
            return b
        b = sorted(b)
        heads = [p[0] for p in b]
        out: Places = []
        for place in a:
            low, high = min(place), max(place)
            at = bisect_left(heads, low)
            for k in (at - 2, at - 1, at, at + 1):
                if 0 <= k < len(b):
                    other = b[k]
                    first, last = min(other), max(other)
                    gap = first - high if first >= low else low - last
                    if gap <= reach and facts.sentence[first] == facts.sentence[low]:
                        out.append(place + other)
                        break
        return out if len(out) <= _MOST else out[: _MOST // 2] + out[-_MOST // 2 :]

    return near


def _unary(lexed: list[str], i: int) -> tuple[Rule, int]:
    if i >= len(lexed):
        raise ValueError("a rule ends too early")
    token = lexed[i]
    if token == "(":
        rule, i = _or(lexed, i + 1)
        if i >= len(lexed) or lexed[i] != ")":
            raise ValueError("unclosed bracket in a rule")
        return rule, i + 1
    if token == "!":
        rule, i = _unary(lexed, i + 1)
        return (lambda facts: [] if rule(facts) else [()]), i
    if token.startswith("@"):
        match = re.fullmatch(r"@([a-z_0-9]+?)(?:(<=|>=|<|>)([\d.]+))?", token)
        assert match
        name, op, value = match.group(1), match.group(2) or "", float(match.group(3) or 0)
        return (lambda facts: facts.holds(name, op, value)), i + 1
    if token[0].isalpha():
        mode, _, name = token.rpartition(":")
        return (lambda facts: facts.places(name, mode)), i + 1
    raise ValueError(f"unexpected {token!r} in a rule")
