"""What a patient can see, press, hear and take away."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.fake_gateway import widget_script, widget_size

ADVICE = "Call 999 now.\n\n- Sit down.\n- Stay on the phone."


def test_the_script_stays_small():
    assert widget_size() <= 12_000


def test_the_script_uses_nothing_that_a_strict_policy_forbids():
    script = widget_script().decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|\.style\b", script)


def test_choices_are_marked_kept_and_said(gateway, visit):
    gateway.greeting = {"text": "How can I help?", "choices": ["Symptoms", "Appointment"]}
    chat = Chat(visit()).open()
    expect(chat.root.get_by_role("group", name="Choose an answer")).to_be_visible()
    expect(chat.spoken("polite")).to_contain_text("2 choices: Symptoms, Appointment")
    chosen = chat.button("Appointment")
    chosen.focus()
    chosen.press("Enter")
    expect(chosen).to_be_focused()
    expect(chosen).to_have_attribute("aria-disabled", "true")
    expect(chosen).to_contain_text("your answer")
    expect(chat.button("Symptoms")).to_have_attribute("aria-disabled", "true")
    expect(chat.spoken("status")).to_contain_text("You chose Appointment")
    chat.all_sent()
    assert "choice" in gateway.posts[0] and "text" not in gateway.posts[0]
    chosen.press("Enter")
    chat.page.wait_for_timeout(150)
    assert len(gateway.posts) == 1
    chat.page.reload()
    Chat(chat.page).open()
    expect(chat.button("Appointment")).to_contain_text("your answer")


def test_emergency_advice_is_a_call_away_and_said_at_once(gateway, visit):
    gateway.reply = lambda house, talk, text: house.say(ADVICE, talk, kind="emergency")
    chat = Chat(visit()).open().say("crushing chest pain")
    alert = chat.root.get_by_role("group", name="Emergency advice")
    expect(alert).to_have_count(1)
    expect(alert).to_be_in_viewport()
    expect(alert.get_by_role("link", name="Call 999")).to_have_attribute("href", "tel:999")
    expect(alert.locator("li")).to_have_text(["Sit down.", "Stay on the phone."])
    expect(chat.spoken("assertive")).to_contain_text("Emergency advice: Call 999 now.")
    expect(chat.spoken("polite")).not_to_contain_text("Call 999 now")


def test_the_introduction_is_said_before_any_message(gateway, visit):
    gateway.greeting = {"text": "How can I help?"}
    chat = Chat(visit()).open()
    expect(chat.spoken("polite").locator("p")).to_have_text(
        [re.compile("automated assistant, not a person"), re.compile("How can I help")])


def test_old_messages_are_not_said_again(gateway, visit):
    chat = Chat(visit()).open().say("one").all_sent()
    gateway.say("answer")
    expect(chat.spoken("polite")).to_contain_text("answer")
    chat.page.reload()
    chat.open().sees("one", "answer")
    chat.page.wait_for_timeout(250)
    expect(chat.spoken("polite")).not_to_contain_text("answer")


def test_unread_messages_are_counted_in_the_launchers_name(gateway, visit):
    chat = Chat(visit()).open().say("one").all_sent()
    chat.input.press("Escape")
    gateway.say("first")
    gateway.say("second")
    expect(chat.root.get_by_role("button", name="Ask the virtual nurse 2 new")).to_be_visible()
    chat.page.reload()
    expect(chat.root.get_by_role("button", name="Ask the virtual nurse 2 new")).to_be_visible()
    gateway.say("Call 999", kind="emergency")
    expect(chat.root.get_by_role("button", name="urgent message")).to_be_visible()
    expect(chat.spoken("assertive")).to_contain_text("Call 999")
    chat.open()
    expect(chat.root.locator(".badge")).to_be_hidden()


def test_hostile_text_stays_text(gateway, visit):
    hostile = ['<img src=x onerror="window.hacked=1">', "<script>window.hacked=1</script>",
               "[click](javascript:window.hacked=1) javascript:alert(1)", "https://evil.example/a data:text/html,x",
               "call 0900 123456", '"><svg onload=window.hacked=1>']
    chat = Chat(visit()).open()
    gateway.reply = lambda house, talk, text: house.say(text, talk)
    for text in hostile:
        chat.say(text).all_sent()
    chat.sees(*[text for text in hostile for _ in range(2)])
    gateway.say("x", author="clinician", name="<b onclick=hacked()>Amy</b>", choices=["<i>yes</i>"])
    expect(chat.button("<i>yes</i>")).to_be_visible()
    assert chat.page.evaluate("window.hacked") is None
    assert chat.root.locator(".bubble a, .bubble img, .bubble script, .bubble svg, .meta b b").count() == 0


def test_disguised_text_is_shown_plainly(gateway, visit):
    chat = Chat(visit()).open().say("start").all_sent()
    gateway.say("safe\u202egnp.exe\u202c che\u200bst \u0000pain", choices=["ye\u202es"])
    expect(chat.messages.last).to_have_text("safegnp.exe chest pain")
    assert chat.messages.last.evaluate("node => getComputedStyle(node).unicodeBidi") == "isolate"
    expect(chat.root.locator(".choice")).to_have_text("yes")


def test_links_only_to_known_numbers_and_places(gateway, visit):
    chat = Chat(visit()).open().say("start").all_sent()
    gateway.say(f"See {gateway.url}/leaflet. Or https://evil.example/x or phone 020 7946 0100, "
                f"or Samaritans on 116 123, not 9991 or {gateway.url}.evil.example/")
    links = chat.messages.last.locator("a")
    expect(links).to_have_count(3)
    assert [link.get_attribute("href") for link in links.all()] == [
        f"{gateway.url}/leaflet", "tel:02079460100", "tel:116123"]


def test_talk_to_a_person_is_always_there(gateway, visit):
    chat = Chat(visit()).open()
    chat.button("Talk to a person").click()
    chat.sees("I want to talk to a person").all_sent()
    assert gateway.patient_texts() == ["I want to talk to a person"]


def test_clear_and_end_asks_first(gateway, visit):
    chat = Chat(visit()).open().say("secret").all_sent()
    chat.button("More options").click()
    chat.button("Clear and end chat").click()
    expect(chat.button("Keep chatting")).to_be_focused()
    chat.button("Keep chatting").click()
    chat.sees("secret")
    chat.button("More options").click()
    chat.button("Clear and end chat").click()
    chat.button("Clear and end").click()
    expect(chat.button("Start a new chat")).to_be_focused()
    chat.sees()
    chat.page.wait_for_timeout(100)
    assert gateway.talk.ended
    assert chat.page.evaluate("JSON.stringify(sessionStorage)") == "{}"
    chat.button("Start a new chat").click()
    chat.say("again").all_sent().sees("again")
    assert len(gateway.talks) == 2


def test_clear_and_end_without_a_server_is_honest(gateway, visit):
    chat = Chat(visit()).open().say("secret").all_sent()
    gateway.stop()
    chat.button("More options").click()
    chat.button("Clear and end chat").click()
    chat.button("Clear and end").click()
    expect(chat.root.get_by_text("The clinic could not be told")).to_be_visible()
    chat.sees()


def test_quick_exit_leaves_nothing_behind(gateway, visit):
    gateway.pages["/weather"] = "<!doctype html><title>Weather</title><h1>Weather</h1>"
    page = visit()
    chat = Chat(page).open().say("secret").all_sent()
    before = page.evaluate("history.length")
    chat.button("Leave quickly").click()
    page.wait_for_url("**/weather")
    assert page.evaluate("history.length") == before  # Back does not lead to the chat
    assert page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])") == "[{},{}]"
    page.wait_for_timeout(100)
    assert gateway.talk.ended


def test_the_transcript_can_be_saved(gateway, visit):
    gateway.reply = lambda house, talk, text: house.say(ADVICE, talk, kind="emergency")
    page = visit()
    chat = Chat(page).open().say("my chest").all_sent()
    expect(chat.messages).to_have_count(2)
    chat.button("More options").click()
    with page.expect_download() as download:
        chat.button("Save a copy").click()
    assert download.value.suggested_filename.endswith(".txt")
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert "Riverside Clinic" in saved and "You: my chest" in saved and "Sit down." in saved
    assert saved.index("my chest") < saved.index("Call 999 now")


def test_the_transcript_can_be_printed_alone(gateway, visit):
    page = visit()
    chat = Chat(page).open().say("my chest").all_sent()
    page.evaluate("""() => {
      const describe = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "contentWindow");
      Object.defineProperty(HTMLIFrameElement.prototype, "contentWindow", {get() {
        const view = describe.get.call(this);
        view.print = () => {
          window.printed = view.document.body.innerText;
          view.dispatchEvent(new Event("afterprint"));
        };
        return view;
      }});
    }""")
    chat.button("More options").click()
    chat.button("Print").click()
    assert "You: my chest" in page.evaluate("window.printed")
    expect(chat.root.locator("iframe")).to_have_count(0)


def test_larger_text_lasts(gateway, visit):
    chat = Chat(visit()).open()
    before = chat.input.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    chat.button("More options").click()
    chat.button("Larger text").click()
    expect(chat.button("Larger text")).to_have_attribute("aria-pressed", "true")
    chat.page.reload()
    chat.open()
    assert chat.input.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= before * 1.2


def test_without_any_server_there_is_a_number_to_call(gateway, visit):
    page = visit()
    gateway.stop()
    chat = Chat(page).open()
    card = chat.root.get_by_role("group", name="We cannot reach the chat just now")
    expect(card.get_by_role("link", name="Call 999")).to_have_attribute("href", "tel:999")
    expect(card.get_by_role("link", name="Phone the clinic")).to_have_attribute("href", "tel:02079460100")
    expect(chat.spoken("status")).to_contain_text("Call 999")
    chat.say("are you there")
    gateway.start()
    expect(card).to_be_hidden()
    chat.all_sent()
    expect(chat.spoken("status")).to_contain_text("Connected again")


def test_it_works_where_storage_is_forbidden(gateway, visit, browser):
    page = visit()
    page.add_init_script("for (const name of ['localStorage', 'sessionStorage']) "
                         "Object.defineProperty(window, name, {get() { throw new DOMException('no') }})")
    page.reload()
    Chat(page).open().say("hello").all_sent().sees("hello")


def test_colours_follow_the_page(gateway, visit):
    page = visit()
    page.evaluate("document.querySelector('careline-chat').setAttribute('theme', 'dark')")
    dark = Chat(page).launcher.evaluate("node => getComputedStyle(node).backgroundColor")
    page.evaluate("document.querySelector('careline-chat').removeAttribute('theme')")
    light = Chat(page).launcher.evaluate("node => getComputedStyle(node).backgroundColor")
    assert dark != light
    page.evaluate("document.documentElement.style.setProperty('--careline-accent', 'rgb(75, 0, 130)')")
    assert Chat(page).launcher.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(75, 0, 130)"


def test_a_session_about_to_end_warns(gateway, visit):
    gateway.lifetime = timedelta(seconds=121)
    chat = Chat(visit()).open()
    expect(chat.messages.last).to_contain_text("This chat may close at")


def test_the_clinic_page_opens_the_chat(gateway, visit):
    page = visit("/")
    page.get_by_role("main").get_by_role("button", name="Ask the virtual nurse").click()
    expect(Chat(page).input).to_be_focused()
    expect(page).to_have_title("Riverside Clinic")


def test_the_simulated_phone_sends_and_gets_texts(gateway, visit):
    page = visit("/phone")
    page.get_by_label("Text message", exact=True).fill("HELP")
    page.keyboard.press("Enter")
    expect(page.locator(".out")).to_have_text("HELP")
    expect(page.locator(".in")).to_have_text("Thanks. A nurse will read this.")
    gateway.texts_sent.append({"id": 3, "number": "+447700900123", "direction": "in", "status": "delivered",
                               "at": "2026-01-01T10:00:00+00:00", "body": "<b>Take</b> your tablet?"})
    expect(page.locator(".in").last).to_have_text("<b>Take</b> your tablet?")
    page.get_by_label("This phone's number").fill("+447700900456")
    page.get_by_role("button", name="Use").click()
    expect(page.locator(".text")).to_have_count(0)
    expect(page.locator("#me")).to_have_text("+447700900456")
