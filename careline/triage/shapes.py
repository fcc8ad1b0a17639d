"""What the triage service takes and gives: requests that name the field that is wrong, answers of one shape."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from careline.levels import Level

Id = Annotated[str, Field(min_length=1, max_length=60)]
Sex = Literal["female", "male"]
Age = Annotated[float, Field(ge=0, le=130, allow_inf_nan=False, description="years; a part of a year for babies")]
Hours = Annotated[float, Field(ge=0, le=1_200_000, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EvidenceItem(Strict):
    """A finding and whether it is there. The same id with two choices: present wins over unknown over absent."""

    id: Id
    choice_id: Literal["present", "absent", "unknown"]
    source: Literal["initial", "asked", "context", "flag"] = "initial"
    onset_hours: Hours | None = None
    severity: Literal["mild", "moderate", "severe"] | None = None
    value: Number | None = None


class RedFlag(Strict):
    id: Id
    urgency: Literal["call_ems", "ed_now", "urgent_same_day", "gp_days", "none"]
    name: Annotated[str, Field(max_length=200)] = ""


class About(Strict):
    """The person and the evidence. It holds no name, phone number or date of birth, and refuses such fields."""

    age: Age | None = None
    sex: Sex | None = None
    pregnant: bool | None = None
    gestation_weeks: Annotated[float, Field(ge=0, le=45, allow_inf_nan=False)] | None = None
    postpartum_days: Annotated[float, Field(ge=0, le=400, allow_inf_nan=False)] | None = None
    evidence: Annotated[list[EvidenceItem], Field(max_length=400)] = []
    red_flags: Annotated[list[RedFlag], Field(max_length=100)] = []
    duration_hours: Hours | None = None


class Interview(Strict):
    subject: Literal["self", "other"] = "self"
    asked: Annotated[list[Id], Field(max_length=400)] = []
    max_questions: Annotated[int, Field(ge=0, le=50)] = 12
    groups: Annotated[bool, Field(description="several findings may be asked in one question")] = False
    goal: Literal["triage", "diagnosis"] = "triage"
    questions_asked: Annotated[int, Field(ge=0, le=1000)] | None = None


class DiagnosisRequest(About):
    interview: Interview = Interview()


class TriageRequest(About):
    conversation: Annotated[bool, Field(description="silence about a red flag is not a no")] = False


class ExplainRequest(About):
    target: Id


class ParseRequest(Strict):
    text: Annotated[str, Field(max_length=20_000)]
    age: Age | None = None
    sex: Sex | None = None
    pregnant: bool | None = None
    gestation_weeks: Annotated[float, Field(ge=0, le=45, allow_inf_nan=False)] | None = None
    context: Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=20)] = []


class AnswerChoice(BaseModel):
    id: str
    label: str


class QuestionItem(BaseModel):
    id: str
    name: str
    choices: list[AnswerChoice]


class Question(BaseModel):
    type: Literal["single", "group_multiple"]
    text: str
    help: str | None
    items: list[QuestionItem]
    rationale: str


class ConditionShare(BaseModel):
    id: str
    name: str
    probability: float


class FloorRule(BaseModel):
    id: str
    level: Level
    text: str
    source: str


class FloorOut(BaseModel):
    level: Level | None
    rules: list[FloorRule]


class ReasonOut(BaseModel):
    kind: str
    id: str
    text: str
    plain: str


class Advice(BaseModel):
    headline_key: str
    self_care: list[str]
    safety_net: list[str]


class TriageOut(BaseModel):
    level: Level
    floor: FloorOut
    expected_costs: dict[Level, float]
    serious: list[ConditionShare]
    reasons: list[ReasonOut]
    advice: Advice
    model_version: str


class DiagnosisOut(BaseModel):
    question: Question | None
    conditions: list[ConditionShare]
    triage: TriageOut
    should_stop: bool


class Weight(BaseModel):
    id: str
    name: str
    choice_id: str
    weight: float


class Unconfirmed(BaseModel):
    id: str
    name: str
    weight_if_present: float
    weight_if_absent: float


class Named(BaseModel):
    id: str
    name: str


class ExplainOut(BaseModel):
    target: Named
    probability: float
    prior_weight: float
    normaliser: float
    supporting: list[Weight]
    conflicting: list[Weight]
    unconfirmed: list[Unconfirmed]
    model_version: str


class MentionOut(BaseModel):
    id: str
    name: str
    choice_id: Literal["present", "absent", "unknown"]
    span: tuple[int, int]
    words: str
    subject: str
    onset_hours: float | None
    onset: str | None
    severity: str | None
    value: float | None
    unit: str | None
    history: bool


class FlagOut(BaseModel):
    id: str
    name: str
    urgency: str
    span: tuple[int, int]
    advice: str


class PersonOut(BaseModel):
    age: float | None
    sex: Sex | None
    pregnant: bool | None
    gestation_weeks: float | None
    postpartum_days: int | None


class ParseOut(BaseModel):
    mentions: list[MentionOut]
    red_flags: list[FlagOut]
    person: PersonOut


class FindingOut(BaseModel):
    id: str
    name: str
    plain: str
    kind: str
    is_a: list[str]
    sex: Sex | None
    ask: str | None
    ask_other: str | None


class ConditionOut(BaseModel):
    id: str
    name: str
    plain: str
    icd10: str
    system: str
    urgency: Level
    serious: bool
    specialty: str
    sources: list[str]
    reviewed: str


class Info(BaseModel):
    model_version: str
    knowledge_version: str
    findings: int
    conditions: int
    rules: int
    complaints: int
    levels: list[Level]


class Health(BaseModel):
    status: Literal["ok"]
