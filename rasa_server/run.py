"""Start Rasa for the gateway: `rasa_server/.venv/bin/python -m rasa_server.run`.

On loopback, with our channel only: no HTTP API, no telemetry, no log line with a patient's words.
CARELINE_RASA_PORT (5005) and CARELINE_RASA_HOST (127.0.0.1) choose where.
"""

from __future__ import annotations

import os
import sys

from rasa_server import environment, train


def main() -> None:
    environment.prepare()
    environment.ask_settings()
    if not os.environ.get("CARELINE_RASA_SECRET"):
        sys.exit("CARELINE_RASA_SECRET is not set: Rasa's channel takes no message without it.")
    model = train.train()
    sys.argv = [
        "rasa", "run",
        "--model", str(model),
        "--interface", os.environ.get("CARELINE_RASA_HOST", "127.0.0.1"),
        "--port", os.environ.get("CARELINE_RASA_PORT", "5005"),
        "--endpoints", "endpoints.yml",
        "--credentials", "credentials.yml",
    ]  # fmt: skip
    from rasa.__main__ import main as rasa

    rasa()


if __name__ == "__main__":
    main()
