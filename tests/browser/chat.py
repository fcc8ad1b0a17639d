"""What a patient does with the widget, in their words."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class Chat:
    """The widget on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("careline-chat")

    @property
    def launcher(self) -> Locator:
        return self.root.locator(".launcher")

    @property
    def input(self) -> Locator:
        return self.root.get_by_label("Your message")

    @property
    def messages(self) -> Locator:
        return self.root.locator(".bubble")

    def open(self) -> Chat:
        self.launcher.click()
        expect(self.input).to_be_focused()
        return self

    def say(self, text: str) -> Chat:
        self.input.fill(text)
        self.input.press("Enter")
        return self

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name)

    def sees(self, *texts: str) -> Chat:
        """Exactly these messages, in this order."""
        expect(self.messages).to_have_text(list(texts))
        return self

    def all_sent(self) -> Chat:
        expect(self.root.locator(".note")).to_have_count(0)
        return self

    def spoken(self, live: str) -> Locator:
        """What a live region says: polite, assertive or status."""
        return self.root.locator("[role=status]" if live == "status" else f"[aria-live={live}]:not([role])")
