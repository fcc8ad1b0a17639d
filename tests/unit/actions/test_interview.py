"""The course of a symptom check, with a triage service that answers from a table."""

from __future__ import annotations

import copy

import pytest

from actions import interview
from careline.errors import Unavailable
from tests.unit.actions.conftest import said

pytestmark = pytest.mark.asyncio


async def play(state, *messages):
    """Let the messages come one after the other; the last turn."""
    turn = None
    for message in messages:
        turn = await interview.take(state, message, this_year=2026)
        await interview.next_question(state)
    return turn


def kind(state):
    return state["question"]["kind"] if state["question"] else None


def asked(state):
    return [item["id"] for item in state["question"]["items"]]


@pytest.fixture
def cough(triage):
    triage.words = {"cough": ("cough", "present"), "fever": ("fever", "present"), "no fever": ("fever", "absent"),
                    "rash": ("rash", "present")}  # fmt: skip
    triage.questions = [["breathless"], ["blood"], ["a", "b", "c"]]
    return triage


async def opened(message="I have a cough, 34 f"):
    state = interview.opened()
    await play(state, said(message, "report_symptom"), said("34"), said("female"))
    return state


async def test_it_asks_for_what_is_not_known_and_then_the_service_asks(cough):
    state = interview.opened()
    await play(state, said("cough", "report_symptom"))
    assert kind(state) == "who"
    await play(state, said("me"))
    assert (state["subject"], kind(state)) == ("self", "age")
    await play(state, said("34"))
    assert (state["age"], kind(state)) == (34, "sex")
    await play(state, said(intent="answer", option="female"))
    assert (state["sex"], asked(state)) == ("female", ["breathless"])


async def test_several_facts_in_one_message_are_all_taken(cough):
    state = interview.opened()
    turn = await play(state, said("my mum has a cough and a fever", "report_symptom"))
    assert dict(turn.noted) == {"cough": "present", "fever": "present"}
    assert (state["subject"], state["sex"], kind(state)) == ("other", "female", "age")


async def test_without_a_symptom_it_asks_for_one_and_then_offers_a_person(cough):
    state = interview.opened()
    turn = await play(state, said("hmm", "report_symptom"))
    assert (kind(state), turn.lost) == ("complaint", False)
    turn = await play(state, said("well"))
    assert turn.say[0][0] == "utter_no_symptom_found"
    turn = await play(state, said("dunno what to say"))
    assert turn.say[0][0] == "utter_still_lost"


@pytest.mark.parametrize(
    ("message", "choice"),
    [
        (said("yes", "affirm"), "present"),
        (said("no", "deny"), "absent"),
        (said("nope"), "absent"),
        (said("yeah a bit"), "present"),
        (said("I'm not sure"), "unknown"),
        (said("idk", "dont_know"), "unknown"),
        (said("skip", "skip"), "unknown"),
        (said(intent="answer", finding="breathless", choice="present"), "present"),
        (said(intent="skip"), "unknown"),
    ],
)
async def test_an_answer_is_taken_and_the_next_question_asked(cough, message, choice):
    state = await opened()
    await play(state, message)
    assert state["evidence"]["breathless"]["choice_id"] == choice
    assert asked(state) == ["blood"]


async def test_a_bare_reply_is_not_read_for_symptoms(cough, monkeypatch):
    state = await opened()

    async def parse(*_):
        raise AssertionError("a bare no was sent to be parsed")

    monkeypatch.setattr(interview.triage_client, "parse", parse)
    await play(state, said("no I don't think so", "deny"))
    assert state["evidence"]["breathless"]["choice_id"] == "absent"


async def test_an_answer_with_another_symptom_gives_both(cough):
    state = await opened()
    turn = await play(state, said("no but I have a rash"))
    assert state["evidence"]["breathless"]["choice_id"] == "absent"
    assert ("rash", "present") in turn.noted


async def test_another_fact_leaves_the_question_open(cough):
    state = await opened()
    await play(state, said("there is a rash too"))
    assert state["evidence"]["rash"]["choice_id"] == "present"
    assert asked(state) == ["breathless"]


async def test_nonsense_is_asked_again_and_changes_nothing(cough):
    state = await opened()
    before = copy.deepcopy(state["evidence"])
    turn = await play(state, said("purple"))
    assert turn.say == [("utter_not_an_answer", {})]
    assert (asked(state), state["evidence"]) == (["breathless"], before)


