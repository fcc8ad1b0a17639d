"""`careline run`, which `make run` calls: everything starts, says where to click, and stops on Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import httpx

from tests.house import ROOT, free_ports, until

NAMES = ("triage", "actions", "rasa", "gateway", "desk")


def test_it_starts_says_where_to_click_and_stops(tmp_path: Path) -> None:
    ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CARELINE_", "DATABASE_"))}
    env |= {f"CARELINE_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    env |= {"CARELINE_VAR": str(tmp_path)}
    process = subprocess.Popen([str(ROOT / ".venv/bin/careline"), "run"], cwd=ROOT, env=env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True)
    reader.start()

    def ready() -> bool:
        assert process.poll() is None, "".join(lines)
        return any("Careline is ready" in line for line in lines)

    try:
        until(ready, 240, 0.2)
        said = "".join(lines)
        for address in (f"http://127.0.0.1:{ports['gateway']}/", f"http://127.0.0.1:{ports['desk']}/",
                        f"http://127.0.0.1:{ports['gateway']}/phone"):
            assert address in said
            assert httpx.get(address, follow_redirects=True, trust_env=False).status_code == 200
        assert "sign in as demo" in said
    finally:
        os.kill(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    for port in ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, "nothing listens afterwards"


def test_a_taken_port_is_said_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = {**os.environ, "CARELINE_VAR": str(tmp_path), "CARELINE_GATEWAY_PORT": str(port)}
        done = subprocess.run([str(ROOT / ".venv/bin/careline"), "run"], cwd=ROOT, env=env, text=True,
                              capture_output=True, timeout=60)
    assert done.returncode == 1
    assert f"port {port} (gateway) is in use" in done.stderr
