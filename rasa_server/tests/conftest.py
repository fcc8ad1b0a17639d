"""These tests run with Rasa's own Python: `rasa_server/.venv/bin/python -m pytest rasa_server/tests` from the root."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rasa_server import environment  # noqa: E402

os.environ.setdefault("CARELINE_TRACKER_DB", ":memory:")
environment.prepare()
