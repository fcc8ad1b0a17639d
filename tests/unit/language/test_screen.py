"""The red-flag screen: what must fire, what must stay quiet, who it is about, bad input, and speed."""

from __future__ import annotations

import itertools
import random
import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from careline.evaluation.red_flags import evaluate
from careline.language.flags import RANK, catalogue
from careline.language.person import Person
from careline.language.screen import screen

DATA = Path(__file__).parents[2] / "data" / "red_flag_wordings.yml"
NOW = RANK["ed_now"]

FIRE = [
    "a horrible squeezing feeling across my breastbone and I've come out in a cold sweat",
    "he's fallen over and there's no breathing at all",
    "her mouth has gone lopsided and the words come out wrong",
    "my throat is closing up after eating cashews",
    "took a whole packet of co-codamol",
    "little purple spots that stay when I press a tumbler on them",
    "I have the rope and I'm saying goodbye",
    "there's blood spurting from his leg",
]
TRAPS = [
    "she isn't breathing",
    "he won't wake up and doesn't answer",
    "I can't get any air",
    "it doesn't hurt but half my face has dropped",
    "no pain anywhere, my speech has just gone all slurred",
    "the bleeding won't stop",
    "I don't want to be alive any more",
    "no fever but on chemo and feel dreadful",
    "what's the point of going on",
    "it was as if a bomb went off in my skull",
    "tenho dor no peito",
    "ich bekomme keine Luft",
]
QUIET = [
    "no chest pain, no breathlessness and no dizziness",
    "I had a heart attack three years ago and I'm due my annual review",
    "what are the warning signs of a stroke?",
    "this queue is killing me",
    "can I get a repeat of my blood pressure tablets",
    "I'm dying to meet the new doctor",
    "my dog had a seizure",
    "I've lost my voice after a concert",
    "No chest pain",
    "no dark thoughts",
    "denies SOB, CP, syncope",
    "chesty cough but no breathlessness or chest pain",
    "I can't breathe through my nose",
    "a cold sore has made my lip swollen",
    "missed my pill yesterday",
    "is sepsis contagious",
    "in remission for two years",
    "não tenho dor no peito",
    "no tengo dolor de pecho",
    "je n'ai pas mal à la poitrine",
    "nie boli mnie w klatce piersiowej",
    "ich habe keine Brustschmerzen",
    "please remind me to take my warfarin at 6pm",
    "",
    "ok",
]
PAIRS = [
    ("he has a temperature of 38.6", Person(age_years=0.09)),
    ("I feel shivery and unwell", Person(facts=frozenset({"on_chemotherapy"}))),
    ("I banged my head", Person(facts=frozenset({"taking_anticoagulant"}))),
    ("headache and pain under my ribs", Person(pregnant=True, gestation_weeks=33)),
    ("I have a fever of 39", Person(facts=frozenset({"asplenia"}))),
    ("been throwing up all night", Person(facts=frozenset({"adrenal_insufficiency"}))),
]


def urgent(text: str, **kept: object) -> bool:
    return RANK[screen(text, **kept).urgency] >= NOW  # type: ignore[arg-type]


@pytest.mark.parametrize("text", FIRE + TRAPS)
def test_fires(text: str) -> None:
    assert urgent(text)


@pytest.mark.parametrize("text", QUIET)
def test_stays_quiet(text: str) -> None:
    assert not urgent(text)


@pytest.mark.parametrize(("text", "person"), PAIRS)
def test_what_is_known_of_the_person_raises_the_level(text: str, person: Person) -> None:
    assert urgent(text, person=person)
    assert RANK[screen(text, person=person).urgency] > RANK[screen(text).urgency]


def test_several_messages_make_the_flag_in_every_order() -> None:
    for order in itertools.permutations(["my baby is 5 weeks old", "temp is 38.7", "since this morning"]):
        assert any(urgent(text, history=order[:i]) for i, text in enumerate(order)), order


def test_a_flag_needs_evidence_in_the_current_message() -> None:
    assert not urgent("ok thanks", history=["my chest is crushing"])


def test_another_person_keeps_the_urgency() -> None:
    for who in ("my dad", "a customer in my shop", "our lodger", "someone on the bus"):
        got = screen(f"{who} has crushing chest pain and is sweating")
        assert got.urgency == "call_ems" and got.subject == "other"


def test_a_question_for_information_is_told_apart() -> None:
    assert screen("what are the symptoms of a heart attack?").kind in ("inform", "none")


def test_the_flag_says_where_and_why() -> None:
    text = "hello, I have crushing chest pain today"
    flag = screen(text).flags[0]
    assert "chest" in text[slice(*flag.span)] and flag.advice and flag.because


@pytest.mark.parametrize("spoil", [str.upper, str.title, lambda t: t.replace(" ", "  "), lambda t: f"\n{t}!!!"])
def test_casing_and_spacing_change_nothing(spoil) -> None:
    assert all(urgent(spoil(text)) for text in FIRE + TRAPS)


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_no_text_raises(text: str) -> None:
    assert screen(text).urgency in RANK


@given(st.sampled_from(FIRE), st.sampled_from(["Thank you.", "My postcode is SW1.", "I like tea.", "Hello there."]))
@settings(max_examples=40, deadline=None)
def test_a_benign_sentence_never_removes_a_flag(text: str, more: str) -> None:
    before = RANK[screen(text).urgency]
    assert RANK[screen(f"{text}. {more}").urgency] >= before
    assert RANK[screen(f"{more} {text}").urgency] >= before


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "not " * 12_500, "chest pain " * 4_500, "(" * 50_000, "\u0301" * 50_000, "1/2 " * 12_500]
)
def test_hostile_text_is_quick(text: str) -> None:
    catalogue()
    begun = time.perf_counter()
    screen(text)
    assert time.perf_counter() - begun < 0.5  # some 10 ms on a quiet machine


@pytest.mark.parametrize("filler", ["pain ", "baby blue green ", "no pain, ", "what is a stroke ", "( "])
def test_nothing_hides_in_the_middle_of_a_long_text(filler: str) -> None:
    many = filler * (25_000 // len(filler))
    text = f"{many}. She is not breathing. {many}"
    found = screen(text)
    assert found.urgency == "call_ems"
    assert any("not breathing" in text[slice(*flag.span)] for flag in found.flags)


def test_one_typing_error_in_every_long_word_loses_little() -> None:
    texts = [row["text"] for row in yaml.safe_load(DATA.read_text()) if row["expect"] == "fire"][:200]
    chance = random.Random(5)

    def mistyped(word: re.Match[str]) -> str:
        w = word.group()
        i = chance.randrange(1, len(w) - 1)
        return chance.choice((w[:i] + w[i + 1 :], w[:i] + w[i] + w[i:], w[:i] + w[i + 1] + w[i] + w[i + 2 :]))

    lost = [t for t in texts if not urgent(re.sub(r"[a-z]{8,}", mistyped, t))]
    assert len(lost) <= 0.02 * len(texts), lost


def test_own_wordings_reach_the_goal() -> None:
    metrics = evaluate(DATA)["metrics"]
    assert metrics["recall"] >= 0.98
    assert metrics["false_alarms"] <= 0.02
