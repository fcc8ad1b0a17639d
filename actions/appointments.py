"""Appointments: book, list, call off, move. Nothing is booked, moved or called off before a read-back and a yes.

The slot `booking` holds how far it has come; a time that is being decided on is held by the clinic's service.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.dialogue import Said, ask_for_identity, bare_reply, last_said, payload, wording
from actions.help import close_forms, open_check
from actions.identity import Whose, whose
from careline.clinic.appointments import service
from careline.clinic.appointments.models import AppointmentType
from careline.clinic.db import read_scope, session_scope, utcnow
from careline.errors import CarelineError, Conflict, Invalid, NotFound
from careline.levels import Level
from careline.settings import settings
from careline.texts import text as catalogue

SLOT = "booking_answer"
FORM = "booking_form"
OFFERED = 4
TRIES = 2  # misunderstood replies before a person is offered

Domain = dict[str, Any]
Booking = dict[str, Any]

_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1}
_WORD = re.compile(r"[a-z0-9:]+")
_DATE_WORDS = re.compile(
    r"\b(?:today|tonight|tomorrow|tmrw|2moro|morning|afternoon|evening|week|month|mon|tue|wed|thu|fri|sat|sun|\w+day|"
    r"asap|soon|soonest|earliest|next|\d{1,2}(?:st|nd|rd|th|am|pm|:\d\d))\b"
)
# What people call the kinds of appointment, beside their names in the database.
_KINDS = {
    "phone": r"\b(?:phone|telephone|call|ring)\b",
    "nurse": r"\b(?:nurse|smear|dressing|stitches|injection)\b",
    "blood": r"\bbloods?\b",
    "vaccin": r"\b(?:vaccin\w*|jabs?|shots?|flu)\b",
    "video": r"\bvideo\b",
    "gp": r"\b(?:gp|dr|doctor|doc)\b",
    "doctor": r"\b(?:gp|dr|doctor|doc)\b",
}


class StartBooking(Action):
    """Who are you (by the gateway), then the form with whatever was said already."""

    def name(self) -> str:
        return "action_start_booking"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        said = last_said(tracker)
        waiting = tracker.get_slot("booking") or {}
        booking = waiting if said.is_choice and waiting.get("step") == "identity" else _new("book", said)
        return start(booking, "book_appointment", dispatcher, tracker, domain)


class StartCancelling(Action):
    def name(self) -> str:
        return "action_start_cancelling"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        return start(_new("cancel", last_said(tracker)), "cancel_appointment", dispatcher, tracker, domain)


class StartMoving(Action):
    def name(self) -> str:
        return "action_start_moving"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        said = last_said(tracker)
        waiting = tracker.get_slot("booking") or {}
        booking = waiting if said.is_choice and waiting.get("step") == "identity" else _new("move", said)
        return start(booking, "move_appointment", dispatcher, tracker, domain)


def _new(task: str, said: Said) -> Booking:
    return {
        "task": task,
        "step": "type" if task == "book" else "which",
        "words": said.text[:300],
        "level": said.entities.get("level") if said.entities.get("level") in ("urgent", "routine") else None,
        "appointment": said.entities.get("appointment"),
        "misses": 0,
    }


def start(
    booking: Booking, intent: str, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
) -> list[EventType]:
    """Open the form, or first have the gateway find out who this is."""
    who = whose(tracker)
    if who.level and Level(who.level).is_emergency and booking["task"] == "book":
        dispatcher.utter_message(response=f"utter_level_{who.level}", about=tracker.get_slot("about"))
        dispatcher.utter_message(response="utter_no_booking_in_emergency")
        return []
    if who.patient_id is None:
        booking["step"] = "identity"
        dispatcher.utter_message(response="utter_identity_needed")
        ask_for_identity(dispatcher, intent)
        return [*close_forms(tracker), SlotSet("booking", booking)]
    booking["step"] = "type" if booking["task"] == "book" else "which"
    with read_scope() as session:
        if booking["task"] == "book":
            _take_type(session, booking, booking["words"])
        else:
            _take_which(session, booking, who.patient_id, None, dispatcher)
    if booking["step"] == "when" and _DATE_WORDS.search(booking["words"].lower()):
        _take_when(booking, who, booking["words"], dispatcher)
    if booking["step"] == "done":
        return [*close_forms(tracker), SlotSet("booking", None)]
    return [*close_forms(tracker), SlotSet("booking", booking), FollowupAction(FORM)]


class ValidateBookingForm(FormValidationAction):
    """Reads the answer to the open step and sets the next one."""

    def name(self) -> str:
        return f"validate_{FORM}"

    def validate_booking_answer(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        booking = dict(tracker.get_slot("booking") or {})
        who = whose(tracker)
        if not booking or who.patient_id is None:
            return {SLOT: None, "booking": None}
        take(booking, who, last_said(tracker), tracker.sender_id, dispatcher)
        return {SLOT: None, "booking": booking}

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> list[str]:
        booking = tracker.get_slot("booking") or {}
        return domain_slots if booking.get("step") in ("type", "which", "when", "slot", "confirm") else []


def take(booking: Booking, who: Whose, said: Said, sender: str, dispatcher: CollectingDispatcher) -> None:
    """Let one answer change the booking."""
    step = booking["step"]
    words = str(said.entities.get("option") or said.text)
    reply = bare_reply(said)
    before = (step, booking.get("offers"), booking.get("when"))
    if said.intent == "go_back":
        booking["step"] = {"slot": "when", "confirm": "slot", "when": "type"}.get(step, step)
        if booking["task"] != "book" and booking["step"] == "type":
            booking["step"] = "which"
        return
    if said.intent in ("repeat", "ask_meaning", "ask_why"):
        if said.intent != "repeat":
            dispatcher.utter_message(response=f"utter_why_booking_{step}")
        return
    if step == "type":
        with read_scope() as session:
            _take_type(session, booking, words)
        if booking["step"] == "when" and _DATE_WORDS.search(f"{booking['words']} {words}".lower()):
            _take_when(booking, who, words if said.text else booking["words"], dispatcher)
    elif step == "which":
        with read_scope() as session:
            _take_which(session, booking, who.patient_id or "", said, dispatcher)
    elif step == "when":
        _take_when(booking, who, words, dispatcher)
    elif step == "slot":
        _take_slot(booking, who, said, words, sender, dispatcher)
    elif step == "confirm":
        _take_confirm(booking, who, reply, words, sender, dispatcher)
    if (booking["step"], booking.get("offers"), booking.get("when")) != before:
        booking["misses"] = 0
        return
    booking["misses"] = booking.get("misses", 0) + 1
    if booking["misses"] >= TRIES:
        dispatcher.utter_message(response="utter_booking_lost")


def kinds(session: Session) -> list[AppointmentType]:
    """What patients may book by themselves, in a fixed order."""
    query = select(AppointmentType).where(AppointmentType.active).order_by(AppointmentType.name)
    return list(session.scalars(query))


def _take_type(session: Session, booking: Booking, words: str) -> None:
    """The kind of appointment that the words name; for what a check advised, the first kind for that level."""
    known = kinds(session)
    fitting = [kind for kind in known if kind.level in (None, booking["level"])]
    plain = words.lower()
    chosen = [kind for kind in fitting if kind.code == words]
    chosen = chosen or [kind for kind in fitting if _names(kind, plain)]
    if not chosen and booking["level"]:
        chosen = [kind for kind in fitting if kind.level == booking["level"]][:1]
    if len(chosen) == 1 or (chosen and booking["level"]):
        booking.update(type=chosen[0].code, type_name=chosen[0].name, step="when")
        return
    booking["options"] = [[kind.code, kind.name] for kind in (chosen or fitting)]


def _names(kind: AppointmentType, plain: str) -> bool:
    own = f"{kind.code} {kind.name}".lower()
    if kind.mode != "in_person" and not re.search(_KINDS["phone"] + "|" + _KINDS["video"], plain):
        return False  # "see a doctor" is no wish for a call with one
    if kind.name.lower() in plain:
        return True
    return any(word in own and re.search(pattern, plain) for word, pattern in _KINDS.items())


def _take_when(booking: Booking, who: Whose, words: str, dispatcher: CollectingDispatcher) -> None:
    """Free times for a wish; when it can be read in two ways, the question for it."""
    now = utcnow()
    when = service.understand_when(words, now.astimezone(settings().zone))
    if when.question:
        dispatcher.utter_message(text=catalogue(when.question, **when.fields), buttons=_choices(when.options))
        booking["when"] = words
        booking["asked"] = True
        return
    if not when.windows and not when.soonest:
        dispatcher.utter_message(response="utter_when_not_understood")
        return
    try:
        with read_scope() as session:
            offers = service.find_slots(
                session,
                type_code=booking["type"],
                now=now,
                when=when,
                level=Level(booking["level"]) if booking["level"] else None,
                limit=OFFERED,
            )
    except (Conflict, Invalid, NotFound) as problem:
        _say_problem(problem, booking, dispatcher)
        return
    if not offers:
        dispatcher.utter_message(response="utter_no_times", when=when.words or words)
        booking["when"] = words
        booking["step"] = "when"
        booking["asked"] = True
        return
    booking.update(when=when.words or words, offers=_as_offers(offers), step="slot")


def _as_offers(offers: Sequence[service.SlotOffer]) -> list[dict[str, str]]:
    return [
        {
            "ref": offer.ref,
            "words": service.describe(offer),
            "clinician": offer.clinician,
            "site": offer.site,
            "clock": f"{offer.local:%-H:%M}",
        }
        for offer in offers
    ]


def _choices(options: Sequence[str]) -> list[dict[str, str]]:
    return [{"title": option, "payload": payload("answer", option=option)} for option in options]


def _take_slot(
    booking: Booking, who: Whose, said: Said, words: str, sender: str, dispatcher: CollectingDispatcher
) -> None:
    offers = booking["offers"]
    index = _which_offer(offers, words)
    if index is None and len(offers) == 1 and bare_reply(said) == "yes":
        index = 0
    if index is None:
        if bare_reply(said) == "no":
            booking["step"] = "when"
        elif words:
            _take_when(booking, who, words, dispatcher)
        return
    chosen = offers[index]
    if booking["task"] == "book":
        try:
            with session_scope() as session:
                # The same choice again (a repeated message) finds the same hold.
                key = f"{sender}:{chosen['ref']}"[:120]
                hold = service.hold(session, chosen["ref"], patient_id=who.patient_id or "", key=key, now=utcnow())
                booking["hold"] = hold.id
        except (Conflict, Invalid) as problem:
            _say_problem(problem, booking, dispatcher)
            return
    booking.update(chosen=chosen, step="confirm")


def _which_offer(offers: list[dict[str, str]], words: str) -> int | None:
    """The offer that the words point at: its number, its place in the list, or its clock time."""
    plain = words.lower()
    tokens = _WORD.findall(plain)
    for token in tokens:
        if token in _ORDINALS and len(tokens) <= 4:
            place = _ORDINALS[token]
            return place - 1 if 0 < place <= len(offers) else (len(offers) - 1 if place < 0 else None)
    if len(tokens) <= 3 and tokens and tokens[-1].isdigit() and 1 <= int(tokens[-1]) <= len(offers):
        return int(tokens[-1]) - 1
    clocks = [i for i, offer in enumerate(offers) if offer["clock"] in [t.lstrip("0") for t in tokens]]
    return clocks[0] if len(clocks) == 1 else None


def _take_confirm(
    booking: Booking, who: Whose, reply: str | None, words: str, sender: str, dispatcher: CollectingDispatcher
) -> None:
    if reply == "no":
        if booking["task"] == "cancel":
            dispatcher.utter_message(response="utter_appointment_kept")
            booking["step"] = "done"
        else:
            booking["step"] = "slot"
        return
    if reply != "yes":
        # Another time instead of a yes: look for it. Anything else is asked again.
        if booking["task"] != "cancel" and words and _DATE_WORDS.search(words.lower()):
            _take_when(booking, who, words, dispatcher)
        return
    patient_id = who.patient_id or ""
    now = utcnow()
    try:
        with session_scope() as session:
            if booking["task"] == "book":
                done = service.book(
                    session,
                    hold_id=booking["hold"],
                    patient_id=patient_id,
                    reason=booking["words"] or booking["type_name"],
                    key=f"{sender}:{booking['hold']}"[:120],
                    level=Level(booking["level"]) if booking["level"] else None,
                    conversation_id=who.conversation_id,
                    now=now,
                )
            elif booking["task"] == "move":
                key = f"{sender}:{booking['appointment']}:{booking['chosen']['ref']}"[:120]
                done = service.move(
                    session, booking["appointment"], booking["chosen"]["ref"], patient_id=patient_id, key=key, now=now
                )
            else:
                done = service.cancel(session, booking["appointment"], patient_id=patient_id, now=now)
            facts = _facts(done)
    except CarelineError as problem:
        _say_problem(problem, booking, dispatcher)
        return
    dispatcher.utter_message(response=f"utter_done_{booking['task']}", **facts)
    booking["step"] = "done"


def _facts(appointment: Any) -> dict[str, str]:
    return {
        "when": service.describe(appointment),
        "clinician": appointment.clinician.name,
        "site": appointment.site.name,
        "type": appointment.type.name,
    }


def _take_which(
    session: Session, booking: Booking, patient_id: str, said: Said | None, dispatcher: CollectingDispatcher
) -> None:
    """Which of the patient's appointments it is about."""
    found = service.upcoming(session, patient_id, utcnow())
    if not found:
        dispatcher.utter_message(response="utter_no_appointments")
        booking["step"] = "done"
        return
    options = [[a.id, service.describe(a), a.type.code, a.type.name] for a in found]
    wanted = (said.entities.get("appointment") if said else None) or booking.get("appointment")
    picked = [option for option in options if option[0] == wanted]
    if not picked and said and said.text:
        index = _which_offer([{"clock": option[1].rpartition(" ")[2]} for option in options], said.text)
        picked = [options[index]] if index is not None else []
    if not picked and len(options) == 1:
        picked = options
    booking["options"] = [option[:2] for option in options]
    if picked:
        ident, words, code, name = picked[0]
        booking.update(appointment=ident, old=words, type=code, type_name=name)
        booking["step"] = "confirm" if booking["task"] == "cancel" else "when"


