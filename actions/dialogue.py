"""What every conversation needs of the tracker: who writes, what the last message was, and how to say something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Said:
    """The last message. `text` is empty for a button or an event; `entities` come with those only."""

    key: str
    text: str
    intent: str
    entities: dict[str, Any]
    ranking: tuple[tuple[str, float], ...]

    @property
    def is_choice(self) -> bool:
        return not self.text


def last_said(tracker: Tracker) -> Said:
    """The patient's last message; `key` tells it from every other one of the conversation."""
    message = tracker.latest_message or {}
    event = next((e for e in reversed(tracker.events) if e.get("event") == "user"), {})
    text = message.get("text") or ""
    return Said(
        key=f"{event.get('message_id') or ''}@{event.get('timestamp') or ''}",
        # Only the channel can send a leading slash, for what the server offered.
        text="" if text.startswith("/") else text,
        intent=(message.get("intent") or {}).get("name") or "",
        entities={e["entity"]: e["value"] for e in message.get("entities") or [] if "entity" in e},
        ranking=tuple(
            (r["name"], r.get("confidence", 0.0)) for r in message.get("intent_ranking") or [] if r.get("name")
        ),
    )


_YES = frozenset(
    re.findall(
        r"\w+",
        "yes yeah yep yup yea ye yh y ok okay sure please correct right fine go ahead do it book that "
        "thats i is thanks thank you great perfect lovely good sounds works for me confirm "
        "confirmed definitely absolutely all",
    )
)
_NO = frozenset(["no", "nope", "nah", "na", "n", "not", "dont", "wrong", "incorrect", "never"])


def bare_reply(said: Said) -> str | None:
    """'yes' or 'no' when the message is that and nothing else; None otherwise.

    What is booked, stored or called off on a yes needs this: "yes but on Friday" is no yes.
    """
    if said.is_choice:
        return {"affirm": "yes", "deny": "no"}.get(said.intent)
    words = re.findall(r"[a-z0-9]+", said.text.lower().replace("'", "").replace("’", ""))
    if not words or len(words) > 6:
        return None
    if words[0] in _NO or (said.intent == "deny" and not set(words) & _YES):
        return "no"
    return "yes" if set(words) <= _YES and said.intent != "deny" else None


def interrupts(domain: dict[str, Any], slot: str, intent: str) -> bool:
    """Whether domain.yml lists `intent` as something else than an answer to the form of `slot`."""
    mappings = (domain.get("slots") or {}).get(slot, {}).get("mappings") or [{}]
    return intent in (mappings[0].get("not_intent") or ())


def wording(domain: dict[str, Any], name: str, **fields: Any) -> str:
    """A short text of domain.yml, for a button or a part of a sentence; empty when there is none."""
    variants = (domain.get("responses") or {}).get(name) or [{}]
    text = variants[0].get("text") or ""
    return _PLACE.sub(lambda m: str(fields.get(m[1], m[0])), text)


def payload(intent: str, **entities: str) -> str:
    """What a button sends back; quotes and braces in a value stay part of the value."""
    return f"/{intent}{json.dumps(entities)}" if entities else f"/{intent}"


def listed(parts: Iterable[str], joint: str) -> str:
    """'a, b and c' (with `joint` = 'and')."""
    parts = list(parts)
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def is_sms(tracker: Tracker) -> bool:
    metadata = (tracker.latest_message or {}).get("metadata") or {}
    return metadata.get("channel") == "sms"


def previous_actions(tracker: Tracker) -> list[str]:
    """The actions of the turn before this one, without listening."""
    turns: list[list[str]] = [[]]
    for event in tracker.events:
        if event.get("event") == "user":
            turns.append([])
        elif event.get("event") == "action" and event.get("name") not in (None, "action_listen"):
            turns[-1].append(event["name"])
    return turns[-2] if len(turns) > 1 else []


def opened_by_this_message(tracker: Tracker, form: str) -> bool:
    """Whether the form was not yet open when the patient wrote: then the message is no answer to its question."""
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            break
        if event.get("event") == "active_loop" and event.get("name") == form:
            return True
    return False


def ask_for_identity(dispatcher: CollectingDispatcher, then: str) -> None:
    """The gateway finds out who this is (phone, code) and sends `then` when it knows."""
    dispatcher.utter_message(json_message={"need": "identity", "then": then})
