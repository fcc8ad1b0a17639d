"""From a patient's words to a case: what the language part found becomes evidence, red flags become a floor."""

from __future__ import annotations

from typing import Any

from careline.knowledge import Finding
from careline.language import Person
from careline.language import parse as parse_text
from careline.language.parse import Parse
from careline.language.values import durations
from careline.triage.case import Case, Evidence, Flag, Patient
from careline.triage.shapes import ParseOut, ParseRequest

_PREGNANT = "pregnan"
_NOW = frozenset(("symptom", "sign", "measurement"))


def parsed(request: ParseRequest) -> ParseOut:
    """The answer of /v1/parse."""
    person = Person(
        age_years=request.age,
        sex=request.sex,
        pregnant=request.pregnant,
        gestation_weeks=request.gestation_weeks,
    )
    result = parse_text(request.text, person, tuple(request.context))
    return ParseOut.model_validate(
        {
            "mentions": [
                {
                    "id": m.id,
                    "name": m.name,
                    "choice_id": m.choice,
                    "span": m.span,
                    "words": m.words,
                    "subject": m.subject,
                    "onset_hours": m.onset_hours,
                    "onset": m.onset_text,
                    "severity": m.severity,
                    "value": m.value,
                    "unit": m.unit,
                    "history": m.history,
                }
                for m in result.mentions
            ],
            "red_flags": [
                {"id": f.id, "name": f.name, "urgency": f.urgency, "span": f.span, "advice": f.advice}
                for f in result.flags
            ],
            "person": {
                "age": result.person.age_years,
                "sex": result.person.sex,
                "pregnant": _pregnant(result, person),
                "gestation_weeks": result.person.gestation_weeks,
                "postpartum_days": result.person.postpartum_days,
            },
        }
    )


def case_from_text(text: str, person: Person, findings: dict[str, Finding]) -> tuple[Case, Any]:
    """A case of one letter in which all that is known stands; and the parse, to look at."""
    result = parse_text(text, person)
    items = []
    about_other = getattr(result, "subject", "other") == "other"
    for mention in result.mentions:
        if mention.id not in findings or (mention.subject == "other" and not about_other):
            continue  # "my wife has flu, I only cough": hers is not his
        if mention.history and mention.choice == "present" and findings[mention.id].kind in _NOW:
            continue  # what was there once and is gone
        hours = None if _is_age(mention.onset_hours, person) else mention.onset_hours
        items.append(Evidence(mention.id, mention.choice, "initial", hours, mention.severity, mention.value))
        if mention.onset_text == "sudden" and mention.choice == "present" and "symptom_sudden_onset" in findings:
            items.append(Evidence("symptom_sudden_onset", "present", "initial"))
    known_person = result.person
    pregnant = _pregnant(result, person)
    facts = known_person.facts if pregnant else known_person.facts - {"pregnant"}
    items += [Evidence(fact, "present", "context") for fact in sorted(facts) if fact in findings]
    patient = Patient(
        person.age_years if person.age_years is not None else known_person.age_years,
        person.sex or known_person.sex,
        pregnant,
        known_person.gestation_weeks,
        known_person.postpartum_days,
    )
    present = [item for item in items if item.choice == "present" and findings[item.id].kind in _NOW]
    hours = None
    if not any(item.onset_hours is not None for item in present):
        told = {d.hours for d in durations(text.lower()) if not d.ago and not _is_age(d.hours, person)}
        hours = told.pop() if len(told) == 1 else None
    flags = tuple(Flag(flag.id, flag.urgency, flag.name) for flag in result.flags)
    return Case(patient, tuple(items), flags, duration_hours=hours), result


def _pregnant(result: Parse, person: Person) -> bool | None:
    """Pregnant as told before, by weeks, or in words that the reader understood.

    The screen alone takes "tested positive" for it too, which is right for a red flag and wrong for a belief.
    """
    if person.pregnant is not None or not result.person.pregnant or result.person.gestation_weeks is not None:
        return result.person.pregnant
    named = (m.id for m in result.mentions if m.choice == "present")
    return True if any(_PREGNANT in ident for ident in named) else None


def _is_age(hours: float | None, person: Person) -> bool:
    """ "My 6 month old dribbles": the number is the age, not how long it has lasted."""
    if hours is None or person.age_years is None:
        return False
    age = person.age_years * 8766
    return age > 0 and abs(hours - age) < 0.12 * age and hours > 24 * 14
