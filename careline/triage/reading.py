"""From a patient's words to a case: what the language part found becomes evidence, red flags become a floor."""

from __future__ import annotations

from typing import Any

from careline.language import Person
from careline.language import parse as parse_text
from careline.triage.case import Case, Evidence, Flag, Patient
from careline.triage.shapes import ParseOut, ParseRequest


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
                "pregnant": result.person.pregnant,
                "gestation_weeks": result.person.gestation_weeks,
                "postpartum_days": result.person.postpartum_days,
            },
        }
    )


def case_from_text(text: str, person: Person, known: frozenset[str] | set[str]) -> tuple[Case, Any]:
    """A case of one letter in which all that is known stands; and the parse, to look at."""
    result = parse_text(text, person)
    items = []
    for mention in result.mentions:
        if mention.id in known:
            items.append(
                Evidence(mention.id, mention.choice, "initial", mention.onset_hours, mention.severity, mention.value)
            )
    known_person = result.person
    items += [Evidence(fact, "present", "context") for fact in sorted(known_person.facts) if fact in known]
    patient = Patient(
        person.age_years if person.age_years is not None else known_person.age_years,
        person.sex or known_person.sex,
        known_person.pregnant,
        known_person.gestation_weeks,
        known_person.postpartum_days,
    )
    flags = tuple(Flag(flag.id, flag.urgency, flag.name) for flag in result.flags)
    return Case(patient, tuple(items), flags), result
