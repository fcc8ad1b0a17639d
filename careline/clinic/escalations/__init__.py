"""Escalations: a case that a person must look at, and that gets louder until somebody does."""

from careline.clinic.escalations.cases import (
    current,
    earlier,
    get,
    open_emergencies,
    open_or_raise,
    request_human,
)
from careline.clinic.escalations.models import Escalation, EscalationEvent, EscalationNote, State
from careline.clinic.escalations.queue import Row, queue
from careline.clinic.escalations.timers import Ticked, tick
from careline.clinic.escalations.work import (
    Resolution,
    acknowledge,
    add_note,
    assign,
    hand_back,
    reply,
    resolve,
    snooze,
    take_over,
)

__all__ = [
    "Escalation", "EscalationEvent", "EscalationNote", "Resolution", "Row", "State", "Ticked", "acknowledge",
    "add_note", "assign", "current", "earlier", "get", "hand_back", "open_emergencies", "open_or_raise",
    "queue", "reply", "request_human", "resolve", "snooze", "take_over", "tick",
]
