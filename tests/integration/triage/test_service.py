"""The triage service as its clients see it: shapes, errors that name the field, limits, no personal data."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from careline.triage.engine import engine
from careline.triage.service import app

LEVELS = {"emergency_ambulance", "emergency", "urgent", "routine", "self_care"}
PAIN = {"id": "chest_pain", "choice_id": "present", "source": "initial"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://triage") as one:
        yield one


async def test_health_and_info(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "ok"}
    assert (await client.get("/health/ready")).json() == {"status": "ok"}
    info = (await client.get("/v1/info")).json()
    assert info["knowledge_version"] == engine().knowledge.version
    assert info["findings"] == len((await client.get("/v1/findings")).json())
    assert info["conditions"] == len((await client.get("/v1/conditions")).json())


async def test_diagnosis_asks_a_question_with_three_answers(client: httpx.AsyncClient) -> None:
    body = {"age": 30, "sex": "male", "evidence": [{"id": "cough", "choice_id": "present"}]}
    answer = (await client.post("/v1/diagnosis", json=body)).json()
    assert answer["triage"]["level"] in LEVELS
    assert answer["should_stop"] is False
    assert answer["question"]["type"] == "single"
    choices = answer["question"]["items"][0]["choices"]
    assert [choice["id"] for choice in choices] == ["present", "absent", "unknown"]


async def test_triage_gives_level_floor_costs_and_reasons(client: httpx.AsyncClient) -> None:
    flag = {"id": "heart_attack", "urgency": "call_ems", "name": "Heart attack"}
    body = {"age": 60, "sex": "male", "evidence": [PAIN], "red_flags": [flag]}
    answer = (await client.post("/v1/triage", json=body)).json()
    assert answer["level"] == "emergency_ambulance"
    assert answer["floor"]["level"] == "emergency_ambulance"
    assert set(answer["expected_costs"]) == LEVELS
    assert answer["reasons"][0]["kind"] == "red_flag"
    assert answer["advice"]["headline_key"] == "triage.level.emergency_ambulance"
    assert answer["model_version"] == engine().version


async def test_the_same_question_gets_the_same_bytes(client: httpx.AsyncClient) -> None:
    fever = {"id": "fever", "choice_id": "present"}
    one = await client.post("/v1/triage", json={"age": 60, "evidence": [PAIN, fever]})
    two = await client.post("/v1/triage", json={"age": 60, "evidence": [fever, PAIN]})
    assert one.content == two.content


async def test_explain_adds_up(client: httpx.AsyncClient) -> None:
    target = next(iter(engine().knowledge.conditions))
    body = {"age": 60, "sex": "male", "evidence": [PAIN], "target": target}
    answer = (await client.post("/v1/explain", json=body)).json()
    assert {"supporting", "conflicting", "unconfirmed", "probability"} <= set(answer)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"age": 140}, "age"),
        ({"age": -1}, "age"),
        ({"age": "old"}, "age"),
        ({"sex": "robot"}, "sex"),
        ({"evidence": [{"id": "no_such_finding", "choice_id": "present"}]}, "evidence"),
        ({"evidence": [{"id": "cough", "choice_id": "maybe"}]}, "evidence"),
        ({"evidence": "cough"}, "evidence"),
        ({"red_flags": [{"id": "x", "urgency": "soon"}]}, "red_flags"),
        ({"name": "Jo Bloggs"}, "name"),
        ({"date_of_birth": "1990-01-01"}, "date_of_birth"),
        ({"phone": "07700900123"}, "phone"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/diagnosis", "/v1/triage"])
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, path: str, change: dict, field: str) -> None:
    response = await client.post(path, json={"age": 30, "sex": "female", "evidence": [], **change})
    assert response.status_code == 422
    assert field in response.json()["detail"][0]["loc"]


async def test_what_was_sent_is_not_repeated_in_errors(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/parse", json={"text": "my secret", "age": 200})
    assert response.status_code == 422
    assert "my secret" not in response.text


async def test_an_unknown_target_is_named(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/explain", json={"target": "no_such_condition"})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "target"]


async def test_a_large_body_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/triage", content=b"x" * (64 * 1024 + 1))
    assert response.status_code == 413


async def test_broken_json_is_a_clean_error(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/triage", content=b'{"age": ', headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["detail"][0]["type"] == "json_invalid"


async def test_metrics_count_levels_and_hold_no_words(client: httpx.AsyncClient) -> None:
    await client.post("/v1/triage", json={"age": 60, "evidence": [PAIN]})
    text = (await client.get("/metrics")).text
    assert "careline_triage_levels_total" in text
    assert "chest" not in text


async def test_parse_finds_what_is_said(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/parse", json={"text": "I have chest pain but no fever", "age": 50, "sex": "male"})
    found = {mention["id"]: mention["choice_id"] for mention in response.json()["mentions"]}
    assert found.get("chest_pain") == "present"
    assert found.get("fever") == "absent"
