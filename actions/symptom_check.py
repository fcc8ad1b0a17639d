"""The symptom check: a form with one slot, whose questions come from the triage service one by one.

How far it has come is in the check's row (`careline.clinic.conversations`), not in the tracker.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from actions import interview, triage_client
from actions.dialogue import (
    ask_for_identity,
    interrupts,
    is_sms,
    last_said,
    listed,
    opened_by_this_message,
    payload,
    wording,
)
from careline.clinic import conversations, patients
from careline.clinic.db import read_scope, session_scope, utcnow
from careline.clinic.escalations import open_or_raise
from careline.clinic.outbox import OutboxRow
from careline.errors import CarelineError, Unavailable
from careline.levels import Level
from careline.settings import settings

SLOT = "symptom_answer"
FORM = "symptom_form"
# Messages that open or reopen the form without saying anything of a symptom.
WORDLESS = {"resume_check", "affirm", "start_again"}
SHOWN_REASONS = 4

Domain = dict[str, Any]


def load(tracker: Tracker) -> tuple[str, conversations.Check | None]:
    """The conversation's id and its newest check that was not dropped."""
    with read_scope() as session:
        conversation = conversations.by_sender(session, tracker.sender_id)
        return conversation.id, conversations.current_check(session, conversation.id)


def store(check_id: str | None, conversation_id: str, state: dict[str, Any]) -> str:
    """Write the state into the open check, or into a new one; its id."""
    now = utcnow()
    with session_scope() as session:
        check = conversations.current_check(session, conversation_id)
        if check is None or check.id != check_id or check.status != "open":
            check = conversations.start_check(session, conversation_id, now)
        check.state = state
        conversations.save_check(session, check, now)
        return check.id


def known_person(conversation_id: str) -> dict[str, Any]:
    """Age and sex of a patient whose identity was proven, for a check about themselves."""
    with read_scope() as session:
        conversation = conversations.get(session, conversation_id)
        if not conversation.verified:
            return {}
        patient = session.get(patients.Patient, conversation.patient_id)
        if patient is None:
            return {}
        known: dict[str, Any] = {}
        if patient.birth_date:
            known["age"] = (utcnow().date() - patient.birth_date).days / 365.25
        if patient.sex in ("female", "male"):
            known["sex"] = patient.sex
        return known


class ValidateSymptomForm(FormValidationAction):
    """Reads each message once, asks the triage service what comes next, and ends the form when nothing does."""

    def name(self) -> str:
        return f"validate_{FORM}"

    async def get_validation_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> list[EventType]:
        # The SDK's own, and the next one, would ask for the required slots too: each message is read once, there.
        return [SlotSet(SLOT, None)] if tracker.get_slot(SLOT) is not None else []

    async def get_extraction_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> list[EventType]:
        return []

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> list[str]:
        conversation_id, check = load(tracker)
        if check is not None and check.status == "open":
            state = check.state or interview.opened()
        else:
            # A correction, or "it got worse", is about what was found before; a new symptom starts anew.
            again = last_said(tracker).intent in ("correct_answer", "getting_worse")
            state = interview.opened(check.state if check else None, findings=again)
            state["compare"] = bool(check) and last_said(tracker).intent == "getting_worse"
            check = None
        try:
            await self._advance(state, conversation_id, check, dispatcher, tracker, domain)
        except Unavailable:
            said = last_said(tracker)
            if state["seen"] != said.key and said.text and not interrupts(domain, SLOT, said.intent):
                state["seen"] = said.key
                state["unread"] = [*state["unread"], said.text[:1000]][-interview.KEPT_TEXTS :]
            store(check.id if check else None, conversation_id, state)
            dispatcher.utter_message(response="utter_triage_down")
            return []
        store(check.id if check else None, conversation_id, state)
        return domain_slots if state["question"] else []

    async def _advance(
        self,
        state: dict[str, Any],
        conversation_id: str,
        check: conversations.Check | None,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: Domain,
    ) -> None:
        said = last_said(tracker)
        new = said.key != state["seen"]
        if new and not interrupts(domain, SLOT, said.intent):
            if said.intent in WORDLESS and opened_by_this_message(tracker, FORM):
                if state["question"]:
                    dispatcher.utter_message(response="utter_resumed")
                if state["unread"]:
                    turn = await interview.catch_up(state, said, this_year=utcnow().year)
                    await self._speak(turn, state, dispatcher, domain)
                state["seen"] = said.key
            else:
                turn = await interview.take(state, said, this_year=utcnow().year)
                state["seen"] = said.key
                await self._speak(turn, state, dispatcher, domain)
        if state["subject"] == "self" and not state["greeted"]:
            state["greeted"] = True
            for name, value in known_person(conversation_id).items():
                state[name] = value if state[name] is None else state[name]
        await interview.next_question(state)

    async def _speak(
        self, turn: interview.Turn, state: dict[str, Any], dispatcher: CollectingDispatcher, domain: Domain
    ) -> None:
        for response, fields in turn.say:
            dispatcher.utter_message(response=response, about=state["subject"], **fields)
        if turn.changed:
            facts = await in_plain_words(turn.changed, domain)
            if facts:
                dispatcher.utter_message(response="utter_changed", facts=facts)
        elif turn.noted and (len(turn.noted) > 1 or not state["opened"]):
            facts = await in_plain_words(turn.noted, domain)
            if facts:
                dispatcher.utter_message(response="utter_noted", facts=facts)
        if not state["opened"] and not turn.lost:
            state["opened"] = True
            dispatcher.utter_message(response="utter_check_opening")


