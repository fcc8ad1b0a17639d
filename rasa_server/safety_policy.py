"""What comes before every form, rule and story: an emergency, a person taking over, a wish for a person.

A prediction of a form ("ask the next question") beats every other unless it has all three: probability 1, a higher
priority, and `is_no_user_prediction`. The form is closed with it; what it had gathered is in the database and can be
taken up again. A local sentence comes before the action that needs the action server: that one may be down.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Text

from rasa.core.featurizers.precomputation import MessageContainerForCoreFeaturization
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUttered
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker

LISTEN = "action_listen"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=False)
class SafetyPolicy(Policy):
    """`responses` of its configuration: intent -> the actions to take, in this order, from any state.

    `clear` names the forms' slots to empty; after an action of `last` it is the patient's turn.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"priority": 100, "responses": {}, "clear": [], "last": []}

    @classmethod
    def create(
        cls, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SafetyPolicy:
        return cls(config, model_storage, resource, execution_context)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SafetyPolicy:
        return cls(config, model_storage, resource, execution_context)

    def train(
        self, training_trackers: List[TrackerWithCachedStates], domain: Domain, **kwargs: Any
    ) -> Resource:
        return self._resource

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: Optional[Dict[Text, Any]] = None,
        precomputations: Optional[MessageContainerForCoreFeaturization] = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        action = self._next(tracker)
        if action is None or action not in domain.action_names_or_texts:
            return self._prediction(self._default_predictions(domain))
        probabilities = self._default_predictions(domain)
        probabilities[domain.index_for_action(action)] = 1.0
        # Only a sequence of its own closes the form.
        named = tracker.latest_message.intent.get("name") in self.config["responses"]
        return self._prediction(
            probabilities,
            optional_events=self._close_form(tracker) if named else None,
            is_no_user_prediction=True,
        )

    def _next(self, tracker: DialogueStateTracker) -> Optional[Text]:
        """The next action of this turn's sequence; None when this policy has nothing to say."""
        done: List[Text] = []
        for event in reversed(tracker.applied_events()):
            if isinstance(event, UserUttered):
                break
            if isinstance(event, ActionExecuted):
                done.append(event.action_name)
        sequence = self.config["responses"].get(tracker.latest_message.intent.get("name"))
        if sequence is None:
            # No rule follows the fallback action: without this it would follow itself, ten times.
            return LISTEN if done and done[0] in self.config["last"] else None
        sequence = [*sequence, LISTEN]
        return sequence[len(done)] if len(done) < len(sequence) else LISTEN

    def _close_form(self, tracker: DialogueStateTracker) -> List:
        if not tracker.active_loop_name:
            return []
        slots = ["requested_slot", *[s for s in self.config["clear"] if tracker.get_slot(s) is not None]]
        return [ActiveLoop(None), *[SlotSet(slot, None) for slot in slots]]
