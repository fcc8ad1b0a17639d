"""Tokens, the spool, rate limits and payloads: small parts at the edge, each with a way to be abused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careline.clinic.db import new_id
from careline.gateway import tokens
from careline.gateway.dispatcher import parse_payload
from careline.gateway.gate import phone_number
from careline.gateway.guards import RateLimit
from careline.gateway.spool import Spool

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


class TestTokens:
    def test_a_token_names_its_conversation_until_it_expires(self) -> None:
        conversation = new_id()
        token = tokens.issue(conversation, NOW)
        assert tokens.conversation_of(token.value, NOW) == conversation
        assert tokens.conversation_of(token.value, token.expires_at) is None

    def test_two_tokens_of_one_conversation_differ(self) -> None:
        conversation = new_id()
        assert tokens.issue(conversation, NOW).value != tokens.issue(conversation, NOW).value

    def test_no_part_of_it_can_be_changed(self) -> None:
        token = tokens.issue(new_id(), NOW).value
        for place in range(0, len(token), 7):
            changed = token[:place] + ("0" if token[place] != "0" else "1") + token[place + 1:]
            assert tokens.conversation_of(changed, NOW) is None

    @given(st.text(max_size=300))
    def test_rubbish_is_nobody(self, value: str) -> None:
        assert tokens.conversation_of(value, NOW) is None


class TestSpool:
    def test_what_was_kept_is_taken_once_and_in_order(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path / "in.lines")
        for number in range(3):
            spool.add({"n": number})
        taken: list[int] = []
        assert spool.drain(lambda item: taken.append(item["n"])) == 3
        assert taken == [0, 1, 2]
        assert spool.drain(lambda item: taken.append(item["n"])) == 0

    def test_what_fails_stays_and_what_comes_meanwhile_is_kept(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path / "in.lines")
        for number in range(3):
            spool.add({"n": number})

        def fail_at_one(item: dict[str, int]) -> None:
            if item["n"] == 1:
                spool.add({"n": 9})
                raise RuntimeError

        with pytest.raises(RuntimeError):
            spool.drain(fail_at_one)
        left: list[int] = []
        assert spool.drain(lambda item: left.append(item["n"])) == 3
        assert sorted(left) == [1, 2, 9]

    def test_nothing_readable_lies_on_the_disk(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path / "in.lines")
        spool.add({"said": "crushing chest pain"})
        assert b"chest" not in (tmp_path / "in.lines").read_bytes()


class TestRateLimit:
    def test_a_burst_then_a_steady_flow(self) -> None:
        limit = RateLimit(burst=3, per_minute=60)
        assert [limit.allow("a", 0.0) for _ in range(4)] == [True, True, True, False]
        assert limit.allow("a", 1.0)
        assert not limit.allow("a", 1.0)
        assert limit.allow("b", 1.0)

    def test_it_forgets_the_oldest_rather_than_grow(self) -> None:
        limit = RateLimit(burst=1, per_minute=1, keys=10)
        for key in range(1000):
            limit.allow(str(key), 0.0)
        assert len(limit._buckets) == 10


def test_payloads_are_intents_with_entities() -> None:
    assert parse_payload("/affirm") == ("affirm", {})
    assert parse_payload('/dose_taken{"dose_id": "a1"}') == ("dose_taken", {"dose_id": "a1"})


@pytest.mark.parametrize(("typed", "number"), [
    ("07700 900123", "+447700900123"), ("+44 7700 900123", "+447700900123"), ("(07700) 900-123", "+447700900123"),
    ("+1 415 555 0100", "+14155550100"), ("my chest", None), ("12", None), ("", None), ("0" * 5000, None),
])
def test_phone_numbers_as_people_type_them(typed: str, number: str | None) -> None:
    assert phone_number(typed, "GB") == number
