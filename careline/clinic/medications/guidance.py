"""Fixed, approved texts for questions about doses. Nothing here is worked out: no dose, no time, no "take it now"."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from careline.clinic.medications.medicines import Medicine, recognise
from careline.clinic.medications.models import Medication
from careline.settings import settings
from careline.texts import text

KINDS = ("missed", "double", "change", "interaction", "pregnancy", "allergy", "alcohol")


@dataclass(frozen=True)
class Guidance:
    """The fixed text for a question about doses, and who must hear of it ('pharmacist', 'same_day', 'emergency')."""

    text: str
    code: str
    route: str


def dose_question(
    session: Session, *, patient_id: str, kind: str, medicine_text: str = "", child: bool = False
) -> Guidance:
    """The fixed safe text for kind 'missed', 'double', 'change', 'interaction', 'pregnancy', 'allergy' or 'alcohol'.

    A missed dose of a critical medicine goes to a human the same day; too much of a high-alert one, or of anything
    by a child, is an emergency. When no medicine is named, the patient's own list decides: in doubt the safer route.
    """
    code, route = kind if kind in KINDS else "other", "pharmacist"
    named = recognise(medicine_text)
    critical, high_alert = _risk(session, patient_id, named.medicine if named and named.exact else None)
    if kind == "missed" and critical:
        code, route = "missed_critical", "same_day"
    elif kind == "double":
        if child or high_alert:
            code, route = "double_danger", "emergency"
        else:
            route = "same_day"
    elif kind == "allergy":
        route = "same_day"
    known = settings()
    return Guidance(
        text(f"medications.guidance.{code}", number=known.emergency_number, phone=known.clinic_phone), code, route
    )


def _risk(session: Session, patient_id: str, medicine: Medicine | None) -> tuple[bool, bool]:
    """(critical, high alert) of the medicine that is meant, or of any the patient takes."""
    if medicine is not None:
        return medicine.critical, medicine.high_alert or medicine.critical
    own = session.execute(
        select(Medication.critical, Medication.high_alert).where(
            Medication.patient_id == patient_id, Medication.status.in_(("active", "paused"))
        )
    ).all()
    return any(c for c, _ in own), any(h for _, h in own)
