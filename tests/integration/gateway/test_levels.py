"""The level of an episode rises, and falls only by a clinician's hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from careline.clinic import conversations
from careline.clinic.conversations import Conversation
from careline.clinic.db import make_engine, session_scope
from careline.clinic.tables import metadata
from careline.levels import Level

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    path: Path = tmp_path_factory.mktemp("levels") / "test.db"
    made = make_engine(f"sqlite:///{path}")
    metadata().create_all(made)
    yield made
    made.dispose()


@given(st.lists(st.sampled_from(list(Level)), min_size=1, max_size=8))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_the_level_is_the_highest_so_far(engine: object, levels: list[Level]) -> None:
    with session_scope(engine) as session:  # type: ignore[arg-type]
        conversation = Conversation(channel="web", created_at=NOW)
        session.add(conversation)
        session.flush()
        held = [conversations.raise_level(session, conversation.id, level, "test", NOW).rank for level in levels]
        assert held == [max(level.rank for level in levels[: i + 1]) for i in range(len(levels))]
        conversations.set_level_by_clinician(session, conversation.id, Level.SELF_CARE)
        assert conversation.level == Level.SELF_CARE


def test_the_highest_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError):
        Level.highest(None)
