"""The worker's rounds: every task in turn, for ever, each failure alone; SIGTERM finishes the round and leaves.

Several workers may run at once: each task claims its rows, so that none is done twice.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime

from prometheus_client import Counter, Gauge

from careline.clinic import escalations, heartbeats
from careline.clinic.db import session_scope, utcnow
from careline.gateway.sms.sender import get_sender
from careline.worker import appointments, daily, doses, holds, outbox
from careline.worker.pages import send_page

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.5
Task = Callable[[datetime], object]

rounds = Counter("careline_worker_rounds_total", "Rounds of the worker")
failures = Counter("careline_worker_failures_total", "Tasks that failed", ["task"])
last_round = Gauge("careline_worker_last_round_seconds", "Unix time of the last finished round")


def _escalations(now: datetime) -> None:
    with session_scope() as session:
        escalations.tick(session, now)


def _heartbeat(now: datetime) -> None:
    with session_scope() as session:
        heartbeats.beat(session, "worker", now)


def tasks() -> list[tuple[str, Task]]:
    """(name, task) in the order of a round: unanswered emergencies first."""
    sender = get_sender()
    return [
        ("escalations", _escalations), ("doses", doses.run), ("holds", holds.run), ("appointments", appointments.run),
        ("outbox", lambda now: outbox.send_due(now, sender, send_page)), ("daily", daily.run),
        ("heartbeat", _heartbeat)]


def once(now: datetime, todo: list[tuple[str, Task]]) -> None:
    """One round. A task that fails is counted and logged without its data; the others go on."""
    for name, task in todo:
        try:
            task(now)
        except Exception as error:
            failures.labels(name).inc()
            log.error("the task '%s' failed: %s", name, type(error).__name__, exc_info=log.isEnabledFor(logging.DEBUG))
    rounds.inc()
    last_round.set(now.timestamp())


def main() -> None:
    """Rounds until SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    todo = tasks()
    while not stop.is_set():
        once(utcnow(), todo)
        stop.wait(ROUND_SECONDS)
