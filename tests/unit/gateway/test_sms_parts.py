"""The parts of the SMS channel that need nothing else: signature, segments, keywords, bodies."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.gateway.sms.compose import body, split
from careline.gateway.sms.keywords import classify
from careline.gateway.sms.segments import count, plain
from careline.gateway.sms.signature import compute, valid

URL = "https://clinic.example/sms/inbound"
PARAMS = {"MessageSid": ["SM1"], "From": ["+15005550006"], "Body": ["hello there"], "Empty": [""]}


class TestSignature:
    def test_the_example_of_the_providers_own_library(self) -> None:
        params = {"CallSid": ["CA1234567890ABCDE"], "Digits": ["1234"], "From": ["+14158675309"],
                  "To": ["+18005551212"], "Caller": ["+14158675309"]}
        url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        assert compute("12345", url, params) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        assert valid("12345", url.replace(".com/", ".com:1234/"), params, None, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")

    def test_a_signature_made_with_the_default_port_is_good(self) -> None:
        signature = compute("token", URL.replace("example/", "example:443/"), PARAMS)
        assert valid("token", URL, PARAMS, None, signature)

    @pytest.mark.parametrize("change", [
        {"url": URL + "/"}, {"url": URL.replace("https", "http")}, {"url": URL.replace("clinic.", "evil.")},
        {"params": {**PARAMS, "Body": ["hello"]}}, {"params": {**PARAMS, "More": ["x"]}},
        {"auth_token": "other"}, {"auth_token": ""}, {"signature": ""}, {"signature": "zzz"}, {"signature": "é"},
    ])
    def test_anything_changed_is_refused(self, change: dict[str, object]) -> None:
        request = {"auth_token": "token", "url": URL, "params": PARAMS, "body": None,
                   "signature": compute("token", URL, PARAMS)}
        assert valid(**request)  # type: ignore[arg-type]
        assert not valid(**{**request, **change})  # type: ignore[arg-type]

    def test_repeated_values_are_sorted_and_counted_once(self) -> None:
        assert compute("t", URL, {"D": ["2", "1", "2"]}) == compute("t", URL, {"D": ["1", "2"]})

    def test_a_json_body_is_covered_by_its_hash(self) -> None:
        content = b'{"a": 1}'
        url = f"{URL}?bodySHA256={hashlib.sha256(content).hexdigest()}"
        signature = compute("t", url, {})
        assert valid("t", url, {}, content, signature)
        assert not valid("t", url, {}, b'{"a": 2}', signature)


class TestSegments:
    @pytest.mark.parametrize(("text", "encoding", "segments"), [
        ("", "GSM-7", 1), ("a" * 160, "GSM-7", 1), ("a" * 161, "GSM-7", 2), ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3), ("€" * 80, "GSM-7", 1), ("€" * 81, "GSM-7", 2), ("é" * 160, "GSM-7", 1),
        ("á", "UCS-2", 1), ("ж" * 70, "UCS-2", 1), ("ж" * 71, "UCS-2", 2), ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2), ("38°C", "UCS-2", 1),
    ])
    def test_counts(self, text: str, encoding: str, segments: int) -> None:
        assert (count(text).encoding, count(text).segments) == (encoding, segments)

    def test_an_escaped_character_is_not_cut_in_two(self) -> None:
        assert count("a" * 152 + "€" + "a" * 152).segments == 3

    def test_typographic_punctuation_becomes_plain(self) -> None:
        assert plain("don’t – “wait”…\u00a0now") == "don't - \"wait\"... now"

    @given(st.text(max_size=600))
    def test_plain_never_costs_more(self, text: str) -> None:
        assert count(plain(text)).segments <= max(count(text).segments, 1) * 3  # an ellipsis becomes three dots


class TestKeywords:
    @pytest.mark.parametrize("said", [
        "STOP", " stop. ", "Stop!", "S​TOP", "ＳＴＯＰ", "unsubscribe", "Opt-Out", "stop texting me please",
        "dont text me again this number", "pls remove my number", "quit messaging me", "Arrêt",
    ])
    def test_every_reasonable_way_of_saying_stop(self, said: str) -> None:
        assert classify(said) == "opt_out"

    @pytest.mark.parametrize("said", [
        "my bleeding won't stop", "the pain stopped", "cancel my appointment", "stop reminders for my tablets",
        "I want to end it", "should I stop taking it", "can we cancel thursday", "how do I quit drinking",
        "I stopped breathing", "help my son", "I need help with my booking", "start of pregnancy",
    ])
    def test_a_sentence_with_such_a_word_is_not_a_keyword(self, said: str) -> None:
        assert classify(said) == "other"

    @pytest.mark.parametrize(("said", "kind"), [
        ("HELP", "help"), ("info", "help"), ("Help.", "help"), ("help help", "safety_first"), ("SOS", "safety_first"),
        ("help me", "safety_first"), ("START", "opt_in"), ("unstop", "opt_in"), ("Start please", "opt_in"),
    ])
    def test_help_start_and_a_cry_for_help(self, said: str, kind: str) -> None:
        assert classify(said) == kind

    @given(st.text(max_size=2000))
    def test_any_text_has_an_answer(self, said: str) -> None:
        assert classify(said) in {"opt_out", "opt_in", "help", "safety_first", "other"}


class TestBodies:
    def test_choices_become_numbered_lines(self) -> None:
        made = body("Do you have a fever?", [{"label": "Yes"}, {"label": "Don’t know"}])
        assert made.splitlines()[0] == "Do you have a fever?"
        assert made.splitlines()[-2:] == ["1 Yes", "2 Don't know"]
        assert count(made).encoding == "GSM-7"

    def test_a_long_answer_is_split_between_lines_and_nothing_is_lost(self) -> None:
        whole = "\n".join(f"Sentence number {n} says what to do next." for n in range(60))
        parts = split(whole)
        assert len(parts) > 1
        assert all(count(part).segments <= 4 for part in parts)
        assert "\n".join(parts) == whole

    def test_a_line_without_end_is_split_between_words(self) -> None:
        parts = split("word " * 400)
        assert all(count(part).segments <= 4 for part in parts)
        assert " ".join(parts).split() == ["word"] * 400
