"""Actions with the real clinic services and a database of their own: who may see what, and what a yes does."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions import appointments, asgi, help, medications
from careline.clinic import conversations, escalations, patients, tables
from careline.clinic.appointments import service as bookings
from careline.clinic.appointments.seed import seed_demo_clinic
from careline.clinic.db import engine, session_scope, utcnow
from careline.clinic.medications import service as medicines
from careline.settings import settings
from tests.unit.actions.conftest import said

DOMAIN = yaml.safe_load((Path(__file__).resolve().parents[3] / "domain.yml").read_text())


@pytest.fixture(autouse=True)
def clinic(tmp_path, monkeypatch):
    """A clinic with clinicians and free times."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'clinic.db'}")
    settings.cache_clear()
    tables.metadata().create_all(engine())
    with session_scope() as session:
        seed_demo_clinic(session, now=utcnow())
    yield
    engine().dispose()
    settings.cache_clear()


class Chat:
    """One conversation, seen from the action server: it keeps the tracker as Rasa would."""

    def __init__(self, phone: str | None = None) -> None:
        now = utcnow()
        with session_scope() as session:
            self.patient = patients.register(session, phone=phone, now=now).id if phone else None
            row = conversations.Conversation(
                channel="web", created_at=now, patient_id=self.patient, verified_at=now if phone else None
            )
            session.add(row)
            session.flush()
            self.id, self.sender = row.id, row.sender_id
        self.slots: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.loop: str | None = None
        self.said: list[dict[str, Any]] = []

    def run(
        self, action: str, text: str = "", intent: str = "", after: dict[str, Any] | None = None, **entities: str
    ) -> list[str]:
        """Let the patient say something and run one action; the names of the responses."""
        if text or intent:
            self.message = {
                "text": text or f"/{intent}",
                "intent": {"name": intent or "answer", "confidence": 1.0},
                "entities": [{"entity": k, "value": v} for k, v in entities.items()],
                "metadata": {"channel": "web"},
            }
            self.events.append({"event": "user", "timestamp": time.time(), "message_id": str(len(self.events))})
        if after:
            self.events.append(after)
        tracker = {
            "sender_id": self.sender,
            "slots": self.slots,
            "latest_message": self.message,
            "events": self.events,
            "active_loop": {"name": self.loop} if self.loop else {},
        }
        result = asyncio.run(asgi.executor.run({"next_action": action, "tracker": tracker, "domain": DOMAIN}))
        for event in result.events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            if event["event"] == "active_loop":
                self.loop = event["name"]
        self.said = result.responses
        return [r.get("response") or ("custom" if r.get("custom") else "text") for r in result.responses]

    def answer(self, form: str, text: str, intent: str = "answer", **entities: str) -> list[str]:
        """An answer to the open question of a form: Rasa puts the text into the form's slot first."""
        slot = form.replace("_form", "_answer")
        self.loop = form
        self.slots |= {slot: text or f"/{intent}", "requested_slot": slot}
        filled = {"event": "slot", "name": slot, "value": self.slots[slot], "timestamp": time.time()}
        return self.run(f"validate_{form}", text, intent, after=filled, **entities)


PERSONAL = [
    ("action_list_appointments", "list_appointments"),
    ("action_start_booking", "book_appointment"),
    ("action_start_cancelling", "cancel_appointment"),
    ("action_start_moving", "move_appointment"),
    ("action_start_reminder", "add_reminder"),
    ("action_list_reminders", "list_reminders"),
    ("action_stop_reminder", "stop_reminder"),
    ("action_pause_reminder", "pause_reminder"),
    ("action_resume_reminder", "resume_reminder"),
    ("action_dose_taken", "dose_taken"),
    ("action_dose_skip", "dose_skip"),
    ("action_dose_snooze", "dose_snooze"),
    ("action_due_today", "due_today"),
    ("action_did_i_take", "did_i_take"),
]


@pytest.mark.parametrize(("action", "intent"), PERSONAL)
def test_nothing_personal_before_the_identity_is_proven(action, intent):
    chat = Chat()
    chat.slots["patient_id"] = "somebody"
    assert chat.run(action, "please", intent, patient_id="somebody") == ["utter_identity_needed", "custom"]
    assert chat.said[-1]["custom"] == {"need": "identity", "then": intent}


def test_what_was_said_before_the_identity_is_not_asked_again():
    chat = Chat("+447700900201")
    with session_scope() as session:
        conversations.get(session, chat.id).verified_at = None
    chat.run("action_start_booking", "see a nurse next week", "book_appointment")
    with session_scope() as session:
        conversations.get(session, chat.id).verified_at = utcnow()
    chat.run("action_start_booking", "", "book_appointment")
    assert chat.slots["booking"]["step"] == "slot"


