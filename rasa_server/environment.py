"""The environment that Rasa runs in: quiet, without telemetry, with what endpoints.yml and the sentences need.

Rasa cannot import the application (it needs a newer Python), so the application's settings are asked for once, by its
own Python, and put into the environment. Where that is not at hand, as in a container of its own, the environment
must hold them already.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
    "TQDM_DISABLE": "1",
    "MPLBACKEND": "Agg",
    "LOG_LEVEL": "WARNING",
    "SANIC_WORKERS": "1",
}
SETTINGS = {
    "CARELINE_RASA_SECRET": "rasa_secret",
    "CARELINE_EMERGENCY_NUMBER": "emergency_number",
    "CARELINE_CRISIS_LINE": "crisis_line",
    "CARELINE_CLINIC_NAME": "clinic_name",
    "CARELINE_CLINIC_PHONE": "clinic_phone",
}
_ASK = "import json, sys; from careline.settings import settings as s; print(json.dumps([getattr(s(), n) for n in sys.argv[1:]]))"


def prepare() -> None:
    """Fill this process's environment with what is missing, and make the project the working directory."""
    os.chdir(ROOT)
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))  # config.yml and credentials.yml name modules of rasa_server
    warnings.showwarning = _show_warning
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    var = Path(os.environ.get("CARELINE_VAR", ROOT / "var"))
    os.environ.setdefault("CARELINE_ACTIONS_URL", "http://127.0.0.1:5055")
    os.environ.setdefault("CARELINE_TRACKER_DIALECT", "sqlite")
    for name in ("HOST", "USER", "PASSWORD"):
        os.environ.setdefault(f"CARELINE_TRACKER_{name}", "")
    if "CARELINE_TRACKER_DB" not in os.environ:
        var.mkdir(parents=True, exist_ok=True)
        os.environ["CARELINE_TRACKER_DB"] = str(var / "rasa.db")


_shown = warnings.showwarning


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """What 160 old packages say of each other at every start is not shown; Rasa switches filters back on."""
    old = issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning))
    # Rasa says this of every domain, whatever is in it.
    if not old and "Slot auto-fill" not in str(message):
        _shown(message, category, filename, lineno, file, line)


def ask_settings() -> None:
    """Put the application's settings into the environment, unless all of them are there."""
    python = ROOT / ".venv" / "bin" / "python"
    if all(os.environ.get(name) for name in SETTINGS) or not python.exists():
        return
    # The application's Python must not inherit this one's paths.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(python), "-c", _ASK, *SETTINGS.values()], cwd=ROOT, env=plain, capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        sys.exit(f"The application's settings cannot be read:\n{done.stderr}")
    for name, value in zip(SETTINGS, json.loads(done.stdout)):
        if value:
            os.environ.setdefault(name, value)
