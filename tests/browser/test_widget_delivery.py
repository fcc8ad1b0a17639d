"""Every message exactly once: through dropped requests, reloads, two tabs, restarts and expired sessions."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import bare


def echo(gateway, talk, text):
    gateway.say(f"You said {text}", talk)


def test_a_message_and_its_answer(gateway, visit):
    gateway.reply = echo
    Chat(visit()).open().say("hello").sees("hello", "You said hello").all_sent()
    assert gateway.patient_texts() == ["hello"]


def test_no_session_before_the_chat_is_opened(gateway, visit):
    page = visit()
    page.wait_for_timeout(300)
    assert not gateway.talks
    Chat(page).open()
    page.wait_for_timeout(300)
    assert len(gateway.talks) == 1


def test_requests_that_are_dropped_before_and_after_they_were_processed(gateway, visit):
    chat = Chat(visit()).open().say("one").sees("one").all_sent()
    gateway.drop_before, gateway.drop_after = 1, 2
    gateway.duplicate = True
    chat.say("two").say("three").all_sent().sees("one", "two", "three")
    assert gateway.patient_texts() == ["one", "two", "three"]
    assert len(gateway.posts) >= 4  # it did repeat


def test_a_server_that_does_not_repeat_client_ids_in_its_events(gateway, visit):
    gateway.echo_client_id = False
    gateway.reply = echo
    gateway.drop_after = 1
    Chat(visit()).open().say("one").all_sent().sees("one", "You said one")


def test_a_cut_stream_resumes_where_it_was(gateway, visit):
    chat = Chat(visit()).open().say("one").sees("one")
    gateway.cut()
    gateway.say("while you were away")
    gateway.say("and again")
    chat.sees("one", "while you were away", "and again")


def test_offline_messages_wait_and_go_once(gateway, visit):
    page = visit()
    chat = Chat(page).open().say("one").all_sent()
    page.context.set_offline(True)
    gateway.cut()
    chat.say("two").say("three")
    expect(chat.root.locator(".note").first).to_contain_text("Not sent yet")
    expect(chat.root.locator(".off")).to_be_visible()
    page.context.set_offline(False)
    chat.all_sent().sees("one", "two", "three")
    expect(chat.root.locator(".off")).to_be_hidden()
    assert gateway.patient_texts() == ["one", "two", "three"]


def test_unsent_messages_survive_a_reload(gateway, visit):
    page = visit()
    chat = Chat(page).open().say("one").all_sent()
    gateway.refuse = [(503, {})] * 2
    chat.say("two")
    page.reload()
    Chat(page).open().all_sent().sees("one", "two")
    assert gateway.patient_texts() == ["one", "two"]


def test_a_message_that_arrived_but_was_never_confirmed_is_not_shown_twice_after_a_reload(gateway, visit):
    page = visit()
    chat = Chat(page).open().say("one").all_sent()
    gateway.drop_after = 1
    chat.say("two")
    page.wait_for_timeout(50)
    page.reload()
    Chat(page).open().all_sent().sees("one", "two")
    assert gateway.patient_texts() == ["one", "two"]


def test_a_server_restart(gateway, visit):
    gateway.reply = echo
    chat = Chat(visit()).open().say("one").sees("one", "You said one")
    gateway.stop()
    chat.say("two")
    gateway.start()
    chat.sees("one", "You said one", "two", "You said two").all_sent()
    assert gateway.patient_texts() == ["one", "two"]


def test_two_tabs_share_one_conversation_when_the_page_wants_it(gateway, visit):
    gateway.pages["/shared"] = bare('storage="local"')
    first = visit("/shared")
    second = first.context.new_page()
    visit("/shared", page=second)
    one, two = Chat(first).open(), Chat(second).open()
    one.say("from the first").all_sent()
    two.sees("from the first").say("from the second").all_sent()
    one.sees("from the first", "from the second")
    assert len(gateway.talks) == 1
    one.button("More options").click()
    one.button("Clear and end chat").click()
    one.button("Clear and end").click()
    expect(two.root.get_by_role("heading", name="This chat has ended")).to_be_visible()
    two.sees()


def test_two_tabs_are_two_conversations_otherwise(gateway, visit):
    first = visit()
    second = first.context.new_page()
    visit(page=second)
    Chat(first).open().say("a").all_sent()
    Chat(second).open().say("b").all_sent().sees("b")
    assert len(gateway.talks) == 2


def test_an_expired_session_is_replaced_and_said_so(gateway, visit):
    chat = Chat(visit()).open().say("one").all_sent()
    gateway.forget_sessions()
    expect(chat.root.get_by_text("Your earlier chat has ended").first).to_be_visible()
    chat.say("two").all_sent()
    assert gateway.patient_texts() == ["two"]
    expect(chat.messages.first).to_have_text("one")


def test_a_session_that_expires_while_sending_loses_nothing(gateway, visit):
    chat = Chat(visit()).open().say("one").all_sent()
    gateway.talks = {f"x{token}": talk for token, talk in gateway.talks.items()}
    chat.say("two")
    expect(chat.root.locator(".past").get_by_text("Your earlier chat has ended")).to_be_visible()
    chat.all_sent()
    assert gateway.patient_texts() == ["two"]
    assert len(gateway.talks) == 2


def test_a_number_that_the_stream_left_out_is_fetched(gateway, visit):
    chat = Chat(visit()).open().say("one").all_sent()
    gateway.skip = {2}
    gateway.say("lost on the way")
    gateway.say("third")
    chat.sees("one", "lost on the way", "third")


def test_refused_messages_say_why_and_can_be_changed(gateway, visit):
    gateway.refuse = [(422, {"error": {"code": "too_long", "message": "That message is too long."}})]
    chat = Chat(visit()).open().say("a very long story")
    expect(chat.root.get_by_text("Not sent. That message is too long.").last).to_be_visible()
    chat.button("Edit and try again").click()
    chat.sees()
    expect(chat.input).to_be_focused()
    assert chat.input.input_value().strip() == "a very long story"
    chat.say("short").sees("short").all_sent()


def test_a_failing_server_is_not_hammered(gateway, visit):
    gateway.refuse = [(503, {})] * 100
    chat = Chat(visit()).open().say("hello")
    started = time.monotonic()
    chat.page.wait_for_timeout(1500)
    assert len(gateway.posts) <= 5, f"{len(gateway.posts)} requests in {time.monotonic() - started:.1f} s"
    gateway.refuse = []
    chat.all_sent()


def test_advice_in_a_refusal_is_shown(gateway, visit):
    advice = {"id": "a" * 32, "seq": None, "author": "assistant", "kind": "emergency", "text": "Call 999 now.",
              "choices": [], "at": "2026-01-01T10:00:00Z"}
    gateway.refuse = [(422, {"error": {"code": "too_long", "message": "Too long."}, "advice": [advice]})]
    chat = Chat(visit()).open().say("very long")
    expect(chat.root.locator(".alert")).to_contain_text("Call 999 now.")


def test_typing_and_takeover(gateway, visit):
    chat = Chat(visit()).open().say("hello").all_sent()
    gateway.set(typing=True)
    expect(chat.root.locator(".typing")).to_be_visible()
    gateway.set(state={"mode": "human", "clinician": "Nurse Amy"})
    gateway.say("Hello, I am Amy", author="clinician", name="Nurse Amy")
    expect(chat.root.locator(".typing")).to_be_hidden()
    expect(chat.root.locator(".names p")).to_have_text("You are chatting with Nurse Amy")
    expect(chat.root.locator(".clinician .meta b")).to_have_text("Nurse Amy")
    gateway.set(state={"mode": "bot", "clinician": None})
    expect(chat.root.locator(".names p")).to_have_text("Automated assistant")
