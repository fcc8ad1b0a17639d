"""Each hazard has controls, each control a test that exists, and no residual risk is above the initial one."""

from __future__ import annotations

import pytest
import yaml

from careline.settings import ROOT

HAZARDS = yaml.safe_load((ROOT / "docs/hazard_log.yml").read_text(encoding="utf-8"))["hazards"]


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda h: h["id"])
def test_every_control_has_a_test(hazard: dict[str, object]) -> None:
    controls = hazard["controls"]
    assert isinstance(controls, list) and controls
    for control in controls:
        path = ROOT / control["test"]
        assert path.is_file() or (path.is_dir() and list(path.rglob("test_*.py"))), control["test"]


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda h: h["id"])
def test_controls_lower_the_risk(hazard: dict[str, list[int]]) -> None:
    before, after = hazard["initial"], hazard["residual"]
    assert all(1 <= n <= 5 for n in (*before, *after))
    assert after[0] * after[1] < before[0] * before[1]


def test_ids_are_unique() -> None:
    assert len({h["id"] for h in HAZARDS}) == len(HAZARDS)
