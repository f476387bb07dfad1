"""The fixtures of the scripts' own tests: a fake server, a page that must stay without errors."""

from tests.browser.static.driving import page, site

__all__ = ["page", "site"]
