"""A person, an emergency, a clinician in the chat, and what was not understood."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.exc import SQLAlchemyError

from actions import triage_client
from actions.dialogue import last_said, previous_actions, wording
from careline.clinic import conversations
from careline.clinic.db import read_scope, session_scope, utcnow
from careline.clinic.escalations import open_or_raise, request_human
from careline.errors import CarelineError, Unavailable
from careline.levels import Level

Domain = dict[str, Any]
SLOTS_OF_FORMS = ("symptom_answer", "booking_answer", "medicine_answer")
# Why a person was asked for, as buttons of domain.yml say it; the desk shows it.
REASONS = {
    "complaint",
    "delete_data",
    "see_data",
    "interpreter",
    "test_results",
    "prescription",
    "sick_note",
    "medicine",
    "nothing_in_time",
}
LIKELY = 0.08
# What "yes" starts, by the payload of the button that was offered.
OFFERS = {"/resume_check": "symptom_form", "/report_symptom": "symptom_form"}


def close_forms(tracker: Tracker) -> list[EventType]:
    """The events that end whatever form is open; what it had gathered stays in the database."""
    if not tracker.active_loop_name:
        return []
    open_slots = [slot for slot in SLOTS_OF_FORMS if tracker.get_slot(slot) is not None]
    return [ActiveLoop(None), SlotSet("requested_slot", None), *[SlotSet(slot, None) for slot in open_slots]]


class Human(Action):
    """Brings in a person. Says that they were told only after the row is committed."""

    def name(self) -> str:
        return "action_human"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        given = last_said(tracker).entities.get("reason")
        reason = given if given in REASONS else "asked_for_a_person"
        try:
            with session_scope() as session:
                conversation = conversations.by_sender(session, tracker.sender_id)
                # Asking for a person says nothing about how ill somebody is: the level stays what it was.
                level = Level(conversation.level) if conversation.level else Level.ROUTINE
                request_human(session, conversation.id, reason=reason, level=level, now=utcnow())
        except (CarelineError, SQLAlchemyError):
            dispatcher.utter_message(response="utter_human_failed")
            return []
        dispatcher.utter_message(response="utter_human_requested")
        dispatcher.utter_message(json_message={"handover": True, "reason": reason})
        return close_forms(tracker)


class Emergency(Action):
    """After the words of the safety policy: the level rises and the team's case is opened or raised."""

    def name(self) -> str:
        return "action_emergency"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        said = last_said(tracker)
        level = said.entities.get("level")
        level = Level(level) if level in set(Level) else Level.EMERGENCY_AMBULANCE
        try:
            with session_scope() as session:
                conversation = conversations.by_sender(session, tracker.sender_id)
                if said.intent == "EXTERNAL_emergency":
                    # The gateway has opened the case and told the patient; here only the level is kept in step.
                    conversations.raise_level(session, conversation.id, level, "red_flag", utcnow())
                else:
                    open_or_raise(session, conversation.id, level=level, reason="said_emergency", now=utcnow())
        except (CarelineError, SQLAlchemyError):
            return []
        if said.intent != "EXTERNAL_emergency":
            dispatcher.utter_message(response="utter_emergency_told")
        return []


class StandBack(Action):
    """A clinician is in the chat: every form is closed, and the assistant says nothing."""

    def name(self) -> str:
        return "action_stand_back"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        return close_forms(tracker)


class OfferToResume(Action):
    """Offers to go on with a check that is not finished; otherwise asks what is wanted."""

    def name(self) -> str:
        return "action_offer_to_resume"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        if open_check(tracker):
            dispatcher.utter_message(response="utter_offer_to_resume")
            return [SlotSet("offer", "/resume_check")]
        dispatcher.utter_message(response="utter_anything_else")
        return [SlotSet("offer", None)]


def open_check(tracker: Tracker) -> bool:
    """Whether a symptom check of this conversation waits for an answer."""
    with read_scope() as session:
        conversation = conversations.by_sender(session, tracker.sender_id)
        check = conversations.current_check(session, conversation.id)
        return check is not None and check.status == "open" and bool((check.state or {}).get("question"))


class TakeUpOffer(Action):
    """A "yes" when no question is open: what was offered last, if it was one thing."""

    def name(self) -> str:
        return "action_take_up_offer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        offer = tracker.get_slot("offer")
        if offer == "/human":
            return [SlotSet("offer", None), *Human().run(dispatcher, tracker, domain)]
        target = OFFERS.get(offer or "")
        if target:
            return [SlotSet("offer", None), FollowupAction(target)]
        dispatcher.utter_message(response="utter_anything_else")
        return []


class SayAgain(Action):
    """The last thing the assistant said, again."""

    def name(self) -> str:
        return "action_say_again"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        last = next((e for e in reversed(tracker.events) if e.get("event") == "bot" and e.get("text")), None)
        if last is None:
            dispatcher.utter_message(response="utter_nothing_to_repeat")
        else:
            dispatcher.utter_message(text=last["text"], buttons=(last.get("data") or {}).get("buttons") or [])
        return []


class StopTask(Action):
    """ "Never mind": ends the running task. A check stays in the database, but is no longer offered."""

    def name(self) -> str:
        return "action_stop_task"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        stopped = None
        if tracker.active_loop_name in (None, "symptom_form"):
            now = utcnow()
            with session_scope() as session:
                conversation = conversations.by_sender(session, tracker.sender_id)
                check = conversations.current_check(session, conversation.id)
                if check is not None and check.status == "open":
                    check.status = stopped = "dropped"
                    conversations.save_check(session, check, now)
        if stopped:
            dispatcher.utter_message(response="utter_check_stopped")
        elif tracker.active_loop_name:
            dispatcher.utter_message(response="utter_task_stopped")
        else:
            dispatcher.utter_message(response="utter_nothing_to_stop")
        drafts = [slot for slot in ("offer", "booking", "new_medicine") if tracker.get_slot(slot)]
        return [*close_forms(tracker), *[SlotSet(slot, None) for slot in drafts]]


class Clarify(Action):
    """What was not understood: a symptom report if it holds findings, then two likely meanings, then a person."""

    def name(self) -> str:
        return "action_clarify"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        said = last_said(tracker)
        if said.text and await self._has_findings(said.text):
            return [FollowupAction("symptom_form")]
        if "action_clarify" in previous_actions(tracker):
            dispatcher.utter_message(response="utter_clarify_person")
            return [SlotSet("offer", "/human")]
        meanings = [
            {"title": title, "payload": f"/{name}"}
            for name, confidence in said.ranking
            if confidence >= LIKELY and (title := wording(domain, f"meaning_{name}"))
        ][:2]
        # One word of nothing has no likely meanings, however the probabilities fall.
        if meanings and re.search(r"[a-z]{3}", said.text.lower()):
            meanings.append({"title": wording(domain, "meaning_human"), "payload": "/human"})
            dispatcher.utter_message(response="utter_clarify", buttons=meanings)
        else:
            dispatcher.utter_message(response="utter_clarify_open")
        return [SlotSet("offer", None)]

    async def _has_findings(self, text: str) -> bool:
        try:
            parsed = await triage_client.parse(text, {}, [])
        except Unavailable:
            return False
        return any(m["choice_id"] == "present" for m in parsed["mentions"]) or bool(parsed["red_flags"])
