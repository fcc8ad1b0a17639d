"""A clinician's work through the pages."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from careline.clinic import conversations, db, escalations
from careline.clinic.audit import AuditEntry


def test_the_queue_shows_the_words_and_the_most_urgent_first(browser, clinic) -> None:
    clinic.case(clinic.conversation(), "routine")
    clinic.emergency("crushing <b>chest</b> pain", name="Rosa Martinez", phone="+447700900777")
    html = browser("ada").page("/queue")
    assert html.index("Ambulance now") < html.index("Within days")
    assert "crushing &lt;b&gt;chest&lt;/b&gt; pain" in html and "Rosa Martinez" in html


def test_an_unverified_patients_name_and_record_are_not_shown(browser, clinic) -> None:
    case_id = clinic.emergency("pain", name="Rosa Martinez", phone="+447700900777")
    with db.session_scope(clinic.engine) as session:
        conversation = conversations.get(session, escalations.get(session, case_id).conversation_id)
        conversation.verified_at = None
    ada = browser("ada")
    assert "Rosa" not in ada.page("/queue") + ada.page(f"/cases/{case_id}")


def test_a_case_from_taking_over_to_closing(browser, clinic) -> None:
    case_id = clinic.emergency(name="Rosa Martinez", phone="+447700900777", born=date(1958, 4, 2))
    ada = browser("ada")
    html = ada.page(f"/cases/{case_id}")
    for shown in ("My dad has crushing chest pain and is sweating", "Crushing chest pain", "may be a heart attack",
                  "67 years", "+447700900777", "Ambulance now"):
        assert shown in html
    assert 'id="reply"' not in html
    assert ada.submit(f"/cases/{case_id}/take-over").status_code == 303
    html = ada.page(f"/cases/{case_id}")
    assert 'id="reply"' in html and "You are in the chat" in html
    for _ in range(2):  # the same click twice
        ada.submit(f"/cases/{case_id}/reply", text="Is the ambulance coming?", client_key="k" * 32)
    ada.submit(f"/cases/{case_id}/note", text="Wife is with him")
    assert [a for a, _ in clinic.transcript(case_id)] == ["patient", "system", "clinician"]
    html = ada.page(f"/cases/{case_id}")
    assert "Wife is with him" in html and "Wife is with him" not in str(clinic.transcript(case_id))
    assert ada.submit(f"/cases/{case_id}/resolve", reason="ambulance", level="emergency_ambulance").status_code == 303
    assert "Nobody is waiting" in ada.page("/queue")
    assert "Closed" in ada.page(f"/cases/{case_id}")
    with db.read_scope(clinic.engine) as session:
        acts = list(session.scalars(select(AuditEntry.action).where(AuditEntry.object_id == case_id)))
    for act in ("case.view", "escalation.taken_over", "escalation.replied", "escalation.note", "escalation.resolve"):
        assert act in acts


def test_two_clinicians_cannot_answer_over_each_other(browser, clinic) -> None:
    case_id = clinic.emergency()
    ada, ben = browser("ada"), browser("ben")
    ada.submit(f"/cases/{case_id}/take-over")
    answer = ben.submit(f"/cases/{case_id}/take-over")
    assert answer.status_code == 409 and "Nurse Ada is in this chat" in answer.text
    answer = ben.post(f"/cases/{case_id}/reply", data={"csrf": ben.csrf, "text": "Hi", "client_key": "b" * 32},
                      headers={"Origin": "http://testserver", "HX-Request": "true"})
    assert answer.status_code == 409 and answer.headers["HX-Retarget"] == "#alert"
    assert "clinician" not in [author for author, _ in clinic.transcript(case_id)]


def test_a_reply_by_htmx_brings_the_chat_back(browser, clinic) -> None:
    case_id = clinic.emergency()
    ada = browser("ada")
    ada.submit(f"/cases/{case_id}/take-over")
    answer = ada.post(f"/cases/{case_id}/reply", data={"csrf": ada.csrf, "text": "Hello", "client_key": "a" * 32},
                      headers={"Origin": "http://testserver", "HX-Request": "true"})
    assert answer.headers["HX-Trigger"] == "reply-sent" and "Hello" in answer.text and "<html" not in answer.text


@pytest.mark.parametrize(("act", "form"), [
    ("reply", {"text": "", "client_key": "k" * 32}), ("reply", {"text": "x" * 2001, "client_key": "k" * 32}),
    ("reply", {"text": "x"}), ("note", {"text": "  "}), ("snooze", {"minutes": "lots"}), ("snooze", {"minutes": "999"}),
    ("resolve", {"reason": "bored", "level": "urgent"}), ("resolve", {"reason": "advised", "level": "none"}),
    ("assign", {"to": "nobody"}),
])
def test_wrong_input_is_named_and_nothing_happens(browser, clinic, act, form) -> None:
    case_id = clinic.emergency()
    ada = browser("ada")
    ada.submit(f"/cases/{case_id}/take-over")
    assert ada.submit(f"/cases/{case_id}/{act}", **form).status_code in (404, 422)
    with db.read_scope(clinic.engine) as session:
        assert escalations.get(session, case_id).unresolved


def test_assign_snooze_and_hand_back(browser, clinic) -> None:
    case_id = clinic.emergency()
    ada = browser("ada")
    ada.submit(f"/cases/{case_id}/take-over")
    assert ada.submit(f"/cases/{case_id}/hand-back").status_code == 303
    assert ada.submit(f"/cases/{case_id}/assign", to=clinic.staff["ben"]).status_code == 303
    assert ada.submit(f"/cases/{case_id}/snooze", minutes="10").status_code == 303
    assert "Put aside until" in browser("ben").page("/queue?mine=true")


def test_a_coordinator_cannot_answer_or_close(browser, clinic) -> None:
    case_id = clinic.emergency()
    cora = browser("cora")
    for act in ("take-over", "reply", "hand-back", "resolve"):
        assert cora.submit(f"/cases/{case_id}/{act}", reason="advised", level="urgent", text="x",
                         client_key="k" * 32).status_code == 403


def test_under_triage_is_listed_for_review(browser, clinic) -> None:
    case_id = clinic.case(clinic.conversation(), "routine")
    ada = browser("ada")
    ada.submit(f"/cases/{case_id}/resolve", reason="sent_to_emergency", level="emergency")
    html = ada.page("/review")
    assert case_id in html and "Sent to an emergency department" in html


def test_the_day_list_opens(browser, clinic) -> None:
    assert "No appointments on this day" in browser("cora").page("/day?on=2026-03-02")


def test_the_admin_adds_people_and_shifts(browser, clinic) -> None:
    boss = browser("boss")
    assert boss.submit("/people", username="new", name="Nurse New", role="clinician",
                     password="a long password").status_code == 303
    assert boss.submit("/people", username="new", name="Again", role="clinician",
                     password="a long password").status_code == 409
    assert boss.submit("/rota", staff_id=clinic.staff["ada"], starts="2026-03-02T08:00", ends="2026-03-02T18:00",
                     position="1").status_code == 303
    assert boss.submit("/rota", staff_id=clinic.staff["ada"], starts="then", ends="now").status_code == 422
    html = boss.page("/people")
    assert "Nurse New" in html and "Mon 2 Mar, 08:00" in html
