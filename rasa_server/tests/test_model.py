"""When is a new model needed, and what is in config.yml."""

from pathlib import Path

import yaml

from rasa_server import train

ROOT = Path(__file__).resolve().parents[2]


def test_the_name_of_a_model_follows_its_files(monkeypatch, tmp_path):
    before = train.fingerprint()
    assert before == train.fingerprint()
    changed = tmp_path / "data" / "x.yml"
    changed.parent.mkdir()
    changed.write_text("x")
    monkeypatch.setattr(train, "ROOT", tmp_path)
    monkeypatch.setattr(train, "sources", lambda: [changed])
    first = train.fingerprint()
    changed.write_text("y")
    assert first != train.fingerprint() != before


def test_what_keeps_its_meaning_in_a_form_does_not_interrupt_it_too():
    config = yaml.safe_load((ROOT / "config.yml").read_text())
    domain = yaml.safe_load((ROOT / "domain.yml").read_text())
    question = next(c for c in config["pipeline"] if c["name"].endswith("OpenQuestionClassifier"))
    intents = set(domain["intents"])
    for form, slot in (("symptom_form", "symptom_answer"), ("booking_form", "booking_answer"),
                       ("medicine_form", "medicine_answer")):
        interrupting = set(domain["slots"][slot]["mappings"][0]["not_intent"])
        answers = set(question["kept"]["replies"]) | set(question["kept"][form])
        assert answers <= intents
        assert interrupting <= intents
        assert not set(question["kept"]["replies"]) & interrupting
        # Every intent is one or the other: what is forgotten would be swallowed as an answer.
        assert intents - answers - interrupting - {"answer"} == set(), form
