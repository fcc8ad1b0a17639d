"""Does each condition's own typical story lead to its level? `python -m careline.evaluation.stories [--all] [FILE]`.

The story of a condition is the findings that most people with it have, without those that would be unusual, at the
age and sex at which it is commonest.
With a case file of diagnoses, the gold conditions that the knowledge base does not know are listed by kind.
"""

from __future__ import annotations

import argparse
import collections
import sys
from dataclasses import dataclass
from pathlib import Path

from careline.evaluation.condition_names import Names
from careline.evaluation.metrics import read_cases
from careline.knowledge import Condition, Knowledge
from careline.levels import Level
from careline.triage.case import Case, Patient, evidence
from careline.triage.engine import Engine, engine

_TYPICAL = 0.5
_TELLING = 0.05  # a finding that is denied because it would be unusual
_DECISIVE = 8  # a risk without which one would not think of it
_AGES = (0.4, 5.0, 15.0, 30.0, 52.0, 75.0)  # one for each band of incidence
_NEWBORN = 0.15  # for what only babies get: most of that comes in the first three months


@dataclass(frozen=True)
class Story:
    """What came of a condition's own story: the level given, its own level there, and its place in the belief."""

    condition: Condition
    level: Level
    own: Level
    place: int | None

    @property
    def missed(self) -> bool:
        """An emergency that its own story does not reach."""
        return self.own.is_emergency and not self.level.is_emergency


def typical(condition: Condition, base: Knowledge) -> Case:
    """The case of somebody who has what most people with this condition have."""
    order = sorted(range(6), key=lambda band: (-condition.incidence.age[band], abs(band - 3)))
    sex = "female" if condition.incidence.female >= condition.incidence.male else "male"
    common = [ident for ident, p in condition.findings.items() if p >= _TYPICAL]
    common = common or [max(condition.findings, key=lambda ident: condition.findings[ident])]
    sexes = {base.findings[ident].sex for ident in common} - {None}
    if sexes:
        sex = sexes.pop()
    # What makes it possible at all (an exposure, a known illness), and what would speak for something else.
    common += [
        ident
        for ident, ratio in condition.risk.items()
        if ratio >= _DECISIVE and base.findings[ident].sex in (None, sex)
    ]
    denied = [ident for ident, p in condition.findings.items() if p <= _TELLING]
    age = _AGES[order[0]] if any(condition.incidence.age[1:]) else _NEWBORN
    return Case(Patient(age, sex), evidence(dict.fromkeys(common), denied))


def tell(brain: Engine, condition: Condition) -> Story:
    assessment = brain.assess(typical(condition, brain.knowledge))
    column = brain.network.column[condition.id]
    top = [ident for ident, _ in assessment.belief.top(5)]
    place = top.index(condition.id) if condition.id in top else None
    return Story(condition, assessment.level, tuple(Level)[int(assessment.condition_levels[column])], place)


def tell_all(brain: Engine) -> list[Story]:
    return [tell(brain, condition) for condition in brain.knowledge.conditions.values()]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m careline.evaluation.stories", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="diagnosis cases, to list what is not known")
    parser.add_argument("--all", action="store_true", help="also where the level differs without danger")
    options = parser.parse_args(arguments)
    brain = engine()
    stories = tell_all(brain)
    right = sum(story.level is story.own for story in stories)
    first = sum(story.place is not None and story.place < 3 for story in stories)
    print(f"{len(stories)} stories: {right} at their own level, {first} among the first three of the belief")
    for story in stories:
        if story.missed or (options.all and story.level is not story.own):
            mark = "MISSED" if story.missed else "other"
            print(f"{mark:7}{story.condition.system}/{story.condition.id}: {story.own} -> {story.level}")
    for story in stories:
        if story.place is None:
            print(f"HIDDEN {story.condition.system}/{story.condition.id}: not among the first five of its own story")
    if options.file:
        names = Names(brain.knowledge)
        lacking = collections.Counter(
            row["gold_condition"] for row in read_cases(options.file) if not names.find(row["gold_condition"])
        )
        for name, count in sorted(lacking.items()):
            print(f"UNKNOWN {name} ({count})")
    return 1 if any(story.missed for story in stories) else 0


if __name__ == "__main__":
    sys.exit(main())
