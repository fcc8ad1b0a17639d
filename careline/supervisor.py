"""Start every process of the Procfile under one supervisor, wait until all answer, and say where to click."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

from careline.clinic.db import migrate
from careline.seed import seed
from careline.settings import ROOT, Settings, settings

START_SECONDS = 120


def ports() -> dict[str, int]:
    """The port of each process, as the Procfile reads them from the environment."""
    known = {"triage": 8010, "actions": 5055, "rasa": 5005, "gateway": 8000, "desk": 8001}
    return {name: int(os.environ.get(f"CARELINE_{name.upper()}_PORT", default)) for name, default in known.items()}


def health_urls() -> dict[str, str]:
    """Where each process says that it is ready."""
    at = ports()
    paths = {"triage": "/health/ready", "actions": "/health", "rasa": "/webhooks/careline/", "gateway": "/health/ready",
             "desk": "/health/ready"}
    return {name: f"http://127.0.0.1:{at[name]}{path}" for name, path in paths.items()}


def environment() -> dict[str, str]:
    """What every process is started with: the addresses of the others follow from the ports."""
    at = ports()
    env = dict(os.environ)
    env.setdefault("CARELINE_TRIAGE_URL", f"http://127.0.0.1:{at['triage']}")
    env.setdefault("CARELINE_RASA_URL", f"http://127.0.0.1:{at['rasa']}")
    env.setdefault("CARELINE_ACTIONS_URL", f"http://127.0.0.1:{at['actions']}")
    env.setdefault("PYTHONUNBUFFERED", "1")
    return env


def _taken(known: Settings) -> list[str]:
    busy = []
    for name, port in ports().items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                busy.append(f"port {port} ({name}) is in use: stop what uses it, or set CARELINE_{name.upper()}_PORT")
    return busy


def _waiting_for() -> list[str]:
    missing = []
    for name, url in health_urls().items():
        try:
            if httpx.get(url, timeout=2.0, trust_env=False).status_code != 200:
                missing.append(name)
        except httpx.HTTPError:
            missing.append(name)
    return missing


def _announce(known: Settings, started: float, stop: threading.Event) -> None:
    deadline = started + START_SECONDS
    shown = None
    while not stop.is_set():
        missing = _waiting_for()
        if not missing:
            break
        if time.monotonic() > deadline:
            print(f"Still not ready after {START_SECONDS} s: {', '.join(missing)}. See their lines above.", flush=True)
            return
        if missing != shown:
            shown = missing
            print(f"waiting for: {', '.join(missing)}", flush=True)
        stop.wait(0.5)
    if stop.is_set():
        return
    base, desk = known.public_url, known.desk_public_url
    lines = ["", f"Careline is ready ({time.monotonic() - started:.0f} s).", "",
             f"  Clinic page with the chat:  {base}/", f"  Clinicians' desk:           {desk}/"]
    if known.development:
        lines += [f"      sign in as demo with the password {known.demo_password}",
                  f"  A simulated phone for SMS:  {base}/phone"]
    print("\n".join([*lines, "", "Ctrl-C stops everything.", ""]), flush=True)


def prepare(known: Settings) -> None:
    """The database at its newest shape with demo data (development), and a trained assistant."""
    print("Preparing the database ...", flush=True)
    migrate(known.database_url)
    if known.development:
        seed(known)
    python = ROOT / "rasa_server" / ".venv" / "bin" / "python"
    if subprocess.call([str(python), "-m", "rasa_server.train"], cwd=ROOT) != 0:
        sys.exit("The assistant could not be trained, see above.")


def run(procfile: Path = ROOT / "Procfile") -> int:
    """Everything, until Ctrl-C or until one process ends. The exit code is that of the first that ended."""
    started = time.monotonic()
    known = settings().require()
    busy = _taken(known)
    if busy:
        print("Careline cannot start:\n- " + "\n- ".join(busy), file=sys.stderr)
        return 1
    prepare(known)
    manager = Manager(Printer(sys.stdout, prefix=True))
    env = environment()
    for name, command in parse_procfile(procfile.read_text(encoding="utf-8")).processes.items():
        manager.add_process(name, f"exec {command}", env=env, cwd=str(ROOT))
    stop = threading.Event()
    watcher = threading.Thread(target=_announce, args=(known, started, stop), daemon=True)
    watcher.start()
    manager.loop()
    stop.set()
    return 0 if manager.returncode in (None, 0, 130, -2, -15) else int(manager.returncode)
