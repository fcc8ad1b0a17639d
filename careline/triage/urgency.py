"""Urgency: a floor of rules that no belief lowers, then the level that costs least to be wrong about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careline.knowledge import Condition, Knowledge, Rule, When
from careline.levels import LEVEL_OF_URGENCY, Level
from careline.triage.belief import WELL, Belief
from careline.triage.case import Facts, Flag
from careline.triage.parameters import Parameters

LEVELS = tuple(Level)  # most urgent first: the index used in arrays
INDEX = {level: index for index, level in enumerate(LEVELS)}
Levels = NDArray[np.int64]

# People for whom "wait and see at home" needs somebody who knows them (NICE NG143, NG51, UKHSA Green Book).
HIGH_RISK = frozenset(
    (
        "immunosuppressed",
        "on_chemotherapy",
        "transplant",
        "asplenia",
        "sickle_cell_disease",
        "adrenal_insufficiency",
        "cancer_active",
        "care_home",
        "frailty",
    )
)

_EXPLAINED = 0.5
_YOUNG = 0.25  # years
_AFTER_BIRTH = 42  # days


@dataclass(frozen=True)
class Floor:
    """The highest level of the rules and flags that hold, and which they are (most urgent first)."""

    level: Level | None
    rules: tuple[Rule, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Decision:
    """`level` and what led to it. `costs`: expected cost of each level; `serious`: (id, probability)."""

    level: Level
    floor: Floor
    costs: dict[Level, float]
    shares: dict[Level, float]
    serious: tuple[tuple[str, float], ...]
    raised_by: tuple[str, ...]
    no_self_care: str | None


def vulnerable(facts: Facts) -> bool:
    """Whether trouble that nobody understood must not wait: pregnant, just given birth, newborn, or at high risk."""
    patient = facts.patient
    born = patient.postpartum_days is not None and patient.postpartum_days <= _AFTER_BIRTH
    young = patient.age is not None and patient.age < _YOUNG
    return bool(facts.pregnant) or born or young or not HIGH_RISK.isdisjoint(facts.present)


class _Watch:
    """Finds the `when`s that could hold without trying them all: by one id that has to be present."""

    def __init__(self, whens: Iterable[When]) -> None:
        self.whens = list(whens)
        self.by_id: dict[str, list[int]] = {}
        self.always: list[int] = []
        for position, when in enumerate(self.whens):
            keys = when.all[:1] or when.any or when.any2
            for key in keys:
                self.by_id.setdefault(key, []).append(position)
            if not keys:
                self.always.append(position)

    def holding(self, facts: Facts) -> list[int]:
        tried = set(self.always)
        for ident in facts.present:
            tried.update(self.by_id.get(ident, ()))
        return [position for position in sorted(tried) if facts.holds(self.whens[position])]


class Urgency:
    def __init__(self, knowledge: Knowledge, conditions: list[Condition], parameters: Parameters) -> None:
        self.parameters = parameters
        self.conditions = conditions
        self.rules = sorted(knowledge.rules, key=lambda rule: rule.id)
        self._rule_watch = _Watch(rule.when for rule in self.rules)
        self.base: Levels = np.array([INDEX[c.urgency] for c in conditions], dtype=np.int64)
        self.modifiers = [(column, m) for column, c in enumerate(conditions) for m in c.modifiers]
        self._modifier_watch = _Watch(modifier.when for _, modifier in self.modifiers)
        self.serious = np.array([c.serious for c in conditions], dtype=bool)
        self.advised = np.array([bool(c.self_care) for c in conditions], dtype=bool)
        costs = np.asarray(parameters.costs, dtype=np.float64)
        late = np.tril(np.ones((5, 5), dtype=bool), -1)  # decided less urgent than true
        self.costs = np.where(late, parameters.cost_scale * costs, costs)
        self.costs[1, 0] *= parameters.ambulance_late
        self.costs[4] *= parameters.self_care_late
        self.other = np.asarray(parameters.other_levels, dtype=np.float64)
        self.other = self.other / self.other.sum()
        self._of_nothing_known = LEVELS[int(np.argmin((self.costs @ self.other)[:4]))]
        self.red = frozenset(
            rule.when.all[0]
            for rule in self.rules
            if rule.level.rank >= 3 and len(rule.when.all) == 1 and set(rule.when.model_fields_set) == {"all"}
        )

    def levels(self, facts: Facts) -> Levels:
        """The level index of every condition for this person: base level and the modifiers that hold.

        A modifier that raises always wins over one that lowers; of those that raise the most urgent counts,
        of those that lower the least far-reaching one.
        """
        levels = self.base.copy()
        lowered: dict[int, int] = {}
        for position in self._modifier_watch.holding(facts):
            column, modifier = self.modifiers[position]
            index = INDEX[modifier.level]
            if index <= self.base[column]:
                levels[column] = min(levels[column], index)
            else:
                lowered[column] = min(lowered.get(column, 9), index)
        for column, index in lowered.items():
            if levels[column] == self.base[column]:
                levels[column] = index
        return levels

    def floor(self, facts: Facts) -> Floor:
        fired = [self.rules[position] for position in self._rule_watch.holding(facts)]
        fired.sort(key=lambda rule: (-rule.level.rank, rule.id))
        flags = [flag for flag in facts.flags if flag.urgency in LEVEL_OF_URGENCY]
        flags.sort(key=lambda flag: (-LEVEL_OF_URGENCY[flag.urgency].rank, flag.id))
        found = [rule.level for rule in fired] + [LEVEL_OF_URGENCY[flag.urgency] for flag in flags]
        level = Level.highest(*found) if found else None
        return Floor(level, tuple(fired), tuple(flags))

    def shares(self, belief: Belief, levels: Levels) -> NDArray[np.float64]:
        """How probable each level is, with the share of what is not in the knowledge base."""
        shares = np.bincount(levels, weights=belief.probability[:-1], minlength=5)
        return shares + belief.probability[-1] * self.other

    def decide(
        self,
        facts: Facts,
        belief: Belief,
        levels: Levels,
        open_flags: Iterable[str],
        explained: float = 1.0,
        understood: bool = True,
    ) -> Decision:
        """`open_flags`: red flags of the complaints that were asked and not denied, or not yet asked.

        `explained`: share of the belief in conditions that account for some of the complaint. Where hardly any
        does, the belief is only how common things are: the rules alone decide, or what is usual for the unknown.
        `understood`: some complaint was recognised. In a letter without any, people at risk are seen the same day.
        """
        floor = self.floor(facts)
        shares = self.shares(belief, levels)
        costs = self.costs @ shares
        level = LEVELS[int(np.argmin(costs))]  # the first of equals is the more urgent
        if explained < _EXPLAINED:
            level = floor.level or self._of_nothing_known
        if not understood and not facts.conversation and vulnerable(facts):
            level = Level.highest(level, Level.URGENT)
        p = belief.probability[:-1]
        worrying = np.flatnonzero((self.serious | (levels <= 1)) & (p >= 0.02))
        worrying = worrying[np.lexsort((worrying, -p[worrying]))]
        raised = []
        for column in worrying:
            raising = self._raise(int(levels[column]), float(p[column]))
            if raising is not None:
                if raising.rank > level.rank:
                    raised.append(belief.ids[column])
                level = Level.highest(level, raising)
        blocked = self._no_self_care(facts, belief, levels, shares, open_flags)
        if level is Level.SELF_CARE and blocked:
            level = LEVELS[int(np.argmin(costs[:4]))]
        return Decision(
            level=Level.highest(level, floor.level),
            floor=floor,
            costs=dict(zip(LEVELS, costs.tolist(), strict=True)),
            shares=dict(zip(LEVELS, shares.tolist(), strict=True)),
            serious=tuple((belief.ids[column], float(p[column])) for column in worrying[:8]),
            raised_by=tuple(raised),
            no_self_care=blocked,
        )

    def _raise(self, index: int, probability: float) -> Level | None:
        if index <= 1 and probability >= self.parameters.serious_threshold:
            sure = index == 0 and probability >= self.parameters.ambulance_threshold
            return Level.EMERGENCY_AMBULANCE if sure else Level.EMERGENCY
        if index == 2 and probability >= 2 * self.parameters.serious_threshold:
            return Level.URGENT
        return None

    def _no_self_care(
        self,
        facts: Facts,
        belief: Belief,
        levels: Levels,
        shares: NDArray[np.float64],
        open_flags: Iterable[str],
    ) -> str | None:
        """Why self-care is not offered, as a key of the text catalogue; None when there is positive evidence."""
        p = belief.probability[:-1]
        if not len(p):
            return "no_pattern"
        best = int(np.argmax(p))
        if levels[best] != 4 or not self.advised[best] or shares[4] < self.parameters.self_care_share:
            return "no_pattern"
        if facts.present <= WELL:
            return "nothing_said"
        if shares[0] + shares[1] > self.parameters.self_care_danger:
            return "serious_possible"
        if facts.severity == "severe" or "pain_severe" in facts.present:
            return "severe"
        if "symptom_getting_worse" in facts.present:
            return "worse"
        if not HIGH_RISK.isdisjoint(facts.present):
            return "high_risk"
        asked = [item.choice for item in facts.said.values() if item.source == "asked"]
        if 2 * asked.count("unknown") > len(asked):
            return "unsure"
        if any(True for _ in open_flags):
            return "open_red_flags"
        return None
