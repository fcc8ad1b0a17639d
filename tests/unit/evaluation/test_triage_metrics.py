"""Counting: intervals, groups, gold levels, and names that mean the same condition."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from careline.evaluation import triage
from careline.evaluation.condition_names import Names, key
from careline.evaluation.metrics import age_band, by_group, group_names, read_cases, share, wilson
from careline.levels import Level
from tests.unit.triage.small_base import small_base


def test_wilson_is_the_textbook_interval() -> None:
    low, high = wilson(8, 10)
    assert low == pytest.approx(0.4902, abs=1e-4)
    assert high == pytest.approx(0.9433, abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_shares_count_hits() -> None:
    counted = share([{"x": 1}, {"x": 2}], lambda row: row["x"] == 1)
    assert (counted["share"], counted["hits"], counted["n"]) == (0.5, 1, 2)


def test_meta_lines_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "META", "note": "x"}\n\n{"id": "1"}\n')
    assert [row["id"] for row in read_cases(file)] == ["1"]


@pytest.mark.parametrize(
    ("age", "band"), [(0.5, "infant"), (5, "child"), (15, "teen"), (40, "adult"), (80, "older"), (None, "unknown")]
)
def test_age_bands(age: float | None, band: str) -> None:
    assert age_band(age) == band


def test_groups_are_counted_each() -> None:
    results = [{"groups": ["sex=female"], "ok": True}, {"groups": ["sex=male"], "ok": False}]
    counted = by_group(results, lambda rows: {"right": sum(row["ok"] for row in rows)})
    assert counted == {"sex=female": {"right": 1}, "sex=male": {"right": 0}}
    assert group_names({"sex": "male", "age": 3}) == ["age_band=child", "sex=male"]


def test_three_level_gold_accepts_either_of_its_levels() -> None:
    assert triage.gold_levels({"gold_level": "em"}) == (Level.EMERGENCY_AMBULANCE, Level.EMERGENCY)
    assert triage.gold_levels({"gold_level": "urgent"}) == (Level.URGENT,)


def test_every_case_gets_an_answer_with_reasons(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    rows = [
        {"id": "a", "text": "", "age": 30, "sex": "female", "gold_level": "routine"},
        {"id": "b", "text": "x" * 3000, "age": None, "sex": None, "gold_level": "sc"},
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    result = triage.evaluate(file)
    assert [case["id"] for case in result["cases"]] == ["a", "b"]
    for case in result["cases"]:
        assert case["got"]["level"] in {level.value for level in Level}
        assert case["got"]["reasons"]
    assert result["metrics"]["cases"] == 2


def test_safe_counts_too_urgent_as_safe() -> None:
    def result(got: Level, gold: Level) -> dict:
        return {"level": got, "gold": (gold,), "expected": gold.value, "groups": []}

    counted = triage.measure([result(Level.URGENT, Level.ROUTINE), result(Level.ROUTINE, Level.EMERGENCY)])
    assert counted["safe"]["hits"] == 1
    assert counted["over"]["hits"] == 1
    assert counted["emergencies_at_emergency"]["hits"] == 0
    assert counted["ordinal_distance"] == 1.5


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Haemorrhoids", "hemorrhoid"),
        ("Benign Prostatic Hyperplasia", "benign prostatic hyperplasia"),
        ("Iron-deficiency anaemia", "anemia, iron deficiency"),
        ("Deep Venous Thrombosis", "deep vein thrombosis"),
        ("Crohn's disease", "Crohn disease"),
        ("Colon cancer", "carcinoma of colon"),
    ],
)
def test_names_ignore_accidents_of_spelling(one: str, two: str) -> None:
    fillers = {"of", "disease"}
    assert [w for w in key(one) if w not in fillers] == [w for w in key(two) if w not in fillers]


def test_names_find_conditions_and_nothing_else() -> None:
    names = Names(small_base())
    assert names.find("Common Colds") == {"common_cold"}
    assert names.find("acute pneumonia") == {"pneumonia"}
    assert names.find("broken leg") == frozenset()
