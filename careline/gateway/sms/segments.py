"""How many SMS a text is: GSM 03.38 septets (160 alone, 153 joined) or UCS-2 (70 alone, 67 joined)."""

from __future__ import annotations

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
# Punctuation that a provider's "smart encoding" would replace; we do it ourselves so that a text stays GSM-7.
PLAIN = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "′": "'", "″": '"', "–": "-", "—": "-",
    "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "*", "·": ".", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    "\t": " ",
    "«": '"', "»": '"', "\u200b": "", "\ufeff": "", "\x00": "",
})


@dataclass(frozen=True)
class Count:
    """`encoding` is GSM-7 or UCS-2; `units` are septets or 16-bit units."""

    encoding: str
    units: int
    segments: int


def plain(text: str) -> str:
    """`text` with typographic punctuation made plain, so that it needs no UCS-2."""
    return text.translate(PLAIN)


def _joined(widths: list[int], alone: int, joined: int) -> int:
    """Segments for units that may not be split across a border (an escape, a surrogate pair)."""
    total = sum(widths)
    if total <= alone:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > joined:
            segments, used = segments + 1, 0
        used += width
    return segments


def count(text: str) -> Count:
    """The encoding, units and segments that `text` costs as it is."""
    if all(c in BASIC or c in EXTENDED for c in text):
        widths = [2 if c in EXTENDED else 1 for c in text]
        return Count("GSM-7", sum(widths), _joined(widths, 160, 153))
    widths = [2 if ord(c) > 0xFFFF else 1 for c in text]
    return Count("UCS-2", sum(widths), _joined(widths, 70, 67))
