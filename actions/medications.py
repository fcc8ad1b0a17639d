"""Medicines: reminders, what is due, what was taken. Nothing is stored before a read-back and a yes.

No sentence here changes, starts, stops or doubles a dose. Questions about doses get the service's fixed text, and a
person. The slot `new_medicine` holds how far a new reminder has come; its draft is with the service.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.exc import SQLAlchemyError

from actions.dialogue import Said, ask_for_identity, bare_reply, is_sms, last_said, payload, wording
from actions.help import close_forms, open_check
from actions.identity import Whose, whose
from careline.clinic.db import read_scope, session_scope, utcnow
from careline.clinic.escalations import open_or_raise
from careline.clinic.medications import service
from careline.errors import CarelineError
from careline.levels import Level

SLOT = "medicine_answer"
FORM = "medicine_form"
TRIES = 2

Domain = dict[str, Any]
Draft = dict[str, Any]

# Who must hear of it -> how soon.
ROUTES = {
    "pharmacist": Level.ROUTINE,
    "clinician": Level.ROUTINE,
    "same_day": Level.URGENT,
    "emergency": Level.EMERGENCY,
}
_LEAD = re.compile(
    r"^.*?\b(?:remind(?:er|ers)?(?: me)?(?: to (?:take|have|use)| about| for| on)?|to take|started(?: on)?|add)\b\s*"
    r"(?:my|the|a|an|some|new)?\s*",
    re.I,
)
_DIRECTIONS = re.compile(
    r"\b(?:\d|one|two|half|once|twice|three|four|every|each|daily|at|in the|with|before|after|when|as needed|weekly|"
    r"morning|evening|night|bedtime|mane|nocte|od|bd|tds|qds|prn)\b",
    re.I,
)
_UNNAMED = re.compile(
    r"^(?:my |the |a |an |new |some )*(?:medicines?|medications?|meds?|tablets?|pills?|reminders?|drugs?|please|pls|"
    r"and|for|tabs?|medicine reminders?)*\W*$",
    re.I,
)


class StartReminder(Action):
    """Who are you (by the gateway), then the form with whatever was said already."""

    def name(self) -> str:
        return "action_start_reminder"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        said = last_said(tracker)
        waiting = tracker.get_slot("new_medicine") or {}
        draft = dict(waiting) if said.is_choice and waiting.get("step") == "identity" else _new(said.text)
        who = whose(tracker)
        if who.patient_id is None:
            draft["step"] = "identity"
            dispatcher.utter_message(response="utter_identity_needed")
            ask_for_identity(dispatcher, "add_reminder")
            return [*close_forms(tracker), SlotSet("new_medicine", draft)]
        draft["step"] = "directions" if draft["name"] else "name"
        if draft["name"] and draft["directions"]:
            _propose(draft, who, dispatcher)
        if draft["step"] == "done":
            return [*close_forms(tracker), SlotSet("new_medicine", None)]
        return [*close_forms(tracker), SlotSet("new_medicine", draft), FollowupAction(FORM)]


def _new(words: str) -> Draft:
    """'remind me to take metformin twice a day with food' -> the name and the directions in it."""
    rest = _LEAD.sub("", words, count=1).strip(" .!") if _LEAD.search(words) else ""
    name, directions = split(rest)
    return {"step": "name", "name": name, "directions": directions, "misses": 0}


def split(words: str) -> tuple[str, str]:
    """A medicine and its directions, both empty when the words name none."""
    found = _DIRECTIONS.search(words)
    # A strength belongs to the name: "ramipril 5 mg at night".
    strength = re.search(r"\b\d[\d.,]*\s?(?:mg|g|mcg|micrograms?|ml|units?|%)\b", words, re.I)
    if found and strength and found.start() == strength.start():
        found = _DIRECTIONS.search(words, strength.end())
    name = (words[: found.start()] if found else words).strip(" ,.-:")
    if not name or _UNNAMED.match(name):
        return "", ""
    return name[:120], words[found.start() :].strip()[:300] if found else ""


class ValidateMedicineForm(FormValidationAction):
    """Reads the answer to the open step and sets the next one."""

    def name(self) -> str:
        return f"validate_{FORM}"

    def validate_medicine_answer(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> dict[str, Any]:
        draft = dict(tracker.get_slot("new_medicine") or {})
        who = whose(tracker)
        if not draft or who.patient_id is None:
            return {SLOT: None, "new_medicine": None}
        take(draft, who, last_said(tracker), dispatcher)
        return {SLOT: None, "new_medicine": draft}

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain
    ) -> list[str]:
        draft = tracker.get_slot("new_medicine") or {}
        return domain_slots if draft.get("step") in ("name", "directions", "question", "confirm") else []


def take(draft: Draft, who: Whose, said: Said, dispatcher: CollectingDispatcher) -> None:
    """Let one answer change the draft."""
    step = draft["step"]
    words = str(said.entities.get("option") or said.text).strip()
    if said.intent == "go_back":
        draft["step"] = "name" if step in ("name", "directions") else "directions"
        return
    if said.intent in ("repeat", "ask_meaning", "ask_why"):
        if said.intent != "repeat":
            dispatcher.utter_message(response=f"utter_why_medicine_{'name' if step == 'name' else 'directions'}")
        return
    if step == "confirm":
        _take_confirm(draft, who, bare_reply(said), words, dispatcher)
        return
    # "yes" says neither which medicine nor how much; a question that offers yes or no has it among its options.
    offered = (
        {answer.lower() for option in draft.get("options") or [] for answer in option} if step == "question" else set()
    )
    bare = bare_reply(said) if words.lower() not in offered else None
    if not words or said.intent in ("dont_know", "skip") or (bare and not {"yes", "no"} & offered):
        _miss(draft, dispatcher)
        return
    draft["misses"] = 0
    if step == "name":
        name, directions = split(_LEAD.sub("", words, count=1))
        draft.update(name=name or words[:120], directions=directions, step="directions")
        if directions:
            _propose(draft, who, dispatcher)
    elif step == "directions":
        draft["directions"] = words[:300]
        _propose(draft, who, dispatcher)
    else:
        _ask_service(draft, who, dispatcher, answer=words)


def _miss(draft: Draft, dispatcher: CollectingDispatcher) -> None:
    draft["misses"] = draft.get("misses", 0) + 1
    if draft["misses"] >= TRIES:
        dispatcher.utter_message(response="utter_medicine_lost")
    elif draft["step"] != "confirm":
        dispatcher.utter_message(response="utter_medicine_look")


def _propose(draft: Draft, who: Whose, dispatcher: CollectingDispatcher) -> None:
    _ask_service(draft, who, dispatcher)


def _ask_service(draft: Draft, who: Whose, dispatcher: CollectingDispatcher, *, answer: str | None = None) -> None:
    """Hand the words to the service: a question, a read-back, or a refusal that a person hears of."""
    now = utcnow()
    patient_id = who.patient_id or ""
    try:
        with session_scope() as session:
            if answer is not None:
                proposal = service.answer(session, draft_id=draft["draft"], patient_id=patient_id, text=answer, now=now)
            else:
                proposal = service.propose(
                    session,
                    patient_id=patient_id,
                    medicine_text=draft["name"],
                    directions_text=draft["directions"],
                    now=now,
                )
    except CarelineError:
        dispatcher.utter_message(response="utter_medicine_expired")
        draft["step"] = "directions"
        return
    draft["draft"] = proposal.draft_id
    if proposal.status == "ready":
        draft.update(step="confirm", read_back=proposal.read_back)
    elif proposal.status == "ask":
        question = proposal.questions[0]
        draft.update(step="question", question=question.text, options=[[o.label, o.answer] for o in question.options])
    else:
        draft["step"] = "done"
        dispatcher.utter_message(response="utter_medicine_refused", reason=proposal.reason or "")
        tell(who.conversation_id, proposal.route, "medicine_refused", dispatcher)


def tell(conversation_id: str, route: str | None, reason: str, dispatcher: CollectingDispatcher) -> None:
    """Open a case for whoever must hear of it; say so only when its row is committed."""
    if route is None:
        return
    level = ROUTES.get(route, Level.URGENT)
    if level.is_emergency:
        dispatcher.utter_message(response="utter_emergency")
    try:
        with session_scope() as session:
            open_or_raise(session, conversation_id, level=level, reason=reason, now=utcnow())
    except (CarelineError, SQLAlchemyError):
        dispatcher.utter_message(response="utter_human_failed")
        return
    dispatcher.utter_message(response="utter_team_told")


def _take_confirm(draft: Draft, who: Whose, reply: str | None, words: str, dispatcher: CollectingDispatcher) -> None:
    if reply == "no":
        draft["step"] = "directions"
        return
    if reply != "yes":
        # New directions instead of a yes are read anew; anything else is asked again. Nothing is stored.
        if words and _DIRECTIONS.search(words):
            draft["directions"] = words[:300]
            _propose(draft, who, dispatcher)
        else:
            _miss(draft, dispatcher)
        return
    try:
        with session_scope() as session:
            medication = service.confirm(
                session, draft_id=draft["draft"], patient_id=who.patient_id or "", now=utcnow()
            )
            words = service.describe(medication)
    except CarelineError:
        dispatcher.utter_message(response="utter_medicine_expired")
        draft["step"] = "directions"
        return
    dispatcher.utter_message(response="utter_reminder_set", medicine=words)
    draft["step"] = "done"


class AskMedicineAnswer(Action):
    """Says the question of the open step."""

    def name(self) -> str:
        return f"action_ask_{FORM}_{SLOT}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        draft = tracker.get_slot("new_medicine") or {}
        step = draft.get("step")
        if step == "name":
            dispatcher.utter_message(response="utter_ask_medicine")
        elif step == "directions":
            dispatcher.utter_message(response="utter_ask_directions", medicine=draft["name"])
        elif step == "question":
            buttons = [
                {"title": label, "payload": payload("answer", option=answer)} for label, answer in draft["options"]
            ]
            dispatcher.utter_message(text=draft["question"], buttons=buttons)
        elif step == "confirm":
            dispatcher.utter_message(response="utter_confirm_reminder", read_back=draft["read_back"])
        return []


class AfterReminder(Action):
    """Clears the draft, and offers to go on with a check that was interrupted."""

    def name(self) -> str:
        return "action_after_reminder"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        if open_check(tracker):
            dispatcher.utter_message(response="utter_offer_to_resume")
            return [SlotSet("new_medicine", None), SlotSet("offer", "/resume_check")]
        return [SlotSet("new_medicine", None)]


class OfOnePatient(Action, ABC):
    """An action that needs a proven identity; `intent` is what the gateway sends when it has it."""

    intent = ""

    def name(self) -> str:
        return f"action_{self.intent}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        who = whose(tracker)
        if who.patient_id is None:
            dispatcher.utter_message(response="utter_identity_needed")
            ask_for_identity(dispatcher, self.intent)
            return close_forms(tracker)
        self.answer(dispatcher, tracker, domain, who, who.patient_id)
        return []

    @abstractmethod
    def answer(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, who: Whose, patient_id: str
    ) -> None:
        """Say it, for this patient only."""


class ListReminders(OfOnePatient):
    """The active and paused medicines in plain words."""

    intent = "list_reminders"

    def answer(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, who: Whose, patient_id: str
    ) -> None:
        if is_sms(tracker) and not who.names_in_sms:
            dispatcher.utter_message(response="utter_names_not_by_sms")
            return
        with read_scope() as session:
            found = [service.describe(m) for m in service.list_active(session, patient_id)]
        if not found:
            dispatcher.utter_message(response="utter_no_reminders")
            return
        dispatcher.utter_message(response="utter_reminders", reminders="\n".join(f"- {words}" for words in found))


class _ChangeReminder(OfOnePatient):
    """Stop, pause or resume: the one medicine there is, or the chosen one; a stop only after a yes (a button)."""

    intent = ""
    done = ""
    from_status: tuple[str, ...] = ("active", "paused")

    @abstractmethod
    def change(self, session: Any, medication_id: str, patient_id: str) -> Any:
        """Do it, for this patient only."""

    def answer(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, who: Whose, patient_id: str
    ) -> None:
        said = last_said(tracker)
        hidden = is_sms(tracker) and not who.names_in_sms
        chosen = said.entities.get("medicine")
        with read_scope() as session:
            found = [m for m in service.list_active(session, patient_id) if m.status in self.from_status]
            options = [(m.id, self._label(m, n, hidden, domain)) for n, m in enumerate(found, 1)]
        if not options:
            dispatcher.utter_message(response="utter_no_reminders")
            return
        if chosen in [ident for ident, _ in options]:
            try:
                with session_scope() as session:
                    self.change(session, str(chosen), patient_id)
            except CarelineError:
                dispatcher.utter_message(response="utter_reminder_not_changed")
                return
            dispatcher.utter_message(response=f"utter_{self.done}")
            return
        named = [option for option in options if not hidden and self._named(option[1], said.text)]
        buttons = [
            {"title": label, "payload": payload(self.intent, medicine=ident)} for ident, label in named or options
        ]
        buttons.append({"title": wording(domain, "option_none"), "payload": "/stop_task"})
        dispatcher.utter_message(response=f"utter_ask_{self.intent}", buttons=buttons)

    @staticmethod
    def _label(medication: Any, number: int, hidden: bool, domain: Domain) -> str:
        return wording(domain, "option_medicine", number=number) if hidden else service.describe(medication)

    @staticmethod
    def _named(label: str, text: str) -> bool:
        name = label.partition(":")[0].partition(" ")[0].lower()
        return len(name) > 3 and name in text.lower()


class StopReminder(_ChangeReminder):
    """Offers the medicines as buttons; the button is the yes."""

    intent, done = "stop_reminder", "reminder_stopped"

    def change(self, session: Any, medication_id: str, patient_id: str) -> Any:
        return service.stop(session, medication_id, patient_id=patient_id, now=utcnow())


class PauseReminder(_ChangeReminder):
    intent, done, from_status = "pause_reminder", "reminder_paused", ("active",)

    def change(self, session: Any, medication_id: str, patient_id: str) -> Any:
        return service.pause(session, medication_id, patient_id=patient_id, now=utcnow())


class ResumeReminder(_ChangeReminder):
    intent, done, from_status = "resume_reminder", "reminder_resumed", ("paused",)

    def change(self, session: Any, medication_id: str, patient_id: str) -> Any:
        return service.resume(session, medication_id, patient_id=patient_id, now=utcnow())


class _RecordDose(OfOnePatient):
    """Taken, skipped or later: for the dose that was asked about, never for one that is guessed."""

    @property
    @abstractmethod
    def what(self) -> service.Action:
        """What the patient did."""

    def answer(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, who: Whose, patient_id: str
    ) -> None:
        dose_id = last_said(tracker).entities.get("dose")
        names = not is_sms(tracker) or who.names_in_sms
        try:
            with session_scope() as session:
                dose = service.record(session, patient_id, dose_id=dose_id, action=self.what, now=utcnow())
                words = service.describe_dose(dose, names=names)
        except CarelineError as problem:
            self._explain(problem, names, dispatcher)
            return
        dispatcher.utter_message(response=f"utter_dose_{self.what}", dose=words)

    def _explain(self, problem: CarelineError, names: bool, dispatcher: CollectingDispatcher) -> None:
        code = problem.code.removeprefix("medications.")
        doses = problem.fields.get("doses") or ()
        if code == "which_dose" and doses:
            buttons = [
                {
                    "title": service.describe_dose(dose, names=names),
                    "payload": payload(self.intent, dose=dose.id),
                }
                for dose in doses  # type: ignore[attr-defined]
            ]
            dispatcher.utter_message(response="utter_which_dose", buttons=buttons)
        elif code in ("no_dose", "already_recorded", "snooze_limit"):
            dispatcher.utter_message(response=f"utter_{code}")
        else:
            dispatcher.utter_message(response="utter_no_dose")


class DoseTaken(_RecordDose):
    intent = "dose_taken"
    what = "taken"


class DoseSkip(_RecordDose):
    intent = "dose_skip"
    what = "skipped"


class DoseSnooze(_RecordDose):
    intent = "dose_snooze"
    what = "snoozed"


class DueToday(OfOnePatient):
    """Today's doses in order, with what is known of each."""

    intent = "due_today"

    def answer(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, who: Whose, patient_id: str
    ) -> None:
        _say_doses(dispatcher, tracker, domain, who, patient_id, "utter_due_today", lambda dose: True)


