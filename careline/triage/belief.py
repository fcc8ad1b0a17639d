"""Belief: which conditions could be behind the findings, by Bayes' rule over the knowledge base.

    log score(c) = t * ( log prior(c; age, sex)**power + sum of w(evidence, c) )

Each finding is scored once along its is-a line: the parent as itself, the child as what it adds given the parent.
What a condition says nothing about happens at the background rate (leak) and weighs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from careline.knowledge import Condition, Knowledge
from careline.triage.case import Facts, Patient, ancestors
from careline.triage.parameters import Parameters, time_band

Array = NDArray[np.float64]

OTHER = "other"
WELL = frozenset(("child_well_in_self", "feels_well", "symptom_improving"))
_DENIED_MOST = 4  # denials that count: somebody who thinks of what is bad and says it is not there
_TINY = 1e-4
_HIGH, _LOW = 0.97, 0.002
# How readily people mention a kind of finding, as a share of the readiness for a symptom.
_MENTIONED = {"symptom": 1.0, "sign": 0.6}
_SIBLING_KNOWN = -0.8  # another kind of the same finding than those that the condition is known for
_NODES = (0.0, 0.8, 1.3, 10.0, 14.0, 16.0, 20.0, 33.0, 47.0, 58.0, 72.0)
_BANDS = (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5)
# Without the person's word, nobody knows whether these hold; then their share of all people does.
_RISK_SHARE = 0.1


@dataclass(frozen=True)
class Belief:
    """`score` and `probability` have one entry for each condition, and a last one for something else."""

    score: Array
    probability: Array
    ids: tuple[str, ...]

    def top(self, count: int) -> list[tuple[str, float]]:
        """The most probable conditions, best first; ties in the order of their ids."""
        named = self.probability[:-1]
        order = np.lexsort((np.arange(len(named)), -named))[:count]
        return [(self.ids[i], float(named[i])) for i in order]


class Network:
    """The knowledge base as matrices: finding x condition, the last column for something else."""

    def __init__(self, knowledge: Knowledge, parameters: Parameters) -> None:
        self.parameters = parameters
        self.conditions: list[Condition] = [knowledge.conditions[ident] for ident in sorted(knowledge.conditions)]
        self.condition_ids = (*(condition.id for condition in self.conditions), OTHER)
        self.ancestors = ancestors(knowledge)
        # Parents before children; within that by id, so that every sum is always taken in the same order.
        depth = {ident: len(above) for ident, above in self.ancestors.items()}
        self.finding_ids = tuple(sorted(self.ancestors, key=lambda ident: (depth[ident], ident)))
        self.index = {ident: row for row, ident in enumerate(self.finding_ids)}
        parents = (knowledge.findings[ident].is_a for ident in self.finding_ids)
        kinds = [knowledge.findings[ident].kind for ident in self.finding_ids]
        self._complaints = frozenset(
            ident for ident in self.finding_ids if knowledge.findings[ident].kind in ("symptom", "sign")
        )
        self._complained = [
            kind not in ("risk", "history", "quality") and ident not in WELL
            for ident, kind in zip(self.finding_ids, kinds, strict=True)
        ]
        self.parent = [self.index[above[0]] if above else -1 for above in parents]
        self._mentioned = np.array([_MENTIONED.get(kind, 0.0) for kind in kinds])
        self._tables(knowledge)
        self._weights()
        self._silences()

    # Tables -------------------------------------------------------------------------------------------

    def _tables(self, knowledge: Knowledge) -> None:
        rows, columns = len(self.finding_ids), len(self.conditions) + 1
        own = np.zeros((rows, columns))
        self.risk_log = np.zeros((rows, columns))
        self.age = np.zeros((columns, 6))
        self.sex = np.zeros((columns, 2))
        self.incidence = np.ones(columns)
        for column, condition in enumerate(self.conditions):
            for ident, p in condition.findings.items():
                own[self.index[ident], column] = max(p, _LOW)
            for ident, ratio in condition.risk.items():
                self.risk_log[self.index[ident], column] = np.log(max(ratio, _TINY))
            self.incidence[column] = condition.incidence.per_100k
            self.age[column] = np.log(np.maximum(condition.incidence.age, _TINY))
            self.sex[column] = np.log(np.maximum((condition.incidence.female, condition.incidence.male), _TINY))
        self.listed = own > 0
        total = own.copy()
        for row in reversed(range(rows)):
            for ident in knowledge.findings[self.finding_ids[row]].is_a:
                above = self.index[ident]
                total[above] = np.maximum(total[above], total[row])
        self.total = total

    def _weights(self) -> None:
        par, total, listed = self.parameters, self.total, self.listed
        share = self.incidence[:-1] / max(self.incidence[:-1].sum(), 1.0)
        share = 0.5 * share + 0.5 / max(len(share), 1)  # half what is common, half what exists
        leak = np.clip(par.leak_share * (total[:, :-1] @ share), par.leak_min, par.leak_max)
        for row in reversed(range(len(leak))):
            if (above := self.parent[row]) >= 0:
                leak[above] = max(leak[above], min(1.2 * leak[row], par.leak_max))
        for row in range(len(leak)):
            if (above := self.parent[row]) >= 0:
                leak[row] = min(leak[row], 0.9 * leak[above])
        self.leak = leak
        self.present = np.zeros_like(total)
        self.absent = np.zeros_like(total)  # nothing known about the parent, or no parent
        self.absent_given = np.zeros_like(total)  # the parent is present
        has = total > 0
        high = np.minimum(total, _HIGH)
        self.absent = np.where(has, np.log((1 - high) / (1 - leak[:, None])), 0.0)
        for row, above in enumerate(self.parent):
            if above < 0:
                self.present[row] = np.where(has[row], np.log(np.maximum(total[row], _LOW) / leak[row]), 0.0)
                self.absent_given[row] = self.absent[row]
                continue
            base = leak[row] / leak[above]
            given = np.clip(total[row] / np.maximum(total[above], 1e-9), _LOW, _HIGH)
            unlisted = np.where(has[above] & ~listed[above], _SIBLING_KNOWN, 0.0)
            self.present[row] = np.where(has[row], np.clip(np.log(given / base), -3.5, 4.5), unlisted)
            self.absent_given[row] = np.where(has[row], np.log((1 - given) / (1 - base)), 0.0)
        self.absent *= par.absent_weight
        self.absent_given *= par.absent_weight
        # A risk factor: the odds it multiplies, beside what an average person has.
        ratio = np.exp(self.risk_log)
        self.risk_absent = np.where(self.risk_log != 0, -np.log1p(_RISK_SHARE * (ratio - 1)), 0.0)
        power = par.prior_power
        self.base = power * np.log(self.incidence / 1000.0)
        self.base[-1] = power * np.log(max(self.incidence[:-1].sum(), 1.0) * par.other_weight / 1000.0)

    def _silences(self) -> None:
        """What it says against a condition that a finding of it is not mentioned, the general one of a line only."""
        par = self.parameters
        counted = self.listed.copy()
        for row, ident in enumerate(self.finding_ids):
            for above in self.ancestors[ident]:
                counted[row] &= ~self.listed[self.index[above]]
        told = par.silence * self._mentioned[:, None]
        self.silent = np.where(
            counted, np.log((1 - told * np.minimum(self.total, _HIGH)) / (1 - told * self.leak[:, None])), 0.0
        )
        self.silent_all = self.silent.sum(axis=0)

    # A step -------------------------------------------------------------------------------------------

    def prior(self, patient: Patient) -> Array:
        """Log prior (not normalised) of every condition for a person of this age and sex."""
        prior = self.base.copy()
        if patient.age is not None:
            prior += self._age_factor(patient.age)
        if patient.sex is not None:
            prior += self.sex[:, 0 if patient.sex == "female" else 1]
        else:
            prior += np.log(np.exp(self.sex).mean(axis=1))
        return prior

    def _age_factor(self, age: float) -> Array:
        """Flat inside each band, log-linear across its edges."""
        place = int(np.searchsorted(_NODES, age, side="right")) - 1
        low = self.age[:, _BANDS[place]]
        if place + 1 >= len(_NODES) or _BANDS[place] == _BANDS[place + 1]:
            return low
        part = (age - _NODES[place]) / (_NODES[place + 1] - _NODES[place])
        return (1 - part) * low + part * self.age[:, _BANDS[place + 1]]

    def rows(self, facts: Facts) -> list[tuple[str, str, Array]]:
        """(evidence id, kind, weight for every condition) for all that is said, kinds counted once."""
        out: list[tuple[str, str, Array]] = []
        claimed: dict[int, str] = {}
        said = [ident for ident, item in facts.said.items() if item.choice == "present"]
        for ident in said:
            claimed[self.index[ident]] = ident
        for ident in said:  # what it is a kind of is counted with the first that implies it
            for above in self.ancestors[ident]:
                claimed.setdefault(self.index[above], ident)
        sums: dict[str, Array] = {}
        for row in sorted(claimed):
            weight = self.present[row] + self._risk(row, claimed)
            owner = claimed[row]
            sums[owner] = sums[owner] + weight if owner in sums else weight
        out += [(ident, "present", sums[ident]) for ident in said]
        for ident, item in facts.said.items():
            if item.choice != "absent" or ident in facts.present:
                continue
            if any(above in facts.absent for above in self.ancestors[ident]):
                continue  # "no pain at all" already says "no severe pain"
            row = self.index[ident]
            above = self.parent[row]
            given = above >= 0 and self.finding_ids[above] in facts.present
            out.append((ident, "absent", (self.absent_given if given else self.absent)[row] + self.risk_absent[row]))
        return out

    def _risk(self, row: int, claimed: dict[int, str]) -> Array:
        """A risk factor's odds, or what a special kind of it adds to the odds of the general one."""
        risk, above = self.risk_log[row], self.parent[row]
        if above < 0 or above not in claimed:
            return risk
        return np.where(risk != 0, risk - self.risk_log[above], 0.0)

    def explains_nothing(self, facts: Facts) -> Array | None:
        """A weight against conditions that account for none of what the person came with.

        A finding by the way can be background; that all of the complaint is background is much less likely.
        """
        said = [self.index[ident] for ident, item in facts.said.items() if item.choice == "present"]
        said = [row for row in said if self.finding_ids[row] not in WELL]
        complaint = [row for row in said if self._complained[row]] or said
        if not complaint:
            return None
        whole = {*complaint, *(self.index[i] for row in complaint for i in self.ancestors[self.finding_ids[row]])}
        explained = (self.total[sorted(whole)] > 0).any(axis=0)
        explained[-1] = True
        return np.where(explained, 0.0, self.parameters.unexplained)

    def silence(self, facts: Facts) -> Array | None:
        """Weights of what a letter leaves out: who writes of an illness names some of what it does to them.

        None in a conversation, where what was not mentioned can still be asked, and when nothing was said at all.
        """
        if facts.conversation or not facts.said:
            return None
        spoken = [self.index[ident] for ident in sorted(facts.present | facts.absent)]
        return self.silent_all - self.silent[spoken].sum(axis=0)

    def course(self, facts: Facts, levels: NDArray[np.int64]) -> list[tuple[str, Array]]:
        """Weights of how long and how bad it is, by the level (0 most urgent) of each condition."""
        par, out = self.parameters, []
        band = time_band(facts.duration_hours)
        if band:
            out.append((f"duration:{band}", par.course_scale * self._by_level(par.time_course[band], levels)))
        if facts.severity:
            row = self._by_level(par.severity[facts.severity], levels)
            out.append((f"severity:{facts.severity}", par.course_scale * row))
        if not WELL.isdisjoint(facts.present):
            out.append(("well", par.course_scale * self._by_level(par.well, levels)))
        denied = sum(
            item.choice == "absent" and ident in self._complaints and facts.absent.isdisjoint(self.ancestors[ident])
            for ident, item in facts.said.items()
        )
        if denied and not facts.conversation:
            share = min(denied, _DENIED_MOST) / _DENIED_MOST
            out.append(("denied", par.course_scale * share * self._by_level(par.denied, levels)))
        return out

    def _by_level(self, row: tuple[float, ...], levels: NDArray[np.int64]) -> Array:
        values = np.asarray(row, dtype=np.float64)
        return np.append(values[levels], float(values @ np.asarray(self.parameters.other_levels)))

    def belief(self, score: Array) -> Belief:
        """Scores (already weighed by temperature) to probabilities that add up to one."""
        shifted = np.exp(score - score.max())
        return Belief(score, shifted / shifted.sum(), self.condition_ids)

    @cached_property
    def column(self) -> dict[str, int]:
        return {ident: column for column, ident in enumerate(self.condition_ids)}
