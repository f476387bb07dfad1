"""Procure to pay: one order of 10 lines by the services, against plain psycopg and our own order to cash."""

from __future__ import annotations

import os

from harness import database, results
from harness.company import open_shop
from harness.measure import alternate, rows_of, statements
from harness.purchases import PlainPurchases, ServicePurchases
from harness.results import Figure
from harness.sales import ServiceSales
from harness.verify import verify_books

LINES = 10
WARM, ROUNDS = 10, int(os.environ.get("ROUNDS") or 60)


def main() -> None:
    """Run, print, keep."""
    database.fresh("procure_to_pay")
    shop = open_shop()
    services, plain, sales = ServicePurchases(shop), PlainPurchases(shop), ServiceSales(shop)
    ours, theirs, cash = alternate([services, plain, sales], LINES, warm=WARM, rounds=ROUNDS)
    print(f"procure to pay, {LINES} lines, median of {ROUNDS} after {WARM}, in alternation")
    results.show_times(ours, theirs)
    print(f"our own order to cash meanwhile: {cash.wall() * 1000:.1f} ms, CPU {cash.cpu * 1000:.1f} ms")
    counts = {lines: statements(services, lines) for lines in (2, LINES, 100)}
    results.show_statements(counts, statements(plain, LINES))
    results.show_rows(rows_of(services, LINES), rows_of(plain, LINES))
    results.keep([Figure("procure_to_pay", ours.wall() * 1000, "ms", ours.wall() / cash.wall(), 1.1, 1)])
    plain.connection.close()
    verify_books()


if __name__ == "__main__":
    main()
