"""Order to cash: one order of 10 lines by the services against plain psycopg writing the same rows."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

from harness import database, results
from harness.company import Shop, open_shop
from harness.measure import Road, alternate, rows_of, statements
from harness.parallel import Comparison, compare
from harness.results import Figure
from harness.sales import PlainSales, ServiceSales
from harness.verify import verify_books

LINES = 10
PRODUCTS = 1000  # of which every order takes ten by chance
WARM, ROUNDS = 10, int(os.environ.get("ROUNDS") or 60)
CLIENTS, SECONDS, TURNS = 8, float(os.environ.get("SECONDS") or 3), 5


def main() -> None:
    """Run, print, keep."""
    database.fresh("order_to_cash")
    shop = open_shop(products=PRODUCTS)
    services, plain = ServiceSales(shop), PlainSales(shop)
    ours, theirs = alternate([services, plain], LINES, warm=WARM, rounds=ROUNDS)
    print(f"order to cash, {LINES} lines, median of {ROUNDS} after {WARM}, in alternation")
    results.show_times(ours, theirs)
    counts = {lines: statements(services, lines) for lines in (2, LINES, 100)}
    results.show_statements(counts, statements(plain, LINES))
    rows, same = rows_of(services, LINES), rows_of(plain, LINES)
    results.show_rows(rows, same)
    plain.connection.close()
    few, many = sum(counts[LINES].values()), sum(counts[100].values())
    figures = [
        Figure("order_to_cash", ours.wall() * 1000, "ms", ours.wall() / theirs.wall(), 8, 5),
        Figure("order_to_cash_cpu", ours.cpu * 1000, "ms", ours.cpu / theirs.cpu, 8, 5),
        Figure("statements_10", few, "statements", None, 80, 60),
        Figure("statements_100", many, "statements", many / few, 1, 1),
        Figure("rows_inserted", rows.inserted.total(), "rows", None, 160, 100),
    ]
    results.keep([*figures, parallel(shop)])
    verify_books()


def client(shop: Shop, number: int) -> Road:
    """The road of one of several clients: a customer of its own, the same products."""
    road = ServiceSales(shop, partner=number)
    road.chance.seed(number)
    return road


def parallel(shop: Shop) -> Figure:
    """Eight clients against one; nothing may be refused. The worst case, all selling the same goods, is shown too."""
    found = _compare(shop, "10 of 1000 products")
    _compare(replace(shop, products=shop.products[:LINES]), "all the same 10 products")
    return Figure("parallel_8", found.many.per_second, "orders/s", found.ratio, 1.5, 1.8)


def _compare(shop: Shop, what: str) -> Comparison:
    found = compare(partial(client, shop), CLIENTS, LINES, seconds=SECONDS, turns=TURNS)
    for name, rate in (("1 client", found.one), (f"{CLIENTS} clients", found.many)):
        print(f"{what}: {name} {rate.per_second:.1f} orders/s, {rate.cpu * 1000:.0f} ms CPU each")
    print(f"{what}: ratio {found.ratio:.2f}, the median of {TURNS} turns")
    errors = [*found.one.errors, *found.many.errors]
    if errors:
        raise SystemExit("Clients disturbed one another:\n" + "\n".join(errors))
    return found


if __name__ == "__main__":
    main()
