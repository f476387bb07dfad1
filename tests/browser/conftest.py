"""Browser tests run in the Chromium of the system; where there is none they are skipped, on CI they fail."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

PATIENCE = 60  # seconds
expect.set_options(timeout=10_000)  # as pages have for everything else
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--font-render-hinting=none",
    "--disable-background-networking",
]


def chromium() -> str | None:
    """The path of the system's browser, or what SANHE_CHROMIUM names."""
    found = (shutil.which(name) for name in NAMES)
    return os.environ.get("SANHE_CHROMIUM") or next((path for path in found if path), None)


@pytest.fixture(scope="session", autouse=True)
def browser_present() -> None:
    """Skip, or fail where a browser must be there."""
    if chromium() is None:
        reason = "no Chromium found (looked for " + ", ".join(NAMES) + ")"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_present: None) -> dict[str, Any]:
    """How pytest-playwright starts the browser."""
    return {"executable_path": chromium(), "args": FLAGS}


_running: list[Any] = []


@pytest.fixture
def browser(launch_browser: Callable[[], Any]) -> Any:
    """The browser of this process; another one after it hung."""
    if not _running:
        _running.append(launch_browser())
    return _running[0]


def close_in_time(self: Any, reason: str | None = None) -> None:
    """Close a context. Once in thousands the browser never answers to that: it is given up, the next test gets another."""
    try:
        self._sync(asyncio.wait_for(self._impl_obj.close(reason=reason), PATIENCE))
    except TimeoutError:
        _running.clear()
        with suppress(Exception):
            self._sync(asyncio.wait_for(_end(self._impl_obj.browser), PATIENCE))


async def _end(browser: Any) -> None:
    session = await browser.new_browser_cdp_session()
    await session.send("Browser.close")


BrowserContext.close = close_in_time  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """A desktop in the local time zone; tests that look at other sizes or languages make their own context."""
    return {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "timezone_id": "Asia/Shanghai"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder carries the mark `browser`."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


class Watch:
    """What a browser complains about while its pages are used: scripts, policies, answers of the server."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.expected = ["422"]  # a form that comes back with errors; a test adds what it provokes
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        expected = re.search(rf"(status of|Error Code) ({'|'.join(self.expected)})", message.text)
        if message.type == "error" and not expected:
            self.problems.append(f"{self.page.url}: {message.text}")

    def wide(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.fixture
def open_page(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Pages of the living program; at the end of the test none of them may have complained."""
    contexts: list[Any] = []
    watches: list[Watch] = []

    def make(locale: str = "en-US", width: int = 1440, user: Any = None, **options: Any) -> Any:
        phone = width < 600
        context = browser.new_context(
            base_url=live_server.url,
            locale=locale,
            timezone_id="Asia/Shanghai",
            is_mobile=phone,
            has_touch=phone,
            viewport={"width": width, "height": 844 if phone else 900},
            **options,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        watches.append(Watch(page))
        page.watch = watches[-1]
        return page

    yield make
    for context in contexts:
        context.close()
    assert [problem for watch in watches for problem in watch.problems] == []


def become(page: Any, live_server: Any, user: Any) -> None:
    """Go on as somebody else, on no page: what the last one still wanted would come without a session."""
    page.wait_for_load_state("networkidle")
    page.goto("about:blank")
    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(user, live_server.url)])


def session_cookie(user: Any, url: str) -> Any:
    """The cookie of somebody who is logged in, without the detour over the form."""
    settings = import_module("django.conf").settings
    client = import_module("django.test").Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}
