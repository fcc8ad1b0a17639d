"""A real Chromium for the browser tests, and a small gateway of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.fake_gateway import FakeGateway

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def chromium() -> str | None:
    """Where Chromium is: CHROMIUM, the path, Debian's place, or what `playwright install chromium` fetched."""
    fetched = sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"), reverse=True)
    installed = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    places = [os.environ.get("CHROMIUM"), *installed, *fetched]
    return next((str(place) for place in places if place and Path(place).is_file()), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: apt-get install chromium, or set CHROMIUM")
        pytest.skip("Chromium is missing: apt-get install chromium, or set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    gateway = FakeGateway().start()
    gateway.pages["/bare"] = bare()
    yield gateway
    gateway.calm()
    gateway.stop()


def bare(attributes: str = "", html: str = 'lang="en"', more: str = "") -> str:
    """A page with the widget and little else."""
    return (f'<!doctype html><html {html}><head><meta charset="utf-8"><title>Clinic</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
            '<script src="/widget/careline-chat.js" defer></script></head><body><main><h1>Clinic</h1>'
            f'<p><a id="before" href="/bare">A link</a></p>{more}</main>'
            f"<careline-chat {attributes}></careline-chat></body></html>")


@pytest.fixture
def visit(browser: Browser, gateway: FakeGateway) -> Iterator[Callable[..., Page]]:
    """`visit("/bare", viewport=...)`: a page in a browser of its own; fails on any script error or policy violation."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def go(path: str = "/bare", page: Page | None = None, **options: Any) -> Page:
        if page is None:
            context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
            context.set_default_timeout(6000)
            contexts.append(context)
            page = context.new_page()
        watch(page)
        page.goto(gateway.url + path)
        return page

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: "Content Security Policy" in line.text and wrong.append(line.text))

    yield go
    for context in contexts:
        context.close()
    assert not wrong
