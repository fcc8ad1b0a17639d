"""Session tokens: made by the server, bound to one conversation, checkable even while the database is down.

A token is `conversation.nonce.expiry.signature`; its hash stands in the conversation's row, so that ending a session
makes it worthless. With the database away the signature alone is enough to hear an emergency, for nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from careline.settings import settings

LIFETIME = timedelta(hours=8)


@dataclass(frozen=True)
class Token:
    """A new token and when it ends."""

    value: str
    expires_at: datetime


def _sign(body: str) -> str:
    return hmac.new(settings().index_key.encode(), f"session:{body}".encode(), hashlib.sha256).hexdigest()


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def issue(conversation_id: str, now: datetime) -> Token:
    """A token for this conversation, good for eight hours."""
    expires_at = now + LIFETIME
    body = f"{conversation_id}.{secrets.token_hex(16)}.{int(expires_at.timestamp())}"
    return Token(f"{body}.{_sign(body)}", expires_at)


def conversation_of(token: str, now: datetime) -> str | None:
    """The conversation that a genuine, unexpired token belongs to; None otherwise."""
    body, _, signature = token.rpartition(".")
    if not body or not hmac.compare_digest(signature.encode("utf-8", "replace"), _sign(body).encode()):
        return None
    conversation_id, _, expiry = body.split(".")
    return conversation_id if datetime.fromtimestamp(int(expiry), UTC) > now else None
