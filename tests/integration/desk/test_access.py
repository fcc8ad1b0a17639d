"""Signing in, form tokens, origins, roles, headers and clean errors."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from careline.clinic import db
from careline.clinic.audit import AuditEntry
from tests.integration.desk.conftest import ORIGIN

PAGES = ["/", "/queue", "/queue/list", "/day", "/audit", "/review", "/people", "/live", "/cases/" + "0" * 32]
POSTS = ["acknowledge", "take-over", "reply", "hand-back", "assign", "snooze", "note", "resolve", "break-glass"]


@pytest.mark.parametrize("url", PAGES)
def test_nobody_sees_anything_without_signing_in(browser, url) -> None:
    answer = browser().get(url, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_a_wrong_password_is_refused_and_a_name_is_not_lost(browser) -> None:
    nobody = browser()
    nobody.page("/login")
    answer = nobody.submit("/login", username="ada", password="not the password")
    assert answer.status_code == 401 and "do not fit" in answer.text and 'value="ada"' in answer.text
    assert "careline-desk=" not in answer.headers.get("set-cookie", "")


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser) -> None:
    nobody = browser()
    nobody.page("/login")
    cookie = nobody.submit("/login", username="ada", password="correct horse battery").headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie


@pytest.mark.parametrize("act", POSTS)
def test_a_form_without_its_token_or_from_elsewhere_changes_nothing(browser, clinic, act) -> None:
    case_id = clinic.emergency()
    ada = browser("ada")
    url = f"/cases/{case_id}/{act}"
    good = {"csrf": ada.csrf, "text": "x", "client_key": "12345678"}
    for form, headers in [
        ({**good, "csrf": ""}, {"Origin": ORIGIN}), ({**good, "csrf": "0" * 64}, {"Origin": ORIGIN}),
        (good, {"Origin": "https://evil.example"}), (good, {}), (good, {"Origin": "null"}),
        (good, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
    ]:
        assert ada.post(url, data=form, headers=headers, follow_redirects=False).status_code == 403
    with db.read_scope(clinic.engine) as session:
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.object_type == "escalation")).all()
    assert set(acts) == {"escalation.open", "escalation.page"}


def test_after_15_idle_minutes_one_is_out_and_an_open_page_does_not_count(browser, clinic) -> None:
    ada = browser("ada")
    for _ in range(16):
        clinic.later(minutes=1)
        ada.get("/queue/list", headers={"X-Careline-Background": "1", "HX-Request": "true"})
    answer = ada.get("/queue/list", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?why=over")


def test_doing_something_keeps_one_in(browser, clinic) -> None:
    ada = browser("ada")
    for _ in range(3):
        clinic.later(minutes=10)
        ada.page("/queue")


def test_signing_out_ends_the_session_on_the_server(browser) -> None:
    ada = browser("ada")
    token = ada.cookies["careline-desk"]
    ada.submit("/logout")
    ada.cookies.set("careline-desk", token)
    assert ada.get("/queue", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(("who", "may", "may_not"), [
    ("ada", ["/queue", "/day", "/review"], ["/audit", "/people"]),
    ("cora", ["/queue", "/day"], ["/audit", "/people", "/review"]),
    ("aud", ["/audit", "/review"], ["/queue", "/people", "/day"]),
    ("boss", ["/people", "/audit", "/queue", "/day"], ["/review"]),
])
def test_each_role_has_its_pages(browser, who, may, may_not) -> None:
    them = browser(who)
    assert [them.get(url).status_code for url in may] == [200] * len(may)
    assert [them.get(url).status_code for url in may_not] == [403] * len(may_not)


def test_an_admin_sees_a_case_only_by_breaking_the_glass(browser, clinic) -> None:
    case_id = clinic.emergency("my secret words")
    boss = browser("boss")
    assert "my secret words" not in boss.page(f"/cases/{case_id}", 403)
    for part in ("chat", "head", "side", "history"):
        assert boss.get(f"/cases/{case_id}/{part}", headers={"HX-Request": "true"}).status_code == 403
    assert boss.submit(f"/cases/{case_id}/break-glass", reason="why not").status_code == 422
    assert boss.submit(f"/cases/{case_id}/break-glass", reason="Both clinicians are locked out").status_code == 303
    assert "my secret words" in boss.page(f"/cases/{case_id}")
    assert boss.submit(f"/cases/{case_id}/take-over").status_code == 403
    clinic.later(hours=1)


def test_headers_on_every_answer(browser) -> None:
    ada = browser("ada")
    for url in ("/queue", "/login", "/nowhere", "/static/desk.css"):
        headers = ada.get(url).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert ada.get("/queue").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "url", "status"), [
    ("GET", "/nowhere", 404), ("GET", "/cases/nothing", 404), ("PUT", "/queue", 405), ("GET", "/day?on=yesterday", 422),
    ("GET", "/day?on=0001-01-01", 422), ("GET", "/static/../app.py", 404), ("GET", "/queue?mine=perhaps", 422),
])
def test_errors_are_pages_without_traces(browser, method, url, status) -> None:
    answer = browser("ada").request(method, url)
    assert answer.status_code == status
    assert "Traceback" not in answer.text and "<h1>" in answer.text


def test_an_error_inside_shows_nothing_of_it(browser, clinic, monkeypatch) -> None:
    from careline.desk.pages import queue

    monkeypatch.setattr(queue, "queue", lambda *_: 1 / 0)
    answer = browser().get("/health/live")
    assert answer.status_code == 200
    nobody = browser()
    nobody.page("/login")
    nobody.submit("/login", username="ada", password="correct horse battery")
    answer = nobody.get("/queue")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text and "Something went wrong" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_huge_form_is_refused(browser) -> None:
    ada = browser("ada")
    assert ada.submit("/logout", padding="x" * 70_000).status_code == 413


def test_the_auditor_checks_and_exports_the_log(browser, clinic) -> None:
    clinic.emergency()
    auditor = browser("aud")
    assert "The chain holds" in auditor.submit("/audit/verify").text
    rows = auditor.submit("/audit/export").text.splitlines()
    assert rows[0].startswith("seq,at,actor,action") and "audit.export" in rows[-1]
    assert "escalation.open" in auditor.page("/audit?action=escalation.")


def test_a_dead_worker_is_an_alarm(browser, clinic) -> None:
    ada = browser("ada")
    assert "Nobody is being paged" in ada.page("/queue")
    assert ada.get("/health/worker").status_code == 503
    clinic.tick()
    assert "Nobody is being paged" not in ada.page("/queue")
    clinic.later(minutes=3)
    assert ada.get("/health/worker").status_code == 503