def booked(chat):
    with session_scope() as session:
        return [a.type.code for a in bookings.upcoming(session, chat.patient, utcnow())]


def to_the_read_back(chat):
    chat.run("action_start_booking", "book a nurse appointment next week", "book_appointment")
    assert chat.slots["booking"]["step"] == "slot"
    chat.answer("booking_form", "", "answer", option="1")
    assert chat.slots["booking"]["step"] == "confirm"
    assert chat.run("action_ask_booking_form_booking_answer") == ["utter_confirm_book"]
    fields = chat.said[0]
    assert fields["when"] and fields["clinician"] and fields["site"]


def test_a_yes_books_once():
    chat = Chat("+447700900202")
    to_the_read_back(chat)
    assert booked(chat) == []
    assert chat.answer("booking_form", "yes please", "affirm") == ["utter_done_book"]
    assert booked(chat) == ["nurse"]


@pytest.mark.parametrize(
    ("text", "intent"),
    [("yes but on friday", "affirm"), ("yes if it is free", "affirm"), ("maybe", "dont_know"), ("hmm", "answer"),
     ("no", "deny"), ("what is that", "ask_meaning"), ("yes or no?", "affirm"), ("not yes", "affirm")],
)  # fmt: skip
def test_anything_but_a_bare_yes_books_nothing(text, intent):
    chat = Chat("+447700900203")
    to_the_read_back(chat)
    chat.answer("booking_form", text, intent)
    assert booked(chat) == []


def test_calling_off_and_keeping():
    chat = Chat("+447700900204")
    to_the_read_back(chat)
    chat.answer("booking_form", "", "affirm")
    chat.run("action_start_cancelling", "cancel my appointment", "cancel_appointment")
    assert chat.answer("booking_form", "no", "deny") == ["utter_appointment_kept"]
    assert booked(chat) == ["nurse"]
    chat.run("action_start_cancelling", "cancel my appointment", "cancel_appointment")
    assert chat.answer("booking_form", "yes", "affirm") == ["utter_done_cancel"]
    assert booked(chat) == []


def test_somebody_elses_appointment_is_not_there():
    mine, other = Chat("+447700900205"), Chat("+447700900206")
    to_the_read_back(mine)
    mine.answer("booking_form", "", "affirm")
    with session_scope() as session:
        ident = bookings.upcoming(session, mine.patient, utcnow())[0].id
    assert other.run("action_list_appointments", "my appointments", "list_appointments") == ["utter_no_appointments"]
    other.run("action_start_cancelling", "", "cancel_appointment", appointment=ident)
    assert booked(mine) == ["nurse"]


def test_no_slot_is_offered_in_an_emergency():
    chat = Chat("+447700900207")
    with session_scope() as session:
        conversations.raise_level(session, chat.id, "emergency", "test", utcnow())
    assert chat.run("action_start_booking", "book a doctor", "book_appointment") == [
        "utter_level_emergency",
        "utter_no_booking_in_emergency",
    ]
    assert chat.slots.get("booking") is None


def stored(chat):
    with session_scope() as session:
        return [m.name for m in medicines.list_active(session, chat.patient)]


@pytest.mark.parametrize(("reply", "intent", "kept"), [("yes", "affirm", 1), ("yes but at 9", "affirm", 0),
                                                       ("no", "deny", 0), ("purple", "answer", 0)])  # fmt: skip
def test_a_medicine_is_stored_only_on_a_yes(reply, intent, kept):
    chat = Chat("+447700900208")
    chat.run("action_start_reminder", "remind me to take paracetamol 1 tablet twice a day", "add_reminder")
    assert chat.slots["new_medicine"]["step"] == "confirm"
    assert chat.run("action_ask_medicine_form_medicine_answer") == ["utter_confirm_reminder"]
    chat.answer("medicine_form", reply, intent)
    assert len(stored(chat)) == kept


@pytest.mark.parametrize(
    ("words", "name", "directions"),
    [
        ("remind me to take metformin twice a day with food", "metformin", "twice a day with food"),
        ("remind me to take my tablets", "", ""),
        ("set a reminder for ramipril 5 mg at night please", "ramipril 5 mg", "at night please"),
        ("I want a medicine reminder", "", ""),
        ("remind me about my vitamin D", "vitamin D", ""),
    ],
)
def test_name_and_directions_in_one_sentence(words, name, directions):
    draft = medications._new(words)
    assert (draft["name"], draft["directions"]) == (name, directions)


@pytest.mark.parametrize("text", ["I missed my warfarin", "I took two by mistake", "can I take more", "can I stop it"])
def test_a_question_about_a_dose_gets_fixed_words(text):
    chat = Chat()
    intent = {"I missed my warfarin": "missed_dose", "I took two by mistake": "double_dose"}.get(
        text, "medicine_question"
    )
    assert "utter_dose_guidance" in chat.run("action_dose_question", text, intent)


