"""The knowledge base as one object: read, checked, and kept until its files change."""

from __future__ import annotations

import contextlib
import os
import pickle
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from careline.knowledge.files import ROOT, content_hash, knowledge_files, read
from careline.knowledge.problems import Problem, problems, read_all
from careline.knowledge.schema import Complaint, Condition, Derived, Finding, Rule, When

CACHE = ROOT.parent / "var"


class KnowledgeError(Exception):
    """The knowledge base is inconsistent. `problems` says in which file, at which id, and what is wrong."""

    def __init__(self, found: list[Problem]) -> None:
        shown = "\n".join(str(problem) for problem in found[:20])
        super().__init__(f"{len(found)} problem(s) in the knowledge base:\n{shown}")
        self.problems = found


@dataclass(frozen=True)
class Knowledge:
    """All that reasoning may use. `version` is the SHA-256 of the files it was read from."""

    findings: dict[str, Finding]
    conditions: dict[str, Condition]
    rules: tuple[Rule, ...]
    complaints: tuple[Complaint, ...]
    derived: tuple[Derived, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    version: str = "-"


def load(root: Path = ROOT, *, strict: bool = True, cache: Path | None = CACHE) -> Knowledge:
    """Read knowledge/ and refuse it when it is inconsistent (KnowledgeError says where).

    `strict=False` leaves out what is broken instead; it is meant for authors at work, never for patients.
    `cache`: a folder for a copy keyed by the content of the files; safe to delete at any time.
    """
    paths = knowledge_files(root)
    version = content_hash(paths)
    stored = cache / f"knowledge-{_code_version()}-{version}.pickle" if cache and strict else None
    if stored and (kept := _from_cache(stored)):
        return kept
    found = problems(root=root)
    if found and strict:
        raise KnowledgeError(found)
    raw = read_all(root)
    parameters = root / "triage_parameters.yml"
    knowledge = Knowledge(
        findings={finding.id: finding for _, finding in raw.findings},
        conditions={condition.id: condition for _, condition in raw.conditions},
        rules=tuple(rule for _, rule in raw.rules),
        complaints=tuple(complaint for _, complaint in raw.complaints),
        derived=tuple(derived for _, derived in raw.derived),
        parameters=read(parameters) if parameters.exists() else {},
        version=version,
    )
    if found:
        knowledge = _mended(knowledge)
    if stored:
        _to_cache(stored, knowledge)
    return knowledge


@lru_cache(maxsize=1)
def knowledge() -> Knowledge:
    """The knowledge base of this installation, loaded once in a process."""
    return load()


@lru_cache(maxsize=1)
def _code_version() -> str:
    """Part of the cache key: what is stored depends on the schema as well as on the content."""
    here = Path(__file__).parent
    return content_hash([here / "schema.py", here / "base.py"])[:12]


def _from_cache(path: Path) -> Knowledge | None:
    try:
        with path.open("rb") as file:
            kept = pickle.load(file)
    except Exception:  # missing, cut short, written by other code: the files are the truth
        return None
    return kept if isinstance(kept, Knowledge) else None


def _to_cache(path: Path, knowledge: Knowledge) -> None:
    """Write beside and rename, so that another process never reads half a file."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".knowledge-")
        with os.fdopen(handle, "wb") as file:
            pickle.dump(knowledge, file, protocol=pickle.HIGHEST_PROTOCOL)
        os.replace(name, path)


def _mended(whole: Knowledge) -> Knowledge:
    known = set(whole.findings)

    def holds_only_known(when: When) -> bool:
        return known.issuperset(when.ids)

    def of(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(ident for ident in ids if ident in known)

    findings = {
        ident: finding.model_copy(update={"is_a": of(finding.is_a)}) for ident, finding in whole.findings.items()
    }
    conditions = {
        ident: condition.model_copy(
            update={
                "findings": {key: p for key, p in condition.findings.items() if key in known},
                "risk": {key: r for key, r in condition.risk.items() if key in known},
                "modifiers": tuple(m for m in condition.modifiers if holds_only_known(m.when)),
            }
        )
        for ident, condition in whole.conditions.items()
    }
    complaints = tuple(
        complaint.model_copy(update={"findings": of(complaint.findings), "red_flags": of(complaint.red_flags)})
        for complaint in whole.complaints
    )
    return Knowledge(
        findings,
        conditions,
        tuple(rule for rule in whole.rules if holds_only_known(rule.when)),
        complaints,
        tuple(d for d in whole.derived if d.then in known and holds_only_known(d.when)),
        whole.parameters,
        whole.version,
    )
