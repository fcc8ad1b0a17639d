"""The way to the dialogue engine: one HTTP call on loopback with a shared secret and a deadline."""

from __future__ import annotations

from typing import Any

import httpx

from careline.errors import Unavailable
from careline.settings import Settings

DEADLINE_SECONDS = 8.0


class RasaClient:
    """Talks to the channel of rasa_server. Anything but a non-empty list of messages in time is an outage."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=settings.rasa_url, transport=transport, timeout=httpx.Timeout(DEADLINE_SECONDS, connect=1.0),
            headers={"X-Careline-Secret": settings.rasa_secret}, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def _send(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            answer = await self._http.post("/webhooks/careline/webhook", json=body)
            answer.raise_for_status()
            messages = answer.json()["messages"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("outage.assistant", cause=type(error).__name__) from error
        if not isinstance(messages, list):
            raise Unavailable("outage.assistant", cause="not a list")
        return messages

    async def say(self, sender: str, text: str, metadata: dict[str, Any]) -> list[dict[str, Any]]:
        """What the patient typed -> the answers. Unavailable when there is none."""
        messages = await self._send({"sender": sender, "text": text, "metadata": metadata})
        if not messages:
            raise Unavailable("outage.assistant", cause="empty")
        return messages

    async def tell(self, sender: str, intent: str, entities: dict[str, Any], metadata: dict[str, Any],
                   ) -> list[dict[str, Any]]:
        """A button the server offered, or something the patient did not say -> the answers, possibly none."""
        return await self._send({"sender": sender, "intent": intent, "entities": entities, "metadata": metadata})

    async def ready(self) -> bool:
        """Whether the channel answers."""
        try:
            return (await self._http.get("/webhooks/careline/", timeout=2.0)).status_code == 200
        except httpx.HTTPError:
            return False
