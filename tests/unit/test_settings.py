"""Settings: development needs nothing from the user; production refuses to start and says why."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from careline.settings import SettingsError, load

GOOD = {
    "CARELINE_ENV": "production",
    "CARELINE_RASA_SECRET": "a" * 32,
    "CARELINE_FIELD_KEYS": "k1:" + base64.urlsafe_b64encode(b"x" * 32).decode(),
    "CARELINE_INDEX_KEY": "b" * 32,
    "CARELINE_SMS_AUTH_TOKEN": "c" * 32,
    "CARELINE_PUBLIC_URL": "https://chat.clinic.example",
    "CARELINE_DESK_PUBLIC_URL": "https://desk.clinic.example",
    "CARELINE_CLINIC_PHONE": "020 7946 0100",
}


def test_development_makes_its_own_secrets_once(tmp_path: Path) -> None:
    first = load({"CARELINE_VAR": str(tmp_path)})
    assert first.problems() == []
    assert load({"CARELINE_VAR": str(tmp_path)}).rasa_secret == first.rasa_secret
    assert oct(os.stat(tmp_path / "secrets.env").st_mode)[-3:] == "600"


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    one, other = (load({"CARELINE_VAR": str(tmp_path / name)}) for name in ("one", "other"))
    assert one.field_keys != other.field_keys
    assert one.demo_password != other.demo_password


def test_production_starts_when_all_is_given(tmp_path: Path) -> None:
    known = load({**GOOD, "CARELINE_VAR": str(tmp_path)}).require()
    assert known.demo_password == ""
    assert not (tmp_path / "secrets.env").exists()


@pytest.mark.parametrize("name", [n for n in GOOD if n != "CARELINE_ENV"])
def test_production_names_what_is_missing(tmp_path: Path, name: str) -> None:
    env = {**{k: v for k, v in GOOD.items() if k != name}, "CARELINE_VAR": str(tmp_path)}
    with pytest.raises(SettingsError, match=name):
        load(env).require()


@pytest.mark.parametrize(("name", "value"), [
    ("CARELINE_RASA_SECRET", "short"), ("CARELINE_INDEX_KEY", ""), ("CARELINE_PUBLIC_URL", "http://chat.example"),
    ("CARELINE_SMS_PROVIDER", "simulated"), ("CARELINE_ALLOWED_ORIGINS", "*"),
])
def test_production_refuses_what_is_weak(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load({**GOOD, "CARELINE_VAR": str(tmp_path), name: value}).require()


def test_an_unknown_environment_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="prod"):
        load({"CARELINE_ENV": "prod", "CARELINE_VAR": str(tmp_path)})
