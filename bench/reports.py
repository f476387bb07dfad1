"""Reads on a large ledger: the trial balance and stock on hand, at a size and at a tenth of it.

The rows are loaded by SQL with the triggers off; `ORDERS` is the number of journal lines and of stock moves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

from django.db import connection
from harness import database, results
from harness.company import open_shop
from harness.results import Figure

from erp.finance.context import ensure_fiscal_year
from erp.finance.reports.balances import balances
from erp.inventory.reports import StockOnHand
from kit.exchange.reports import SYSTEM

SIZE = int(os.environ.get("ORDERS") or 200_000)
PRODUCTS, REPEATS, GROWTH = 500, 15, 10

_ENTRIES = """
INSERT INTO erp_journalentry (journal_id, period_id, sequence, number, date, memo, source, source_id, source_number,
    purpose, line_count, total, posted_at)
SELECT j.id, p.id, g, 'BENCH-' || g, p.start, '', 'bench', g, '', 'post', 2, 100 + g %% 900, now()
  FROM generate_series(%(first)s::int, %(last)s::int) g, erp_journal j, periods p
 WHERE j.code = 'GEN' AND p.place = g %% p.count"""
_LINES = """
INSERT INTO erp_journalline (entry_id, account_id, date, debit, credit, red, currency_id, amount, rate, memo)
SELECT e.id, a.id, e.date, CASE WHEN side = 0 THEN e.total ELSE 0 END, CASE WHEN side = 1 THEN e.total ELSE 0 END,
       false, c.id, CASE WHEN side = 0 THEN e.total ELSE -e.total END, 1, ''
  FROM erp_journalentry e, generate_series(0, 1) side, accounts a, erp_currency c
 WHERE e.source = 'bench' AND e.source_id BETWEEN %(first)s AND %(last)s AND c.code = 'CNY'
   AND a.place = (e.source_id * (side + 1) + side) %% a.count"""
_BALANCES = """
INSERT INTO erp_periodbalance (period_id, account_id, debit, credit)
SELECT e.period_id, l.account_id, sum(l.debit), sum(l.credit)
  FROM erp_journalline l JOIN erp_journalentry e ON e.id = l.entry_id GROUP BY 1, 2
    ON CONFLICT (account_id, period_id) DO UPDATE SET debit = EXCLUDED.debit, credit = EXCLUDED.credit"""
_MOVES = """
INSERT INTO erp_stockmove (product_id, warehouse_id, kind, date, quantity, value, quantity_after, value_after,
    account_id, source, source_id, source_line, number, posted_at)
SELECT s.product_id, s.warehouse_id, 'receipt', current_date, 1, 7, 1, 7, a.id, 'bench', g, g, 'BENCH', now()
  FROM generate_series(%(first)s::int, %(last)s::int) g, shelves s, accounts a
 WHERE s.place = g %% s.count AND a.place = 0"""
_PICKED = (
    """CREATE TEMP TABLE periods AS SELECT id, start, row_number() OVER (ORDER BY start) - 1 AS place,
        count(*) OVER () AS count FROM erp_period WHERE start <= current_date""",
    """CREATE TEMP TABLE accounts AS SELECT id, row_number() OVER (ORDER BY code) - 1 AS place,
        count(*) OVER () AS count FROM erp_account WHERE NOT is_group AND active""",
    """CREATE TEMP TABLE shelves AS SELECT product_id, warehouse_id, row_number() OVER (ORDER BY id) - 1 AS place,
        count(*) OVER () AS count FROM erp_stocklevel""",
)
_PLAIN_BALANCES = """
SELECT a.code, sum(b.debit - b.credit) FILTER (WHERE p.end < %(start)s), sum(b.debit), sum(b.credit)
  FROM erp_periodbalance b JOIN erp_account a ON a.id = b.account_id JOIN erp_period p ON p.id = b.period_id
 GROUP BY a.code ORDER BY a.code"""
_PLAIN_SCAN = """
SELECT a.code, sum(l.debit - l.credit) FILTER (WHERE l.date < %(start)s), sum(l.debit), sum(l.credit)
  FROM erp_journalline l JOIN erp_account a ON a.id = l.account_id GROUP BY a.code ORDER BY a.code"""
_PLAIN_STOCK = """
SELECT p.code, w.code, l.on_hand, l.value FROM erp_stocklevel l JOIN erp_product p ON p.id = l.product_id
  JOIN erp_warehouse w ON w.id = l.warehouse_id ORDER BY 1, 2"""


def main() -> None:
    """Load, measure, load until there is ten times as much, measure again."""
    database.fresh("reports")
    shop = open_shop(products=PRODUCTS, partners=1)
    for years in (1, 2):
        ensure_fiscal_year(shop.today.replace(year=shop.today.year - years, day=1))
    _run("SET session_replication_role = replica")
    for statement in _PICKED:
        _run(statement)
    few = SIZE // GROWTH
    small, large = measure(shop, 1, few), measure(shop, few + 1, SIZE)
    for name in small:
        print(f"{name:18}{small[name]:10.2f} ms at {few} lines, {large[name]:10.2f} ms at {SIZE}")
    scan = large["recomputed"] / large["plain scan"]
    results.keep([
        Figure("trial_balance", large["trial balance"], "ms", None, 10, 5),
        Figure("trial_balance_recomputed", large["recomputed"], "ms", scan, 2, 1.3),
        Figure("stock_levels", large["stock on hand"], "ms", None, 5, 2.6),
    ])  # fmt: skip


def measure(shop: Any, first: int, last: int) -> dict[str, float]:
    """Load the rows `first` to `last` (two journal lines an entry) and time every read."""
    _run(_ENTRIES, first=(first + 1) // 2, last=last // 2)
    _run(_LINES, first=(first + 1) // 2, last=last // 2)
    _run(_BALANCES)
    _run(_MOVES, first=first, last=last)
    _run("VACUUM ANALYZE")
    start, end = shop.today.replace(month=1, day=1), shop.today
    months = shop.today.replace(day=1) - timedelta(days=1)
    report = StockOnHand()
    reads: dict[str, Callable[[], Any]] = {
        "trial balance": lambda: balances(start, end, SYSTEM),
        "of whole months": lambda: balances(months.replace(month=1, day=1), months, SYSTEM),
        "recomputed": lambda: balances(start, end, SYSTEM, recompute=True),
        "stock on hand": lambda: report.rows({"as_of": None}, SYSTEM),
        "plain balances": lambda: _run(_PLAIN_BALANCES, start=start),
        "plain scan": lambda: _run(_PLAIN_SCAN, start=start),
        "plain stock": lambda: _run(_PLAIN_STOCK),
    }
    times: dict[str, list[float]] = {name: [] for name in reads}
    for _turn in range(REPEATS):
        for name, read in reads.items():
            begin = time.perf_counter()
            read()
            times[name].append(time.perf_counter() - begin)
    return {name: median(taken) * 1000 for name, taken in times.items()}


def _run(sql: str, **values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


if __name__ == "__main__":
    main()
