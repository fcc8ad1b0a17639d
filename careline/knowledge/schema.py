"""The shape of a finding, a condition, a rule and a complaint in knowledge/, as a clinician reads them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from careline.levels import Level

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Text = Annotated[str, Field(min_length=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Sex = Literal["female", "male"]
Kind = Literal["symptom", "sign", "measurement", "exposure", "risk", "history", "quality"]

AGE_BANDS = ("infant", "child", "teen", "adult", "middle", "older")
"""Bands of `incidence.age`: under 1, 1-11, 12-17, 18-39, 40-64, 65 and over (years)."""


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(Entry):
    """Something that can be present or absent in a person, how people say it, and how to ask about it."""

    id: Id
    name: Text
    plain: Text
    kind: Kind
    is_a: tuple[Id, ...] = ()
    clinical: tuple[Text, ...] = ()
    patient: tuple[Text, ...] = ()
    ask: str | None = None
    ask_other: str | None = None
    help: str | None = None
    sex: Sex | None = None
    min_age: float | None = Field(None, ge=0, le=130)
    max_age: float | None = Field(None, ge=0, le=130)
    sources: tuple[Text, ...] = ()
    version: int = 1
    reviewed: str = "unreviewed"


class When(Entry):
    """A condition on a person. Every part that is given must hold; ages in years, durations in hours.

    `all` ids are present, at least one of `any` is, and none of `none` is present (unknown is not present);
    `absent` ids were explicitly denied; `any2` and `any3` are a second and a third `any`. `value_of` compares the
    number that came with a finding (C, mmHg, beats a minute, mmol/l, % oxygen) with `value_min` and `value_max`.
    """

    all: tuple[Id, ...] = ()
    any: tuple[Id, ...] = ()
    any2: tuple[Id, ...] = ()
    any3: tuple[Id, ...] = ()
    none: tuple[Id, ...] = ()
    absent: tuple[Id, ...] = ()
    age_min: float | None = Field(None, ge=0, le=130)
    age_max: float | None = Field(None, ge=0, le=130)
    sex: Sex | None = None
    pregnant: bool | None = None
    gestation_min: float | None = Field(None, ge=0, le=45)
    gestation_max: float | None = Field(None, ge=0, le=45)
    postpartum_max_days: float | None = Field(None, ge=0)
    duration_min_hours: float | None = Field(None, ge=0)
    duration_max_hours: float | None = Field(None, ge=0)
    severity: tuple[Literal["mild", "moderate", "severe"], ...] = ()
    value_of: Id | None = None
    value_min: float | None = None
    value_max: float | None = None

    @property
    def _valued(self) -> tuple[str, ...]:
        return (self.value_of,) if self.value_of else ()

    @property
    def ids(self) -> tuple[str, ...]:
        return (*self.all, *self.any, *self.any2, *self.any3, *self.none, *self.absent, *self._valued)

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("an empty `when` would always hold")
        return self


def _when(value: object) -> object:
    return {"all": value} if isinstance(value, list | tuple) else value


class Modifier(Entry):
    """Raises (or lowers) a condition's level when something else holds."""

    when: When
    level: Level
    why: Text

    _list_means_all = field_validator("when", mode="before")(_when)


class Incidence(Entry):
    """New presentations to primary, urgent or emergency care per 100 000 people a year, with multipliers."""

    per_100k: float = Field(gt=0, le=100_000)
    age: tuple[float, float, float, float, float, float] = (1, 1, 1, 1, 1, 1)
    female: float = Field(1, ge=0)
    male: float = Field(1, ge=0)

    @field_validator("age")
    @classmethod
    def _bands(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) < 0 or max(value) == 0:
            raise ValueError("age multipliers must not be negative, and not all zero")
        return value


class Condition(Entry):
    """A condition: how common it is, what it looks like, how soon it needs care, what is said about it."""

    id: Id
    name: Text
    plain: Text
    synonyms: tuple[Text, ...] = ()
    icd10: str = Field(pattern=r"^[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?$")
    system: Id
    incidence: Incidence
    risk: dict[Id, Annotated[float, Field(ge=0, le=1000)]] = {}
    findings: dict[Id, Probability]
    urgency: Level
    modifiers: tuple[Modifier, ...] = ()
    serious: bool = False
    self_care: tuple[Text, ...] = ()
    safety_net: tuple[Text, ...] = ()
    specialty: Text
    sources: tuple[Text, ...] = Field(min_length=1)
    version: int = Field(ge=1)
    reviewed: Text


class Rule(Entry):
    """A floor: when it holds, the level is never below `level`."""

    id: Id
    when: When
    level: Level
    text: Text
    source: Text

    _list_means_all = field_validator("when", mode="before")(_when)


class Derived(Entry):
    """A finding that follows from others, from a number, or from how long or how bad something is."""

    id: Id
    when: When
    then: Id
    source: Text = "definition"

    _list_means_all = field_validator("when", mode="before")(_when)


class Complaint(Entry):
    """What a person comes with, and the questions that must not be forgotten, most dangerous first."""

    id: Id
    name: Text
    plain: Text
    findings: tuple[Id, ...] = Field(min_length=1)
    red_flags: tuple[Id, ...] = Field(min_length=1)
    source: Text
