"""The engine: a case in, a level with its reasons out. Pure, deterministic, the same for any order of evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from careline.knowledge import Knowledge, knowledge
from careline.levels import Level
from careline.triage.belief import WELL, Array, Belief, Network
from careline.triage.case import Case, Facts, Reader
from careline.triage.parameters import Parameters
from careline.triage.questions import Choice, Questions
from careline.triage.urgency import Decision, Urgency

ENGINE_VERSION = "1"
_COMPLAINTS = ("symptom", "sign", "measurement", "exposure")
_RED_AT_ONCE = 3  # with more red flags than this at once, an ambulance is called without weighing


@dataclass(frozen=True)
class Assessment:
    """Everything about one step; `weights` are (evidence id, kind, weight for every condition)."""

    case: Case
    facts: Facts
    belief: Belief
    weights: tuple[tuple[str, str, Array], ...]
    condition_levels: Array
    decision: Decision
    level: Level


class Engine:
    def __init__(self, base: Knowledge, parameters: Parameters | None = None) -> None:
        self.knowledge = base
        self.parameters = parameters or Parameters.model_validate(base.parameters.get("parameters", {}))
        self.reader = Reader(base)
        self.network = Network(base, self.parameters)
        self.urgency = Urgency(base, self.network.conditions, self.parameters)
        self.questions = Questions(base, self.reader, self.network, self.urgency)

    @property
    def version(self) -> str:
        """Names the engine and the exact knowledge that it reasoned with."""
        return f"{ENGINE_VERSION}-{self.knowledge.version[:16]}"

    def assess(self, case: Case) -> Assessment:
        """Belief, level and what led to them. KeyError for evidence that the knowledge base does not know."""
        plain = self._assess(case)
        if plain.level is Level.EMERGENCY_AMBULANCE:
            return plain
        return self._never_lowered_by_a_red_flag(case, plain)

    def _assess(self, case: Case) -> Assessment:
        facts = self.reader.facts(case)
        levels = self.urgency.levels(facts)
        temper = self.parameters.temperature
        weights = [("prior", "prior", temper * self.network.prior(facts.patient))]
        weights += [(ident, kind, temper * row) for ident, kind, row in self.network.rows(facts)]
        unexplained = self.network.explains_nothing(facts)
        if unexplained is not None:
            weights.append(("unexplained", "course", unexplained))
        silence = self.network.silence(facts)
        if silence is not None:
            weights.append(("unmentioned", "course", silence))
        weights += [(name, "course", row) for name, row in self.network.course(facts, levels)]
        score = weights[0][2]
        for _, _, row in weights[1:]:
            score = score + row
        belief = self.network.belief(score)
        explained = 0.0 if unexplained is None else float(belief.probability[:-1] @ (unexplained[:-1] == 0.0))
        understood = any(self.knowledge.findings[ident].kind in _COMPLAINTS for ident in facts.present - WELL)
        open_flags = self.questions.open_flags(facts)
        decision = self.urgency.decide(facts, belief, levels, open_flags, explained, understood)
        return Assessment(case, facts, belief, tuple(weights), levels, decision, decision.level)

    def _never_lowered_by_a_red_flag(self, case: Case, plain: Assessment) -> Assessment:
        """A red flag can make a harmless condition likelier; the level without it is still the least."""
        red = sorted({i.id for i in case.evidence if i.choice == "present" and i.id in self.urgency.red})
        level = plain.level
        if len(red) > _RED_AT_ONCE:
            level = Level.EMERGENCY_AMBULANCE
        else:
            for size in range(1, len(red) + 1):
                for left_out in combinations(red, size):
                    kept = tuple(item for item in case.evidence if item.id not in left_out)
                    without = Case(case.patient, kept, case.flags, case.conversation, case.duration_hours)
                    level = Level.highest(level, self._assess(without).level)
        if level is plain.level:
            return plain
        return Assessment(case, plain.facts, plain.belief, plain.weights, plain.condition_levels, plain.decision, level)

    def next_questions(self, assessment: Assessment, goal: str = "triage") -> list[Choice]:
        """Questions worth asking, best first; none when the level is an emergency: advice comes first.

        With the goal "diagnosis" (a clinician asks, or a case is replayed) an emergency does not end them.
        """
        if goal == "triage" and assessment.level.is_emergency:
            return []
        return self.questions.rank(assessment.facts, assessment.belief, assessment.condition_levels, assessment.level)

    def should_stop(self, assessment: Assessment, choices: list[Choice], asked: int, most: int) -> bool:
        """Stop at an emergency, at the cap, or when no likely answer can change the level."""
        if assessment.level.is_emergency or asked >= most or not choices:
            return True
        return not any(choice.changes_level for choice in choices)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine over the installed knowledge base, built once in a process."""
    return Engine(knowledge())
