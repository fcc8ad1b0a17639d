"""A triage service that answers from a table, and a small domain."""

from __future__ import annotations

from typing import Any

import pytest

from actions import triage_client
from actions.dialogue import Said
from careline.errors import Unavailable


class FakeTriage:
    """Finds the words it was told of; asks its questions in order; then gives its level."""

    def __init__(self) -> None:
        self.words: dict[str, tuple[str, str]] = {}
        self.flags: dict[str, str] = {}
        self.questions: list[list[str]] = []
        self.level = "routine"
        self.floor: str | None = None
        self.down = False
        self.cases: list[dict[str, Any]] = []

    async def parse(self, text: str, about: dict[str, Any], context: list[str]) -> dict[str, Any]:
        self._answer()
        mentions, rest = [], text.lower()
        for words, (ident, choice) in sorted(self.words.items(), key=lambda item: -len(item[0])):
            if words in rest:
                mentions.append({"id": ident, "name": ident, "choice_id": choice, "subject": "self"})
                rest = rest.replace(words, "")
        flags = [
            {"id": ident, "name": ident, "urgency": urgency}
            for ident, urgency in self.flags.items()
            if ident in text.lower()
        ]
        return {"mentions": mentions, "red_flags": flags, "person": {"age": None, "sex": None}}

    async def diagnosis(self, case: dict[str, Any], interview: dict[str, Any]) -> dict[str, Any]:
        self._answer()
        self.cases.append({**case, "interview": interview})
        known = {item["id"] for item in case["evidence"]} | set(interview["asked"])
        left = [group for group in self.questions if not set(group) & known]
        question = None
        if left:
            items = [{"id": i, "name": i, "choices": []} for i in left[0]]
            kind = "single" if len(items) == 1 else "group_multiple"
            question = {"type": kind, "text": f"{left[0]}?", "help": None, "items": items, "rationale": "Because."}
        floor = {"level": self.floor, "rules": []}
        triage = {"level": self.level, "floor": floor, "reasons": [], "advice": {}}
        return {"question": question, "triage": triage, "should_stop": not left, "conditions": []}

    async def plain_names(self) -> dict[str, str]:
        return {}

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("triage.unavailable")


@pytest.fixture
def triage(monkeypatch: pytest.MonkeyPatch) -> FakeTriage:
    fake = FakeTriage()
    for name in ("parse", "diagnosis", "plain_names"):
        monkeypatch.setattr(triage_client, name, getattr(fake, name))
    return fake


def said(text: str = "", intent: str = "answer", **entities: Any) -> Said:
    """A message as the dialogue hands it over; without text it is a button."""
    return Said(key=f"{text}{entities}", text=text, intent=intent, entities=entities, ranking=())
