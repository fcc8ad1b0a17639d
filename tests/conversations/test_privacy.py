"""What patients say stays out of logs and metrics, and is unreadable in the database files."""

from __future__ import annotations

import httpx

from tests.house import House

CANARY = "zanzibarcanary"


def test_a_canary_is_nowhere_in_the_clear(house: House) -> None:
    patient = house.patient()
    for words in (f"my {CANARY} hurts and i have a cough", f"/{CANARY}", f"call me {CANARY} please",
                  f"my {CANARY} has crushing chest pain"):
        patient.say(words)
    phone = house.phone("+447700900555")
    phone.text(f"hello from {CANARY}")
    patient.http.post("/v1/messages", content=f"{{broken {CANARY}".encode())

    for log in house.folder.glob("*.log"):
        content = log.read_bytes()
        assert CANARY.encode() not in content, log.name
        assert b"7700900555" not in content, log.name
    for name in ("gateway", "triage"):
        assert CANARY not in httpx.get(house.url(name) + "/metrics", trust_env=False).text
    clinic = house.env["DATABASE_URL"].removeprefix("sqlite:///")
    for path in house.folder.glob("careline.db*"):
        assert str(path).startswith(clinic)
        content = path.read_bytes()
        assert CANARY.encode() not in content, path.name
        assert b"7700900555" not in content, path.name
