"""The safety net, through the front door, with everything running and with everything else stopped."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from tests.house import House, Patient, until

CHEST = "my dad has crushing chest pain and is sweating"


def emergencies(patient: Patient) -> list[str]:
    return [m["text"] for m in patient.all() if m["kind"] == "emergency"]


def cases(house: House, conversation_id: str) -> list[str]:
    engine = create_engine(house.env["DATABASE_URL"])
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT level FROM escalations WHERE conversation_id = :c"),
                                  {"c": conversation_id}).scalars().all()
    engine.dispose()
    return list(rows)


def test_the_advice_is_in_the_answer_itself_and_a_nurse_is_told(house: House) -> None:
    patient = house.patient()
    answer = patient.post(text=CHEST).json()
    assert answer["advice"][0]["kind"] == "emergency"
    assert "999" in answer["advice"][0]["text"][:60]
    until(lambda: cases(house, patient.conversation_id))
    assert cases(house, patient.conversation_id) == ["emergency_ambulance"]
    said = [m["text"] for m in patient.all()]
    assert said.index(answer["advice"][0]["text"]) < next(i for i, t in enumerate(said) if "has been alerted" in t)


def test_it_is_said_once_however_often_the_same_message_is_sent(house: House) -> None:
    patient = house.patient()
    body = {"client_id": uuid.uuid4().hex, "text": CHEST}
    answers = [patient.http.post("/v1/messages", json=body) for _ in range(3)]
    assert [a.status_code for a in answers] == [202, 200, 200]
    assert len({a.json()["advice"][0]["id"] for a in answers}) == 1
    assert len(emergencies(patient)) == 1
    assert len(cases(house, patient.conversation_id)) == 1


@pytest.mark.parametrize("before", [
    ["i have a sore throat"],
    ["i want to book an appointment"],
    ["remind me to take my tablets"],
    ["can i talk to a person"],
    ["i have a headache", "what are your opening hours?"],
], ids=lambda turns: turns[-1])
def test_in_the_middle_of_anything(house: House, before: list[str]) -> None:
    patient = house.patient()
    for words in before:
        patient.say(words)
    answer = patient.post(text="now i cant breathe and my lips are blue").json()
    assert answer["advice"] and "999" in answer["advice"][0]["text"]


def test_several_short_messages_that_only_together_mean_danger(house: House) -> None:
    patient = house.patient()
    for words in ("my chest", "it really hurts"):
        patient.say(words)
    answer = patient.post(text="and its going down my arm, sweating").json()
    assert answer["advice"]


def test_the_patient_may_carry_on_afterwards_and_the_case_stays(house: House) -> None:
    patient = house.patient()
    patient.say(CHEST)
    heard = patient.choose("Carry on")
    assert heard
    assert patient.say("what are your opening hours?")
    assert cases(house, patient.conversation_id) == ["emergency_ambulance"]


def test_without_a_session_it_is_refused_but_the_advice_is_not(house: House) -> None:
    import httpx

    answer = httpx.post(house.url("gateway") + "/v1/messages", json={"client_id": "12345678", "text": CHEST})
    assert answer.status_code == 401
    assert "999" in answer.json()["advice"][0]["text"]


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own, in which processes may be stopped."""
    with House(tmp_path_factory.mktemp("alone")) as running:
        yield running


def test_with_everything_else_stopped(alone: House) -> None:
    patient = alone.patient()
    patient.say("i have a sore throat")
    for name in ("rasa", "actions", "triage", "worker", "desk"):
        alone.stop(name, kill=True)
    started = time.monotonic()
    answer = patient.post(text=CHEST).json()
    assert time.monotonic() - started < 2
    assert "999" in answer["advice"][0]["text"]
    assert cases(alone, patient.conversation_id) == ["emergency_ambulance"]

    other = alone.patient()
    heard = other.say("i have a sore throat", seconds=20)
    assert any("999" in m["text"] and "saved" in m["text"] for m in heard)


def test_with_the_database_locked_the_advice_goes_out_and_the_words_are_kept(alone: House) -> None:
    patient = alone.patient()
    patient.say("hello")
    path = alone.env["DATABASE_URL"].removeprefix("sqlite:///")
    aside = path + ".aside"
    alone.stop("worker")
    import os
    import sqlite3

    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        started = time.monotonic()
        answer = patient.http.post("/v1/messages", json={"client_id": uuid.uuid4().hex, "text": CHEST}, timeout=30)
        took = time.monotonic() - started
        assert answer.status_code == 202
        assert "999" in answer.json()["advice"][0]["text"]
        assert took < 3, f"advice took {took:.1f} s"
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    assert not os.path.exists(aside)
    until(lambda: cases(alone, patient.conversation_id) == ["emergency_ambulance"], 30)
    assert [m["text"] for m in patient.all() if m["author"] == "patient"][-1] == CHEST
