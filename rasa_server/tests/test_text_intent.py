"""Reading a message: spelling, and the light of the open question."""

import pytest
from rasa.shared.nlu.training_data.message import Message

from rasa_server.open_question import OpenQuestionClassifier
from rasa_server.text_intent import normalise


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Can't   SLEEP", "can not sleep"),
        ("nooooo", "noo"),
        ("appt 2moro pls", "appointment tomorrow please"),
        ("temp is 38.5", "temp is 00 0"),
        ("café", "cafe"),
        ("???", "? ? ?"),
        ("", ""),
    ],
)
def test_short_forms_and_letters(text, words):
    assert normalise(text) == words


class Tracker:
    def __init__(self, form):
        self.active_loop_name = form


def read(text, *ranking, form="symptom_form"):
    component = OpenQuestionClassifier(
        {"kept": {"replies": ["deny"], "symptom_form": ["report_symptom"]}, "threshold": 0.45, "interruption": 0.55}
    )
    message = Message.build(text)
    message.set("intent", {"name": ranking[0][0], "confidence": ranking[0][1]})
    message.set("intent_ranking", [{"name": n, "confidence": c} for n, c in ranking])
    component.process([message], Tracker(form) if form else None)
    return message.get("intent")["name"]


def test_in_a_form_what_is_not_known_is_an_answer():
    assert read("34", ("nlu_fallback", 0.7), ("cost", 0.2)) == "answer"
    assert read("since tuesday", ("say_when", 0.9), form="symptom_form") == "say_when"
    assert read("my arm too", ("report_symptom", 0.9)) == "answer"


def test_a_clear_reply_or_interruption_stays_what_it_is():
    assert read("no", ("deny", 0.6)) == "deny"
    assert read("opening hours", ("opening_hours", 0.8)) == "opening_hours"
    assert read("opening hrs", ("nlu_fallback", 0.4), ("opening_hours", 0.56)) == "opening_hours"
    assert read("hours and hours", ("opening_hours", 0.5)) == "answer"


def test_without_a_form_nothing_changes():
    assert read("34", ("nlu_fallback", 0.7), form=None) == "nlu_fallback"


def test_a_button_stays_what_it_is():
    assert read("/answer{}", ("answer", 1.0)) == "answer"
