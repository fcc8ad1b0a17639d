"""The installed knowledge base leads every emergency to an emergency level by its own typical story."""

from __future__ import annotations

from careline.evaluation.stories import tell_all
from careline.triage.engine import engine


def test_every_emergency_is_reached_by_its_own_story() -> None:
    missed = [f"{s.condition.system}/{s.condition.id}: {s.own} -> {s.level}" for s in tell_all(engine()) if s.missed]
    assert not missed


def test_most_stories_end_at_their_own_level_and_name_their_condition() -> None:
    stories = tell_all(engine())
    at_level = sum(story.level is story.own for story in stories)
    named = sum(story.place is not None for story in stories)
    assert at_level >= 0.75 * len(stories)
    assert named >= 0.9 * len(stories)


def test_self_care_can_be_reached() -> None:
    own = [story for story in tell_all(engine()) if story.own.value == "self_care"]
    assert sum(story.level is story.own for story in own) >= 0.6 * len(own)
