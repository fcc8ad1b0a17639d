"""Errors as types that carry what to do next: `code` names the sentence that the patient or clinician is shown."""

from __future__ import annotations


class CarelineError(Exception):
    """A failure with its own sentence: `code` is its key in the text catalogue, `fields` fill it."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


class NotFound(CarelineError):
    """There is no such thing, or it is not this person's: the two look the same on purpose."""


class Conflict(CarelineError):
    """Somebody else was first, or the same key came with another content."""


class Invalid(CarelineError):
    """What was given cannot be used; `code` says which part."""


class Unavailable(CarelineError):
    """A part of the house does not answer; the caller says so honestly and gives the phone number."""
