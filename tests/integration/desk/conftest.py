"""The desk as its users' browsers see it: signed-in clients against a real database and a clock that one turns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from careline.clinic.staff import Role, accounts
from careline.desk.app import create_app
from tests.desk import PASSWORD, Clinic, make_clinic

ORIGIN = "http://testserver"


class Browser(TestClient):
    """A client that sends what browsers send, and fills in the form token of the page it saw last."""

    csrf = ""

    def page(self, url: str, status: int = 200) -> str:
        answer = self.get(url)
        assert answer.status_code == status, answer.text
        if found := re.search(r'name="csrf" value="([0-9a-f]+)"', answer.text):
            self.csrf = found[1]
        return answer.text

    def submit(self, url: str, **form: str):
        return self.post(url, data={"csrf": self.csrf, **form}, headers={"Origin": ORIGIN}, follow_redirects=False)


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> Iterator[None]:
    """Argon2 is slow on purpose; here it is only slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    made = make_clinic(f"sqlite:///{tmp_path / 'clinic.db'}")
    for name, role in (("ada", Role.CLINICIAN), ("ben", Role.CLINICIAN), ("cora", Role.COORDINATOR),
                       ("aud", Role.AUDITOR), ("boss", Role.ADMIN)):
        made.member(name, role=role, password=PASSWORD)
    return made


@pytest.fixture
def browser(clinic: Clinic) -> Iterator[Callable[..., Browser]]:
    """`browser("ada")`: a browser in which ada is signed in; `browser()`: nobody is."""
    app = create_app(clinic.engine, clinic.clock)
    opened: list[Browser] = []

    def make(username: str | None = None) -> Browser:
        made = Browser(app, base_url=ORIGIN, raise_server_exceptions=False)
        opened.append(made)
        if username:
            made.page("/login")
            answer = made.submit("/login", username=username, password=PASSWORD)
            assert answer.status_code == 303, answer.text
            made.page("/people" if username == "boss" else "/audit" if username == "aud" else "/queue")
        return made

    yield make
    for one in opened:
        one.close()
