"""From what a patient says to a medication: understand, ask, read back, and store only after the yes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic import audit
from careline.clinic.db import new_id
from careline.clinic.medications import doses, plan
from careline.clinic.medications.dosage import Directions, understand
from careline.clinic.medications.medicines import Medicine, grace_minutes, medicines, recognise
from careline.clinic.medications.models import Medication, MedicationDraft
from careline.clinic.medications.questions import Option, Question, candidates, question
from careline.clinic.medications.readback import read_back, say
from careline.clinic.patients import Patient
from careline.errors import Conflict, NotFound
from careline.texts import text

DRAFT_FOR = timedelta(minutes=30)
MOST_TRIES = 4
# What directions that must never become a reminder are answered with, and who hears of it.
REFUSED = {
    "missed_dose_to_pharmacist": ("missed_dose", "pharmacist"),
    "dose_change_to_clinician": ("dose_change", "clinician"),
    "confirm_with_pharmacist": ("unusual", "pharmacist"),
    "weekly_only_to_pharmacist": ("weekly_only", "same_day"),
    "RF-TOX-01_check": ("too_much", "same_day"),
    "safety_check": ("safety_check", None),
}


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


def propose(session: Session, *, patient_id: str, medicine_text: str, directions_text: str, now: datetime) -> Proposal:
    """Understand a medicine and its directions, and keep them as a draft for 30 minutes."""
    content: dict[str, Any] = {
        "typed": medicine_text.strip()[:120],
        "directions": directions_text.strip()[:500],
        "name": None,
        "open": None,
        "settled": [],
        "tries": 0,
        "replace": None,
    }
    found = recognise(medicine_text) or recognise_exact(directions_text)
    if found:
        content["name"] = found.name if isinstance(found, Medicine) else found.medicine.name if found.exact else None
        if not isinstance(found, Medicine) and not found.exact:
            content["maybe"] = found.medicine.name
    draft = MedicationDraft(
        id=new_id(), patient_id=patient_id, content=content, state="asking", expires_at=now + DRAFT_FOR, created_at=now
    )
    session.add(draft)
    return _next(session, draft, now)


def answer(session: Session, *, draft_id: str, patient_id: str, text: str, now: datetime) -> Proposal:
    """Answer the open question of a draft with what the patient typed or chose -> the next Proposal."""
    draft = _own(session, draft_id, patient_id, now)
    content = dict(draft.content)
    code = content["open"]
    if draft.state != "asking" or code is None:
        return _next(session, draft, now)
    content["tries"] += 1
    reply = text.strip()
    if code == "which_medicine":
        yes = reply.casefold() in (content["maybe"].casefold(), "yes", "y", "=yes")
        content["name"] = content["maybe"] if yes else None
        content["settled"] = [*content["settled"], code]
        if not yes and reply.casefold() not in ("no", "n", "=no"):
            content["typed"] = reply[:120]
    elif code == "duplicate":
        content["replace"] = "replace" in reply.casefold() or reply.casefold() in ("yes", "y", "1")
        content["settled"] = [*content["settled"], code]
    else:
        _apply(draft, content, code, reply, _local_now(session, draft, now))
    draft.content = content
    return _next(session, draft, now)


def confirm(session: Session, *, draft_id: str, patient_id: str, now: datetime) -> Medication:
    """The yes to the read-back -> Medication. Confirming twice gives the same medication."""
    draft = _own(session, draft_id, patient_id, now, lock=True)
    if draft.medication_id:
        return session.get_one(Medication, draft.medication_id)
    if draft.state != "ready":
        raise Conflict("medications.draft_not_ready")
    content = draft.content
    known = medicines().get((content["name"] or "").casefold())
    patient = session.get_one(Patient, patient_id)
    if content["replace"]:
        for earlier in _same(session, patient_id, content["name"] or content["typed"]):
            earlier.status, earlier.changed_at = "stopped", now
            doses.drop_planned(session, earlier)
    medication = Medication(
        id=new_id(),
        patient_id=patient_id,
        name=_name(content),
        directions=content["directions"],
        words=content["words"],
        plan=content["plan"],
        zone=patient.zone,
        status="active",
        high_alert=bool(known and known.high_alert),
        critical=bool(known and known.critical),
        dose_approved=False,
        grace=grace_minutes(known),
        planned_until=now,
        created_at=now,
        changed_at=now,
    )
    session.add(medication)
    session.flush()
    doses.materialise(session, medication, now)
    draft.state, draft.medication_id = "confirmed", medication.id
    audit.record(
        session,
        actor=f"patient:{patient_id}",
        action="medication.confirm",
        object_type="medication",
        object_id=medication.id,
        detail={"kind": content["plan"]["kind"]},
        now=now,
    )
    session.flush()
    return medication


def recognise_exact(words: str) -> Medicine | None:
    """A medicine named exactly, else None: directions are full of words that only look like names."""
    found = recognise(words)
    return found.medicine if found and found.exact else None


def _next(session: Session, draft: MedicationDraft, now: datetime) -> Proposal:
    """The open question, the refusal, or the read-back."""
    content = dict(draft.content)
    content["open"] = None
    settled = content["settled"]
    proposal: Proposal
    known = medicines().get((content["name"] or "").casefold())
    local = _local_now(session, draft, now)
    understood = understand(content["directions"], local, medicine=known)
    blocking = _blocking(understood)
    if refused := next((REFUSED[ask] for ask in understood.asks if ask in REFUSED), None):
        proposal = _refuse(draft, refused, content)
    elif content.get("maybe") and content["name"] is None and "which_medicine" not in settled:
        options = (Option(content["maybe"], content["maybe"]), Option(text("medications.option.no"), "no"))
        asked = Question("which_medicine", text("medications.ask.which_medicine", name=content["maybe"]), options)
        proposal = _ask(draft, content, asked)
    elif blocking and content["tries"] >= MOST_TRIES:
        proposal = _refuse(draft, ("unclear", "pharmacist"), content)
    elif blocking:
        proposal = _ask(draft, content, question(blocking, content["directions"]))
    elif "dose_unit" in understood.asks and "dose" not in settled:
        given = understood.amount is not None or any(phase.amount for phase in understood.phases)
        proposal = _ask(draft, content, question("dose_unit" if given else "dose", content["directions"]))
    elif "duplicate" not in settled and _same(session, draft.patient_id, _name(content)):
        asked = Question(
            "duplicate",
            text("medications.ask.duplicate", name=_name(content)),
            (
                Option(text("medications.option.replace"), "replace"),
                Option(text("medications.option.keep_both"), "keep"),
            ),
        )
        proposal = _ask(draft, content, asked)
    else:
        words = read_back(_name(content), understood, local)
        if known and known.high_alert:
            words += " " + text("medications.read_back.high_alert")
        content.update(plan=plan.dump(understood), words=say(understood))
        draft.state = "ready"
        proposal = Proposal("ready", draft.id, words, medicine=_name(content))
    draft.content = content
    session.flush()
    return proposal


def _blocking(understood: Directions) -> str | None:
    """The code of what must be answered before there can be a plan."""
    if understood.schedules or (understood.kind == "prn" and understood.as_needed):
        return None
    return understood.asks[0] if understood.asks else "unclear"


def _apply(draft: MedicationDraft, content: dict[str, Any], code: str, reply: str, local: datetime) -> None:
    """Work an answer into the directions: the first reading of it that is clear, or at least clearer, holds."""
    optional = code == "dose" or (code == "dose_unit" and _blocking(understand(content["directions"], local)) is None)
    if optional:
        content["settled"] = [*content["settled"], "dose"]
        if reply.startswith("=") or reply.casefold() in ("skip", "leave it out", "no", "don't know", "not sure"):
            return
    known = medicines().get((content["name"] or "").casefold())
    before = understand(content["directions"], local, medicine=known)
    for tried in candidates(code, content["directions"], reply):
        after = understand(tried, local, medicine=known)
        clear = _blocking(after) is None and after.kind != "refuse"
        # An answer may add to what was said; it may not silently take the amount away.
        keeps = before.amount is None or after.amount is not None or any(p.amount for p in after.phases)
        if clear and keeps:
            content["directions"] = tried[:500]
            return
        if any(ask in REFUSED for ask in after.asks):
            content["directions"] = tried[:500]
            return
    for tried in candidates(code, content["directions"], reply) if not optional else ():
        after = understand(tried, local, medicine=known)
        if after.asks and after.asks[0] not in ("unclear", code):
            content["directions"] = tried[:500]
            return


def _ask(draft: MedicationDraft, content: dict[str, Any], asked: Question) -> Proposal:
    content["open"] = asked.code
    draft.state = "asking"
    return Proposal("ask", draft.id, questions=(asked,), medicine=_name(content))


def _refuse(draft: MedicationDraft, reason: tuple[str, str | None], content: dict[str, Any]) -> Proposal:
    code, route = reason
    draft.state = "refused"
    return Proposal(
        "refuse",
        draft.id,
        reason_code=code,
        reason=text(f"medications.refuse.{code}"),
        route=route,
        medicine=_name(content),
    )


def _name(content: dict[str, Any]) -> str:
    """The known name, else what the patient typed."""
    name, typed = content["name"], content["typed"]
    name = name or typed or text("medications.unnamed")
    return name[:1].upper() + name[1:]


def _same(session: Session, patient_id: str, name: str) -> list[Medication]:
    found = session.scalars(
        select(Medication).where(Medication.patient_id == patient_id, Medication.status.in_(("active", "paused")))
    )
    return [one for one in found if one.name.casefold() == name.casefold()]


def _local_now(session: Session, draft: MedicationDraft, now: datetime) -> datetime:
    patient = session.get(Patient, draft.patient_id)
    if patient is None:
        raise NotFound("medications.not_found")
    return now.astimezone(ZoneInfo(patient.zone)).replace(tzinfo=None)


def _own(session: Session, draft_id: str, patient_id: str, now: datetime, *, lock: bool = False) -> MedicationDraft:
    query = select(MedicationDraft).where(MedicationDraft.id == draft_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    draft = session.scalar(query)
    if draft is None or draft.patient_id != patient_id:
        raise NotFound("medications.not_found")
    if draft.expires_at <= now and draft.state != "confirmed":
        raise Conflict("medications.draft_expired")
    return draft
