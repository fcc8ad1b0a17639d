"""Every problem of the knowledge base, with its file and id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from careline.knowledge.files import ROOT, read
from careline.knowledge.schema import Complaint, Condition, Derived, Finding, Rule, When
from careline.levels import Level

_SINGLE = ("rules.yml", "complaints.yml", "derived.yml")
_NEVER_ASKED = {"risk", "history", "quality", "measurement"}


@dataclass(frozen=True, order=True)
class Problem:
    file: str
    id: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.id}: {self.message}"


@dataclass
class Raw:
    """Entries of all files that could be read, each with its file; and what was wrong with the others."""

    findings: list[tuple[str, Finding]]
    conditions: list[tuple[str, Condition]]
    rules: list[tuple[str, Rule]]
    complaints: list[tuple[str, Complaint]]
    derived: list[tuple[str, Derived]]
    problems: list[Problem]


def read_all(root: Path = ROOT, extra: Iterable[Path] = ()) -> Raw:
    """Read and validate each entry of knowledge/ (and of `extra` files), without looking at connections."""
    raw = Raw([], [], [], [], [], [])
    paths = [*extra, *root.glob("findings/*.yml"), *root.glob("conditions/*.yml")]
    paths += [path for name in _SINGLE if (path := root / name).exists()]
    for path in sorted({path.resolve() for path in paths}):
        target: list[Any]
        if path.parent.name == "findings":
            model, target = Finding, raw.findings
        elif path.parent.name == "conditions":
            model, target = Condition, raw.conditions
        elif path.name == "rules.yml":
            model, target = Rule, raw.rules
        elif path.name == "complaints.yml":
            model, target = Complaint, raw.complaints
        elif path.name == "derived.yml":
            model, target = Derived, raw.derived
        else:
            continue
        _read_file(path, model, target, raw.problems)
    return raw


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _read_file(path: Path, model: type[BaseModel], target: list[Any], problems: list[Problem]) -> None:
    name = label(path)
    try:
        content = read(path)
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        problems.append(Problem(name, "-", f"cannot be read: {error}".replace("\n", " ")))
        return
    if content is None:
        content = []
    if not isinstance(content, list):
        problems.append(Problem(name, "-", "must be a YAML list of entries"))
        return
    for position, entry in enumerate(content):
        ident = f"entry {position + 1}"
        if isinstance(entry, dict):
            ident = str(entry.get("id", ident))
        try:
            target.append((name, model.model_validate(entry)))
        except ValidationError as error:
            for item in error.errors():
                where = ".".join(str(part) for part in item["loc"])
                got = str(item["input"])[:60]
                problems.append(Problem(name, ident, f"{where}: {item['msg']} (got {got!r})"))


def problems(files: Iterable[Path] = (), *, root: Path = ROOT, vocabulary: Iterable[str] = ()) -> list[Problem]:
    """All problems, sorted; limited to `files` when given. `vocabulary`: finding ids to take as known."""
    files = list(files)
    raw = read_all(root, files)
    found = list(raw.problems)
    found += _duplicates(raw)
    known = {finding.id: finding for _, finding in raw.findings}
    # An id whose own entry is broken is reported there, not again wherever it is used.
    names = set(known) | set(vocabulary) | {p.id for p in raw.problems if p.file.startswith("findings/")}
    for file, finding in raw.findings:
        found += [Problem(file, finding.id, message) for message in _finding(finding, known, names)]
    for file, condition in raw.conditions:
        found += [Problem(file, condition.id, message) for message in _condition(condition, known, names)]
    for file, rule in raw.rules:
        found += [Problem(file, rule.id, message) for message in _when_ids(rule.when, names)]
    for file, derived in raw.derived:
        found += [Problem(file, derived.id, message) for message in _when_ids(derived.when, names)]
        if derived.then not in names:
            found.append(Problem(file, derived.id, f"then names the unknown finding {derived.then}"))
    for file, complaint in raw.complaints:
        used = (*complaint.findings, *complaint.red_flags)
        found += [Problem(file, complaint.id, f"unknown finding {i}") for i in used if i not in names]
        found += [
            Problem(file, complaint.id, f"red flag {i} cannot be asked (no ask/ask_other)")
            for i in complaint.red_flags
            if i in known and not (known[i].ask and known[i].ask_other)
        ]
    if files:
        wanted = {label(path.resolve()) for path in files}
        found = [problem for problem in found if problem.file in wanted]
    return sorted(set(found))


def _duplicates(raw: Raw) -> Iterator[Problem]:
    groups: list[list[tuple[str, Any]]] = [raw.findings, raw.conditions, raw.rules, raw.complaints, raw.derived]
    for group in groups:
        first: dict[str, str] = {}
        for file, entry in group:
            if entry.id in first:
                yield Problem(file, entry.id, f"this id is already in {first[entry.id]}")
            first.setdefault(entry.id, file)
    names: dict[str, str] = {}
    for file, condition in raw.conditions:
        key = condition.name.casefold()
        if names.setdefault(key, condition.id) != condition.id:
            yield Problem(file, condition.id, f"has the same name as {names[key]}")


def _finding(finding: Finding, known: dict[str, Finding], names: set[str]) -> Iterator[str]:
    for parent in finding.is_a:
        if parent not in names:
            yield f"is_a names the unknown finding {parent}"
    if _in_circle(finding.id, known):
        yield "is_a leads back to itself"
    if bool(finding.ask) != bool(finding.ask_other):
        yield "needs both ask and ask_other"
    if not finding.ask and finding.kind not in _NEVER_ASKED:
        yield "missing ask and ask_other"
    if not finding.patient and finding.kind in ("symptom", "sign", "exposure"):
        yield "no patient wordings"
    if not finding.clinical and not finding.patient:
        yield "no wordings at all: nobody can mention it"
    if finding.min_age is not None and finding.max_age is not None and finding.min_age > finding.max_age:
        yield "min_age is above max_age"


def _in_circle(start: str, known: dict[str, Finding]) -> bool:
    todo, seen = list(known[start].is_a), set()
    while todo:
        current = todo.pop()
        if current == start:
            return True
        if current not in seen and current in known:
            seen.add(current)
            todo += known[current].is_a
    return False


def _condition(condition: Condition, known: dict[str, Finding], names: set[str]) -> Iterator[str]:
    for kind, ids in (("findings", condition.findings), ("risk", condition.risk)):
        for ident in ids:
            if ident not in names:
                yield f"{kind} names the unknown finding {ident}"
    for modifier in condition.modifiers:
        yield from (f"modifier: {message}" for message in _when_ids(modifier.when, names))
    both = set(condition.findings) & set(condition.risk)
    if both:
        yield f"in findings and in risk at once (would count twice): {', '.join(sorted(both))}"
    if len(condition.findings) < 4:
        yield f"only {len(condition.findings)} findings; give at least 4"
    if not any(p >= 0.5 for p in condition.findings.values()):
        yield "no finding with a probability of 0.5 or more: it has no typical story"
    for ident in condition.findings:
        finding = known.get(ident)
        if finding and not finding.ask and finding.kind not in ("risk", "history"):
            yield f"finding {ident} cannot be asked (no ask)"
    if condition.urgency.is_emergency and not condition.serious:
        yield "an emergency condition must be serious: true"
    lowest = min([condition.urgency, *(m.level for m in condition.modifiers)], key=lambda level: level.rank)
    if lowest == Level.SELF_CARE and not condition.self_care:
        yield "self_care without any self_care advice"
    if lowest == Level.SELF_CARE and not condition.safety_net:
        yield "self_care without a safety_net"
    if condition.incidence.female == 0 and condition.incidence.male == 0:
        yield "incidence is zero for both sexes"


def _when_ids(when: When, names: set[str]) -> Iterator[str]:
    for ident in when.ids:
        if ident not in names:
            yield f"when names the unknown finding {ident}"
