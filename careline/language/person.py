"""Who the message is about, as far as it is known: age, sex, pregnancy, facts from earlier turns and the profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Sex = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class Person:
    """The person with the problem.

    age_years may be a fraction (5 weeks = 0.096). gestation_weeks only when pregnant; postpartum_days counts from
    the birth. `facts` are finding ids that are known from the profile or earlier turns.
    """

    age_years: float | None = None
    sex: Sex | None = None
    pregnant: bool | None = None
    gestation_weeks: float | None = None
    postpartum_days: int | None = None
    facts: frozenset[str] = field(default_factory=frozenset)

    def merged(self, other: Person) -> Person:
        """This person with what `other` knows on top; facts add up."""
        return Person(
            other.age_years if other.age_years is not None else self.age_years,
            other.sex or self.sex,
            other.pregnant if other.pregnant is not None else self.pregnant,
            other.gestation_weeks if other.gestation_weeks is not None else self.gestation_weeks,
            other.postpartum_days if other.postpartum_days is not None else self.postpartum_days,
            self.facts | other.facts,
        )
