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
