"""domain.yml, data/ and the actions fit together, and every sentence keeps the house's rules for wording."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text())
FILES = sorted((ROOT / "data" / "rules").glob("*.yml"))
RULES = [rule for path in FILES for rule in yaml.safe_load(path.read_text())["rules"]]
RESPONSES = DOMAIN["responses"]
SENTENCES = [(name, one["text"]) for name, variants in RESPONSES.items() for one in variants if one.get("text")]
WHOLE = [(name, text) for name, text in SENTENCES if name.startswith("utter_")]
DIAGNOSIS = re.compile(r"you (?:probably |may |might )?have (?:a|an|got)|you are suffering|diagnos(?:e|is) is")
REASSURANCE = re.compile(r"nothing to worry|don't worry|no need to worry|you will be fine|you are fine|nothing serious")
# GSM 03.38 with its extension: anything else makes a text message cost twice and break in two.
GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


def strings_of(path):
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_action_of_the_domain_is_served_and_no_other():
    from actions.asgi import executor

    assert set(executor.actions) == set(DOMAIN["actions"])


def test_rules_name_known_intents_and_actions():
    known = set(DOMAIN["actions"]) | set(DOMAIN["forms"]) | set(DOMAIN["responses"])
    for rule in RULES:
        for step in rule["steps"]:
            if "intent" in step:
                assert step["intent"] in [*DOMAIN["intents"], "nlu_fallback"], rule["rule"]
            if "action" in step:
                assert step["action"] in known, rule["rule"]


def test_every_intent_is_answered_somewhere():
    config = yaml.safe_load((ROOT / "config.yml").read_text())
    safety = next(policy for policy in config["policies"] if policy["name"].endswith("SafetyPolicy"))
    answered = {step["intent"] for rule in RULES for step in rule["steps"] if "intent" in step}
    assert set(DOMAIN["intents"]) <= answered | set(safety["responses"])


def test_every_sentence_that_an_action_says_exists():
    prefixes = r"(?:utter|option|offer|line|status|fact|meaning)_[a-z_]+"
    for path in sorted((ROOT / "actions").glob("*.py")):
        for text in strings_of(path):
            if re.fullmatch(prefixes, text) and not text.endswith("_"):
                assert text in DOMAIN["responses"], f"{path.name}: {text}"


def test_no_sentence_for_patients_stands_in_an_action():
    for path in sorted((ROOT / "actions").glob("*.py")):
        tree = ast.parse(path.read_text())
        for call in [n for n in ast.walk(tree) if isinstance(n, ast.Call)]:
            if getattr(call.func, "attr", "") == "utter_message":
                for keyword in call.keywords:
                    if keyword.arg == "text":
                        assert not isinstance(keyword.value, ast.Constant | ast.JoinedStr), f"{path.name}:{call.lineno}"


@pytest.mark.parametrize("level", ["urgent", "routine", "self_care", "emergency", "emergency_ambulance"])
def test_every_level_has_a_headline_and_a_safety_net(level):
    for name in (f"utter_level_{level}", f"utter_safety_net_{level}"):
        assert DOMAIN["responses"][name]
    assert DOMAIN["responses"][f"utter_level_{level}_other"]


@pytest.mark.parametrize("level", ["urgent", "routine", "self_care"])
def test_a_safety_net_says_whom_to_call(level):
    text = DOMAIN["responses"][f"utter_safety_net_{level}"][0]["text"]
    assert "{clinic_phone}" in text
    assert "{emergency_number}" in text


@pytest.mark.parametrize("name", ["utter_welcome", "utter_welcome_again"])
def test_the_welcome_says_what_it_is_on_every_channel(name):
    for variant in DOMAIN["responses"][name]:
        assert "automated assistant" in variant["text"]
        assert "not a doctor" in variant["text"]
        assert "{emergency_number}" in variant["text"]
    assert all("person" in variant["text"].lower() for variant in DOMAIN["responses"]["utter_welcome"])


@pytest.mark.parametrize(("name", "text"), SENTENCES, ids=[name for name, _ in SENTENCES])
def test_the_wording_of_a_sentence(name, text):
    low = text.lower()
    assert not re.search(
        r"\byou (?:probably |may |might )?have (?:a|an|got)\b|\byou are suffering|\bdiagnos(?:e|is) is\b", low
    )
    assert not re.search(
        r"nothing to worry|don't worry|no need to worry|you will be fine|you are fine|nothing serious", low
    )
    assert not re.search(r"\b(?:qd|bid|tds|qds|prn|nocte|mane)\b", low)
    assert not re.search(r"\b(?:999|911|112|111)\b", text), "the number is a setting"
    assert set(text) <= GSM7, set(text) - GSM7


@pytest.mark.parametrize(
    ("name", "text"),
    [(n, t) for n, t in SENTENCES if n.startswith("utter_")],
    ids=[n for n, _ in SENTENCES if n.startswith("utter_")],
)
def test_a_sentence_is_short_and_its_words_are_plain(name, text):
    """Flesch-Kincaid grade 8 at most for what has several words; placeholders count as one short word."""
    plain = re.sub(r"\{[a-z_]+\}", "it", text)
    sentences = [s for s in re.split(r"[.!?:\n]+", plain) if s.strip()]
    words = re.findall(r"[A-Za-z']+", plain)
    if len(words) < 8:
        return
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    assert grade <= 8.5, f"{grade:.1f}"
    assert len(words) / len(sentences) <= 20


def syllables(word: str) -> int:
    word = re.sub(r"(?:[^laeiouy]es|ed|[^laeiouy]e)$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]{1,2}", word)))


def test_the_welcome_by_sms_is_one_message():
    for variant in DOMAIN["responses"]["utter_welcome"]:
        if variant.get("channel") == "sms":
            filled = variant["text"].format(clinic_name="Riverside Clinic", emergency_number="999")
            assert len(filled) <= 160


def test_no_button_is_a_word_that_a_carrier_takes_for_itself():
    words = {"cancel", "end", "quit", "stop", "stopall", "unsubscribe", "revoke", "optout", "help", "info", "start"}
    for name, variants in DOMAIN["responses"].items():
        for variant in variants:
            for button in variant.get("buttons") or []:
                assert button["title"].lower() not in words, name
                assert button["payload"].startswith("/"), name
