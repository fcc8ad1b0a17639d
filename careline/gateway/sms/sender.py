"""The way out to a phone: Twilio's REST API, or the simulated phone of a development machine."""

from __future__ import annotations

import secrets
from typing import Protocol

import httpx

from careline.clinic.db import blind_index, session_scope, utcnow
from careline.clinic.sms_numbers import SimulatedSms
from careline.settings import Settings, settings

# Twilio error codes that no retry mends: opted out, unreachable, unknown, landline, filtered, invalid number.
PERMANENT = {21211, 21408, 21610, 21614, 30003, 30005, 30006, 30007}


class TransportError(Exception):
    """The provider did not take the text. `permanent` says that trying again is pointless; `code` is the provider's."""

    def __init__(self, message: str, *, permanent: bool, code: int | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.code = code


class Sender(Protocol):
    """Hands a text to somebody who delivers it."""

    def send(self, to: str, body: str) -> str:
        """The provider's id of the text. TransportError when it was not taken."""


class TwilioSender:
    """Twilio's Messages resource. Timeouts are explicit; the body is never logged."""

    def __init__(self, known: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self._from = known.sms_number
        self._callback = f"{known.public_url}/sms/status"
        self._http = httpx.Client(
            base_url=known.sms_api_url, auth=(known.sms_account, known.sms_auth_token), transport=transport,
            timeout=httpx.Timeout(10.0, connect=3.0), follow_redirects=False)
        self._path = f"/2010-04-01/Accounts/{known.sms_account}/Messages.json"

    def send(self, to: str, body: str) -> str:
        data = {"To": to, "From": self._from, "Body": body, "StatusCallback": self._callback}
        try:
            answer = self._http.post(self._path, data=data)
        except httpx.HTTPError as error:
            raise TransportError(type(error).__name__, permanent=False) from error
        if answer.status_code >= 400:
            try:
                code = int(answer.json().get("code"))
            except (ValueError, TypeError):
                code = None
            raise TransportError(f"status {answer.status_code}", code=code, permanent=code in PERMANENT)
        return str(answer.json()["sid"])


class SimulatedSender:
    """The built-in phone: a row that the page /phone shows. Development only."""

    def send(self, to: str, body: str) -> str:
        sid = f"SM{secrets.token_hex(16)}"
        with session_scope() as session:
            session.add(SimulatedSms(number_index=blind_index(to), direction="in", body=body, sid=sid, at=utcnow()))
        return sid


def get_sender() -> Sender:
    """The sender that the settings name."""
    known = settings()
    return SimulatedSender() if known.sms_provider == "simulated" else TwilioSender(known)
