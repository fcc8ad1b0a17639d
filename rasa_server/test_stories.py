"""Run tests/test_*.yml against the trained model: `rasa_server/.venv/bin/python -m rasa_server.test_stories`.

As `rasa test core --e2e`, but a story that differs fails the run (exit code 1) and is shown with the line that differs.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from rasa_server import environment, train

ROOT = environment.ROOT


def main() -> int:
    model = train.train()
    from rasa.core.agent import load_agent
    from rasa.core.test import test as run_stories
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.WARNING)
    with tempfile.TemporaryDirectory() as stories, tempfile.TemporaryDirectory() as results:
        for path in sorted((ROOT / "tests").glob("test_*.yml")):
            (Path(stories) / path.name).write_bytes(path.read_bytes())

        async def run() -> dict:
            agent = await load_agent(model_path=str(model))
            return await run_stories(stories, agent, out_directory=results, e2e=True, errors=True, disable_plotting=True)

        report = asyncio.run(run()) or {}
        failed = Path(results) / "failed_test_stories.yml"
        conversations = (report.get("report") or {}).get("conversation_accuracy") or {}
        print(f"Stories: {conversations.get('correct', 0)} of {conversations.get('total', 0)} as written.")
        if not conversations.get("total"):
            print("No story was run.")
            return 1
        if conversations["correct"] < conversations["total"]:
            print(failed.read_text())
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
