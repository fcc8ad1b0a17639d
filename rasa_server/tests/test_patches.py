"""The changes to Rasa: written for one version, and doing what they promise."""

import pytest
import rasa

from rasa_server import patches


def test_they_are_written_for_the_installed_rasa():
    assert rasa.__version__ == patches.FOR_RASA, "look at each patch again, then change FOR_RASA"


def test_another_version_is_refused(monkeypatch):
    monkeypatch.setattr(patches, "_applied", False)
    monkeypatch.setattr(rasa, "__version__", "3.6.99")
    with pytest.raises(RuntimeError, match=r"3\.6\.99"):
        patches.apply()


def test_an_action_answer_is_still_checked():
    from jsonschema import ValidationError
    from rasa.core.actions.action import RemoteAction

    patches.apply()
    action = RemoteAction("action_x", None)
    assert action._validate_action_result({"events": [], "responses": []})
    with pytest.raises(ValidationError):
        action._validate_action_result({"events": [{"event": 7}], "responses": "no list"})


def test_events_are_read_as_before():
    from rasa.shared.core.events import Event, SlotSet, UserUttered

    patches.apply()
    assert Event.resolve_by_type("slot") is SlotSet
    assert Event.resolve_by_type("user") is UserUttered
    assert Event.resolve_by_type("topic") is None
    assert Event.resolve_by_type("nonsense", SlotSet) is SlotSet
    with pytest.raises(ValueError, match="nonsense"):
        Event.resolve_by_type("nonsense")


def test_the_stub_of_tensorflow_fails_loudly():
    from rasa.utils.tensorflow.models import RasaModel

    with pytest.raises(RuntimeError, match="no TensorFlow"):
        RasaModel()


class Tracker:
    def __init__(self, events, loop=None):
        self.events, self.active_loop_name = [None] * events, loop


@pytest.mark.parametrize(
    ("tracker", "expired"), [(Tracker(0), False), (Tracker(900, "symptom_form"), False), (Tracker(900), True)]
)
def test_a_session_ends_when_it_is_long_and_no_question_is_open(tracker, expired):
    from rasa.core.processor import MessageProcessor

    patches.apply()
    assert MessageProcessor._has_session_expired(None, tracker) is expired


@pytest.mark.parametrize(("events", "said"), [([], True), (["hello"], False)])
def test_a_conversation_begins_with_a_welcome_and_a_later_session_does_not(events, said):
    import asyncio

    from rasa.core.actions.action import ActionSessionStart
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import BotUttered, SlotSet, UserUttered
    from rasa.shared.core.trackers import DialogueStateTracker

    from rasa_server.channel import Replies
    from rasa_server.sentences import Sentences

    patches.apply()
    domain = Domain.from_dict({"responses": {"utter_welcome": [{"text": "I am a program"}]}})
    tracker = DialogueStateTracker.from_events("c1-1", [SlotSet("session_started_metadata", {})])
    for text in events:
        tracker.update(UserUttered(text))
    start = ActionSessionStart().run(Replies("web", "utter_welcome"), Sentences(domain=domain), tracker, domain)
    spoken = [event.text for event in asyncio.run(start) if isinstance(event, BotUttered)]
    assert spoken == (["I am a program"] if said else [])
