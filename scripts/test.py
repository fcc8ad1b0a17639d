"""Run every test: `make test`. Says what it does, stops what it starts, and ends with one line that counts.

What tests need beyond the two environments is found or installed first: Chromium and PostgreSQL (Debian's packages
`chromium` and `postgresql` where this is root on Debian; otherwise Playwright's own Chromium is fetched).
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
RASA_PYTHON = ROOT / "rasa_server" / ".venv" / "bin" / "python"


def step(title: str) -> None:
    print(f"\n== {title}", flush=True)


def apt(*packages: str) -> None:
    """Debian packages, when we may install them."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.call(["apt-get", "update", "-qq"], env=env, **quiet) == 0:
        subprocess.call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=env, **quiet)


def have_postgres() -> bool:
    return shutil.which("initdb") is not None or bool(glob.glob("/usr/lib/postgresql/*/bin/initdb"))


def have_chromium() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")) or bool(
        glob.glob(os.path.expanduser("~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome")))


def prepare() -> None:
    step("what the tests need")
    missing = [name for name, there in (("chromium", have_chromium()), ("postgresql", have_postgres())) if not there]
    if missing:
        print(f"installing {', '.join(missing)} ...", flush=True)
        apt(*missing)
    if not have_chromium():
        subprocess.call([PYTHON, "-m", "playwright", "install", "chromium"])
    for name, there in (("Chromium", have_chromium()), ("PostgreSQL", have_postgres())):
        if not there:
            sys.exit(f"{name} is needed for the tests and could not be installed: install the package "
                     f"'{'chromium' if name == 'Chromium' else 'postgresql'}' of your system, then run this again.")
    print("Chromium and PostgreSQL are there.")
    run("the assistant's model", [str(RASA_PYTHON), "-m", "rasa_server.train"])


FAILED: list[str] = []
COUNTS = {"passed": 0, "failed": 0, "skipped": 0}


def run(title: str, command: list[str], count: bool = False) -> None:
    step(title)
    started = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        tail = ""
        for line in process.stdout or ():
            print(line, end="", flush=True)
            tail = line if re.search(r"\d+ (passed|failed|error)", line) else tail
    if process.returncode != 0:
        FAILED.append(title)
    if count:
        for number, what in re.findall(r"(\d+) (passed|failed|skipped|error)", tail):
            COUNTS["failed" if what == "error" else what] += int(number)
    verdict = "ok" if process.returncode == 0 else "FAILED"
    print(f"-- {title}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)


def main() -> None:
    started = time.monotonic()
    prepare()
    run("style", [PYTHON, "-m", "ruff", "check", "."])
    run("who may import whom", [str(Path(PYTHON).parent / "lint-imports"), "--no-cache"])
    pytest = [PYTHON, "-m", "pytest", "-q", "--no-header"]
    run("unit and integration tests",
        [*pytest, "tests/unit", "tests/integration", "-n", "2", "--dist", "loadfile"], True)
    run("dialogue engine tests", [str(RASA_PYTHON), "-m", "pytest", "-q", "--no-header", "-c",
                                  "rasa_server/pyproject.toml", "rasa_server", "-p", "no:cacheprovider"], True)
    run("stories", [str(RASA_PYTHON), "-m", "rasa_server.test_stories"])
    run("conversations with everything running", [*pytest, "tests/conversations"], True)
    run("browser tests", [*pytest, "tests/browser"], True)
    minutes = (time.monotonic() - started) / 60
    step(f"done in {minutes:.1f} minutes" + (f"; FAILED: {', '.join(FAILED)}" if FAILED else ""))
    failed = max(COUNTS["failed"], len(FAILED))
    print(f"{COUNTS['passed']} passed, {failed} failed, {COUNTS['skipped']} skipped")
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
