"""Browser tests run in the Chromium of the system; where there is none they are skipped, on CI they fail."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

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


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """A desktop in the local time zone; tests that look at other sizes or languages make their own context."""
    return {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "timezone_id": "Asia/Shanghai"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder carries the mark `browser`."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
