"""The desk in a real Chromium: live, safe against what patients write, usable by keyboard, on a phone, by everyone."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from careline.clinic import db, escalations
from careline.clinic.staff import Role, accounts
from careline.desk.app import create_app
from tests.desk import PASSWORD, Clinic, make_clinic
from tests.house import free_ports

HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>'
    '<a href="javascript:document.title=1">x</a><svg onload=\'document.title="owned"\'>'
    '{{ 7 * 7 }} <div hx-get="/logout" hx-trigger="load">y</div> \u202eevil\u202c http://evil.example/a'
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clinic, str]]:
    """A desk of our own on a free port, with ada (clinician), ben (clinician) and boss (admin)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        clinic = make_clinic(f"sqlite:///{Path(tmp_path_factory.mktemp('desk')) / 'clinic.db'}")
        clinic.now = db.utcnow()
        for name, role in (("ada", Role.CLINICIAN), ("ben", Role.CLINICIAN), ("boss", Role.ADMIN)):
            clinic.member(name, role=role, password=PASSWORD)
        port = free_ports(1)[0]
        server = uvicorn.Server(uvicorn.Config(create_app(clinic.engine), host="127.0.0.1", port=port,
                                               log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.05)
        yield clinic, f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def clinic(house: tuple[Clinic, str]) -> Clinic:
    house[0].now = db.utcnow()
    return house[0]


@pytest.fixture
def signed_in(browser: Browser, house: tuple[Clinic, str]) -> Iterator[Callable[..., Page]]:
    """`signed_in("ada")`: a page at the desk; fails on any script error or violation of the content policy."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def go(username: str, path: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=house[1], **{"viewport": {"width": 1300, "height": 850}, **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: "Content Security Policy" in line.text and wrong.append(line.text))
        page.on("dialog", lambda dialog: wrong.append("a dialog opened") or dialog.dismiss())
        page.goto("/login")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_selector("nav")
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not wrong


def test_a_case_is_worked_live(clinic: Clinic, signed_in: Callable[..., Page]) -> None:
    ada = signed_in("ada", "/queue")
    case_id = clinic.emergency("crushing chest pain, please help")
    link = ada.locator(f'[data-case="{case_id}"] a')
    expect(link).to_be_visible()
    link.click()
    ada.click("#take-over button")
    ada.fill("#reply-text", "Hello, is the ambulance coming?")
    ada.keyboard.press("Control+Enter")
    expect(ada.locator(".said.clinician .text")).to_have_text("Hello, is the ambulance coming?")
    expect(ada.locator("#reply-text")).to_have_value("")
    with db.read_scope(clinic.engine) as session:
        conversation = escalations.get(session, case_id).conversation_id
    ada.fill("#reply-text", "half a sentence")
    clinic.says(conversation, "yes, they are on their way")
    expect(ada.locator("#chat")).to_contain_text("yes, they are on their way")
    expect(ada.locator("#reply-text")).to_have_value("half a sentence")
    ada.locator("#head button[data-box=resolve-box]").click()
    ada.select_option("#reason", "ambulance")
    ada.locator('#resolve-box input[value="emergency_ambulance"]').check()
    ada.click("#resolve-box button")
    ada.wait_for_url("**/queue**")
    expect(ada.locator(f'[data-case="{case_id}"]')).to_have_count(0)


def test_a_colleague_sees_who_is_in_the_chat_and_cannot_answer(clinic: Clinic, signed_in: Callable[..., Page]) -> None:
    case_id = clinic.emergency()
    ben = signed_in("ben", f"/cases/{case_id}")
    ada = signed_in("ada", f"/cases/{case_id}")
    ada.click("#take-over button")
    expect(ben.locator("#head")).to_contain_text("Nurse Ada is answering this patient")
    expect(ben.locator("#take-over button")).to_be_disabled()
    expect(ben.locator("#reply")).to_have_count(0)


def test_what_patients_write_never_runs(clinic: Clinic, signed_in: Callable[..., Page]) -> None:
    case_id = clinic.emergency(HOSTILE, name="<b onmouseover=alert(1)>Rosa</b>", phone="+447700900777")
    ada = signed_in("ada", "/queue")
    expect(ada.locator(f'[data-case="{case_id}"] h2')).to_have_text("<b onmouseover=alert(1)>Rosa</b>")
    ada.goto(f"/cases/{case_id}")
    expect(ada.locator(".words p")).to_have_text(HOSTILE)
    expect(ada.locator(".said.patient .text").first).to_have_text(HOSTILE)
    ada.click("#take-over button")
    ada.wait_for_selector("#reply-text")
    assert "owned" not in ada.title()
    assert ada.locator("main script, main img, main svg, main [onerror], main [hx-get='/logout'], main a[href^=java], "
                       "main a[href*=evil]").count() == 0
    assert ada.locator(".said.patient .text bdi").count() == 1


@pytest.mark.parametrize("width", [1300, 390])
def test_everybody_can_use_it(clinic: Clinic, signed_in: Callable[..., Page], width: int) -> None:
    case_id = clinic.emergency()
    ada = signed_in("ada", "/queue", viewport={"width": width, "height": 850})
    problems = {}
    for path in ("/queue", f"/cases/{case_id}", "/day", "/review"):
        ada.goto(path)
        if path.startswith("/cases"):
            ada.click("#take-over button")
            ada.wait_for_selector("#reply-text")
            ada.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        found = Axe().run(ada)
        if found.violations_count:
            problems[path] = found.generate_report()
        assert ada.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the screen"
    boss = signed_in("boss", "/people", viewport={"width": width, "height": 850})
    for path in ("/people", "/audit", f"/cases/{case_id}"):
        boss.goto(path)
        found = Axe().run(boss)
        if found.violations_count:
            problems[path] = found.generate_report()
    assert problems == {}


def test_the_keyboard_is_enough(clinic: Clinic, signed_in: Callable[..., Page]) -> None:
    clinic.emergency()
    ada = signed_in("ada", "/queue")
    ada.keyboard.press("j")
    ada.keyboard.press("Enter")
    ada.wait_for_url("**/cases/**")
    ada.keyboard.press("t")
    ada.wait_for_selector("#reply-text")
    ada.keyboard.press("r")
    ada.keyboard.type("hello q j t")
    expect(ada.locator("#reply-text")).to_have_value("hello q j t")
    ada.locator("h1").click()
    ada.keyboard.press("?")
    expect(ada.locator("#help")).to_be_visible()


def test_an_emergency_is_heard_by_who_asked_for_it(clinic: Clinic, signed_in: Callable[..., Page]) -> None:
    ada = signed_in("ada", "/day")
    ada.goto("/queue")
    ada.click("#alerts")
    expect(ada.locator("#alerts")).to_have_attribute("aria-pressed", "true")
    clinic.emergency()
    expect(ada).to_have_title(re.compile("Emergency waiting"))


def test_it_works_without_scripts(clinic: Clinic, signed_in: Callable[..., Page]) -> None:
    case_id = clinic.emergency()
    ada = signed_in("ada", f"/cases/{case_id}", java_script_enabled=False)
    ada.click("#take-over button")
    ada.fill("#reply-text", "Hello from plain HTML")
    ada.click("#reply button")
    expect(ada.locator(".said.clinician .text")).to_have_text("Hello from plain HTML")
