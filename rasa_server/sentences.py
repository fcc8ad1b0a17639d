"""Chooses and fills the responses of domain.yml: the clinic's facts, and third-person wording.

A response may use {emergency_number}, {crisis_line}, {clinic_name} and {clinic_phone} without anybody setting a slot:
they must be there when the action server is not. A response `utter_x` that is about somebody else than the writer
(argument or slot `about` = "other") is said as `utter_x_other` where there is one.
"""

import os
import re

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator

FACTS = {
    "emergency_number": ("CARELINE_EMERGENCY_NUMBER", "999"),
    "crisis_line": ("CARELINE_CRISIS_LINE", "116 123"),
    "clinic_name": ("CARELINE_CLINIC_NAME", "the clinic"),
    "clinic_phone": ("CARELINE_CLINIC_PHONE", "the number on our web page"),
}


_PLACE = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}")


def fill(value, facts):
    """Put `facts` into the {places} of a response. Unknown places stay; {{ and }} are braces.

    Not Rasa's own, which gives up on the whole sentence when what is filled in looks like a place.
    """
    if isinstance(value, str):

        def one(match):
            if not match.group(1):
                return match.group()[0]
            fact = facts.get(match.group(1))
            return match.group() if fact is None else str(fact)

        return _PLACE.sub(one, value)
    if isinstance(value, dict):
        return {key: fill(inner, facts) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, facts) for inner in value]
    return value


class Sentences(TemplatedNaturalLanguageGenerator):
    """Rasa's response chooser with the clinic's facts filled in; always the first fitting variation."""

    def __init__(self, endpoint_config=None, domain=None) -> None:
        super().__init__(domain.responses if domain else {})
        self._facts = {name: os.environ.get(variable) or default for name, (variable, default) in FACTS.items()}

    async def generate(self, utter_action, tracker, output_channel, **kwargs):
        slots = tracker.current_slot_values()
        if (kwargs.get("about") or slots.get("about")) == "other" and f"{utter_action}_other" in self.responses:
            utter_action = f"{utter_action}_other"
        return self.generate_from_slots(utter_action, slots, output_channel, **{**self._facts, **kwargs})

    def _fill_response(self, response, filled_slots=None, **kwargs):
        return fill(response, {**(filled_slots or {}), **kwargs})

    def _random_response_for(self, utter_action, output_channel, filled_slots):
        fitting = [r for r in self.responses.get(utter_action) or [] if r.get("channel") in (None, output_channel)]
        own = [r for r in fitting if r.get("channel")]
        return (own or fitting or [None])[0]
