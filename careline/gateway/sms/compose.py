"""A message as the body of a text: plain punctuation, numbered choices instead of buttons, split at sentence ends."""

from __future__ import annotations

from typing import Any

from careline.gateway.sms.segments import count, plain
from careline.texts import text

MAX_SEGMENTS_PER_BODY = 4


def body(message_text: str, choices: list[dict[str, Any]] | None) -> str:
    """The text with its choices as numbered lines ("1 Yes"); the number is what the person texts back."""
    lines = [plain(message_text).strip()]
    if choices:
        lines.append(text("sms.reply_number"))
        lines += [f"{number} {plain(choice['label'])}" for number, choice in enumerate(choices, 1)]
    return "\n".join(lines)


def split(whole: str) -> list[str]:
    """`whole` in parts of at most four segments, cut between paragraphs, else sentences, else words."""
    parts: list[str] = []
    current = ""
    for piece in _pieces(whole):
        joined = f"{current}{piece}"
        if current and count(joined.strip()).segments > MAX_SEGMENTS_PER_BODY:
            parts.append(current.strip())
            joined = piece
        current = joined
    if current.strip():
        parts.append(current.strip())
    return parts


def _pieces(whole: str) -> list[str]:
    pieces: list[str] = []
    for line in whole.splitlines(keepends=True):
        if count(line).segments <= MAX_SEGMENTS_PER_BODY:
            pieces.append(line)
        else:
            pieces += [word + " " for word in line.split(" ")]
    return pieces
