"""Very long texts made shorter before they are read: runs of one mark, and words that only repeat what stood before.

What is new is kept wherever it stands, with the words around it, so nothing hides in the middle of a repetition.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONG = 6_000  # characters; a shorter text is read as it is
_WINDOW, _SEEN = 6, 2
_RUN = re.compile(r"([^\w\s])\1{3,}")
_WORD = re.compile(r"\S+\s*")


class Condensed(NamedTuple):
    """The shorter `text`; `pieces` are (start in it, start in the original), ascending."""

    text: str
    pieces: list[tuple[int, int]]

    def origin(self, at: int) -> int:
        """Index in the original of index `at` of the shorter text."""
        low, high = 0, len(self.pieces)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.pieces[middle][0] <= at else (low, middle)
        begin, original = self.pieces[low] if self.pieces else (0, 0)
        return original + at - begin


def condense(text: str) -> Condensed:
    """Linear in the length of the text. A word stays when one of the six-word windows around it was seen less than
    twice before; where words are left out stands a line break."""
    words = []
    at = 0
    for run in _RUN.finditer(text):
        words.extend((m.group(), at + m.start()) for m in _WORD.finditer(text[at : run.start() + 3]))
        at = run.end()
    words.extend((m.group(), at + m.start()) for m in _WORD.finditer(text[at:]))
    plain = [word.strip().lower() for word, _ in words]
    seen: dict[tuple[str, ...], int] = {}
    fresh_until = 0
    keep = [False] * len(words)
    for i in range(len(words)):
        window = tuple(plain[i : i + _WINDOW])
        count = seen[window] = seen.get(window, 0) + 1
        if count <= _SEEN:
            fresh_until = i + _WINDOW
        keep[i] = i < fresh_until
    out: list[str] = []
    pieces: list[tuple[int, int]] = []
    length = 0
    kept = True
    for (word, start), wanted in zip(words, keep, strict=True):
        if wanted:
            pieces.append((length, start))
            out.append(word)
            length += len(word)
        elif kept:
            out.append("\n")
            pieces.append((length, start))
            length += 1
        kept = wanted
    return Condensed("".join(out), pieces)
