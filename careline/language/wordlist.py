"""Word lists are easier to read, and to compare in a diff, as running text."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a running text."""
    return frozenset(text.split())
