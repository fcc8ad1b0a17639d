"""Who gets in, for how long, and who does not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select

from careline.clinic import db
from careline.clinic.audit import AuditEntry
from careline.clinic.outbox import OutboxRow
from careline.clinic.staff import Role, StaffMember, StaffSession, access, login, sessions
from careline.clinic.staff.accounts import add_staff, seed_demo_staff, set_active
from careline.errors import Conflict, Invalid
from tests.desk import PASSWORD, Clinic, make_clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    made = make_clinic(f"sqlite:///{tmp_path / 'clinic.db'}")
    made.member("ada", password=PASSWORD)
    return made


def enter(clinic: Clinic, password: str = PASSWORD, username: str = "ada", *, code: bool = False) -> login.Outcome:
    with db.read_scope(clinic.engine) as session:
        fits = login.password_fits(session, username, password, "10.0.0.1", clinic.now)
    with db.session_scope(clinic.engine) as session:
        return login.with_password(session, username, fits, "10.0.0.1", clinic.now, code_required=code)


def who(clinic: Clinic, token: str | None) -> sessions.Visitor | None:
    with db.read_scope(clinic.engine) as session:
        return sessions.find(session, token, clinic.now)


def test_the_right_password_gets_in_and_is_nowhere_in_the_database(clinic: Clinic) -> None:
    outcome = enter(clinic)
    visitor = who(clinic, outcome.token)
    assert outcome.stage == "full" and visitor is not None and visitor.staff.username == "ada"
    with db.read_scope(clinic.engine) as session:
        stored = session.scalar(select(StaffMember.password_hash))
        assert stored and stored.startswith("$argon2id$") and PASSWORD not in stored
        assert outcome.token not in session.scalars(select(StaffSession.token_hash)).all()


@pytest.mark.parametrize(("username", "password"), [("ada", "wrong password!"), ("nobody", PASSWORD), ("ada", "")])
def test_a_wrong_name_or_password_looks_the_same_and_is_recorded(clinic: Clinic, username: str, password: str) -> None:
    assert enter(clinic, password, username) == login.Outcome(refused="wrong")
    with db.read_scope(clinic.engine) as session:
        assert "login.refused" in session.scalars(select(AuditEntry.action)).all()


def test_five_wrong_passwords_close_the_door_for_a_quarter_of_an_hour(clinic: Clinic) -> None:
    for _ in range(5):
        enter(clinic, "wrong password!")
    assert enter(clinic).refused == "wait"
    clinic.later(minutes=14)
    assert enter(clinic).refused == "wait"
    clinic.later(minutes=2)
    assert enter(clinic).token


def test_a_session_ends_after_15_idle_minutes_and_after_8_hours(clinic: Clinic) -> None:
    token = enter(clinic).token
    clinic.later(minutes=14)
    assert who(clinic, token)
    clinic.later(minutes=1)
    assert who(clinic, token) is None
    token = enter(clinic).token or ""
    for _ in range(48):
        assert who(clinic, token)
        with db.session_scope(clinic.engine) as session:
            sessions.seen(session, token, clinic.now)
        clinic.later(minutes=10)
    assert who(clinic, token) is None


def test_outside_development_nobody_gets_in_without_a_code(clinic: Clinic) -> None:
    outcome = enter(clinic, code=True)
    assert outcome.stage == "enrol"
    with db.session_scope(clinic.engine) as session:
        setup = login.enrolment(session, outcome.token or "", clinic.now)
    assert setup is not None
    code = pyotp.TOTP(setup[0]).at(clinic.now)
    with db.session_scope(clinic.engine) as session:
        done = login.with_code(session, outcome.token or "", code, "10.0.0.1", clinic.now)
    assert done.stage == "full" and done.token != outcome.token
    assert who(clinic, outcome.token) is None, "the half session is over"
    clinic.later(minutes=1)
    second = enter(clinic, code=True)
    assert second.stage == "totp"
    with db.session_scope(clinic.engine) as session:
        assert login.with_code(session, second.token or "", "000000", "10.0.0.1", clinic.now).refused == "wrong"


def test_a_code_works_once(clinic: Clinic) -> None:
    with db.session_scope(clinic.engine) as session:
        member = session.get(StaffMember, clinic.staff["ada"])
        assert member is not None
        secret = login.start_totp(session, member)
    code = pyotp.TOTP(secret).at(clinic.now)
    for expected in ("full", None):
        token = enter(clinic).token or ""
        with db.session_scope(clinic.engine) as session:
            assert login.with_code(session, token, code, "10.0.0.1", clinic.now).stage == expected


def test_the_demo_account_does_not_get_in_outside_development(clinic: Clinic) -> None:
    with db.session_scope(clinic.engine) as session:
        seed_demo_staff(session, clinic.now, PASSWORD)
        seed_demo_staff(session, clinic.now, PASSWORD)
    assert enter(clinic, username="demo").stage == "full"
    assert enter(clinic, username="demo", code=True).refused == "wrong"


def test_closing_an_account_ends_its_sessions(clinic: Clinic) -> None:
    token = enter(clinic).token
    boss = clinic.member("boss", role=Role.ADMIN)
    with db.session_scope(clinic.engine) as session:
        set_active(session, clinic.staff["ada"], False, boss, clinic.now)
    assert who(clinic, token) is None
    assert enter(clinic).refused == "wrong"


def test_accounts_are_checked(clinic: Clinic) -> None:
    def add(username: str = "new", role: str = "clinician", password: str = PASSWORD) -> None:
        with db.session_scope(clinic.engine) as session:
            add_staff(session, username=username, name="New", role=role, password=password, now=clinic.now)

    for bad in ({"username": "has space"}, {"role": "king"}, {"password": "short"}):
        with pytest.raises(Invalid):
            add(**bad)
    with pytest.raises(Conflict):
        add("ADA")


def test_breaking_the_glass_needs_a_reason_lasts_an_hour_and_is_noticed(clinic: Clinic) -> None:
    case_id = clinic.emergency()
    boss = clinic.member("boss", role=Role.ADMIN)
    clinic.member("chief", role=Role.ADMIN, email="chief@clinic.example")
    with db.read_scope(clinic.engine) as session:
        member = session.get(StaffMember, boss)
        assert member is not None
        assert not access.may_open_case(session, member, case_id, clinic.now)
    with pytest.raises(Invalid), db.session_scope(clinic.engine) as session:
        access.break_glass(session, member, case_id, "because", clinic.now)
    with db.session_scope(clinic.engine) as session:
        access.break_glass(session, member, case_id, "The clinicians cannot sign in", clinic.now)
    with db.read_scope(clinic.engine) as session:
        assert access.may_open_case(session, member, case_id, clinic.now)
        assert not access.may_open_case(session, member, case_id, clinic.now + timedelta(hours=1))
        assert "access.break_glass" in session.scalars(select(AuditEntry.action)).all()
        assert "chief@clinic.example" in [row.to for row in session.scalars(select(OutboxRow))]