class DidITake(OfOnePatient):
    """What was recorded today; never a guess, and no word on taking it now."""

    intent = "did_i_take"

    def answer(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain, who: Whose, patient_id: str
    ) -> None:
        now = utcnow()
        _say_doses(dispatcher, tracker, domain, who, patient_id, "utter_did_i_take", lambda dose: dose.due_at <= now)


def _say_doses(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: Domain,
    who: Whose,
    patient_id: str,
    response: str,
    wanted: Callable[[Any], bool],
) -> None:
    names = not is_sms(tracker) or who.names_in_sms
    with read_scope() as session:
        doses = [dose for dose in service.todays_doses(session, patient_id, utcnow()) if wanted(dose)]
        lines = [
            wording(
                domain,
                "line_dose",
                dose=service.describe_dose(dose, names=names),
                status=wording(domain, f"status_{dose.status}") or wording(domain, "status_pending"),
            )
            for dose in doses
        ]
    if lines:
        dispatcher.utter_message(response=response, doses="\n".join(lines))
    else:
        dispatcher.utter_message(response="utter_no_doses_today")


class DoseQuestion(Action):
    """A missed dose, a dose too many, or any other question about a medicine: fixed words and a person, no advice."""

    KINDS = (("missed_dose", "missed"), ("double_dose", "double"))
    WORDS = (
        ("pregnancy", r"\b(?:pregnan\w*|breast ?feed\w*)\b"),
        ("alcohol", r"\b(?:alcohol|drink(?:ing)?|wine|beer|pint)\b"),
        ("allergy", r"\ballerg\w*\b"),
        ("change", r"\b(?:stop|more|less|change|double|half|cut|increase|reduce|dose|how (?:much|many))\b"),
    )

    def name(self) -> str:
        return "action_dose_question"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        said = last_said(tracker)
        kind = dict(self.KINDS).get(said.intent) or next(
            (name for name, pattern in self.WORDS if re.search(pattern, said.text.lower())), "interaction"
        )
        child = bool(re.search(r"\b(?:child|son|daughter|baby|kid|toddler|year old)\b", said.text.lower()))
        who = whose(tracker)
        with read_scope() as session:
            guidance = service.dose_question(
                session, patient_id=who.patient_id or "", kind=kind, medicine_text=said.text, child=child
            )
        if guidance.route == "emergency":
            dispatcher.utter_message(response="utter_emergency")
        dispatcher.utter_message(response="utter_dose_guidance", guidance=guidance.text)
        if guidance.route in ("emergency", "same_day"):
            tell(who.conversation_id, guidance.route, f"dose_question_{kind}", dispatcher)
        return []


class DoseDue(Action):
    """A dose is due: names the dose slot, with taken, skip and later as buttons that carry its id."""

    def name(self) -> str:
        return "action_dose_due"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> list[EventType]:
        who = whose(tracker)
        dose_id = last_said(tracker).entities.get("dose")
        if who.patient_id is None or not dose_id:
            return []
        with read_scope() as session:
            doses = service.todays_doses(session, who.patient_id, utcnow())
            dose = next((dose for dose in doses if dose.id == dose_id), None)
            words = service.describe_dose(dose, names=not is_sms(tracker) or who.names_in_sms) if dose else ""
        if not words:
            return []
        buttons = [
            {"title": wording(domain, f"option_{name}"), "payload": payload(name, dose=str(dose_id))}
            for name in ("dose_taken", "dose_skip", "dose_snooze")
        ]
        dispatcher.utter_message(response="utter_dose_due", dose=words, buttons=buttons)
        return []
