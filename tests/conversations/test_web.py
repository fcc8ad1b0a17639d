"""The three conversations through the web channel, with every process running."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from tests.house import House, Patient, until

numbers = (f"+4477009{n:05d}" for n in itertools.count(10_000))


def words(heard: list[dict[str, object]]) -> str:
    return "\n".join(str(m["text"]) for m in heard)


def finish_check(patient: Patient, heard: list[dict[str, object]], answer: str = "No") -> str:
    """Answer every question of a check with one button; everything that was said from then on."""
    said = words(heard)
    for _ in range(15):
        labels = [c["label"] for c in patient.offered()]
        if not {"Yes", "No", "Don't know"} <= set(labels):
            return said
        said += "\n" + words(patient.choose(answer))
    raise AssertionError(f"still asking after 15 questions:\n{said}")


class TestSymptomCheck:
    def test_questions_one_by_one_then_advice_with_reasons_and_a_safety_net(self, house: House) -> None:
        patient = house.patient()
        heard = patient.say("i've had a sore throat and a runny nose for 2 days")
        assert "sore throat" in words(heard)
        heard = patient.say("i'm 34 and female")
        assert sum("?" in str(m["text"]) for m in heard) == 1, "one question at a time"
        said = finish_check(patient, heard)
        assert "sore throat" in said.lower() or "runny nose" in said.lower(), "the reasons name what was mentioned"
        assert "999" in said or "contact the clinic" in said.lower(), "a safety net"
        assert not any(wording in said.lower() for wording in ("you have tonsillitis", "nothing to worry"))

    def test_dont_know_everywhere_is_never_self_care(self, house: House) -> None:
        patient = house.patient()
        patient.say("my stomach hurts")
        said = finish_check(patient, patient.say("50 male"), "Don't know").lower()
        assert "look after yourself" not in said

    def test_for_somebody_else_it_speaks_of_them(self, house: House) -> None:
        patient = house.patient()
        heard = patient.say("my daughter has had a cough for 3 days, she is 6")
        said = finish_check(patient, heard).lower()
        assert " she " in said or " they " in said or "their" in said or "her " in said

    def test_a_question_in_between_is_answered_and_the_check_goes_on(self, house: House) -> None:
        patient = house.patient()
        patient.say("i have a cough")
        before = [c["label"] for c in patient.offered()] if patient.say("30 male") else []
        heard = patient.say("what are your opening hours?")
        assert "8" in words(heard)
        assert [c["label"] for c in patient.offered()] == before, "the open question stands again"

    def test_when_the_triage_service_is_down_it_says_so(self, house: House) -> None:
        house.stop("triage")
        try:
            said = words(house.patient().say("i have had a headache for two days"))
        finally:
            house.start("triage")
        assert "999" in said and "020 7946 0100" in said


class TestAppointments:
    @pytest.fixture
    def known(self, house: House) -> Patient:
        """A patient who proved a phone number while asking for a booking."""
        number = next(numbers)
        patient = house.patient()
        heard = patient.say("i want to book an appointment")
        assert "phone number" in words(heard)
        patient.verify(house.phone(number), number)
        return patient

    def test_book_list_and_cancel(self, known: Patient) -> None:
        known.choose("Doctor")
        heard = known.choose("The first free time")
        assert known.offered(), words(heard)
        heard = known.choose()
        while not known.offered()[0]["label"].startswith("Yes"):
            heard = known.choose()
        assert any(day in words(heard) for day in ("Mon", "Tue", "Wed", "Thu", "Fri")), "read back with its weekday"
        booked = words(known.choose("Yes"))
        assert "booked" in booked.lower()

        assert any(m for m in known.say("what appointments do i have?") if ":" in str(m["text"]))
        heard = known.say("cancel my appointment")
        assert known.offered()[0]["label"].startswith("Yes"), words(heard)
        assert "called off" in words(known.choose("Yes")).lower()
        assert "no appointments" in words(known.say("what appointments do i have?")).lower()

    def test_nothing_is_shown_before_the_person_is_verified(self, house: House) -> None:
        for question in ("what appointments do i have?", "cancel my appointment", "what do i take today?"):
            said = words(house.patient().say(question))
            assert "phone number" in said
            assert "no appointments" not in said.lower()

    def test_a_wrong_code_opens_nothing(self, house: House) -> None:
        patient = house.patient()
        patient.say("what appointments do i have?")
        patient.say(next(numbers))
        for _ in range(3):
            said = words(patient.say("000000"))
            assert "appointments" not in said.lower()


def dose_is_due(house: House, patient: Patient) -> None:
    """Move the clock of the patient's next dose to now, as if the morning had come."""
    engine = create_engine(house.env["DATABASE_URL"])

    def planned() -> str | None:
        with engine.connect() as connection:
            return connection.execute(text(
                "SELECT d.id FROM doses d JOIN conversations c ON c.patient_id = d.patient_id "
                "WHERE c.id = :c ORDER BY d.due_at LIMIT 1"), {"c": patient.conversation_id}).scalar()

    dose = until(planned)
    with engine.begin() as connection:
        connection.execute(text("UPDATE doses SET remind_at = :now WHERE id = :d"),
                           {"now": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.000000"), "d": dose})
    engine.dispose()


def dose_states(house: House, patient: Patient) -> list[str]:
    engine = create_engine(house.env["DATABASE_URL"])
    with engine.connect() as connection:
        states = connection.execute(text(
            "SELECT d.status FROM doses d JOIN conversations c ON c.patient_id = d.patient_id "
            "WHERE c.id = :c ORDER BY d.due_at"), {"c": patient.conversation_id}).scalars().all()
    engine.dispose()
    return list(states)


class TestMedication:
    def test_set_up_be_reminded_and_answer_taken(self, house: House) -> None:
        number = next(numbers)
        patient = house.patient()
        patient.say("remind me to take my medicine")
        patient.verify(house.phone(number), number)
        patient.say("metformin")
        heard = patient.say("1 tablet every day at 8am")
        assert "8:00" in words(heard) and "right" in words(heard).lower(), "read back before anything is stored"
        assert "remind" in words(patient.choose("Yes")).lower()
        assert "etformin" in words(patient.say("what reminders do i have?"))

        dose_is_due(house, patient)
        heard = until(patient.heard, 20)
        assert "8:00" in words(heard), "the reminder names its dose"
        assert "aken" in words([{"text": c["label"]} for c in patient.offered()])
        assert words(patient.choose("Taken"))
        assert dose_states(house, patient)[0] == "taken"
        patient.say("taken")
        assert dose_states(house, patient).count("taken") == 1, "one dose, one answer"

    def test_no_to_the_read_back_stores_nothing(self, house: House) -> None:
        number = next(numbers)
        patient = house.patient()
        patient.say("remind me to take my metformin")
        patient.verify(house.phone(number), number)
        patient.say("1 tablet every day at 8am")
        patient.choose("No")
        assert "etformin" not in words(patient.say("what reminders do i have?"))

    @pytest.mark.parametrize("question", [
        "should i double my dose", "i missed my tablet this morning what should i do",
        "can i take ibuprofen with my warfarin",
    ])
    def test_no_advice_on_doses(self, house: House, question: str) -> None:
        said = words(house.patient().say(question)).lower()
        assert "pharmacist" in said or "nurse" in said or "team" in said
        assert not any(bad in said for bad in ("you can take", "take two", "take half", "is fine", "is safe"))


def test_ten_patients_at_once_without_a_mixed_word(house: House) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def talk(n: int) -> tuple[str, str]:
        patient = house.patient()
        complaint = ("cough", "sore throat", "earache", "runny nose", "itchy eyes")[n % 5]
        heard = patient.say(f"i have a {complaint} for {n + 2} days", seconds=40)
        return complaint, words(heard)

    with ThreadPoolExecutor(10) as pool:
        for complaint, said in pool.map(talk, range(10)):
            assert said
            for other in {"cough", "sore throat", "runny nose"} - {complaint}:
                assert f"noted: a {other}" not in said.lower()


def test_a_restart_in_mid_conversation_loses_nothing(house: House) -> None:
    patient = house.patient()
    patient.say("i have a cough")
    house.stop("gateway", kill=True)
    house.start("gateway")
    heard = patient.say("40 male")
    assert heard
    assert [m["text"] for m in patient.all() if m["author"] == "patient"] == ["i have a cough", "40 male"]


def test_events_resume_after_the_last_one_seen(house: House) -> None:
    patient = house.patient()
    patient.say("hello")
    total = len(patient.all())

    def first(after: int) -> list[int]:
        got = []
        for name, data in patient.events(after):
            if name == "message":
                got.append(data["seq"])
            if name == "state":
                return got
        return got

    assert first(0) == list(range(1, total + 1))
    assert first(2) == list(range(3, total + 1))
    assert until(lambda: True)
