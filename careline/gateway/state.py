"""The parts of a running gateway, wired once at start."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from careline.gateway.dispatcher import Dispatcher
from careline.gateway.events import Hub
from careline.gateway.guards import RateLimit
from careline.gateway.inbound import FrontDoor
from careline.gateway.rasa import RasaClient
from careline.gateway.safety import SafetyNet
from careline.gateway.spool import Spool
from careline.settings import Settings


@dataclass
class Gateway:
    """What the routes need."""

    settings: Settings
    net: SafetyNet
    spool: Spool
    hub: Hub
    rasa: RasaClient
    dispatcher: Dispatcher
    door: FrontDoor
    messages: RateLimit
    new_sessions: RateLimit


def build(settings: Settings) -> Gateway:
    """All the parts, none of them started."""
    net = SafetyNet(settings)
    spool = Spool(settings.var / "spool" / "inbound.lines")
    hub = Hub()
    rasa = RasaClient(settings)
    dispatcher = Dispatcher(settings, rasa, hub.wake_soon, hub.typing)

    def woken(conversation_id: str) -> None:
        hub.wake_soon(conversation_id)
        hub.call_soon(dispatcher.poke, conversation_id)

    return Gateway(settings, net, spool, hub, rasa, dispatcher, FrontDoor(settings, net, spool, woken),
                   messages=RateLimit(burst=30, per_minute=60), new_sessions=RateLimit(burst=60, per_minute=60))


def gateway(request: Request) -> Gateway:
    """The gateway of the app that serves this request."""
    house: Gateway = request.app.state.gateway
    return house
