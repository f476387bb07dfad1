"""The pictures of docs/img, in both languages, from the demo company. Start `make run`, then:

.venv/bin/python tests/browser/screens.py [--base http://127.0.0.1:8000] [--user admin] [--out docs/img]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from conftest import FLAGS, chromium

LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
SIZE = {"width": 1440, "height": 900}
LARGEST = 300_000  # bytes of a picture
CUSTOMER, DEBTOR = "/crm/customers/C-00001/", "/crm/customers/C-00003/"


def desk(page: Page) -> None:
    """What waits for me."""
    page.goto("/")


def orders(page: Page) -> None:
    """The list of orders."""
    page.goto("/sales/orders/")


def order(page: Page) -> None:
    """An order that is delivered in part, so that there is something to see of what followed."""
    page.goto("/sales/orders/?goods_status=partial")
    if not page.locator("tbody tr").count():
        page.goto("/sales/orders/?view=confirmed")
    page.locator("tbody tr").last.locator("a").first.click()
    page.locator(".steps").wait_for()


def order_form(page: Page) -> None:
    """A new order while its third line is being typed."""
    page.goto(CUSTOMER)
    page.locator("[data-name=new-order]:visible").click()
    page.locator("[name=lines-0-product_text]").click()
    for code, quantity in (("LM-65-500", "4"), ("SV-750W", "12")):
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        page.keyboard.type(quantity)
        for _cell in range(3):
            page.keyboard.press("Enter")
    page.keyboard.type("GR")
    page.locator(".ac .o").first.wait_for()
    page.wait_for_timeout(1500)


def customer(page: Page) -> None:
    """The page of a customer who owes us something."""
    page.goto(DEBTOR)


def report(page: Page) -> None:
    """Sales of the year by month."""
    page.goto("/reports/sales/")


SCREENS: dict[str, Callable[[Page], None]] = {
    "desk": desk,
    "list": orders,
    "order": order,
    "order-form": order_form,
    "customer": customer,
    "report": report,
}


def shoot(page: Page, file: Path) -> None:
    """One picture of the window, without a blinking cursor."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file, animations="disabled", caret="hide")
    print(f"{file} {file.stat().st_size // 1000} kB")
    if file.stat().st_size > LARGEST:
        sys.exit(f"{file} is larger than {LARGEST // 1000} kB.")


def log_in(page: Page, user: str, password: str) -> None:
    """By the form."""
    page.locator("#id_username").fill(user)
    page.locator("#id_password").fill(password)
    page.locator("main form .bt.pri").click()
    page.wait_for_url(lambda url: "/login/" not in url)


def main(given: Any) -> None:
    """All pictures in both languages."""
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name, locale in LANGUAGES.items():
            context = browser.new_context(
                base_url=given.base, locale=locale, viewport=SIZE, color_scheme="light", timezone_id="Asia/Shanghai"
            )
            page = context.new_page()
            page.goto("/login/")
            shoot(page, given.out / f"login.{name}.png")
            log_in(page, given.user, given.password)
            for screen, show in SCREENS.items():
                show(page)
                shoot(page, given.out / f"{screen}.{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--base", default="http://127.0.0.1:8000")
    options.add_argument("--user", default="admin")
    options.add_argument("--password", default="demo")
    options.add_argument("--out", type=Path, default=Path("docs/img"))
    main(options.parse_args())