def _say_problem(problem: CarelineError, booking: Booking, dispatcher: CollectingDispatcher) -> None:
    """What went wrong, in the sentence for it, and the step from which it can go on."""
    code = problem.code.removeprefix("appointments.")
    offers = problem.fields.get("alternatives") or ()
    if code == "nothing_in_time":
        dispatcher.utter_message(response="utter_nothing_today")
        booking["step"] = "done"
    elif code == "already_booked" and booking["step"] == "slot":
        dispatcher.utter_message(response="utter_booking_already_booked")
    elif code in ("emergency", "already_booked", "not_changeable", "not_found"):
        dispatcher.utter_message(response=f"utter_booking_{code}")
        booking["step"] = "done"
    else:
        dispatcher.utter_message(response="utter_time_gone")
        booking["step"] = "slot" if offers else "when"
        booking["offers"] = _as_offers(offers)[:OFFERED]  # type: ignore[arg-type]
        booking["asked"] = False


class AskBookingAnswer(Action):
    """Says the question of the open step."""

    def name(self) -> str:
        return f"action_ask_{FORM}_{SLOT}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        booking = dict(tracker.get_slot("booking") or {})
        step, task = booking.get("step"), booking.get("task")
        if booking.get("asked"):
            # The question for a better date was said with the reason for it.
            return [SlotSet("booking", {**booking, "asked": False})]
        if step == "type":
            buttons = [{"title": n, "payload": payload("answer", option=code)} for code, n in booking["options"]]
            dispatcher.utter_message(response="utter_ask_type", buttons=buttons)
        elif step == "which":
            buttons = [{"title": w, "payload": payload("answer", appointment=i)} for i, w in booking["options"]]
            dispatcher.utter_message(response=f"utter_ask_which_{task}", buttons=buttons)
        elif step == "when":
            buttons = [
                {"title": wording(domain, "option_soonest"), "payload": payload("answer", option="as soon as possible")}
            ]
            dispatcher.utter_message(response="utter_ask_when", type=booking["type_name"], buttons=buttons)
        elif step == "slot":
            buttons = [
                {"title": f"{o['words']}, {o['clinician']}", "payload": payload("answer", option=str(n))}
                for n, o in enumerate(booking["offers"], 1)
            ]
            buttons.append({"title": wording(domain, "option_other_time"), "payload": "/deny"})
            dispatcher.utter_message(response="utter_ask_slot", buttons=buttons)
        elif step == "confirm":
            chosen = booking.get("chosen") or {}
            fields = {"when": chosen.get("words"), "clinician": chosen.get("clinician"), "site": chosen.get("site")}
            dispatcher.utter_message(
                response=f"utter_confirm_{task}", type=booking["type_name"], old=booking.get("old"), **fields
            )
        return []


class AfterBooking(Action):
    """Clears the booking, and offers to go on with a check that was interrupted."""

    def name(self) -> str:
        return "action_after_booking"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        if open_check(tracker):
            dispatcher.utter_message(response="utter_offer_to_resume")
            return [SlotSet("booking", None), SlotSet("offer", "/resume_check")]
        return [SlotSet("booking", None)]


class ListAppointments(Action):
    """The patient's booked appointments, each with weekday, date and clock time."""

    def name(self) -> str:
        return "action_list_appointments"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        who = whose(tracker)
        if who.patient_id is None:
            dispatcher.utter_message(response="utter_identity_needed")
            ask_for_identity(dispatcher, "list_appointments")
            return close_forms(tracker)
        with read_scope() as session:
            found = [_facts(a) for a in service.upcoming(session, who.patient_id, utcnow())]
        if not found:
            dispatcher.utter_message(response="utter_no_appointments")
            return []
        lines = [wording(domain, "line_appointment", **facts) for facts in found]
        dispatcher.utter_message(response="utter_appointments", appointments="\n".join(lines))
        return []