async def in_plain_words(facts: list[tuple[str, str]], domain: Domain) -> str:
    """'fever, no cough and not sure about a rash'."""
    try:
        plain = await triage_client.plain_names()
    except Unavailable:
        return ""  # the facts are taken; only saying them back has to wait
    parts = []
    for ident, choice in facts:
        fact = plain.get(ident, ident)
        # "no fever", not "no a fever"
        fact = re.sub(r"^an? ", "", fact) if choice == "absent" else fact
        parts.append(wording(domain, f"fact_{choice}", fact=fact))
    return listed(parts, wording(domain, "and"))


class AskSymptomAnswer(Action):
    """Says the open question, with its buttons."""

    def name(self) -> str:
        return f"action_ask_{FORM}_{SLOT}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        _, check = load(tracker)
        state = (check.state if check else None) or interview.opened()
        question = state["question"] or {"kind": "complaint"}
        if state["misses"] >= 2 and state["seen"] == last_said(tracker).key:
            return []  # a person was offered just now: the same question on top of it helps nobody
        say_question(question, state, dispatcher, domain)
        return [SlotSet("about", state["subject"])] if tracker.get_slot("about") != state["subject"] else []


def say_question(
    question: dict[str, Any], state: dict[str, Any], dispatcher: CollectingDispatcher, domain: Domain
) -> None:
    kind = question["kind"]
    if kind != "finding":
        dispatcher.utter_message(response=f"utter_ask_{kind}", about=state["subject"])
        return
    items = question["items"]
    if len(items) == 1:
        buttons = [
            {"title": choice["label"], "payload": payload("answer", finding=items[0]["id"], choice=choice["id"])}
            for choice in items[0]["choices"]
        ]
        dispatcher.utter_message(response="utter_question", question=question["text"], buttons=buttons)
        return
    buttons = [
        {"title": item["name"], "payload": payload("answer", finding=item["id"], choice="present")} for item in items
    ]
    buttons.append({"title": wording(domain, "utter_none_of_these"), "payload": payload("answer", option="none")})
    dispatcher.utter_message(response="utter_question_group", question=question["text"], buttons=buttons)


class CheckResult(Action):
    """The advice at the end of a check: level, reasons, what to watch for, what to do next."""

    def name(self) -> str:
        return "action_check_result"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        conversation_id, check = load(tracker)
        # The form also ends when the triage service is down: then there is nothing to say here.
        if check is None or check.status != "open" or not check.state.get("finished"):
            return []
        state = dict(check.state)
        triage = state.pop("outcome")["triage"]
        now = utcnow()
        with session_scope() as session:
            level = conversations.raise_level(session, conversation_id, triage["level"], "symptom_check", now)
            row = conversations.current_check(session, conversation_id)
            if row is None or row.id != check.id:
                return []
            row.state, row.level, row.result, row.status = state, triage["level"], triage, "done"
            conversations.save_check(session, row, now)
        told = level.is_emergency and tell_the_team(conversation_id, level)
        say_advice(triage, level, state["subject"], dispatcher, domain, told=told)
        dispatcher.utter_message(json_message={"level": level.value, "check_id": check.id})
        return [SlotSet("about", state["subject"]), SlotSet("offer", None)]


def tell_the_team(conversation_id: str, level: Level) -> bool:
    """Open the case; True when its row is committed, and only then may the patient be told so."""
    try:
        with session_scope() as session:
            open_or_raise(session, conversation_id, level=level, reason="symptom_check", now=utcnow())
    except (CarelineError, SQLAlchemyError):
        return False
    return True


def say_advice(
    triage: dict[str, Any],
    level: Level,
    subject: str | None,
    dispatcher: CollectingDispatcher,
    domain: Domain,
    *,
    told: bool = False,
) -> None:
    """Headline, reasons, care at home, safety net and offers; `level` may be higher than this check's own."""
    say: Callable[..., None] = lambda response, **fields: dispatcher.utter_message(  # noqa: E731
        response=response, about=subject, **fields
    )
    say(f"utter_level_{level.value}")
    if told:
        say("utter_emergency_told")
    if level != Level(triage["level"]):
        say("utter_level_kept")
    else:
        reasons = reasons_of(triage)
        say("utter_reasons", reasons=reasons) if reasons else say("utter_reasons_caution")
    advice = triage.get("advice") or {}
    if level is Level.SELF_CARE and advice.get("self_care"):
        say("utter_self_care", advice=" ".join(advice["self_care"]))
    if not level.is_emergency and advice.get("safety_net"):
        say("utter_safety_net", advice=" ".join(advice["safety_net"]))
    say(f"utter_safety_net_{level.value}")
    buttons = [] if level.is_emergency else [_offer(domain, "text_me", "/text_me_this")]
    if level in (Level.URGENT, Level.ROUTINE):
        buttons.insert(0, _offer(domain, "book", payload("book_appointment", level=level.value)))
    buttons.append(_offer(domain, "human", "/human"))
    say("utter_next_steps", buttons=buttons)


