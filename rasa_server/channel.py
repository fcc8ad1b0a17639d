"""The only way into Rasa: the gateway's channel, on loopback, with a shared secret.

POST /webhooks/careline/webhook with header X-Careline-Secret
  {"sender": "...", "text": "..."}                       what a patient typed: always text, never an intent
  {"sender": "...", "intent": "...", "entities": {...}}  trusted: a button that the server offered, or an event
  optional "metadata": {"channel": "web" | "sms", ...}
-> 200 {"messages": [{"text", "buttons", "custom"}]}; 403 wrong secret; 400 a body that is neither of the two.
"""

import hmac
import json
import logging
import os
import re
from asyncio import CancelledError

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from rasa_server import patches

logger = logging.getLogger(__name__)

SECRET = "CARELINE_RASA_SECRET"
MAX_TEXT = 4_000
CHANNELS = ("web", "sms")

_SENDER = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_INTENT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_QUIET_OPENINGS = ("EXTERNAL_emergency", "EXTERNAL_takeover", "EXTERNAL_reminder", "EXTERNAL_verified")


def plain_text(text: str) -> str:
    """The text as a patient's words, which Rasa cannot read as an intent.

    Rasa strips white space (str.strip: 29 code points) and then takes a leading "/" as an intent; taking one away
    may leave another behind white space, so this goes on until none is left. What is nothing but slashes and white
    space becomes a full stop, because Rasa does not answer an empty message.
    """
    stripped = text.strip()
    while stripped.startswith("/"):
        stripped = stripped[1:].strip()
    return stripped or "."


class Replies(CollectingOutputChannel):
    """Collects one turn's messages; its name chooses between a response's web and SMS wording."""

    def __init__(self, channel: str, welcome: str | None) -> None:
        super().__init__()
        self.channel = channel
        self.welcome = welcome

    def name(self) -> str:  # type: ignore[override]  # Rasa asks the object, never the class
        return self.channel

    def as_json(self) -> list:
        """The messages as the gateway reads them, without Rasa's recipient ids; one entry per response."""
        return [{key: m[key] for key in ("text", "buttons", "custom") if key in m} for m in self.messages]


class CarelineChannel(InputChannel):
    """Rasa's input channel `careline`."""

    @classmethod
    def name(cls) -> str:
        return "careline"

    @classmethod
    def from_credentials(cls, credentials):
        return cls(os.environ.get(SECRET, ""))

    def __init__(self, secret: str) -> None:
        if not secret:
            raise RuntimeError(f"{SECRET} is not set: Rasa's channel takes no message without a secret")
        patches.apply()
        self._secret = secret.encode()

    def blueprint(self, on_new_message) -> Blueprint:
        routes = Blueprint("careline_channel", __name__)

        @routes.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            given = request.headers.get("X-Careline-Secret", "")
            if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._secret):
                return _error(403, "wrong_secret")
            try:
                message, replies = read_message(request.body)
            except BadMessage as bad:
                return _error(400, str(bad))
            try:
                await on_new_message(message)
            except CancelledError:
                logger.error("A message was not answered in time")
            except Exception as failure:
                # Neither the text nor the exception's message: both may hold the patient's words.
                logger.error("A message failed: %s", type(failure).__name__)
            return response.json({"messages": replies.as_json()})

        return routes


class BadMessage(ValueError):
    """The body is not a message of this channel; the text says what is wrong with it."""


def read_message(body: bytes) -> tuple:
    """(UserMessage, Replies) of a request's body. BadMessage when it is not one."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise BadMessage("not_json") from None
    if not isinstance(data, dict):
        raise BadMessage("not_an_object")
    sender, text, intent = data.get("sender"), data.get("text"), data.get("intent")
    metadata = data.get("metadata") or {}
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        # Without one, Rasa would put everybody into the conversation "default".
        raise BadMessage("bad_sender")
    if not isinstance(metadata, dict):
        raise BadMessage("bad_metadata")
    if (text is None) == (intent is None):
        raise BadMessage("text_or_intent")
    if intent is None:
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise BadMessage("bad_text")
        words = plain_text(text)
    else:
        words = _trusted(intent, data.get("entities") or {})
    channel = metadata.get("channel")
    replies = Replies(channel if channel in CHANNELS else "web", _welcome(sender, intent, metadata))
    return UserMessage(words, replies, sender, input_channel="careline", metadata=metadata), replies


def _trusted(intent, entities) -> str:
    if not isinstance(intent, str) or not _INTENT.fullmatch(intent):
        raise BadMessage("bad_intent")
    if not isinstance(entities, dict) or not all(
        isinstance(value, (str, int, float, bool)) for value in entities.values()
    ):
        raise BadMessage("bad_entities")
    return f"/{intent}{json.dumps(entities)}" if entities else f"/{intent}"


def _welcome(sender: str, intent, metadata: dict) -> str | None:
    """The sentence that opens a session: in full the first time, none on top of emergency advice or of a greeting
    that the gateway has already given."""
    if intent in _QUIET_OPENINGS or metadata.get("welcomed"):
        return None
    first = sender.rpartition("-")[2] in ("0", "1") or "-" not in sender
    return "utter_welcome" if first else "utter_welcome_again"


def _error(status: int, code: str) -> HTTPResponse:
    return response.json({"error": {"code": code}}, status=status)
