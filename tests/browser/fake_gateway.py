"""A small gateway for the widget's tests: the same HTTP contract, and faults on demand.

It runs in a thread on a free port of the loopback interface, keeps conversations in memory (they survive
`restart()`), and can drop a request before or after it was processed, delay, duplicate, forget sessions, and be away.
"""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlparse

from careline.gateway.pages import widget_script as served
from careline.settings import load

ROOT = Path(__file__).parents[2]
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
       "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
       "require-trusted-types-for 'script'; trusted-types 'none'")
CLINIC = {"name": "Riverside Clinic", "phone": "020 7946 0100"}


@lru_cache(maxsize=1)
def widget_script() -> bytes:
    """The widget exactly as our gateway serves it, leaving quickly to a page of this server."""
    return served(load({"CARELINE_VAR": mkdtemp(), "CARELINE_QUICK_EXIT_URL": "/weather"}))


def widget_size() -> int:
    """What a browser downloads, in bytes."""
    return len(gzip.compress(widget_script(), 9))


@dataclass
class Talk:
    """One conversation."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    messages: list[dict[str, Any]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=lambda: {"mode": "bot", "clinician": None})
    typing: bool = False
    ended: bool = False


class FakeGateway:
    """`reply(talk, text)` is called for each new patient message; the default answers nothing."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.talks: dict[str, Talk] = {}  # by token
        self.pages: dict[str, str] = {}
        self.posts: list[dict[str, Any]] = []  # every POST /v1/messages that arrived, repeats too
        self.texts_sent: list[dict[str, Any]] = []  # the simulated phone
        self.reply: Callable[[FakeGateway, Talk, str], None] = lambda gateway, talk, text: None
        self.greeting: dict[str, Any] | None = None
        self.lifetime = timedelta(hours=8)
        self.calm()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._sockets: set[socket.socket] = set()

    def calm(self) -> None:
        """No faults."""
        self.drop_before = 0  # so many POSTs are cut before they are processed
        self.drop_after = 0  # so many are processed and not answered
        self.delay = 0.0
        self.duplicate = False  # every event twice
        self.skip: set[int] = set()  # sequence numbers that the stream leaves out
        self.refuse: list[tuple[int, dict[str, Any]]] = []  # answers for the next POSTs
        self.echo_client_id = True

    # -- running

    def start(self) -> FakeGateway:
        gateway = self

        class Handler(_Handler):
            house = gateway

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Cut connections are what this server is for."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Away, with all connections cut."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        self.cut()

    def restart(self, pause: float = 0.3) -> None:
        self.stop()
        time.sleep(pause)
        self.start()

    def cut(self) -> None:
        """Cut every open connection, as a dying network does."""
        for one in list(self._sockets):
            cut(one)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # -- conversations

    @property
    def talk(self) -> Talk:
        """The newest conversation; waits a moment for the widget to start it."""
        for _ in range(100):
            if self.talks:
                break
            time.sleep(0.03)
        return list(self.talks.values())[-1]

    def say(self, text: str, talk: Talk | None = None, *, author: str = "assistant", kind: str = "text",
            choices: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """A message of ours."""
        talk = talk or self.talk
        with self.changed:
            message = {"id": uuid.uuid4().hex, "seq": len(talk.messages) + 1, "author": author, "kind": kind,
                       "text": text, "choices": [{"id": uuid.uuid4().hex[:12], "label": c} for c in choices or []],
                       "at": datetime.now(UTC).isoformat().replace("+00:00", "Z"), **more}
            talk.messages.append(message)
            self.changed.notify_all()
        return message

    def set(self, talk: Talk | None = None, **values: Any) -> None:
        with self.changed:
            for name, value in values.items():
                setattr(talk or self.talk, name, value)
            self.changed.notify_all()

    def forget_sessions(self) -> None:
        """As if all sessions had expired."""
        with self.changed:
            self.talks = {f"gone-{token}": talk for token, talk in self.talks.items()}
            self.changed.notify_all()
        self.cut()

    def patient_texts(self, talk: Talk | None = None) -> list[str]:
        return [m["text"] for m in (talk or self.talk).messages if m["author"] == "patient"]


def cut(one: socket.socket) -> None:
    """Reset a connection."""
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RDWR)
        one.close()
    except OSError:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    house: FakeGateway
    kinds: ClassVar = {".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8"}

    def setup(self) -> None:
        super().setup()
        self.house._sockets.add(self.connection)

    def finish(self) -> None:
        self.house._sockets.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _answer(self, status: int, body: bytes | dict[str, Any] = b"", kind: str = "application/json") -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(raw)), "cache-control": "no-store",
                            "content-security-policy": CSP, "access-control-allow-origin": "*"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _error(self, status: int, code: str, message: str = "Refused by the test.") -> None:
        self._answer(status, {"error": {"code": code, "message": message}})

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")

    def _talk(self) -> Talk | None:
        found = self.house.talks.get(self.headers.get("authorization", "").removeprefix("Bearer "))
        if found is None or found.ended:
            self._error(401, "session_missing", "Please start a new chat.")
            return None
        return found

    def do_GET(self) -> None:
        url = urlparse(self.path)
        if url.path == "/v1/events":
            self._events()
        elif url.path == "/v1/transcript":
            if talk := self._talk():
                self._answer(200, {"messages": talk.messages})
        elif url.path == "/v1/config":
            self._answer(200, {"clinic": CLINIC, "emergency_number": "999", "crisis_line": "Samaritans on 116 123"})
        elif url.path == "/widget/careline-chat.js":
            self._answer(200, widget_script(), "text/javascript")
        elif url.path == "/dev/phone/messages":
            query = parse_qs(url.query)
            found = [m for m in self.house.texts_sent
                     if m["number"] == query["number"][0] and m["id"] > int(query.get("after", ["0"])[0])]
            self._answer(200, {"messages": found})
        else:
            self._page(url.path)

    def _page(self, path: str) -> None:
        if path in self.house.pages:
            return self._answer(200, self.house.pages[path].encode(), self.kinds[".html"])
        name = {"/": "clinic.html", "/phone": "phone.html"}.get(path, path.removeprefix("/pages/"))
        file = ROOT / "web_widget/pages" / Path(name).name
        if not file.is_file():
            return self._error(404, "not_found")
        self._answer(200, file.read_bytes(), self.kinds[file.suffix])

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/dev/phone/messages":
            for direction, text in (("out", body["body"]), ("in", "Thanks. A nurse will read this.")):
                self.house.texts_sent.append({
                    "id": len(self.house.texts_sent) + 1, "number": body["number"], "direction": direction,
                    "body": text, "at": datetime.now(UTC).isoformat(), "status": "delivered"})
            return self._answer(202, {})
        time.sleep(self.house.delay)
        if self.path == "/v1/sessions":
            return self._start()
        if self.path == "/v1/messages":
            return self._message(body)
        self._error(404, "not_found")

    def _start(self) -> None:
        talk, token = Talk(), uuid.uuid4().hex
        self.house.talks[token] = talk
        if self.house.greeting:
            self.house.say(talk=talk, **self.house.greeting)
        expires = (datetime.now(UTC) + self.house.lifetime).isoformat().replace("+00:00", "Z")
        self._answer(201, {"token": token, "conversation_id": talk.id, "expires_at": expires})

    def _message(self, body: dict[str, Any]) -> None:
        house = self.house
        house.posts.append(body)
        if house.drop_before:
            house.drop_before -= 1
            return cut(self.connection)
        if house.refuse:
            status, answer = house.refuse.pop(0)
            return self._answer(status, answer)
        talk = self._talk()
        if talk is None:
            return
        with house.changed:
            known = next((m for m in talk.messages if m.get("known_as") == body["client_id"]), None)
        if known is None:
            labels = {c["id"]: c["label"] for m in talk.messages for c in m["choices"]}
            text = labels[body["choice"]] if "choice" in body else body["text"]
            mine = {"client_id": body["client_id"]} if house.echo_client_id else {}
            before = len(talk.messages)
            said = house.say(text, talk, author="patient", known_as=body["client_id"], **mine)
            house.reply(house, talk, text)
            advice = [m for m in talk.messages[before:] if m["kind"] == "emergency"]
        else:
            said, advice = known, []
        if house.drop_after:
            house.drop_after -= 1
            return cut(self.connection)
        self._answer(200 if known else 202, {"id": said["id"], "seq": said["seq"], "advice": advice})

    def do_DELETE(self) -> None:
        talk = self._talk()
        if talk:
            self.house.set(talk, ended=True)
            self._answer(204)

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        for name, value in {"access-control-allow-origin": "*", "access-control-allow-methods": "*",
                            "access-control-allow-headers": "authorization, content-type, last-event-id",
                            "content-length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _events(self) -> None:
        talk, house = self._talk(), self.house
        if talk is None:
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("access-control-allow-origin", "*")
        self.end_headers()
        sent = int(self.headers.get("last-event-id") or 0)
        state: dict[str, Any] | None = None
        typing = False
        numbers = itertools.count()
        self._push(": hello\n\nretry: 1500\n\n")
        while house._server is not None and self.connection.fileno() >= 0:
            with house.changed:
                new = talk.messages[sent:]
                if not new and state == talk.state and typing == talk.typing and not talk.ended:
                    house.changed.wait(0.5)
                    if next(numbers) % 20 == 0:
                        self._push(": still here\n\n")
                    continue
            for message in new:
                sent = message["seq"]
                if sent in house.skip:
                    continue
                event = f"id: {sent}\nevent: message\ndata: {json.dumps(message)}\n\n"
                self._push(event * (2 if house.duplicate else 1))
            if state != talk.state:
                state = dict(talk.state)
                self._push(f"event: state\ndata: {json.dumps(state)}\n\n")
            if typing != talk.typing:
                typing = talk.typing
                self._push(f"event: typing\ndata: {json.dumps({'on': typing})}\n\n")
            if talk.ended:
                return self._push("event: ended\ndata: {}\n\n")

    def _push(self, text: str) -> None:
        raw = text.encode()
        half = len(raw) // 2  # in two pieces: a reader must not rely on whole events
        for piece in (raw[:half], raw[half:]):
            self.wfile.write(piece)
            self.wfile.flush()
