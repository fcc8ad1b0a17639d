"""A clinic for the tests of escalations and the desk: a real database, people, patients and a clock that one turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from careline.clinic import conversations, db, escalations, messages
from careline.clinic.patients import register
from careline.clinic.staff import Role, StaffMember
from careline.clinic.staff.accounts import add_staff
from careline.clinic.tables import metadata
from careline.levels import Level

PASSWORD = "correct horse battery"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Clinic:
    """`now` is the clock; `later(minutes=2)` turns it."""

    engine: Engine
    now: datetime = START
    staff: dict[str, str] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def member(self, username: str, name: str = "", role: Role = Role.CLINICIAN, phone: str | None = None,
               email: str | None = None, password: str | None = None) -> str:
        """A new account; its id. Without `password` nobody can sign in with it (hashing is slow)."""
        with db.session_scope(self.engine) as session:
            made = add_staff(session, username=username, name=name or f"Nurse {username.title()}", role=role,
                             password=password, now=self.now, phone=phone, email=email)
        self.staff[username] = made.id
        return made.id

    def conversation(self, channel: str = "web", *, name: str | None = None, phone: str = "+447700900123",
                     born: date | None = None) -> str:
        """A conversation; with a `name` its patient is identified."""
        with db.session_scope(self.engine) as session:
            made = conversations.Conversation(id=db.new_id(), channel=channel, created_at=self.now,
                                              address=phone if channel == "sms" else None)
            session.add(made)
            session.flush()
            if name:
                patient = register(session, phone=phone, now=self.now, name=name, birth_date=born)
                made.patient_id, made.verified_at = patient.id, self.now
            return made.id

    def says(self, conversation_id: str, text: str, author: str = "patient") -> str:
        with db.session_scope(self.engine) as session:
            return messages.post(session, conversation_id, author=author, text=text, now=self.now).id

    def case(self, conversation_id: str, level: Level | str = Level.EMERGENCY_AMBULANCE, reason: str = "red_flag",
             flags: Any = (), message_id: str | None = None) -> str:
        with db.session_scope(self.engine) as session:
            return escalations.open_or_raise(session, conversation_id, level=level, reason=reason, flags=flags,
                                             words_message_id=message_id, now=self.now).id

    def emergency(self, words: str = "My dad has crushing chest pain and is sweating", **person: Any) -> str:
        """A conversation in which somebody wrote `words`, and its case; the id of the case."""
        conversation_id = self.conversation(**person)
        message_id = self.says(conversation_id, words)
        flag = {"id": "chest_pain_crushing", "name": "Crushing chest pain", "urgency": "call_ems", "words": words[:40],
                "because": "may be a heart attack"}
        return self.case(conversation_id, flags=[flag], message_id=message_id)

    def tick(self) -> escalations.Ticked:
        with db.session_scope(self.engine) as session:
            return escalations.tick(session, self.now)

    def transcript(self, case_id: str) -> list[tuple[str, str]]:
        with db.read_scope(self.engine) as session:
            case = escalations.get(session, case_id)
            return [(m.author, m.text) for m in messages.transcript(session, case.conversation_id)]

    def name_of(self, username: str) -> str:
        with db.read_scope(self.engine) as session:
            found = session.get(StaffMember, self.staff[username])
            assert found is not None
            return found.name


def make_clinic(url: str) -> Clinic:
    """An empty clinic at `url`."""
    engine = db.make_engine(url)
    metadata().create_all(engine)
    return Clinic(engine)
