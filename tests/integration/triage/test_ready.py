"""Ready means warm: everything that is built at first use is there, and what is broken is said so, quickly."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from careline.language import flags
from careline.triage import service


@pytest.fixture
def cold() -> Iterator[None]:
    service._warm.cache_clear()
    flags._loaded.cache_clear()
    yield
    service._warm.cache_clear()
    flags._loaded.cache_clear()


async def ready() -> httpx.Response:
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://triage") as client:
        return await client.get("/health/ready")


async def test_ready_has_loaded_the_screen(cold: None) -> None:
    assert (await ready()).status_code == 200
    assert flags._loaded.cache_info().currsize == 1


async def test_a_broken_red_flag_catalogue_is_not_ready(cold: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def broken() -> flags.Catalogue:
        tries.append(1)
        raise ValueError("rule names unknown concept")

    monkeypatch.setattr(flags, "_load", broken)
    answer = await ready()
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "reason": "ValueError"}
    for _ in range(3):
        with pytest.raises(ValueError, match="unknown concept"):
            flags.catalogue()
    assert len(tries) == 1, "a failed load is remembered"
