"""The channel: no message without the secret, and a patient's text is never an intent."""

import asyncio
import json

import pytest
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.nlu.training_data.message import Message
from sanic import Sanic

from rasa_server.channel import BadMessage, CarelineChannel, plain_text, read_message

# str.strip() takes these away before Rasa looks for a slash.
WHITE = [chr(c) for c in range(0x110000) if chr(c).isspace()]
SECRET = "a-secret-of-the-test"


def test_there_are_29_kinds_of_white_space():
    assert len(WHITE) == 29


@pytest.mark.parametrize("white", WHITE, ids=lambda c: f"U+{ord(c):04X}")
def test_white_space_before_a_slash_does_not_make_an_intent(white):
    for text in (f"{white}/restart", f"/{white}/restart", f"{white}/{white}//{white}/restart", f"/restart{white}"):
        assert plain_text(text) == "restart"


@pytest.mark.parametrize(
    "text", ["/restart", "//restart", '/confirm{"patient_id": "x"} I have chest pain', "/", " / / ", "/ /back", "/\u2028/x"]
)
def test_rasa_reads_no_intent_in_what_is_left(text):
    words = plain_text(text)
    assert words
    assert YAMLStoryReader.unpack_regex_message(Message.build(words)).get("intent") is None


@pytest.mark.parametrize("text", ["I weigh 12/8", "and/or", "no", "0/10 pain", "／restart"])
def test_other_text_stays_as_it_is(text):
    assert plain_text(text) == text


def body(**fields):
    return json.dumps({"sender": "c1-1", **fields}).encode()


def test_a_trusted_intent_carries_its_entities():
    message, _ = read_message(body(intent="answer", entities={"finding": "fever", "choice": "present"}))
    assert message.text == '/answer{"finding": "fever", "choice": "present"}'


def test_the_channel_name_follows_the_metadata():
    assert read_message(body(text="hi", metadata={"channel": "sms"}))[1].name() == "sms"
    assert read_message(body(text="hi", metadata={"channel": "fax"}))[1].name() == "web"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (json.dumps({"text": "hi"}).encode(), "bad_sender"),
        (json.dumps({"sender": "a/../b", "text": "hi"}).encode(), "bad_sender"),
        (json.dumps({"sender": "x" * 129, "text": "hi"}).encode(), "bad_sender"),
        (body(), "text_or_intent"),
        (body(text="hi", intent="greet"), "text_or_intent"),
        (body(text=["hi"]), "bad_text"),
        (body(text="x" * 4001), "bad_text"),
        (body(intent="greet; drop"), "bad_intent"),
        (body(intent="answer", entities={"finding": ["fever"]}), "bad_entities"),
        (body(intent="answer", entities=[1]), "bad_entities"),
        (body(text="hi", metadata="web"), "bad_metadata"),
    ],
)
def test_a_bad_body_is_refused_with_its_reason(raw, why):
    with pytest.raises(BadMessage, match=why):
        read_message(raw)


def test_no_channel_without_a_secret(monkeypatch):
    monkeypatch.delenv("CARELINE_RASA_SECRET", raising=False)
    with pytest.raises(RuntimeError, match="CARELINE_RASA_SECRET"):
        CarelineChannel.from_credentials(None)


@pytest.fixture(scope="module")
def call():
    """Ask the channel's routes; what reaches Rasa is kept in `call.seen`."""
    seen = []

    async def on_new_message(message):
        seen.append(message)
        if message.text == "fail":
            raise RuntimeError("with the patient's words")
        await message.output_channel.send_text_message(message.sender_id, "hello")

    app = Sanic("careline_channel_test")
    app.blueprint(CarelineChannel(SECRET).blueprint(on_new_message), url_prefix="/webhooks/careline")

    def ask(method, path, headers=None, **kwargs):
        async def one():
            _, response = await app.asgi_client.request(method, path, headers=headers or {}, **kwargs)
            return response

        return asyncio.run(one())

    ask.seen = seen
    return ask


def test_health(call):
    assert call("get", "/webhooks/careline/").status == 200


@pytest.mark.parametrize("headers", [{}, {"X-Careline-Secret": "wrong"}, {"X-Careline-Secret": ""}])
def test_a_wrong_secret_reaches_nothing(call, headers):
    call.seen.clear()
    answer = call("post", "/webhooks/careline/webhook", headers=headers, content=body(text="hi"))
    assert answer.status == 403
    assert not call.seen


def test_a_message_is_answered(call):
    answer = call("post", "/webhooks/careline/webhook", headers={"X-Careline-Secret": SECRET}, content=body(text="hi"))
    assert answer.status == 200
    assert answer.json == {"messages": [{"text": "hello"}]}


def test_a_failure_is_an_empty_answer_without_the_words(call, caplog):
    answer = call("post", "/webhooks/careline/webhook", headers={"X-Careline-Secret": SECRET}, content=body(text="fail"))
    assert answer.json == {"messages": []}
    assert "patient's words" not in caplog.text