def reasons_of(triage: dict[str, Any]) -> str:
    """The reasons as sentences in plain words, each once, the weightiest first."""
    plain = [reason["plain"].rstrip(".") + "." for reason in triage.get("reasons") or [] if reason.get("plain")]
    return " ".join(list(dict.fromkeys(plain))[:SHOWN_REASONS])


def _offer(domain: Domain, name: str, target: str) -> dict[str, str]:
    return {"title": wording(domain, f"offer_{name}"), "payload": target}


class RestartCheck(Action):
    """Drops the open check; the form then opens a new one."""

    def name(self) -> str:
        return "action_restart_check"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        now = utcnow()
        with session_scope() as session:
            conversation = conversations.by_sender(session, tracker.sender_id)
            check = conversations.start_check(session, conversation.id, now)
            check.state = {**interview.opened(), "seen": last_said(tracker).key}
            conversations.save_check(session, check, now)
        return [ActiveLoop(None), SlotSet("requested_slot", None), SlotSet("about", None)]


class AdviceAgain(Action):
    """Repeats the advice of the last check that was finished."""

    def name(self) -> str:
        return "action_advice_again"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        return _with_last_result(dispatcher, tracker, domain, say_advice)


class Reasons(Action):
    """Why this advice: the rules and findings behind it, with the name of the guideline."""

    def name(self) -> str:
        return "action_reasons"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        def say(triage: dict[str, Any], level: Level, subject: str | None, *_: Any) -> None:
            reasons = reasons_of(triage)
            if reasons:
                dispatcher.utter_message(response="utter_reasons", reasons=reasons)
            else:
                dispatcher.utter_message(response="utter_reasons_caution")
            sources = [rule["source"] for rule in (triage.get("floor") or {}).get("rules") or [] if rule.get("source")]
            if sources:
                dispatcher.utter_message(response="utter_sources", sources=listed(dict.fromkeys(sources), "and"))

        return _with_last_result(dispatcher, tracker, domain, say)


def _with_last_result(
    dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, say: Callable[..., None]
) -> list[EventType]:
    with read_scope() as session:
        conversation = conversations.by_sender(session, tracker.sender_id)
        done = [c for c in conversations.checks_of(session, conversation.id) if c.status == "done" and c.result]
        level = conversation.level
    if not done:
        dispatcher.utter_message(response="utter_no_check_yet")
        return [SlotSet("offer", "/report_symptom")]
    check = done[0]
    say(check.result, Level.highest(level, check.level), (check.state or {}).get("subject"), dispatcher, domain)
    return []


class TextMeThis(Action):
    """Sends the advice to the patient's own phone, once it is proven whose it is."""

    def name(self) -> str:
        return "action_text_me_this"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        if is_sms(tracker):
            dispatcher.utter_message(response="utter_text_already_here")
            return _with_last_result(dispatcher, tracker, domain, say_advice)
        now = utcnow()
        with session_scope() as session:
            conversation = conversations.by_sender(session, tracker.sender_id)
            done = [c for c in conversations.checks_of(session, conversation.id) if c.status == "done" and c.level]
            patient = session.get(patients.Patient, conversation.patient_id) if conversation.verified else None
            if done and patient is not None and patient.phone:
                level = Level.highest(conversation.level, done[0].level)
                text = advice_for_sms(level, (done[0].state or {}).get("subject"), domain)
                send_sms(session, patient, conversation.id, f"advice:{done[0].id}", text, now)
        if not done:
            dispatcher.utter_message(response="utter_no_check_yet")
            return [SlotSet("offer", "/report_symptom")]
        if patient is None:
            ask_for_identity(dispatcher, "text_me_this")
        else:
            dispatcher.utter_message(response="utter_text_sent" if patient.phone else "utter_text_no_number")
        return []


def advice_for_sms(level: Level, subject: str | None, domain: Domain) -> str:
    """Headline and safety net: no symptom and no name, because others may read the phone."""
    known = settings()
    facts = {"emergency_number": known.emergency_number, "clinic_phone": known.clinic_phone}
    parts = []
    for name in (f"utter_level_{level.value}", f"utter_safety_net_{level.value}"):
        other = wording(domain, f"{name}_other", **facts) if subject == "other" else ""
        parts.append(other or wording(domain, name, **facts))
    return " ".join(parts)


def send_sms(
    session: Session, patient: patients.Patient, conversation_id: str, key: str, text: str, now: datetime
) -> None:
    """One text message to the patient's own phone, once for each `key`."""
    if session.scalar(select(OutboxRow.id).where(OutboxRow.dedupe_key == key)) is None:
        session.add(
            OutboxRow(
                channel="sms",
                kind="advice",
                to=patient.phone,
                text=text,
                conversation_id=conversation_id,
                patient_id=patient.id,
                dedupe_key=key,
                not_before=now,
                created_at=now,
            )
        )
