"""The numbers of the reasoning that data can teach, with defaults that were set by judgement."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from careline.levels import Level

_LEVELS = tuple(Level)  # most urgent first

Row = tuple[float, float, float, float, float]


class Parameters(BaseModel):
    """All are fixed in knowledge/triage_parameters.yml, written by `python -m careline.triage.fit`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    temperature: float = Field(0.9, gt=0, le=1.5, description="scales all evidence; findings are not independent")
    prior_power: float = Field(0.5, ge=0, le=1, description="how much incidence counts against the story told")
    absent_weight: float = Field(0.6, ge=0, le=1, description="how much a denied finding counts")
    leak_share: float = Field(0.2, gt=0, le=1, description="background rate as a share of the overall rate")
    leak_min: float = Field(0.002, gt=0, lt=1)
    leak_max: float = Field(0.06, gt=0, lt=1)
    other_weight: float = Field(0.05, gt=0, description="prior share of 'something that is not in the base'")
    other_levels: Row = Field((0.01, 0.05, 0.24, 0.45, 0.25), description="levels of that something")
    unexplained: float = Field(-2.0, le=0, description="for a condition that explains nothing of what is complained of")
    silence: float = Field(0.15, ge=0, lt=1, description="how likely a letter mentions a symptom that is there")
    cost_scale: float = Field(1.0, gt=0, le=4, description="multiplies the cost of being too late")
    ambulance_late: float = Field(
        1.0, gt=0, le=4, description="multiplies the cost of no ambulance for one who needs it"
    )
    self_care_late: float = Field(1.0, gt=0, le=4, description="multiplies the costs of self-care when it is not right")
    course_scale: float = Field(1.0, ge=0, le=3, description="multiplies the weights of time course and severity")
    serious_threshold: float = Field(0.25, gt=0, le=1, description="share of a serious condition that raises")
    ambulance_threshold: float = Field(0.4, gt=0, le=1)
    self_care_share: float = Field(0.5, gt=0, le=1, description="belief in self-care conditions it needs")
    self_care_danger: float = Field(0.1, gt=0, le=1, description="belief in emergencies above which there is none")
    # cost[decision][truth], both most urgent first: too late costs more than too early.
    costs: tuple[Row, Row, Row, Row, Row] = (
        (0, 2.0, 3.0, 5.0, 6.0),
        (2.1, 0, 2.3, 3.0, 4.0),
        (6, 2.6, 0, 1.2, 2.4),
        (12, 5, 2.2, 0, 1.2),
        (20, 7, 3.0, 1.25, 0),
    )
    # log-weight of how long it has lasted, for conditions of each level (most urgent first).
    time_course: dict[str, Row] = {
        "hours": (0.4, 0.3, 0.0, -0.8, 0.0),
        "day": (0.2, 0.2, 0.1, -0.6, 0.2),
        "days": (-0.3, 0.0, 0.3, -0.3, 0.3),
        "week": (-0.8, -0.4, 0.3, 0.2, -0.1),
        "weeks": (-1.5, -1.0, -0.2, 0.6, -0.4),
        "months": (-2.5, -1.8, -0.9, 0.9, -0.6),
    }
    # log-weight of saying that one is well, is getting better, or (for all four of them) has no other bad signs.
    well: Row = (-1.0, -0.8, -0.3, 0.2, 0.4)
    denied: Row = (-1.2, -1.0, -0.3, 0.2, 0.3)
    severity: dict[str, Row] = {
        "mild": (-0.8, -0.6, -0.2, 0.2, 0.4),
        "moderate": (-0.2, 0.0, 0.1, 0.0, -0.1),
        "severe": (0.6, 0.6, 0.2, -0.5, -0.8),
    }


def time_band(hours: float | None) -> str | None:
    """The name of the time course band: under 12 h, 36 h, 4 days, 10 days, 4 weeks, or longer."""
    if hours is None:
        return None
    for name, limit in (("hours", 12), ("day", 36), ("days", 96), ("week", 240), ("weeks", 672)):
        if hours <= limit:
            return name
    return "months"
