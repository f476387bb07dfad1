"""The fixtures of the scripts' own tests: a fake server, a browser, a page that must stay without errors."""

from tests.browser.static.driving import browser, page, site

__all__ = ["browser", "page", "site"]
