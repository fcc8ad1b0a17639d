"""Raw patient text -> plain lower-case text that keeps its way back to the original.

Folded: case, full-width and "mathematical" letters, accents and stacked marks (zalgo), zero-width and control
characters, look-alike letters (Cyrillic, Greek), curly quotes and dashes. Emoji that carry meaning become words.
Linear in the length of the text; accepts every `str`, lone surrogates included.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

_LOOK_ALIKES = dict(
    zip(
        "авекмнорстухіјѕԁԛԝёєпґ" + "αβεηικνορτυχωγ" + "ıłøđħŧʟɡɑſ",
        "abekmhopctyxijsdqweeng" + "abenikvoptuxwy" + "ilodhtlgas",
        strict=True,
    )
)
_SEVERAL = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "…": "...", "½": ".5", "°": " ", "º": " ", "€": "e"}
_MARKS = dict.fromkeys("’‘`´ʼ′＇‛", "'") | dict.fromkeys("“”„«»″", '"') | dict.fromkeys("–—−‒―", "-")
_EMOJI = {
    "😂": "lol", "🤣": "lol", "😹": "lol", "😆": "lol", "🩸": "blood", "🤮": "vomiting", "🤢": "nausea",
    "🔪": "knife", "💊": "pills", "🔫": "gun", "🤰": "pregnant", "👶": "baby", "🤒": "fever", "🤕": "hurt head",
    "😵": "dizzy", "🚑": "ambulance", "🆘": "help", "🥵": "hot", "🥶": "cold", "🐍": "snake", "🐝": "bee",
    "🫀": "heart", "🫁": "lungs", "🌡": "temperature", "🔥": "burning", "🦷": "tooth", "👁": "eye", "🦵": "leg",
    "🦶": "foot", "💪": "arm", "👅": "tongue", "👄": "lips", "🍺": "beer", "🍷": "wine", "🥜": "peanut", "🔋": "battery",
    "🧲": "magnet", "☠": "poison",
}  # fmt: skip
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_ASCII = {i: " " for i in range(32)} | {127: " ", ord("`"): "'"} | {ord(c): "\n" for c in _BREAKS}


class Normal(NamedTuple):
    """`text` is what to read; `offsets[i]` is where its character i came from (None: the same place)."""

    text: str
    offsets: list[int] | None
    length: int

    def origin(self, i: int) -> int:
        """Index in the original of character i of `text`; `len(original)` for the end."""
        if i >= len(self.text):
            return self.length
        return i if self.offsets is None else self.offsets[i]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Half-open span in the original of `text[start:end]`."""
        if end <= start:
            return self.origin(start), self.origin(start)
        return self.origin(start), self.origin(end - 1) + 1


def normalise(text: str) -> Normal:
    """Fold the text; never raises."""
    if text.isascii():
        return Normal(text.lower().translate(_ASCII), None, len(text))
    out: list[str] = []
    offsets: list[int] = []
    for i, char in enumerate(text):
        folded = _fold(char)
        out.append(folded)
        if len(folded) == 1:
            offsets.append(i)
        else:
            offsets.extend([i] * len(folded))
    return Normal("".join(out), offsets, len(text))


def plain(text: str) -> str:
    """Only the folded text."""
    return normalise(text).text


@lru_cache(maxsize=8192)
def _fold(char: str) -> str:
    if char in _EMOJI:
        return f" {_EMOJI[char]} "
    if char in _MARKS:
        return _MARKS[char]
    if char in _SEVERAL:
        return _SEVERAL[char]
    if char in _BREAKS:
        return "\n"
    category = unicodedata.category(char)
    if category in ("Cc", "Zs"):
        return " "
    if category in ("Cf", "Mn", "Me", "Cs", "Co", "Cn"):
        return ""
    lowered = char.lower()
    if lowered in _LOOK_ALIKES:
        return _LOOK_ALIKES[lowered]
    parts = unicodedata.normalize("NFKD", lowered)
    kept = "".join(c for c in parts if unicodedata.category(c) not in ("Mn", "Me", "Cf")).lower()
    kept = "".join(_LOOK_ALIKES.get(c, c) for c in kept)
    return kept if category[0] in "LNPZS" else f" {kept} " if kept else ""
