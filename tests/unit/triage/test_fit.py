"""A fit is written with where it came from, and refused when it is less safe for anybody."""

from __future__ import annotations

from pathlib import Path

import yaml

from careline.levels import Level
from careline.triage import fit
from careline.triage.case import Case, Patient, evidence
from careline.triage.parameters import Parameters
from tests.unit.triage.small_base import small_base

PNEUMONIA = Case(Patient(50, "male"), evidence(["cough_productive", "fever"]))
COLD = Case(Patient(30, "female"), evidence(["runny_nose", "cough"], ["fever", "breathlessness"]))


def test_less_safe_names_the_group() -> None:
    told = [fit.Told(PNEUMONIA, (Level.URGENT,), ("age_band=adult",)), fit.Told(COLD, (Level.SELF_CARE,), ("sex=f",))]
    careful = Parameters()
    reckless = Parameters(cost_scale=0.01, serious_threshold=1.0, self_care_share=0.01, prior_power=1.0)
    assert fit.less_safe(small_base(), careful, careful, told) == []
    assert fit.less_safe(small_base(), careful, reckless, told) == ["age_band=adult", "all"]


def test_the_search_never_ends_lower_than_it_began() -> None:
    told = [fit.Told(PNEUMONIA, (Level.URGENT,), ()), fit.Told(COLD, (Level.SELF_CARE,), ())]
    start = Parameters(temperature=0.6)
    found, reached = fit.search(small_base(), start, told, [], rounds=1)
    assert reached >= fit.score(small_base(), start, told, [])
    assert reached == fit.score(small_base(), found, told, [])


def test_what_is_written_can_be_read_back(tmp_path: Path) -> None:
    path = tmp_path / "triage_parameters.yml"
    fit.write(path, Parameters(temperature=0.9, prior_power=0.35), {"date": "2026-01-01"})
    stored = yaml.safe_load(path.read_text())
    assert stored["provenance"] == {"date": "2026-01-01"}
    assert Parameters.model_validate(stored["parameters"]) == Parameters(temperature=0.9, prior_power=0.35)
