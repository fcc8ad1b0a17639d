"""The findings parser on our own sentences: it must not get worse than it was measured."""

from __future__ import annotations

from pathlib import Path

from careline.evaluation.findings import evaluate

SENTENCES = Path(__file__).parents[2] / "data" / "findings_sentences.yml"


def test_precision_and_recall_on_our_own_sentences() -> None:
    metrics = evaluate(SENTENCES)["metrics"]
    assert metrics["sentences"] >= 600
    assert metrics["recall"] >= 0.92
    assert metrics["recall_absent"] >= 0.95
    assert metrics["precision"] >= 0.92
