"""What a patient typed -> findings, numbers, who, when, negated or not; and the red-flag screen. Pure: no I/O but
reading `knowledge/` once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from careline.language.person import Person

if TYPE_CHECKING:
    from careline.language.parse import parse
    from careline.language.screen import Flag, Screen, screen

__all__ = ["Flag", "Person", "Screen", "parse", "screen"]


def __getattr__(name: str) -> Any:
    """Load on first use, so that importing the package costs nothing and parse may lean on screen."""
    from importlib import import_module

    if name == "parse":
        found = import_module("careline.language.parse").parse
    elif name in ("screen", "Screen", "Flag"):
        found = getattr(import_module("careline.language.screen"), name)
    else:
        raise AttributeError(name)
    globals()[name] = found
    return found
