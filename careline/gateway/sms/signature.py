"""Twilio's request signature (https://www.twilio.com/docs/usage/security#validating-requests).

base64(HMAC-SHA1(auth token, full public URL + each POST parameter sorted by name, as name + value)). Values of a
repeated name are de-duplicated and sorted; the URL is tried with and without its port; a JSON body is covered by the
`bodySHA256` query parameter instead. The public URL comes from our settings: headers can be forged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, urlsplit

DEFAULT_PORT = {"http": 80, "https": 443}


def _urls(url: str) -> list[str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or DEFAULT_PORT.get(parts.scheme)
    return [parts._replace(netloc=host).geturl(), parts._replace(netloc=f"{host}:{port}").geturl()]


def compute(auth_token: str, url: str, params: Mapping[str, Iterable[str]]) -> str:
    """The signature for exactly this URL and these parameters (name -> all its values)."""
    signed = url + "".join(name + value for name in sorted(params) for value in sorted(set(params[name])))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def valid(auth_token: str, url: str, params: Mapping[str, Iterable[str]], body: bytes | None, signature: str) -> bool:
    """Whether the request was made by who knows `auth_token`. `body` is given for JSON requests only."""
    if not auth_token or not signature:
        return False
    expected_hash = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    if body is not None:
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), expected_hash):
            return False
        params = {}
    given = signature.encode("utf-8", "replace")
    matches = [hmac.compare_digest(compute(auth_token, candidate, params).encode(), given) for candidate in _urls(url)]
    return any(matches)
