"""What triage is told about a person: who they are, and the evidence, in whatever order it came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from careline.knowledge import Knowledge, When

Choice = Literal["present", "absent", "unknown"]
Source = Literal["initial", "asked", "context", "flag"]
Severity = Literal["mild", "moderate", "severe"]

# The same finding said to be there and not there: the reading that can only make us more careful wins.
_STRENGTH = {"present": 2, "unknown": 1, "absent": 0}
_SEVERITY = {None: 0, "mild": 1, "moderate": 2, "severe": 3}


@dataclass(frozen=True, order=True)
class Evidence:
    """One finding of a known id. `onset_hours`: how long ago it began. `value`: in the unit of the finding."""

    id: str
    choice: Choice
    source: Source = "initial"
    onset_hours: float | None = None
    severity: Severity | None = None
    value: float | None = None


@dataclass(frozen=True)
class Patient:
    """The person the evidence is about. Age in years; None is unknown and is never taken as a no."""

    age: float | None = None
    sex: Literal["female", "male"] | None = None
    pregnant: bool | None = None
    gestation_weeks: float | None = None
    postpartum_days: float | None = None


@dataclass(frozen=True)
class Flag:
    """A red flag of the language screen: a floor that no reasoning lowers."""

    id: str
    urgency: str
    name: str = ""


@dataclass(frozen=True)
class Case:
    """A question to triage. `conversation`: further questions can be asked, so silence is not an answer."""

    patient: Patient = Patient()
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[Flag, ...] = ()
    conversation: bool = False
    duration_hours: float | None = None


@dataclass(frozen=True)
class Facts:
    """A case with everything that follows from it; equal for equal content in any order."""

    patient: Patient
    present: frozenset[str]
    absent: frozenset[str]
    unknown: frozenset[str]
    said: dict[str, Evidence] = field(hash=False)
    duration_hours: float | None
    severity: Severity | None
    flags: tuple[Flag, ...]
    conversation: bool

    @property
    def answered(self) -> frozenset[str]:
        return self.present | self.absent | self.unknown

    def holds(self, when: When) -> bool:
        """Whether every part of `when` is known to hold; what is unknown does not hold."""
        present, patient = self.present, self.patient
        if when.all and not present.issuperset(when.all):
            return False
        if when.any and present.isdisjoint(when.any):
            return False
        if when.any2 and present.isdisjoint(when.any2):
            return False
        if when.any3 and present.isdisjoint(when.any3):
            return False
        if when.none and not present.isdisjoint(when.none):
            return False
        if when.absent and not self.absent.issuperset(when.absent):
            return False
        if when.sex is not None and patient.sex != when.sex:
            return False
        if not _within(patient.age, when.age_min, when.age_max):
            return False
        if when.pregnant is not None and self.pregnant is not when.pregnant:
            return False
        if not _within(patient.gestation_weeks, when.gestation_min, when.gestation_max):
            return False
        if not _within(patient.postpartum_days, None, when.postpartum_max_days):
            return False
        if when.value_of is not None:
            item = self.said.get(when.value_of)
            value = item.value if item is not None and item.choice == "present" else None
            if value is None or not _within(value, when.value_min, when.value_max):
                return False
        if when.duration_min_hours is not None or when.duration_max_hours is not None:
            hours = self._hours(when)
            if hours is None or not _within(hours, when.duration_min_hours, when.duration_max_hours):
                return False
        return not when.severity or self._severity(when) in when.severity

    @property
    def pregnant(self) -> bool | None:
        if self.patient.pregnant is not None:
            return self.patient.pregnant
        if "pregnant" in self.present:
            return True
        return False if "pregnant" in self.absent else None

    def _hours(self, when: When) -> float | None:
        """How long the findings that `when` speaks of have lasted; else how long the whole episode has."""
        items = (self.said.get(ident) for ident in (*when.all, *when.any, *when.any2))
        hours = [item.onset_hours for item in items if item is not None and item.onset_hours is not None]
        return max(hours) if hours else self.duration_hours

    def _severity(self, when: When) -> Severity | None:
        items = (self.said.get(ident) for ident in (*when.all, *when.any, *when.any2))
        named = [item.severity for item in items if item is not None and item.severity is not None]
        return max(named, key=_SEVERITY.__getitem__) if named else self.severity


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def ancestors(knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
    """For each finding all that it is a kind of, nearest first."""
    found: dict[str, tuple[str, ...]] = {}

    def of(ident: str) -> tuple[str, ...]:
        if ident not in found:
            ordered: dict[str, None] = {}
            for parent in knowledge.findings[ident].is_a:
                ordered[parent] = None
                ordered.update(dict.fromkeys(of(parent)))
            found[ident] = tuple(ordered)
        return found[ident]

    for ident in knowledge.findings:
        of(ident)
    return found


class Reader:
    """Turns a case into facts: contradictions settled, kinds implied, consequences drawn."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.ancestors = ancestors(knowledge)
        below: dict[str, list[str]] = {ident: [] for ident in knowledge.findings}
        for ident, above in self.ancestors.items():
            for parent in above:
                below[parent].append(ident)
        self.descendants = {ident: tuple(sorted(ids)) for ident, ids in below.items()}
        self._sexed = [f for f in knowledge.findings.values() if f.sex or f.min_age is not None or f.max_age]

    def facts(self, case: Case) -> Facts:
        """The facts of a case. KeyError for evidence on an id that the knowledge base does not know."""
        patient = case.patient
        said: dict[str, Evidence] = {}
        for item in sorted(case.evidence, key=_order):
            if item.id not in self.ancestors:
                raise KeyError(item.id)
            kept = said.get(item.id)
            if kept is None or _STRENGTH[item.choice] > _STRENGTH[kept.choice]:
                said[item.id] = item
        if patient.pregnant and "pregnant" in self.ancestors and "pregnant" not in said:
            said["pregnant"] = Evidence("pregnant", "present", "context")
        facts = self._facts(case, said)
        for _ in range(3):  # a consequence can have a consequence; chains are short
            new = [d for d in self.knowledge.derived if d.then not in facts.present and facts.holds(d.when)]
            if not new:
                break
            for derived in new:
                said[derived.then] = Evidence(derived.then, "present", "context")
            facts = self._facts(case, said)
        return facts

    def _facts(self, case: Case, said: dict[str, Evidence]) -> Facts:
        present: set[str] = set()
        for ident, item in said.items():
            if item.choice == "present":
                present.add(ident)
                present.update(self.ancestors[ident])
        absent: set[str] = set()
        for ident, item in said.items():
            if item.choice == "absent" and ident not in present:
                absent.add(ident)
                absent.update(self.descendants[ident])
        absent -= present  # "no cough, but green phlegm": the specific thing that is there wins
        unknown = {ident for ident, item in said.items() if item.choice == "unknown"} - present - absent
        there = [item for item in said.values() if item.choice == "present"]
        hours = [item.onset_hours for item in there if item.onset_hours is not None and self._is_complaint(item.id)]
        if not hours:
            hours = [item.onset_hours for item in there if item.onset_hours is not None]
        if case.duration_hours is not None:
            hours.append(case.duration_hours)
        severities = [item.severity for item in there if item.severity is not None]
        return Facts(
            patient=case.patient,
            present=frozenset(present),
            absent=frozenset(absent),
            unknown=frozenset(unknown),
            said=dict(sorted(said.items())),
            duration_hours=max(hours) if hours else None,
            severity=max(severities, key=_SEVERITY.__getitem__) if severities else None,
            flags=tuple(sorted(set(case.flags), key=lambda flag: (flag.id, flag.urgency))),
            conversation=case.conversation,
        )

    def _is_complaint(self, ident: str) -> bool:
        """How long somebody has had asthma or a new tablet says nothing about how long the trouble has lasted."""
        return self.knowledge.findings[ident].kind in ("symptom", "sign", "measurement")

    def impossible(self, patient: Patient) -> frozenset[str]:
        """Findings that this person cannot have, by sex or age; they are never asked."""
        out = set()
        for finding in self._sexed:
            other_sex = finding.sex and patient.sex and finding.sex != patient.sex
            other_age = patient.age is not None and not _within(patient.age, finding.min_age, finding.max_age)
            if other_sex or other_age:
                out.add(finding.id)
        return frozenset(out)


def _order(item: Evidence) -> tuple[str, int, str, float, int, float]:
    return (
        item.id,
        -_STRENGTH[item.choice],
        item.source,
        -(item.onset_hours or 0.0),
        -_SEVERITY[item.severity],
        -(item.value or 0.0),
    )


def evidence(present: Iterable[str] = (), absent: Iterable[str] = ()) -> tuple[Evidence, ...]:
    """Evidence from plain ids, as tests and scripts write it."""
    return (*(Evidence(i, "present") for i in present), *(Evidence(i, "absent") for i in absent))
