"""What the dialogue, the desk and the worker may do with a patient's medicines.

Every function works inside the caller's transaction and flushes, never commits. Nothing is stored as a medication
before `confirm`: until then there is a draft that expires. No function gives advice on a dose. Failures:

| code | type | fields |
|---|---|---|
| medications.not_found | NotFound | - (also: somebody else's) |
| medications.draft_expired | Conflict | - |
| medications.draft_not_ready | Conflict | - (questions are open) |
| medications.no_dose | NotFound | - (nothing was due that this could answer) |
| medications.which_dose | Conflict | doses: tuple[Dose, ...] (ask which; choices carry dose ids) |
| medications.already_recorded | Conflict | dose, status (another final answer was given before) |
| medications.snooze_limit | Conflict | dose |
| medications.not_active | Conflict | status |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

Action = Literal["taken", "skipped", "snoozed"]


@dataclass(frozen=True)
class Option:
    """An answer to offer as a button: `answer` is what to hand to `answer()`."""

    label: str
    answer: str


@dataclass(frozen=True)
class Question:
    """One thing to ask before anything can be stored: `text` in plain words, `code` such as 'am_or_pm'."""

    code: str
    text: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What was understood of a medicine and its directions.

    status 'ready': say `read_back` and ask for a yes, then `confirm(draft_id)`.
    status 'ask': ask `questions[0]`, hand the reply to `answer(draft_id, ...)`.
    status 'refuse': nothing can be stored; say `reason` (text of `reason_code`); `route` says who must hear of it:
    'pharmacist', 'clinician', 'same_day', 'emergency' or None.
    """

    status: Literal["ready", "ask", "refuse"]
    draft_id: str | None = None
    read_back: str | None = None
    questions: tuple[Question, ...] = ()
    reason_code: str | None = None
    reason: str | None = None
    route: str | None = None
    medicine: str | None = None


@dataclass(frozen=True)
class Guidance:
    """The fixed text for a question about doses, and who must hear of it ('pharmacist', 'same_day', 'emergency')."""

    text: str
    code: str
    route: str


def propose(
    session: Session, *, patient_id: str, medicine_text: str, directions_text: str, now: datetime
) -> Proposal:
    """Understand a medicine and its directions, and keep them as a draft for 30 minutes."""
    raise NotImplementedError


def answer(session: Session, *, draft_id: str, patient_id: str, text: str, now: datetime) -> Proposal:
    """Answer the open question of a draft with what the patient typed or chose -> the next Proposal."""
    raise NotImplementedError


def confirm(session: Session, *, draft_id: str, patient_id: str, now: datetime):
    """The yes to the read-back -> Medication. Confirming twice gives the same medication."""
    raise NotImplementedError


def list_active(session: Session, patient_id: str) -> list:
    """The patient's active and paused medications (id, name, directions in plain words, status)."""
    raise NotImplementedError


def describe(medication) -> str:
    """A medication in plain words: 'Amoxicillin: 1 capsule, 3 times a day, at 8:00, 14:00 and 20:00'."""
    raise NotImplementedError


def pause(session: Session, medication_id: str, *, patient_id: str, now: datetime, until: date | None = None):
    """No reminders until `resume` (or local date `until`) -> Medication. Says nothing about taking the medicine."""
    raise NotImplementedError


def resume(session: Session, medication_id: str, *, patient_id: str, now: datetime):
    """Reminders again from the next dose on -> Medication."""
    raise NotImplementedError


def stop(session: Session, medication_id: str, *, patient_id: str, now: datetime):
    """No more reminders for good -> Medication. Open future doses are withdrawn."""
    raise NotImplementedError


def todays_doses(session: Session, patient_id: str, now: datetime) -> list:
    """The doses of the patient's local day, in order -> [Dose(id, medication, due_at, status, dose_text)]."""
    raise NotImplementedError


def describe_dose(dose, *, names: bool = True) -> str:
    """The dose slot in the patient's zone: 'Amoxicillin, 8:00 dose, Tue 1 Dec' (without the name: 'your 8:00 dose, ...')."""
    raise NotImplementedError


def record(session: Session, patient_id: str, *, dose_id: str | None = None, action: Action, now: datetime):
    """Note what the patient did with one dose -> Dose. Without `dose_id` it is the last one that was prompted.

    The same answer twice is the same as once. Errors: no_dose, which_dose, already_recorded, snooze_limit.
    """
    raise NotImplementedError


def last_prompted_dose(session: Session, patient_id: str, now: datetime):
    """The one dose that a bare 'taken' can only mean, or None."""
    raise NotImplementedError


def log_as_needed(session: Session, medication_id: str, *, patient_id: str, now: datetime):
    """Note one use of an as-needed medicine -> Dose. Over the limit the patient entered: route to a human, no advice."""
    raise NotImplementedError


def dose_question(
    session: Session, *, patient_id: str, kind: str, medicine_text: str = "", child: bool = False
) -> Guidance:
    """The fixed safe text for kind 'missed', 'double', 'change', 'interaction', 'pregnancy', 'allergy' or 'alcohol'."""
    raise NotImplementedError
