"""Field encryption: what identifies a patient or was said by one is unreadable in the database file.

AES-256-GCM with a fresh 96-bit nonce per value (NIST SP 800-38D). `CARELINE_FIELD_KEYS` lists `id:key` pairs, the
first one encrypts, all of them decrypt: rotation is putting a new key in front and re-saving at leisure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from careline.settings import settings


class UnreadableField(Exception):
    """A stored value cannot be decrypted: its key is missing from CARELINE_FIELD_KEYS, or it was changed."""


@lru_cache(maxsize=4)
def _ring(field_keys: str) -> tuple[str, dict[str, AESGCM]]:
    ring: dict[str, AESGCM] = {}
    for pair in field_keys.split(","):
        key_id, _, encoded = pair.strip().partition(":")
        try:
            ring[key_id] = AESGCM(base64.urlsafe_b64decode(encoded))
        except (binascii.Error, ValueError) as error:
            raise UnreadableField(f"CARELINE_FIELD_KEYS: key '{key_id}' is not 32 bytes in base64") from error
    return next(iter(ring)), ring


def encrypt(plain: str) -> str:
    """`plain` as `keyid:base64(nonce + ciphertext)`."""
    key_id, ring = _ring(settings().field_keys)
    nonce = os.urandom(12)
    sealed = nonce + ring[key_id].encrypt(nonce, plain.encode("utf-8", "surrogatepass"), key_id.encode())
    return f"{key_id}:{base64.b64encode(sealed).decode()}"


def decrypt(stored: str) -> str:
    """The plain text of `encrypt`. UnreadableField when the key is unknown or the value was tampered with."""
    key_id, _, encoded = stored.partition(":")
    _, ring = _ring(settings().field_keys)
    if key_id not in ring:
        raise UnreadableField(f"no key '{key_id}' in CARELINE_FIELD_KEYS")
    sealed = base64.b64decode(encoded)
    try:
        plain = ring[key_id].decrypt(sealed[:12], sealed[12:], key_id.encode())
    except InvalidTag as error:
        raise UnreadableField(f"a value under key '{key_id}' does not verify") from error
    return plain.decode("utf-8", "surrogatepass")


def blind_index(value: str) -> str:
    """A keyed hash (HMAC-SHA-256, hex) to look an encrypted value up by equality."""
    return hmac.new(settings().index_key.encode(), value.encode(), hashlib.sha256).hexdigest()