async def test_going_back_takes_the_last_answer_away(cough):
    state = await opened()
    await play(state, said("yes", "affirm"), said("go back", "go_back"))
    assert "breathless" not in state["evidence"]
    assert asked(state) == ["breathless"]
    await play(state, said("no", "deny"))
    assert state["evidence"]["breathless"]["choice_id"] == "absent"


async def test_going_back_at_the_first_question(cough):
    state = interview.opened()
    await play(state, said(intent="report_symptom"))
    turn = await play(state, said("go back", "go_back"))
    assert turn.say == [("utter_cannot_go_back", {})]


async def test_going_back_keeps_a_red_flag(cough):
    cough.flags = {"crushing": "urgent_same_day"}
    state = await opened()
    await play(state, said("it is crushing, cough"), said("go back", "go_back"))
    assert "crushing" in state["flags"]


async def test_a_correction_changes_the_evidence(cough):
    state = await opened("I have a cough and fever")
    turn = await play(state, said("actually no fever", "correct_answer"))
    assert turn.changed == [("fever", "absent")]
    assert state["evidence"]["fever"]["choice_id"] == "absent"
    assert asked(state) == ["breathless"]


@pytest.mark.parametrize(
    ("message", "choices"),
    [
        (said("b and c? just 2"), ["absent", "present", "absent"]),
        (said("1 and 3"), ["present", "absent", "present"]),
        (said("none", "deny"), ["absent"] * 3),
        (said("all of them"), ["present"] * 3),
        (said("both"), ["present"] * 3),
        (said("no idea", "dont_know"), ["unknown"] * 3),
        (said(intent="answer", option="none"), ["absent"] * 3),
    ],
)
async def test_a_question_with_several_items(cough, message, choices):
    state = await opened()
    await play(state, said("no", "deny"), said("no", "deny"))
    assert asked(state) == ["a", "b", "c"]
    await play(state, message)
    assert [state["evidence"][i]["choice_id"] for i in "abc"] == choices


async def test_why_and_what_do_not_answer(cough):
    state = await opened()
    turn = await play(state, said("why do you ask", "ask_why"))
    assert turn.say == [("utter_why_question", {"rationale": "Because."})]
    turn = await play(state, said("what is that", "ask_meaning"))
    assert turn.say == [("utter_help_question_default", {})]
    assert asked(state) == ["breathless"]


async def test_a_button_of_a_closed_question_does_not_answer_the_open_one(cough):
    state = await opened()
    await play(state, said(intent="answer", finding="breathless", choice="absent"))
    await play(state, said(intent="answer", finding="breathless", choice="present"))
    assert state["evidence"]["breathless"]["choice_id"] == "absent"
    assert asked(state) == ["blood"]


async def test_an_emergency_ends_the_questions_before_age_and_sex(cough):
    cough.flags = {"crushing": "call_ems"}
    cough.level = "emergency_ambulance"
    state = interview.opened()
    await play(state, said("crushing pain", "report_symptom"))
    assert state["finished"]
    assert state["outcome"]["triage"]["level"] == "emergency_ambulance"


async def test_an_emergency_floor_ends_the_questions(cough):
    state = await opened()
    cough.floor = cough.level = "emergency"
    await play(state, said("yes", "affirm"))
    assert state["finished"]


async def test_it_ends_when_the_service_has_no_question(cough):
    state = await opened()
    await play(state, said("no", "deny"), said("no", "deny"), said("none", "deny"))
    assert state["finished"]
    assert state["outcome"]["triage"]["level"] == "routine"


async def test_age_and_sex_may_be_left_out(cough):
    state = interview.opened()
    await play(state, said("I have a cough", "report_symptom"), said("skip", "skip"), said("rather not say", "skip"))
    assert (state["age"], state["sex"], asked(state)) == (None, None, ["breathless"])
    assert "age" not in cough.cases[-1]


async def test_with_the_service_down_nothing_is_lost(cough):
    state = await opened()
    before = copy.deepcopy(state)
    cough.down = True
    with pytest.raises(Unavailable):
        await play(state, said("since yesterday I also have a rash"))
    assert state == before
    cough.down = False
    await play(state, said("no", "deny"))
    assert asked(state) == ["blood"]


async def test_a_new_check_knows_who_it_is_about(cough):
    first = await opened()
    second = interview.opened(first)
    assert (second["age"], second["sex"], second["evidence"]) == (34, "female", {})
    again = interview.opened(first, findings=True)
    assert again["evidence"]["cough"]["choice_id"] == "present"


async def test_the_state_is_json(cough):
    import json

    state = await opened()
    assert json.loads(json.dumps(state)) == state
