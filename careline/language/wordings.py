"""Concepts and the many ways to say them, compiled into one tree that is walked along the stems of a text.

A wording is written as words with `(a|b c|)` alternatives, `<name>` for a word class, `*` for up to four words in
between and `#` for any number. Filler words in the text ("is", "really", "my") are skipped. Matching costs a bounded
number of steps per token, whatever the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from careline.language.normalise import plain
from careline.language.tokens import _ALIASES, COMMA, NUMBER, WORD, Token, stem

_FILLERS = (
    "a an the my me his her their our your its this that these those really very so too just like literally proper well "
    "is are was were be been being has have had am im ive i he hes she shes it they theyre we you do does did get gets got "
    "getting gotten keeps keep kept feel feels feeling look looks looking seem seems seemed went gone going turn turning turned "
    "become becoming became starting started start quite pretty right still now also all some of to on at and bit absolutely "
    "completely totally both got s t m ve re d please bloody fucking fuckin damn freaking frigging sodding actually "
    "basically suddenly sudden ever even always constantly again super extremely incredibly "
    "y el la los las de le un une der die das den o os um uma se mi mon ma meu minha mein meine sie er ist bin hat habe "
    "jest mam moj moja mu"
).split()
FILLERS = frozenset(stem(w) for w in _FILLERS) | frozenset(_FILLERS)
_MAX_FILL, _GAP = 4, 4
# a text of more tokens than _CROWDED keeps _EACH mentions of a concept in every _BUCKET tokens
_CROWDED, _BUCKET, _EACH = 1_000, 16, 2
_PIECE = re.compile(r"<[a-z_]+>|[()|*#]|[^\s()|*#<>]+")
_END = ""


class Mention(NamedTuple):
    """Concept `name` at tokens `start`..`end` (half open); `used` are the tokens that matched, fillers left out."""

    name: str
    start: int
    end: int
    used: tuple[int, ...]


def expand(wording: str, classes: Mapping[str, str]) -> list[tuple[str, ...]]:
    """All concrete word sequences of one wording."""
    pieces = _PIECE.findall(wording)
    found, rest = _alternatives(pieces, 0, classes)
    if rest != len(pieces):
        raise ValueError(f"unbalanced brackets in wording {wording!r}")
    return [w for w in found if w]


def _alternatives(pieces: list[str], i: int, classes: Mapping[str, str]) -> tuple[list[tuple[str, ...]], int]:
    options: list[tuple[str, ...]] = []
    current: list[list[tuple[str, ...]]] = []

    def close() -> None:
        options.extend(tuple(w for part in combo for w in part) for combo in product(*current))

    while i < len(pieces):
        piece = pieces[i]
        if piece == "(":
            inner, i = _alternatives(pieces, i + 1, classes)
            if i >= len(pieces) or pieces[i] != ")":
                raise ValueError("unclosed bracket")
            current.append(inner)
        elif piece == ")":
            break
        elif piece == "|":
            close()
            current = []
        elif piece.startswith("<"):
            inner = [o for w in split(classes[piece[1:-1]]) for o in expand(w, classes)]
            current.append(inner)
        else:
            current.append([(piece,)])
        i += 1
    close()
    return options, i


def split(listed: str) -> list[str]:
    """A comma-separated list of wordings; commas inside brackets do not count (there are none)."""
    return [w.strip() for w in listed.replace("\n", " ").split(",") if w.strip()]


class Wordings:
    """The tree of all concepts. `words` are the plain words in it and how often, for spelling repair."""

    def __init__(self, concepts: Mapping[str, Iterable[str]], classes: Mapping[str, str]) -> None:
        self._root: dict[str, Any] = {}
        self.words: Counter[str] = Counter()
        self.count = 0
        for name, wordings in concepts.items():
            for wording in wordings:
                for sequence in expand(wording, classes):
                    self._insert(name, sequence)

    def _insert(self, name: str, sequence: tuple[str, ...]) -> None:
        node = self._root
        for word in sequence:
            if word in "*#":
                node = node.setdefault(word, {})
                continue
            word = plain(word).replace("'", "").replace("-", "")
            for part in _ALIASES.get(word, word).split():
                self.words[part] += 1
                node = node.setdefault(stem(part), {})
        names = node.setdefault(_END, [])
        if name not in names:
            names.append(name)
            self.count += 1

    def find(self, tokens: Sequence[Token]) -> list[Mention]:
        """All mentions of all concepts, overlapping ones included, by position."""
        stems = [t.stem if t.kind in (WORD, NUMBER) else t.kind for t in tokens]
        out: list[Mention] = []
        root = self._root
        crowded = len(tokens) > _CROWDED
        counts: dict[str, int] | None = None
        for i, token in enumerate(tokens):
            if crowded and i % _BUCKET == 0:
                counts = {}
            node = root.get(token.stem) if token.kind in (WORD, NUMBER) else None
            if node is not None:
                self._walk(tokens, stems, node, i, out, counts)
            if token.value is not None and "#" in root:
                self._walk(tokens, stems, root["#"], i, out, counts)
        return out

    def _walk(
        self,
        tokens: Sequence[Token],
        stems: Sequence[str],
        node: dict[str, Any],
        i: int,
        out: list[Mention],
        counts: dict[str, int] | None,
    ) -> None:
        n = len(tokens)
        stack: list[tuple[dict[str, Any], int, int, tuple[int, ...]]] = [(node, i + 1, 0, (i,))]
        while stack:
            node, j, skipped, used = stack.pop()
            if skipped == 0 and _END in node:
                for name in node[_END]:
                    if counts is not None:
                        counts[name] = counts.get(name, 0) + 1
                        if counts[name] > _EACH:
                            continue
                    out.append(Mention(name, i, j, used))
            if j >= n:
                continue
            kind = tokens[j].kind
            if kind not in (WORD, NUMBER):
                if kind == COMMA and skipped == 0 and len(node) > (_END in node) and j + 1 < n:
                    nxt = node.get(stems[j + 1])
                    if nxt is not None and tokens[j + 1].kind == WORD:
                        stack.append((nxt, j + 2, 0, (*used, j + 1)))
                continue
            word = stems[j]
            nxt = node.get(word)
            if nxt is not None:
                stack.append((nxt, j + 1, 0, (*used, j)))
            if tokens[j].value is not None and "#" in node:
                stack.append((node["#"], j + 1, 0, (*used, j)))
            gap = node.get("*")
            if gap is not None:
                for k in range(j, min(j + _GAP + 1, n)):
                    if tokens[k].kind not in (WORD, NUMBER):
                        break
                    nxt = gap.get(stems[k])
                    if nxt is not None:
                        stack.append((nxt, k + 1, 0, (*used, k)))
                    if tokens[k].value is not None and "#" in gap:
                        stack.append((gap["#"], k + 1, 0, (*used, k)))
            if kind == WORD and skipped < _MAX_FILL and (word in FILLERS or tokens[j].text in FILLERS):
                stack.append((node, j + 1, skipped + 1, used))
