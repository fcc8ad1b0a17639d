"""A whole Careline for tests: every process of the Procfile on free ports, with its own database and secrets.

    with House(tmp_path) as house:
        patient = house.patient()
        patient.say("hello")
        assert "automated assistant" in patient.heard()[0]["text"]
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from honcho.environ import parse_procfile

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("triage", "actions", "rasa", "gateway", "desk")
READY = {"triage": "/health/ready", "actions": "/health", "rasa": "/webhooks/careline/", "gateway": "/health/live",
         "desk": "/health/ready"}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def until(what: Callable[[], Any], seconds: float = 15.0, every: float = 0.05) -> Any:
    """The first true answer of `what`; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing within {seconds} s; the last answer was {answer!r}")
        time.sleep(every)


class House:
    """All processes, started on entering and stopped on leaving. `stop(name)` and `start(name)` are for faults."""

    def __init__(self, folder: Path, database_url: str | None = None, **environment: str) -> None:
        self.folder = folder
        self.ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("CARELINE_", "DATABASE_"))}
        self.env |= {f"CARELINE_{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        self.env |= {
            "CARELINE_VAR": str(folder / "var"),
            "DATABASE_URL": database_url or f"sqlite:///{folder / 'careline.db'}",
            "CARELINE_TRIAGE_URL": self.url("triage"), "CARELINE_RASA_URL": self.url("rasa"),
            "CARELINE_ACTIONS_URL": self.url("actions"), "PYTHONUNBUFFERED": "1", **environment}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.commands = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def __enter__(self) -> House:
        self.folder.mkdir(parents=True, exist_ok=True)
        prepare = ("from careline.clinic.db import migrate; from careline.seed import seed; "
                   "from careline.settings import settings; migrate(); seed(settings())")
        subprocess.run([str(ROOT / ".venv/bin/python"), "-c", prepare], env=self.env, cwd=ROOT, check=True)
        try:
            for name in self.commands:
                self.start(name, wait=False)
            for name in NAMES:
                self.wait(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.stop(name)

    def start(self, name: str, wait: bool = True) -> None:
        log = open(self.folder / f"{name}.log", "ab")  # noqa: SIM115 (the process keeps it)
        self.processes[name] = subprocess.Popen(
            ["sh", "-c", f"exec {self.commands[name]}"], cwd=ROOT, env=self.env, stdout=log, stderr=log,
            start_new_session=True)
        log.close()
        if wait and name in READY:
            self.wait(name)

    def wait(self, name: str, seconds: float = 240.0) -> None:
        def ready() -> bool:
            if self.processes[name].poll() is not None:
                raise AssertionError(f"{name} ended:\n{self.log(name)}")
            try:
                return httpx.get(self.url(name) + READY[name], timeout=2, trust_env=False).status_code == 200
            except httpx.HTTPError:
                return False
        until(ready, seconds, 0.1)

    def stop(self, name: str, kill: bool = False) -> None:
        """Ask a process to end, and make sure that it did."""
        process = self.processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace")[-4000:] if path.exists() else ""

    def secret(self, name: str) -> str:
        lines = (self.folder / "var" / "secrets.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    def patient(self) -> Patient:
        """Somebody at the web page."""
        return Patient(self)

    def phone(self, number: str) -> Phone:
        """Somebody with a phone."""
        return Phone(self, number)


class Patient:
    """A web patient: talks by POST, hears by server-sent events, as the widget does."""

    def __init__(self, house: House) -> None:
        self.http = httpx.Client(base_url=house.url("gateway"), timeout=20, trust_env=False)
        started = self.http.post("/v1/sessions", json={}).raise_for_status().json()
        self.conversation_id = started["conversation_id"]
        self.http.headers["authorization"] = f"Bearer {started['token']}"
        self.seen = 0

    def post(self, **body: Any) -> httpx.Response:
        return self.http.post("/v1/messages", json={"client_id": uuid.uuid4().hex, **body})

    def all(self) -> list[dict[str, Any]]:
        """The whole transcript."""
        return list(self.http.get("/v1/transcript").raise_for_status().json()["messages"])

    def heard(self) -> list[dict[str, Any]]:
        """What was said to the patient since the last call."""
        new = [m for m in self.all() if m["seq"] > self.seen]
        self.seen = max([self.seen, *(m["seq"] for m in new)])
        return [m for m in new if m["author"] != "patient"]

    def _settled(self, seconds: float) -> list[dict[str, Any]]:
        """New messages, once no more come for a moment."""
        heard: list[dict[str, Any]] = list(until(self.heard, seconds))
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 0.6:
            time.sleep(0.05)
            more = self.heard()
            if more:
                heard += more
                quiet_since = time.monotonic()
        return heard

    def say(self, words: str, seconds: float = 15.0) -> list[dict[str, Any]]:
        """Type; the answers."""
        self.heard()
        response = self.post(text=words)
        assert response.status_code == 202, response.text
        return self._settled(seconds)

    def offered(self) -> list[dict[str, Any]]:
        """The buttons of the newest message that has any."""
        return next((m["choices"] for m in reversed(self.all()) if m["choices"]), [])

    def choose(self, label: str = "", seconds: float = 15.0) -> list[dict[str, Any]]:
        """Press the newest button whose label begins with `label`; the answers."""
        offered = self.offered()
        choice = next((c for c in offered if c["label"].lower().startswith(label.lower())), None)
        assert choice, f"no button '{label}' among {[c['label'] for c in offered]}"
        self.heard()
        response = self.post(choice=choice["id"])
        assert response.status_code == 202, response.text
        return self._settled(seconds)

    def verify(self, phone: Phone, number: str) -> list[dict[str, Any]]:
        """Answer the identity dialogue with this phone."""
        phone.received()
        self.say(number)
        code = until(lambda: [c for body in phone.received() for c in re.findall(r"\b\d{6}\b", body)])[-1]
        return self.say(code)

    def events(self, after: int = 0) -> Iterator[tuple[str, Any]]:
        """The event stream: (event, data)."""
        with self.http.stream("GET", "/v1/events", headers={"last-event-id": str(after)}, timeout=30) as stream:
            name = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    yield name, json.loads(line[6:])


class Phone:
    """A phone with texts: sends through the simulated phone, which speaks to the webhook as the provider would."""

    def __init__(self, house: House, number: str) -> None:
        self.http = httpx.Client(base_url=house.url("gateway"), timeout=20, trust_env=False)
        self.number = number
        self.seen = 0
        self._lock = threading.Lock()

    def received(self) -> list[str]:
        """New texts on the phone since the last call."""
        with self._lock:
            answer = self.http.get("/dev/phone/messages", params={"number": self.number, "after": self.seen})
            new = answer.raise_for_status().json()["messages"]
            self.seen = max([self.seen, *(m["id"] for m in new)])
            return [m["body"] for m in new if m["direction"] == "in"]

    def text(self, body: str, seconds: float = 15.0, settle: float = 1.5) -> list[str]:
        """Send a text; the answers."""
        self.received()
        answer = self.http.post("/dev/phone/messages", json={"number": self.number, "body": body})
        assert answer.status_code == 202, answer.text
        got: list[str] = list(until(self.received, seconds))
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < settle:
            time.sleep(0.05)
            more = self.received()
            if more:
                got += more
                quiet_since = time.monotonic()
        return got
