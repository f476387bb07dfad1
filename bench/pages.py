"""Pages of a whole company: the list of orders, a customer with 10,000 documents, 500 products with their stock.

`manage.py demo` makes the company of `ORDERS` sales orders once; it is used again until the program changes.
"""

from __future__ import annotations

import gzip
import os
import time
from statistics import median, quantiles
from urllib.parse import urlencode

from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from harness import database, results
from harness.results import Figure
from harness.web import Browser, rate, seconds, server

from config.management.commands.demo import PASSWORD
from crm.customers.models import Customer
from erp.inventory.availability import availability
from erp.inventory.models import Product
from erp.sales.models import SalesOrder
from kit.pages.panels import panels
from oa.organisation.models import User

ORDERS = int(os.environ.get("ORDERS") or 200_000)
DOCUMENTS, ROUNDS, CLIENTS, ROWS = 10_000, 100, 4, 50
LIST = f"/sales/orders/?size={ROWS}"
TARGET = {"HX-Request": "true", "HX-Target": "list"}  # what filters, sorting and turning pages ask for
# All kinds of documents of one customer; the rows of the ledgers that belong to them go along.
KINDS = ("salesorder", "delivery", "invoice", "payment")
_LOADED = """UPDATE erp_{kind} SET customer_id = %(customer)s WHERE id IN
    (SELECT id FROM erp_{kind} WHERE customer_id IS NOT NULL ORDER BY id DESC LIMIT %(share)s)"""
_ITEMS = """UPDATE erp_openitem i SET customer_id = d.customer_id FROM erp_invoice d
    WHERE i.source = 'erp.invoice' AND i.source_id = d.id AND i.customer_id <> d.customer_id"""


def main() -> None:
    """Make or find the company, then ask for its pages over HTTP."""
    database.kept("pages", ORDERS, make)
    print(f"{SalesOrder.objects.count():,} orders")
    customer = Customer.objects.get(pk=SalesOrder.objects.order_by("-pk")[0].customer_id)
    with server() as port:
        browser = Browser(port, "admin", PASSWORD)
        figures = [*lists(browser, port), *customer_page(browser, customer), *stock()]
        archetypes(port, customer)
    results.keep(figures)


def make() -> None:
    """The company, and one customer with whom a tenth of a percent of the others' documents was done."""
    call_command("demo", orders=ORDERS)
    customer = SalesOrder.objects.order_by("-pk").values_list("customer", flat=True)[0]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for kind in KINDS:
            cursor.execute(_LOADED.format(kind=kind), {"customer": customer, "share": DOCUMENTS // len(KINDS)})
        cursor.execute(_ITEMS)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")


def lists(browser: Browser, port: int) -> list[Figure]:
    """The list of orders as it opens and as people look into it; the first one also by several people at once."""
    given = {
        "plain": "", "sorted by total": "&sort=-total", "open ones": "&view=confirmed", "mine": "&view=mine",
        "two characters": "&" + urlencode({"q": "精密"}), "initials": "&q=jm", "a number": "&q=0042",
        "far behind": "&page=150",
    }  # fmt: skip
    paths = {name: LIST + more for name, more in given.items()}
    whole = seconds(browser, list(paths.values()), ROUNDS // 4)
    parts = seconds(browser, list(paths.values()), ROUNDS, **TARGET)
    for name, path in paths.items():
        ours = parts[path]
        print(f"list, {name:18}{_ms(ours):8.1f} ms, p95 {_p95(ours):8.1f}, the whole page {_ms(whole[path]):8.1f}")
    people = [Browser(port, "admin", PASSWORD) for _ in range(CLIENTS)]
    plain, named = _ms(parts[paths["plain"]]), _ms(parts[paths["two characters"]])
    return [
        Figure("list_p50", plain, "ms", None, 9, 5),
        Figure("list_rps", rate(people, LIST, ROUNDS, **TARGET), "requests/s", None, 0, 400),
        Figure("list_name_filter_p50", named, "ms", None, 15, plain * 1.3),
    ]


def customer_page(browser: Browser, customer: Customer) -> list[Figure]:
    """The page of a customer with `DOCUMENTS` documents, whole."""
    path = f"/crm/customers/{customer.code}/"
    taken = seconds(browser, [path], ROUNDS)[path]
    print(f"customer page {_ms(taken):8.1f} ms")
    return [Figure("customer_page_p95", _p95(taken), "ms", None, 300, 120)]


def archetypes(port: int, customer: Customer) -> None:
    """The pages people look at all day, for who sees everything and for sales: size as sent, and times."""
    for who in ("admin", "sales"):
        user = User.objects.get(username=who)
        order = SalesOrder.objects.visible_to(user).filter(state="confirmed").order_by("-pk")[0]
        known = customer if who == "admin" else Customer.objects.visible_to(user).order_by("-pk")[0]
        cards = [f"/?card={panel.name}" for panel in panels["desk"] if panel.name != "to-receive" or who == "admin"]
        paths = ["/", *cards, "/todo/", f"/sales/orders/{order.number}/", f"/crm/customers/{known.code}/",
                 "/sales/orders/new/", "/tasks/board/", "/search/?q=jm", "/ui/counters/"]  # fmt: skip
        browser = Browser(port, who, PASSWORD)
        for path in paths:
            headers = {"HX-Request": "true", "HX-Target": "combo"} if path.startswith("/search/") else {}
            taken = seconds(browser, [path], ROUNDS // 4, **headers)[path]
            sent = len(gzip.compress(browser.get(path, **headers).encode())) / 1024
            print(f"{who:6} {path:34}{sent:6.1f} kB{_ms(taken):8.1f} ms, p95 {_p95(taken):8.1f}")


def stock() -> list[Figure]:
    """What is on hand, reserved and coming of 500 products, as the list of products shows it."""
    products = list(Product.objects.filter(kind="goods").order_by("code").values_list("pk", flat=True)[:500])
    taken = []
    for _turn in range(ROUNDS):
        start = time.perf_counter()
        found = availability(products)
        taken.append(time.perf_counter() - start)
    with CaptureQueriesContext(connection) as statements:
        availability(products)
    print(f"{len(found)} products with stock and forecast in {len(statements)} statements")
    return [Figure("products_500", _ms(taken), "ms", None, 25, 10)]


def _ms(taken: list[float]) -> float:
    return median(taken) * 1000


def _p95(taken: list[float]) -> float:
    return quantiles(taken, n=20)[-1] * 1000


if __name__ == "__main__":
    main()
