"""Every sentence of the catalogue: fits its channel, plain, no diagnosis, no false comfort, the number first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from careline.gateway.sms.segments import count, plain
from careline.settings import ROOT
from careline.texts import branch, catalogue

FILL = {
    "number": "999", "crisis_line": "Samaritans on 116 123", "phone": "020 7946 0100", "clinic": "Riverside Clinic",
    "code": "123456", "name": "Dr Ada Okafor",
}
DIAGNOSIS = re.compile(
    r"(?<!if )\byou (?:have|may have|probably have|are suffering from) (?!a phone|any|one\b|an?other|the right)", re.I)
COMFORT = re.compile(
    r"nothing to worry|don'?t worry|no need to worry|nothing serious|you'?ll be fine|it'?s fine|harmless", re.I)
WORDS_THAT_OPT_OUT = {"cancel", "end", "quit", "stop", "yes", "help", "info", "start", "revoke", "unsubscribe"}


def sentences(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, str):
        yield path, tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from sentences(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from sentences(value, f"{path}.{number}")


EMERGENCY = dict(sentences(branch("emergency"), "emergency"))
PATIENT = {path: s for name in ("emergency", "safety", "waiting", "outage", "identity", "sms", "greeting", "error")
           for path, s in sentences(catalogue()[name], name)}


def syllables(word: str) -> int:
    groups = re.findall(r"[aeiouy]+", word.lower())
    silent = len(word) > 3 and word.lower().endswith("e") and not word.lower().endswith("le")
    return max(1, len(groups) - silent)


def grade(text: str) -> float:
    """The Flesch-Kincaid grade level (Kincaid et al. 1975); 6 is about age 11 to 12."""
    parts = [p for p in re.split(r"[.!?:;]+", text) if p.strip()]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / max(1, len(parts)) + 11.8 * sum(map(syllables, words)) / max(1, len(words)) - 15.59


@pytest.mark.parametrize("path", [p for p in EMERGENCY if ".advice." in p])
def test_emergency_advice_names_the_number_and_is_easy_to_read(path: str) -> None:
    said = EMERGENCY[path].format(**FILL)
    assert "999" in said
    assert grade(said) <= 7.0, f"grade {grade(said):.1f}: {said}"
    if ".call_ems." in path and ".battery." not in path:
        assert "999" in said[:65], "the number comes first"


@pytest.mark.parametrize("path", [p for p in EMERGENCY if p.endswith("_sms") or ".languages." in p])
def test_emergency_texts_are_one_segment(path: str) -> None:
    cost = count(EMERGENCY[path].format(**FILL))
    assert (cost.encoding, cost.segments) == ("GSM-7", 1)


def test_every_flag_has_its_advice_in_every_form() -> None:
    advice = branch("emergency.advice")
    for flag in yaml.safe_load((ROOT / "knowledge/red_flags.yml").read_text())["red_flags"]:
        assert flag["advice"] in advice, flag["id"]
    for kind, levels in advice.items():
        assert levels, kind
        for level, forms in levels.items():
            assert set(forms) == {"self", "other", "self_sms", "other_sms"}, (kind, level)
    assert set(advice["general"]) == {"call_ems", "ed_now"}, "what every other kind falls back to"


@pytest.mark.parametrize("path", PATIENT)
def test_no_diagnosis_and_no_false_comfort(path: str) -> None:
    assert not DIAGNOSIS.search(PATIENT[path]), PATIENT[path]
    assert not COMFORT.search(PATIENT[path]), PATIENT[path]


@pytest.mark.parametrize("path", [p for p in PATIENT if p.startswith(("sms.", "safety.", "waiting.", "outage.",
                                                                     "identity.", "greeting.sms"))])
def test_texts_that_may_go_by_sms_are_gsm_and_short(path: str) -> None:
    cost = count(plain(PATIENT[path].format(**FILL)))
    assert cost.encoding == "GSM-7"
    assert cost.segments <= 2, PATIENT[path]


def test_housekeeping_texts_are_one_segment() -> None:
    for path in ("sms.opted_out", "sms.opted_in", "sms.help", "greeting.sms", "identity.code_sms",
                 "outage.assistant"):
        assert count(PATIENT[path].format(**FILL)).segments == 1, path


def test_no_button_is_a_word_that_the_provider_takes_for_an_opt_out() -> None:
    for path, label in sentences(catalogue()):
        if path.endswith("_choice") or ".choice." in path:
            assert label.strip().lower() not in WORDS_THAT_OPT_OUT, path
