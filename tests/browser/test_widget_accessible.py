"""WCAG 2.2 AA: axe finds nothing in any state, and a keyboard is enough."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat
from tests.browser.conftest import bare

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True}


def clean(page: Page) -> None:
    """axe finds nothing."""
    page.wait_for_timeout(250)  # the opening animation changes colours
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"]
    assert not [(rule["id"], [node["html"][:160] for node in rule["nodes"]]) for rule in found]


def conversation(gateway, chat: Chat) -> None:
    gateway.say("Hello.\n\n- one\n- two", choices=["Yes", "No"])
    chat.button("Yes").click()
    gateway.say("And this?", choices=["Now", "Later"])
    gateway.say("Amy here", author="clinician", name="Nurse Amy")
    gateway.say("A nurse was told.", author="system", kind="notice")
    gateway.say("Call 999 now.", kind="emergency")
    expect(chat.root.locator(".alert")).to_be_visible()


@pytest.mark.parametrize("options", [
    {}, {"color_scheme": "dark"}, PHONE, {**PHONE, "color_scheme": "dark"}, {"forced_colors": "active"},
    {"viewport": {"width": 320, "height": 256}}, {"reduced_motion": "reduce"},
], ids=["desktop", "dark", "320px", "320px-dark", "forced-colours", "zoom-400", "still"])
def test_axe_in_every_state(gateway, visit, options):
    page = visit(**options)
    if not options:
        clean(page)
    chat = Chat(page).open()
    page.wait_for_timeout(100)
    conversation(gateway, chat)
    gateway.set(typing=True)
    chat.button("More options").click()
    clean(page)
    chat.button("Clear and end chat").click()
    if not options:
        clean(page)
    chat.button("Keep chatting").click()
    gateway.refuse = [(422, {"error": {"code": "too_long", "message": "Too long."}})]
    chat.say("refused")
    expect(chat.button("Edit and try again")).to_be_visible()
    page.context.set_offline(True)
    chat.say("queued")
    expect(chat.root.locator(".off")).to_be_visible()
    clean(page)
    page.context.set_offline(False)


def test_axe_right_to_left_and_ended(gateway, visit):
    gateway.pages["/rtl"] = bare(html='lang="ar"')
    chat = Chat(visit("/rtl")).open()
    assert chat.root.locator(".root").get_attribute("dir") == "rtl"
    assert chat.launcher.bounding_box()["x"] < 200
    conversation(gateway, chat)
    clean(chat.page)
    chat.button("More options").click()
    chat.button("Clear and end chat").click()
    chat.button("Clear and end").click()
    expect(chat.button("Start a new chat")).to_be_visible()
    clean(chat.page)


@pytest.mark.parametrize("path", ["/", "/phone"])
def test_axe_on_the_demo_pages(visit, path):
    clean(visit(path))


def test_a_whole_chat_by_keyboard(gateway, visit):
    gateway.greeting = {"text": "How can I help?", "choices": ["Symptoms", "Appointment"]}
    page = visit()
    chat = Chat(page)
    press = page.keyboard.press
    page.locator("#before").focus()
    press("Tab")
    expect(chat.launcher).to_be_focused()
    expect(chat.launcher).to_have_attribute("aria-expanded", "false")
    press("Enter")
    expect(chat.input).to_be_focused()
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    expect(chat.button("Appointment")).to_be_visible()
    press("Shift+Tab")
    expect(chat.button("Appointment")).to_be_focused()
    press("Enter")
    chat.all_sent()
    press("Tab")
    page.keyboard.type("next week")
    press("Shift+Enter")
    page.keyboard.type("please")
    press("Enter")
    chat.all_sent()
    assert gateway.patient_texts() == ["Appointment", "next week\nplease"]
    chat.button("More options").focus()
    press("Enter")
    expect(chat.button("Larger text")).to_be_focused()
    press("Escape")
    expect(chat.button("More options")).to_be_focused()
    expect(chat.button("More options")).to_have_attribute("aria-expanded", "false")
    press("Escape")
    expect(chat.launcher).to_be_focused()
    expect(chat.root.locator("dialog")).to_be_hidden()


def test_a_desktop_panel_does_not_hold_the_focus(gateway, visit):
    gateway.pages["/bare"] = bare(more='<button id="other">Other</button>')
    page = visit()
    Chat(page).open()
    page.locator("#other").click()
    expect(page.locator("#other")).to_be_focused()


def test_a_phone_screen_is_a_modal_dialog(gateway, visit):
    page = visit(**PHONE)
    chat = Chat(page).open()
    dialog = chat.root.get_by_role("dialog", name="Virtual nurse")
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 640}
    assert dialog.evaluate("node => node.matches(':modal')")
    page.evaluate("document.querySelector('#before').focus()")  # inert: refuses
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.localName") in {"careline-chat", "body"}
    gateway.say("Hello there")
    expect(chat.root.locator("dialog [aria-live=polite]:not([role])")).to_contain_text("Hello there")
    chat.input.press("Escape")
    expect(chat.launcher).to_be_focused()
    page.locator("#before").focus()
    expect(page.locator("#before")).to_be_focused()


def test_a_turned_phone_keeps_the_chat_and_the_draft(visit):
    page = visit(**PHONE)
    chat = Chat(page).open()
    chat.input.fill("draft")
    page.set_viewport_size({"width": 1000, "height": 700})
    expect(chat.root.locator("dialog:not(:modal)")).to_be_visible()
    expect(chat.input).to_be_focused()
    assert chat.input.input_value() == "draft"
    page.set_viewport_size({"width": 320, "height": 640})
    expect(chat.root.locator("dialog:modal")).to_be_visible()
    expect(chat.input).to_have_value("draft")


def test_nothing_scrolls_sideways_at_320_pixels(gateway, visit):
    chat = Chat(visit(**PHONE)).open()
    chat.page.wait_for_timeout(100)
    conversation(gateway, chat)
    gateway.say("Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichenhersteller " + "x" * 200)
    chat.button("More options").click()
    chat.button("Larger text").click()
    for part in ("dialog", ".log"):
        assert chat.root.locator(part).evaluate("node => node.scrollWidth <= node.clientWidth"), part


def test_targets_are_large_enough(gateway, visit):
    chat = Chat(visit()).open()
    conversation(gateway, chat)
    chat.button("More options").click()
    for target in chat.root.locator("button:visible").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 40, target.text_content()


def test_a_message_never_takes_the_focus_and_offers_the_way_down(gateway, visit):
    chat = Chat(visit()).open()
    chat.page.wait_for_timeout(100)
    for number in range(12):
        gateway.say(f"message {number}\n\nwith two lines")
    expect(chat.messages).to_have_count(12)
    chat.root.locator(".log").focus()
    chat.page.keyboard.press("Home")
    chat.page.wait_for_timeout(150)
    gateway.say("the newest")
    expect(chat.button("New messages")).to_be_visible()
    expect(chat.root.locator(".log")).to_be_focused()
    chat.button("New messages").click()
    expect(chat.messages.last).to_be_in_viewport()
    expect(chat.button("New messages")).to_be_hidden()


def test_live_regions_are_there_before_their_words(visit):
    page = visit()
    chat = Chat(page)
    for live in ("polite", "assertive", "status"):
        expect(chat.spoken(live)).to_have_count(1)
        assert chat.spoken(live).text_content() == ""
    chat.open()
    expect(chat.root.get_by_role("log", name="Messages")).to_have_attribute("aria-live", "off")
