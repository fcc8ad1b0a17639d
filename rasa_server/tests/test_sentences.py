"""Choosing and filling responses."""

from rasa_server.sentences import Sentences, fill


class Domain:
    responses = {
        "utter_a": [{"text": "Call {emergency_number}, {who}."}, {"channel": "sms", "text": "Call {emergency_number}"}],
        "utter_b": [{"text": "You"}],
        "utter_b_other": [{"text": "They"}],
    }


class Tracker:
    def __init__(self, **slots):
        self.slots = slots

    def current_slot_values(self):
        return self.slots


async def say(name, channel="web", slots=None, **fields):
    return (await Sentences(domain=Domain).generate(name, Tracker(**(slots or {})), channel, **fields))["text"]


def run(coroutine):
    import asyncio

    return asyncio.run(coroutine)


def test_the_clinics_facts_need_no_slot(monkeypatch):
    monkeypatch.setenv("CARELINE_EMERGENCY_NUMBER", "112")
    assert run(say("utter_a", who="Ann")) == "Call 112, Ann."


def test_sms_has_its_own_wording(monkeypatch):
    monkeypatch.setenv("CARELINE_EMERGENCY_NUMBER", "112")
    assert run(say("utter_a", channel="sms")) == "Call 112"


def test_somebody_else_is_spoken_of_in_the_third_person():
    assert run(say("utter_b")) == "You"
    assert run(say("utter_b", about="other")) == "They"
    assert run(say("utter_b", slots={"about": "other"})) == "They"


def test_what_a_patient_wrote_is_never_filled_again():
    assert fill("{a} and {b}", {"a": "{b} 0[x] {{", "b": "2"}) == "{b} 0[x] {{ and 2"
    assert fill('/answer{{"a": "b"}}', {}) == '/answer{"a": "b"}'
    assert fill("{missing}", {}) == "{missing}"
