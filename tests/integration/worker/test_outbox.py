"""The outbox: all leaves once, failures are tried again or given up as they deserve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from careline.clinic import messages, outbox, sms_numbers
from careline.clinic.conversations import Conversation
from careline.clinic.db import blind_index, migrate, read_scope, session_scope
from careline.clinic.messages import Choice
from careline.clinic.outbox import OutboxRow
from careline.gateway.sms.sender import TransportError
from careline.settings import settings
from careline.worker.outbox import LEASE, MAX_ATTEMPTS, retry_at, send_due

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
PHONE = "+447700900123"


class FakeProvider:
    """Takes texts, and fails the first `failures` times with `error`."""

    def __init__(self, failures: int = 0, error: TransportError | None = None) -> None:
        self.sent: list[tuple[str, str]] = []
        self.failures = failures
        self.error = error or TransportError("status 503", permanent=False)

    def send(self, to: str, body: str) -> str:
        if self.failures:
            self.failures -= 1
            raise self.error
        self.sent.append((to, body))
        return f"SM{len(self.sent)}"


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    settings.cache_clear()
    migrate()
    yield
    settings.cache_clear()


@pytest.fixture
def conversation() -> str:
    with session_scope() as session:
        made = Conversation(channel="sms", address=PHONE, address_index=blind_index(PHONE), created_at=NOW)
        session.add(made)
        session.flush()
        return made.id


def say(conversation: str, text: str = "Hello", **more: object) -> None:
    with session_scope() as session:
        messages.post(session, conversation, author="assistant", text=text, now=NOW, **more)  # type: ignore[arg-type]


def rows() -> list[OutboxRow]:
    with read_scope() as session:
        return list(session.scalars(select(OutboxRow).order_by(OutboxRow.created_at)))


def test_it_leaves_once(conversation: str) -> None:
    say(conversation, "Do you have a fever?", choices=[Choice("Yes", "/affirm"), Choice("No", "/deny")])
    provider = FakeProvider()
    for _ in range(3):
        send_due(NOW, provider)
    assert provider.sent == [(PHONE, "Do you have a fever?\nReply with a number:\n1 Yes\n2 No")]
    assert [(r.status, r.provider_id) for r in rows()] == [("sent", "SM1")]


def test_a_failure_that_may_pass_is_tried_again_later(conversation: str) -> None:
    say(conversation)
    provider = FakeProvider(failures=2)
    send_due(NOW, provider)
    assert (rows()[0].status, rows()[0].attempts) == ("queued", 1)
    send_due(NOW, provider)
    assert provider.failures == 1, "not before its time"
    send_due(NOW + timedelta(seconds=6), provider)
    send_due(NOW + timedelta(minutes=1), provider)
    assert len(provider.sent) == 1
    assert rows()[0].status == "sent"


def test_one_that_will_not_pass_is_given_up_at_once(conversation: str) -> None:
    say(conversation)
    provider = FakeProvider(failures=1, error=TransportError("status 400", permanent=True, code=30005))
    send_due(NOW, provider)
    send_due(NOW + timedelta(hours=1), provider)
    assert provider.sent == []
    assert (rows()[0].status, rows()[0].error) == ("failed", "30005")


def test_a_provider_that_is_down_for_ever_does_not_hold_it_for_ever(conversation: str) -> None:
    say(conversation)
    provider = FakeProvider(failures=1000)
    now = NOW
    for _ in range(MAX_ATTEMPTS + 2):
        send_due(now, provider)
        now += timedelta(hours=1)
    assert (rows()[0].status, rows()[0].attempts) == ("failed", MAX_ATTEMPTS)


def test_waits_double_and_have_an_end() -> None:
    waits = [(retry_at(n, NOW) - NOW).total_seconds() for n in range(1, 12)]
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 900


def test_a_worker_that_died_while_sending_loses_nothing(conversation: str) -> None:
    say(conversation)

    class Killed(FakeProvider):
        def send(self, to: str, body: str) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_due(NOW, Killed())
    provider = FakeProvider()
    send_due(NOW + timedelta(seconds=1), provider)
    assert provider.sent == [], "its lease still holds: nobody knows yet whether it left"
    send_due(NOW + LEASE + timedelta(seconds=1), provider)
    assert len(provider.sent) == 1


def test_after_a_stop_nothing_is_sent(conversation: str) -> None:
    say(conversation)
    with session_scope() as session:
        sms_numbers.note(session, PHONE, "out", words="STOP", source="keyword", now=NOW)
    provider = FakeProvider()
    send_due(NOW, provider)
    assert provider.sent == []
    assert rows()[0].status == "cancelled"


def test_a_number_that_the_provider_says_has_stopped_is_remembered(conversation: str) -> None:
    say(conversation)
    send_due(NOW, FakeProvider(failures=1, error=TransportError("status 400", permanent=True, code=21610)))
    with read_scope() as session:
        assert sms_numbers.opted_out(session, PHONE)


def test_what_is_for_later_is_posted_when_it_is_due_and_once(conversation: str) -> None:
    due = NOW + timedelta(hours=2)
    for _ in range(2):
        with session_scope() as session:
            outbox.enqueue(session, conversation_id=conversation, patient_id=None, kind="reminder", text="Time",
                           dedupe_key="dose:1", now=NOW, not_before=due)
    provider = FakeProvider()
    send_due(NOW, provider)
    assert provider.sent == []
    for _ in range(2):
        send_due(due, provider)
    assert provider.sent == [(PHONE, "Time")]


def test_a_withdrawn_one_is_not_sent(conversation: str) -> None:
    with session_scope() as session:
        outbox.enqueue(session, conversation_id=conversation, patient_id=None, kind="reminder", text="Time",
                       dedupe_key="dose:1", now=NOW)
        outbox.cancel(session, "dose:1")
    provider = FakeProvider()
    send_due(NOW, provider)
    assert provider.sent == []


def test_pages_go_their_own_way() -> None:
    with session_scope() as session:
        outbox.enqueue_page(session, channel="webhook", to="http://x", text="Somebody waits", dedupe_key="p", now=NOW)
    paged: list[tuple[str, str, str]] = []
    for _ in range(2):
        send_due(NOW, FakeProvider(), lambda *what: paged.append(what))
    assert paged == [("webhook", "http://x", "Somebody waits")]