def test_a_person_is_told_before_the_patient_hears_so():
    chat = Chat()
    assert chat.run("action_human", "a person please", "human") == ["utter_human_requested", "custom"]
    with session_scope() as session:
        assert escalations.current(session, chat.id) is not None


def test_when_the_row_cannot_be_written_nobody_is_said_to_be_told(monkeypatch):
    from sqlalchemy.exc import OperationalError

    def broken(*_, **__):
        raise OperationalError("insert", {}, Exception("disk full"))

    chat = Chat()
    monkeypatch.setattr(help, "request_human", broken)
    assert chat.run("action_human", "a person please", "human") == ["utter_human_failed"]
    monkeypatch.setattr(help, "open_or_raise", broken)
    assert chat.run("action_emergency", "emergency", "emergency") == []


def test_with_triage_down_the_patient_is_told_and_nothing_is_lost(triage):
    chat = Chat()
    triage.words = {"cough": ("cough", "present")}
    triage.down = True
    said_ = chat.run("validate_symptom_form", "I have a cough", "report_symptom")
    assert said_ == ["utter_triage_down"]
    assert chat.slots["requested_slot"] is None
    triage.down = False
    opened = {"event": "active_loop", "name": "symptom_form", "timestamp": time.time()}
    chat.run("validate_symptom_form", "", "resume_check", after=opened)
    with session_scope() as session:
        assert conversations.current_check(session, chat.id).state["evidence"]["cough"]["choice_id"] == "present"


def finish(chat, triage, level):
    triage.words, triage.level = {"cough": ("cough", "present")}, level
    chat.run("action_restart_check", "start again", "start_again")
    chat.run("validate_symptom_form", "I have a cough", "report_symptom")
    chat.run("validate_symptom_form", "34", "answer")
    chat.run("validate_symptom_form", "female", "answer")
    return chat.run("action_check_result")


def test_the_advice_has_level_reasons_safety_net_and_offers(triage):
    chat = Chat()
    responses = finish(chat, triage, "routine")
    assert responses[0] == "utter_level_routine"
    assert "utter_safety_net_routine" in responses
    assert responses[-1] == "custom"
    payloads = [b["payload"] for r in chat.said for b in r.get("buttons") or []]
    assert payloads[0] == '/book_appointment{"level": "routine"}'


def test_the_level_never_falls_in_a_later_check(triage):
    chat = Chat()
    finish(chat, triage, "urgent")
    responses = finish(chat, triage, "self_care")
    assert responses[:2] == ["utter_level_urgent", "utter_level_kept"]


def test_an_emergency_at_the_end_of_a_check_tells_the_team_and_offers_no_slot(triage):
    chat = Chat()
    responses = finish(chat, triage, "emergency")
    assert responses[:2] == ["utter_level_emergency", "utter_emergency_told"]
    payloads = [b["payload"] for r in chat.said for b in r.get("buttons") or []]
    assert not any("book" in payload for payload in payloads)
    with session_scope() as session:
        assert escalations.current(session, chat.id).level == "emergency"


@pytest.mark.parametrize(
    ("words", "place"),
    [("the first one", 0), ("2", 1), ("number 3", 2), ("the last", 2), ("9:20", 1), ("at 09:20 please", 1),
     ("8:40", 0), ("friday", None), ("4", None), ("next week", None), ("", None)],
)  # fmt: skip
def test_which_time_is_meant(words, place):
    offers = [{"clock": "8:40"}, {"clock": "9:20"}, {"clock": "10:00"}]
    assert appointments._which_offer(offers, words) == place


def test_a_hold_is_given_to_one_patient_only():
    first, second = Chat("+447700900209"), Chat("+447700900210")
    for chat in (first, second):
        chat.run("action_start_booking", "book a nurse appointment next week", "book_appointment")
    first.answer("booking_form", "", "answer", option="1")
    second.answer("booking_form", "", "answer", option="1")
    one, two = first.slots["booking"], second.slots["booking"]
    assert one["step"] == "confirm"
    assert two["step"] == "slot" or two["chosen"]["ref"] != one["chosen"]["ref"]


def test_bare_replies():
    from actions.dialogue import bare_reply

    assert bare_reply(said("yes please", "affirm")) == "yes"
    assert bare_reply(said("ok go ahead", "affirm")) == "yes"
    assert bare_reply(said("no", "deny")) == "no"
    assert bare_reply(said("no thanks", "deny")) == "no"
    assert bare_reply(said("yes but later", "affirm")) is None
    assert bare_reply(said("yes on friday", "affirm")) is None
    assert bare_reply(said("", "affirm")) == "yes"
