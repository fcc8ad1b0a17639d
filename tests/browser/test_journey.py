"""A patient in a real browser, with every process running: a symptom check, an emergency, a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat import Chat
from tests.house import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 820})
    context.set_default_timeout(15_000)
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda line: "Content Security Policy" in line.text and wrong.append(line.text))
    opened.goto(house.url("gateway") + "/")
    yield opened
    context.close()
    assert not wrong


def test_a_symptom_check_from_the_first_word_to_the_advice(page: Page) -> None:
    chat = Chat(page).open()
    expect(chat.messages.first).to_contain_text("automated assistant")
    expect(chat.messages.first).to_contain_text("999")
    chat.say("i have had a sore throat and a runny nose for 2 days")
    expect(chat.messages.filter(has_text="sore throat").last).to_be_visible()
    chat.say("i am 34, female")
    for _ in range(15):
        expect(chat.root.locator(".bubble").last).to_contain_text(re.compile(r"\?|999|next"))
        answerable = chat.root.locator("button:not([aria-disabled=true])")
        no = answerable.and_(chat.root.get_by_role("button", name="No", exact=True))
        page.wait_for_timeout(400)
        if no.count() == 0:
            break
        no.last.click()
        page.wait_for_timeout(600)
    everything = chat.root.locator(".bubble").all_inner_texts()
    said = "\n".join(everything)
    assert "Why I say this" in said, said
    assert "999" in "\n".join(everything[-4:]), "the safety net"


def test_an_emergency_is_shown_at_once_and_stands_out(page: Page) -> None:
    chat = Chat(page).open()
    chat.say("my dad has crushing chest pain and is sweating")
    advice = chat.root.get_by_role("group", name="Emergency advice")
    expect(advice).to_contain_text("Call 999 now", timeout=5000)
    expect(advice.get_by_role("link", name="Call 999")).to_be_visible()
    expect(chat.messages.filter(has_text="has been alerted")).to_be_visible()


def test_the_chat_is_still_there_after_a_reload(page: Page) -> None:
    chat = Chat(page).open()
    chat.say("hello there")
    expect(chat.messages.nth(2)).to_be_visible()
    page.reload()
    expect(Chat(page).root.get_by_text("hello there")).to_be_attached()


def test_a_clinician_takes_the_chat_over_writes_and_hands_it_back(page: Page, browser: Browser, house: House) -> None:
    chat = Chat(page).open()
    chat.say("my uncle has crushing chest pain and is sweating")
    expect(chat.messages.filter(has_text="has been alerted")).to_be_visible()

    context = browser.new_context(viewport={"width": 1300, "height": 900})
    context.set_default_timeout(15_000)
    desk = context.new_page()
    desk.goto(house.url("desk") + "/")
    desk.get_by_label("User name").fill("demo")
    desk.get_by_label("Password").fill(house.secret("CARELINE_DEMO_PASSWORD"))
    desk.get_by_role("button", name="Sign in").click()
    first = desk.get_by_role("listitem").filter(has_text="my uncle").first
    first.get_by_role("link").click()
    desk.get_by_role("button", name=re.compile("take over", re.I)).click()
    expect(chat.root.get_by_text("has joined").first).to_be_attached()

    desk.get_by_label("Your reply to the patient").fill("Hello, I am the nurse. Is the ambulance on its way?")
    desk.get_by_role("button", name="Send").click()
    expect(chat.messages.last).to_contain_text("Is the ambulance on its way?")

    before = chat.messages.count()
    chat.say("yes they are coming, what are your opening hours?")
    expect(desk.get_by_role("log", name="Messages")).to_contain_text("they are coming")
    page.wait_for_timeout(2500)
    assert chat.messages.count() == before + 1, "while a human has it, the assistant is silent"

    chat.say("now he cant breathe and is going blue")
    expect(chat.root.get_by_role("group", name="Emergency advice").nth(1)).to_be_visible()

    desk.get_by_role("button", name=re.compile("hand back", re.I)).click()
    back = re.compile("automated assistant again|back with the automated", re.I)
    expect(chat.root.get_by_text(back).first).to_be_attached()
    chat.say("what are your opening hours?")
    expect(chat.messages.last).to_contain_text("8")
    context.close()
