"""The same conversations by SMS, through the signed webhook and the outbox."""

from __future__ import annotations

import itertools
import re

from sqlalchemy import create_engine, text

from careline.gateway.sms.segments import count
from tests.house import House, until

numbers = (f"+4477008{n:05d}" for n in itertools.count(10_000))
CHEST = "my dad has crushing chest pain and is sweating"


def test_the_first_text_says_what_it_is_and_how_to_end_it(house: House) -> None:
    got = "\n".join(house.phone(next(numbers)).text("hello"))
    for needed in ("automated assistant", "999", "STOP"):
        assert needed in got


def test_a_symptom_check_with_numbers(house: House) -> None:
    phone = house.phone(next(numbers))
    phone.text("ive had a cough n runny nose for 2 days")
    got = phone.text("25 male")
    asked = 0
    while "1 Yes" in got[-1]:
        assert "2 No" in got[-1]
        got = phone.text("2")
        asked += 1
        assert asked < 15
    assert asked >= 1
    assert "999" in "\n".join(got)


def test_nothing_costs_more_than_its_limit(house: House) -> None:
    phone = house.phone(next(numbers))
    for body in [*phone.text("i have a sore throat"), *phone.text("30 female"), *phone.text("2")]:
        cost = count(body)
        assert cost.encoding == "GSM-7", body
        assert cost.segments <= 4, body


def test_emergency_advice_comes_in_the_answer_to_the_webhook_and_once(house: House) -> None:
    phone = house.phone(next(numbers))
    phone.text("hello")
    got = phone.text(CHEST, settle=3)
    assert "Call 999 now" in got[0]
    assert count(got[0]).segments == 1
    assert sum("Call 999 now" in body for body in got) == 1
    assert any("has been alerted" in body for body in got)


def test_booking_by_text(house: House) -> None:
    phone = house.phone(next(numbers))
    got = "\n".join(phone.text("i want to book an appointment"))
    code = re.findall(r"code is (\d{6})", got) or re.findall(r"code is (\d{6})", "\n".join(until(phone.received)))
    got = "\n".join(phone.text(code[-1]))
    assert re.search(r"1 Doctor", got), got


def test_stop_is_confirmed_once_and_then_nothing(house: House) -> None:
    phone = house.phone(next(numbers))
    phone.text("hello")
    got = phone.text("Stop please")
    assert len(got) == 1 and "no more texts" in got[0]
    phone.http.post("/dev/phone/messages", json={"number": phone.number, "body": "stop"})
    phone.http.post("/dev/phone/messages", json={"number": phone.number, "body": "i have a cough"})
    import time

    time.sleep(3)
    assert phone.received() == []
    assert "again" in phone.text("START")[0]
    assert phone.text("hello")


def test_danger_from_a_number_that_stopped_means_somebody_must_phone(house: House) -> None:
    phone = house.phone(next(numbers))
    phone.text("hello")
    phone.text("STOP")
    phone.http.post("/dev/phone/messages", json={"number": phone.number, "body": CHEST})
    engine = create_engine(house.env["DATABASE_URL"])

    def open_cases() -> int:
        with engine.connect() as connection:
            query = ("SELECT count(*) FROM escalations e JOIN conversations c ON c.id = e.conversation_id "
                     "WHERE c.channel = 'sms' AND e.level = 'emergency_ambulance'")
            return int(connection.execute(text(query)).scalar_one())

    until(lambda: open_cases() >= 1)
    engine.dispose()


def test_help_begins_with_the_emergency_line(house: House) -> None:
    got = house.phone(next(numbers)).text("HELP")
    assert got[0].startswith("In an emergency call 999")


def test_a_picture_without_words_is_answered(house: House) -> None:
    phone = house.phone(next(numbers))
    assert "only read text" in phone.text("")[0]


def test_the_same_text_delivered_twice_is_one_text(house: House) -> None:
    import httpx

    from careline.gateway.sms.signature import compute

    number = next(numbers)
    form = {"MessageSid": "SM" + "a1" * 16, "From": number, "To": "+447700900000", "Body": "hello", "NumMedia": "0"}
    signature = compute(house.secret("CARELINE_SMS_AUTH_TOKEN"), house.url("gateway") + "/sms/inbound",
                        {k: [v] for k, v in form.items()})
    for _ in range(3):
        answer = httpx.post(house.url("gateway") + "/sms/inbound", data=form, headers={"x-twilio-signature": signature})
        assert answer.status_code == 200
    phone = house.phone(number)
    until(lambda: phone.received())
    import time

    time.sleep(2)
    assert len([b for b in phone.received() if "STOP" in b]) == 0, "no second greeting"
