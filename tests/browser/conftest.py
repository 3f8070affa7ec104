"""A browser before the real pages: the whole server in a process of its own, Chromium in another.

What the pages say on their console, or try against the content policy, fails the test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.testing import ChannelsLiveServerTestCase
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.dashboard import market
from tests.factories import UserFactory

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's own loop runs in the test's thread

PASSWORD = "correct horse battery"
#: Without a socket a page asks every 5 s.
WAIT_MS = 12_000
expect.set_options(timeout=WAIT_MS)
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Site(ChannelsLiveServerTestCase):
    """The running server."""

    def runTest(self) -> None:  # noqa: N802 - the library's name
        """Nothing: pytest runs the tests."""


@pytest.fixture(scope="module")
def chromium(chromium_path: Path) -> Iterator[Browser]:
    """Start Chromium for a module's tests: while it runs, Playwright's loop keeps tests with loops of their own out."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium_path), args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def site(transactional_db) -> Iterator[str]:
    """Start the server on the test's database and return its address."""
    Site.setUpClass()
    try:
        yield str(Site().live_server_url)
    finally:
        Site.tearDownClass()


@pytest.fixture
def life(site: str) -> dict[str, Any]:
    """A market with a bit of everything, and an administrator."""
    UserFactory(username="ada", password=PASSWORD, admin=True)
    return market.life()


class Visit:
    """One browser window with everything it complained about."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.site = site
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.set_default_timeout(WAIT_MS)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def go(self, path: str) -> Page:
        """Open a page of the site."""
        self.page.goto(self.site + path)
        return self.page

    def sign_in(self) -> Page:
        """Sign in as the administrator and end on the overview."""
        page = self.go("/login/")
        page.fill("#id_username", "ada")
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.site}/")
        return page


@pytest.fixture
def visit(chromium: Browser, site: str, life: dict[str, Any]) -> Iterator[Visit]:
    """A fresh window; the test fails when the page complained about anything."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    window = Visit(context, site)
    yield window
    context.close()
    assert window.complaints == []
