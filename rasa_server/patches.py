"""Changes to Rasa 3.6.21 itself: two that make a message three times as fast, one that keeps it so in a long
conversation, and one that says who is speaking.

They are made once, by `apply()`, when the channel or a component is loaded. Each names what it replaces; the test in
tests/test_patches.py fails when Rasa's version is another one, so that nobody carries them over unseen.
"""

import functools

FOR_RASA = "3.6.21"

# Events of a session after which the next one begins: about thirty turns.
LONG = 300

_applied = False


def apply() -> None:
    """Patch Rasa in this process; a second call does nothing. RuntimeError on another version of Rasa."""
    global _applied
    if _applied:
        return
    import rasa

    if rasa.__version__ != FOR_RASA:
        raise RuntimeError(f"rasa_server/patches.py is written for Rasa {FOR_RASA}, not {rasa.__version__}")
    _compile_action_schema_once()
    _remember_event_types()
    _begin_anew_when_long()
    _welcome_at_session_start()
    _applied = True


def _compile_action_schema_once() -> None:
    """Rasa checks its own constant schema against the meta-schema at every action call: 77 % of a turn's CPU."""
    from jsonschema import Draft7Validator
    from rasa.core.actions.action import RemoteAction

    validator = Draft7Validator(RemoteAction.action_response_format_spec())

    def _validate_action_result(self, result):
        validator.validate(result)
        return True

    RemoteAction._validate_action_result = _validate_action_result


def _remember_event_types() -> None:
    """Every stored event of a conversation asks for its class by walking all subclasses of Event."""
    from rasa.shared.core.events import Event

    walk = Event.resolve_by_type
    known = functools.lru_cache(maxsize=None)(walk)

    def resolve_by_type(type_name, default=None):
        # Only names that are looked up without a default: those are the events of trackers.
        return known(type_name) if default is None else walk(type_name, default)

    Event.resolve_by_type = staticmethod(resolve_by_type)


def _begin_anew_when_long() -> None:
    """A message costs as much as there are events in its session: a long one ends where no form is open.

    Never by the clock: somebody who answers a question after two hours still answers that question.
    """
    from rasa.core.processor import MessageProcessor

    def _has_session_expired(self, tracker):
        return len(tracker.events) > LONG and tracker.active_loop_name is None

    MessageProcessor._has_session_expired = _has_session_expired


def _welcome_at_session_start() -> None:
    """Before its first answer the assistant says what it is: locally, so that no other process can take it away."""
    from rasa.core.actions.action import ActionSessionStart, create_bot_utterance
    from rasa.shared.core.events import UserUttered

    start = ActionSessionStart.run

    async def run(self, output_channel, nlg, tracker, domain):
        events = await start(self, output_channel, nlg, tracker, domain)
        sentence = getattr(output_channel, "welcome", None)
        spoken = any(isinstance(event, UserUttered) for event in tracker.events)
        if sentence and not spoken:
            message = await nlg.generate(sentence, tracker, output_channel.name())
            if message:
                # Before the listen that ends the session start: a turn begins after it.
                events.insert(len(events) - 1, create_bot_utterance(message))
        return events

    ActionSessionStart.run = run
