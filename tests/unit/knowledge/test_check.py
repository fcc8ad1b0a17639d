"""The knowledge base is refused with the file and the id of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from careline.knowledge import KnowledgeError, load
from careline.knowledge.check import main
from careline.knowledge.problems import problems

FEVER = """
- id: fever
  name: Fever
  plain: a high temperature
  kind: symptom
  clinical: [pyrexia]
  patient: [high temperature]
  ask: Do you have a fever?
  ask_other: Do they have a fever?
"""
FLU = """
- id: flu
  name: Flu
  plain: flu
  icd10: J11
  system: respiratory
  incidence: {per_100k: 100}
  findings: {fever: 0.9, fever: 0.8}
  urgency: routine
  specialty: general practice
  sources: [NICE CKS]
  version: 1
  reviewed: unreviewed
"""


def base(root: Path, findings: str = FEVER, conditions: str = "", rules: str = "") -> Path:
    (root / "findings").mkdir(exist_ok=True)
    (root / "conditions").mkdir(exist_ok=True)
    (root / "findings" / "general.yml").write_text(findings)
    (root / "conditions" / "respiratory.yml").write_text(conditions)
    (root / "rules.yml").write_text(rules)
    return root


def messages(root: Path) -> list[str]:
    return [str(problem) for problem in problems(root=root)]


def four(first: str) -> str:
    """A condition with four findings, of which the first is given."""
    return FLU.replace("{fever: 0.9, fever: 0.8}", "{" + first + ", fever_a: 0.1, fever_b: 0.1, fever_c: 0.1}")


def with_more_findings() -> str:
    return FEVER + "".join(FEVER.replace("id: fever", f"id: fever_{letter}") for letter in "abc")


def test_a_sound_base_has_no_problems(tmp_path: Path) -> None:
    assert messages(base(tmp_path, with_more_findings(), four("fever: 0.9"))) == []


@pytest.mark.parametrize(
    ("findings", "conditions", "rules", "expected"),
    [
        (FEVER, FLU, "", "twice"),
        (with_more_findings(), four("fevr: 0.9"), "", "respiratory.yml: flu: findings names the unknown finding fevr"),
        (with_more_findings(), four("fever: 1.9"), "", "respiratory.yml: flu: findings.fever"),
        (with_more_findings(), four("fever: 0.3"), "", "no typical story"),
        (with_more_findings(), four("fever: 0.9").replace("routine", "soon"), "", "flu: urgency"),
        (with_more_findings(), four("fever: 0.9").replace("routine", "emergency"), "", "must be serious: true"),
        (with_more_findings(), four("fever: 0.9").replace("routine", "self_care"), "", "without any self_care advice"),
        (FEVER.replace("  ask_other: Do they have a fever?\n", ""), "", "", "general.yml: fever: needs both ask"),
        (FEVER + "  is_a: [fever]\n", "", "", "fever: is_a leads back to itself"),
        (FEVER + "  is_a: [heat]\n", "", "", "fever: is_a names the unknown finding heat"),
        (FEVER + FEVER, "", "", "fever: this id is already in findings/general.yml"),
        (FEVER.replace("symptom", "feeling"), "", "", "fever: kind"),
        ("- just a string", "", "", "general.yml: entry 1"),
        ("a: map", "", "", "must be a YAML list"),
        ("- id: [", "", "", "cannot be read"),
        (
            FEVER,
            "",
            "- {id: r, when: [fevr], level: urgent, text: t, source: s}",
            "rules.yml: r: when names the unknown finding fevr",
        ),
        (FEVER, "", "- {id: r, when: {}, level: urgent, text: t, source: s}", "always hold"),
        (FEVER, "", "- {id: r, when: [fever], level: urgent, text: t}", "r: source"),
    ],
)
def test_a_broken_base_is_refused_with_its_place(
    tmp_path: Path, findings: str, conditions: str, rules: str, expected: str
) -> None:
    root = base(tmp_path, findings, conditions, rules)
    assert any(expected in message for message in messages(root)), messages(root)
    with pytest.raises(KnowledgeError, match="problem"):
        load(root, cache=None)


def test_the_command_lists_problems_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = base(tmp_path, with_more_findings(), four("fevr: 0.9"))
    assert main(["--root", str(root)]) == 1
    assert "conditions/respiratory.yml: flu" in capsys.readouterr().out
    assert main(["--root", str(root), str(root / "findings" / "general.yml")]) == 0


def test_a_vocabulary_makes_ids_known(tmp_path: Path) -> None:
    root = base(tmp_path, with_more_findings(), four("fevr: 0.9"))
    words = tmp_path / "vocabulary.txt"
    words.write_text("## general\nfevr | fever\n")
    assert main(["--root", str(root), "--vocabulary", str(words)]) == 0


def test_the_cache_follows_the_content(tmp_path: Path) -> None:
    root, cache = base(tmp_path, with_more_findings()), tmp_path / "var"
    first = load(root, cache=cache)
    assert load(root, cache=cache) == first
    assert len(list(cache.iterdir())) == 1
    base(tmp_path, with_more_findings().replace("high temperature", "hot"))
    second = load(root, cache=cache)
    assert second.version != first.version
    assert second.findings["fever"].plain == "a hot"


def test_a_damaged_cache_is_ignored(tmp_path: Path) -> None:
    root, cache = base(tmp_path, with_more_findings()), tmp_path / "var"
    first = load(root, cache=cache)
    for file in cache.iterdir():
        file.write_bytes(b"not a pickle")
    assert load(root, cache=cache) == first
