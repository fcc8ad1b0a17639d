"""What to ask next: the complaint's red flags first, then what most lowers the cost of deciding now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careline.knowledge import Complaint, Knowledge
from careline.levels import Level
from careline.triage.belief import Belief, Network
from careline.triage.case import Facts, Reader
from careline.triage.urgency import LEVELS, Urgency

_TOP_CONDITIONS = 40
_NEAR = 12  # conditions whose findings are worth asking about
_MOST = 40  # questions that are ranked
_RULE_WEIGHT = 3.0  # cost units for each level that a rule would raise
_LIKELY = 0.05  # an answer that is less likely than this does not keep the questions going
_RED_FLAGS_PER_COMPLAINT = 6
_DISEASE_WEIGHT = 0.35  # cost units per nat of uncertainty about the condition


@dataclass(frozen=True)
class Choice:
    """A finding worth asking. `rationale`: red_flag (of a complaint) or value (of information)."""

    id: str
    rationale: str
    value: float
    changes_level: bool


class Questions:
    def __init__(self, knowledge: Knowledge, reader: Reader, network: Network, urgency: Urgency) -> None:
        self.knowledge, self.reader, self.network, self.urgency = knowledge, reader, network, urgency
        self._by_finding: dict[str, list[Complaint]] = {}
        for complaint in knowledge.complaints:
            for ident in complaint.findings:
                self._by_finding.setdefault(ident, []).append(complaint)
        self._askable = frozenset(f.id for f in knowledge.findings.values() if f.ask and f.ask_other)
        mask = network.total > 0
        mask |= network.risk_log != 0
        askable = np.array([ident in self._askable for ident in network.finding_ids], dtype=bool)
        self._mask = mask & askable[:, None] if len(askable) else mask
        self._rank = np.zeros(len(network.finding_ids), dtype=np.int64)
        for rule in urgency.rules:
            if rule.when.model_fields_set == {"all"} and len(rule.when.all) == 1:
                row = network.index[rule.when.all[0]]
                self._rank[row] = max(self._rank[row], rule.level.rank)
        self._yes = network.present + network.risk_log
        self._no = network.absent + network.risk_absent
        self._chance = np.where(network.total > 0, network.total, network.leak[:, None])

    def complaints(self, facts: Facts) -> list[Complaint]:
        """The complaints that what is present belongs to, in the order of the file."""
        found = {c.id for ident in facts.present for c in self._by_finding.get(ident, ())}
        return [complaint for complaint in self.knowledge.complaints if complaint.id in found]

    def red_flags(self, facts: Facts) -> list[str]:
        """Red flags of the complaints in the order of danger, without what this person cannot have."""
        impossible = self.reader.impossible(facts.patient)
        ordered: dict[str, None] = {}
        lists = [complaint.red_flags[:_RED_FLAGS_PER_COMPLAINT] for complaint in self.complaints(facts)]
        for place in range(_RED_FLAGS_PER_COMPLAINT):
            for flags in lists:
                if place < len(flags) and flags[place] not in impossible:
                    ordered[flags[place]] = None
        return list(ordered)

    def open_flags(self, facts: Facts) -> list[str]:
        """Red flags that were not denied: in a conversation silence is not a no; in a letter it may be."""
        flags = [ident for ident in self.red_flags(facts) if ident not in facts.present]
        if facts.conversation:
            return [ident for ident in flags if ident not in facts.absent]
        return [ident for ident in flags if ident in facts.unknown]

    def askable(self, facts: Facts) -> frozenset[str]:
        """What can still be asked: not answered, not implied by an answer, not impossible."""
        return self._askable - facts.answered - self.reader.impossible(facts.patient)

    def rank(self, facts: Facts, belief: Belief, levels: NDArray[np.int64], level: Level) -> list[Choice]:
        """All worthwhile questions, best first: red flags in their order, then by value."""
        askable = self.askable(facts)
        flags = [ident for ident in self.red_flags(facts) if ident in askable]
        ranked = [Choice(ident, "red_flag", float(len(flags) - place), True) for place, ident in enumerate(flags)]
        chosen = set(flags)
        ranked += [c for c in self._by_value(facts, belief, levels, level, askable) if c.id not in chosen]
        return ranked

    def _by_value(
        self,
        facts: Facts,
        belief: Belief,
        levels: NDArray[np.int64],
        level: Level,
        askable: frozenset[str],
    ) -> list[Choice]:
        net, p = self.network, belief.probability
        if len(p) == 1:
            return []
        count = min(_TOP_CONDITIONS, len(p) - 1)
        top = np.sort(np.argpartition(-p[:-1], count - 1)[:count])
        near = top[np.argsort(-p[top], kind="stable")][:_NEAR]
        wanted = self._mask[:, near].any(axis=1)
        rows = np.array([row for row in np.flatnonzero(wanted) if net.finding_ids[row] in askable], dtype=np.int64)
        if not len(rows):
            return []
        columns = np.append(top, len(p) - 1)
        prior = p[columns] / p[columns].sum()
        temper = net.parameters.temperature
        cells = rows[:, None], columns
        chance = self._chance[cells]
        likely = chance @ prior
        after_yes = _posterior(prior, temper * self._yes[cells])
        after_no = _posterior(prior, temper * self._no[cells])
        shares = np.zeros((len(columns), 5))
        shares[np.arange(len(top)), levels[top]] = 1.0
        shares[-1] = self.urgency.other
        table = shares @ self.urgency.costs.T
        now = (prior @ table).min()
        cost_yes, level_yes = _decide(after_yes @ table)
        cost_no, level_no = _decide(after_no @ table)
        doubt = _entropy(prior[None, :])[0] - likely * _entropy(after_yes) - (1 - likely) * _entropy(after_no)
        value = now - likely * cost_yes - (1 - likely) * cost_no + _DISEASE_WEIGHT * np.maximum(doubt, 0)
        steps = np.maximum(self._rank[rows] - level.rank, 0)  # how far a rule on this finding alone would raise
        value = np.round(value + _RULE_WEIGHT * likely * steps, 9)
        here = LEVELS.index(level)
        changes = (likely >= _LIKELY) & ((level_yes < here) | (steps > 0))
        changes |= (likely <= 1 - _LIKELY) & (level_no != here)
        order = np.lexsort((rows, -value))[:_MOST]
        return [
            Choice(net.finding_ids[rows[place]], "value", float(value[place]), bool(changes[place])) for place in order
        ]


def _posterior(prior: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    scores = prior * np.exp(weights - weights.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def _decide(costs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    best = costs.argmin(axis=1)
    return costs[np.arange(len(costs)), best], best


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return -(p * np.log(np.maximum(p, 1e-12))).sum(axis=1)
