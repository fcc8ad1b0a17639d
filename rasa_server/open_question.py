"""Reads a message in the light of the question that is open.

In a form, "34", "since Tuesday" or "not really" are answers, whatever they look like on their own. What is clearly
something else (a question to us, another task, a wish for a person) stays what it is; the form is then interrupted and
asks again. In doubt it is an answer: the form asks again when it cannot use it, and nothing is lost.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

ANSWER = "answer"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class OpenQuestionClassifier(GraphComponent, IntentClassifier):
    """Last of the pipeline (after FallbackClassifier, which would take "34" for something it does not know)."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"kept": {}, "threshold": 0.5, "interruption": 0.6}

    @classmethod
    def create(
        cls, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> OpenQuestionClassifier:
        return cls(config)

    def __init__(self, config: Dict[Text, Any]) -> None:
        self._config = config

    def process(
        self, messages: List[Message], tracker: Optional[DialogueStateTracker] = None
    ) -> List[Message]:
        form = tracker.active_loop_name if tracker else None
        if form:
            for message in messages:
                if message.get(TEXT) and not message.get(TEXT).strip().startswith("/"):
                    self._read(message, form)
        return messages

    def _read(self, message: Message, form: str) -> None:
        intent = message.get(INTENT) or {}
        # What FallbackClassifier put in front is no meaning; the one behind it may be.
        ranking = [r for r in message.get("intent_ranking") or [] if r.get("name") not in (None, "nlu_fallback")]
        best = ranking[0] if ranking else {}
        name, confidence = best.get("name"), best.get("confidence", 0.0)
        replies = self._config["kept"].get("replies", [])
        own = self._config["kept"].get(form, [])
        if name in replies and confidence >= self._config["threshold"]:
            intent = best
        elif name and name not in replies and name not in own and confidence >= self._config["interruption"]:
            intent = best
        else:
            intent = {"name": ANSWER, "confidence": 1.0}
        message.set(INTENT, intent, add_to_output=True)
        message.set("intent_ranking", [intent, *[r for r in ranking if r is not best]], add_to_output=True)
