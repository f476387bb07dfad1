"""Plain psycopg 3 writing what the services write, with hand-written statements of many rows each.

No rules, no checks, no models: a program that knows every value beforehand. It locks what it computes with
(stock levels, open items), takes numbers from the same counters, and leaves all triggers on.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from harness.company import Shop
from harness.database import plain_connection

CENT = Decimal("0.01")

_CONTEXT = """SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)"""
_COUNT = """INSERT INTO oa_counter (key, last) VALUES (%s, 1)
    ON CONFLICT (key) DO UPDATE SET last = oa_counter.last + 1 RETURNING last"""
_ENTRY = """INSERT INTO erp_journalentry (journal_id, period_id, sequence, number, date, memo, source, source_id,
    source_number, purpose, line_count, total, posted_at, posted_by_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'post', %s, %s, now(), %s) RETURNING id"""
_LINES = """INSERT INTO erp_journalline (entry_id, account_id, date, debit, credit, red, currency_id, amount, rate,
    memo, customer_id, supplier_id)
    SELECT %s, account, %s, debit, credit, false, %s, debit - credit, 1, '', customer, supplier
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::bigint[], %s::bigint[])
      AS l(account, debit, credit, customer, supplier)"""
_BALANCES = """INSERT INTO erp_periodbalance (period_id, account_id, debit, credit)
    SELECT %s, account, debit, credit FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[])
        AS l(account, debit, credit) ORDER BY account
    ON CONFLICT (account_id, period_id) DO UPDATE SET debit = erp_periodbalance.debit + EXCLUDED.debit,
        credit = erp_periodbalance.credit + EXCLUDED.credit"""
_LEVELS = """SELECT product_id, id, on_hand, reserved, value FROM erp_stocklevel
    WHERE product_id = ANY(%s) AND warehouse_id = %s ORDER BY id FOR UPDATE"""
_MOVES = """INSERT INTO erp_stockmove (product_id, warehouse_id, kind, date, quantity, value, quantity_after,
    value_after, account_id, entry_id, source, source_id, source_line, number, posted_at, posted_by_id)
    SELECT product, %s, %s, %s, quantity, value, quantity_after, value_after, %s, %s, %s, %s, line, %s, now(), %s
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::bigint[])
      AS m(product, quantity, value, quantity_after, value_after, line)"""
_SET_LEVELS = """UPDATE erp_stocklevel l SET on_hand = v.on_hand, reserved = v.reserved, value = v.value
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[]) AS v(id, on_hand, reserved, value)
    WHERE l.id = v.id"""
_ITEM = """INSERT INTO erp_openitem (kind, account_id, customer_id, supplier_id, entry_id, source, source_id, number,
    date, due_date, currency_id, amount, base_amount, remaining, base_remaining, owner_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id"""
_PAYMENT = """INSERT INTO erp_payment (version, created_at, updated_at, created_by_id, date, owner_id, note, direction,
    customer_id, supplier_id, account_id, currency_id, rate, amount, base_amount, reference, state)
    VALUES (1, now(), now(), %s, %s, %s, '', %s, %s, %s, %s, %s, 1, %s, 0, '', 'draft') RETURNING id"""
_MEANT = """INSERT INTO erp_paymentallocation (payment_id, item_id, amount) VALUES (%s, %s, %s)"""
_ALLOCATION = """INSERT INTO erp_allocation (debit_item_id, credit_item_id, date, amount, debit_base, credit_base,
    created_at, created_by_id) VALUES (%s, %s, %s, %s, %s, %s, now(), %s)"""
_SETTLE = """UPDATE erp_openitem SET remaining = 0, base_remaining = 0 WHERE id = ANY(%s)"""
_PAID = """UPDATE erp_payment SET number = %s, base_amount = amount, state = 'posted', posted_at = now(),
    posted_by_id = %s, version = 2, updated_at = now() WHERE id = %s"""

# account, signed amount, customer, supplier
Booking = tuple[int, Decimal, int | None, int | None]


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to the cent."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


class Plain:
    """One psycopg connection with its own defaults: server-side binding, statements prepared when repeated."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.connection = plain_connection()
        self.sent: list[str] | None = None

    def backend(self) -> int:
        """Process of the server that works for this connection."""
        return self.connection.info.backend_pid

    def execute(self, sql: str) -> None:
        """A statement of the benchmark itself."""
        self.connection.execute(sql)
        self.connection.commit()

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Every statement sent meanwhile."""
        self.sent = []
        yield self.sent
        self.sent = None

    def run(self, sql: str, *values: Any) -> Any:
        """Run a statement."""
        if self.sent is not None:
            self.sent.append(sql)
        return self.connection.execute(sql, values)

    def key(self, sql: str, *values: Any) -> int:
        """Run a statement that returns one key or number."""
        return int(self.run(sql, *values).fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One step: the acting user for the history, then one commit."""
        self.run(_CONTEXT, str(uuid.uuid4()), json.dumps({"user": self.shop.user.pk, "url": "/bench/"}))
        yield
        self.connection.commit()

    def number(self, sequence: str, prefix: str) -> str:
        """The next number of a document type."""
        month = f"{self.shop.today:%y%m}"
        return f"{prefix}-{month}-{self.key(_COUNT, f'{sequence}:{month}'):04}"

    def entry(self, journal: str, source: tuple[str, int, str], bookings: Sequence[Booking], memo: str) -> int:
        """A journal entry with its lines and balances."""
        context, shop = self.shop.contexts[journal], self.shop
        sequence = self.key(_COUNT, f"journal:{context.journal_id}:{context.period_id}")
        number = f"{context.journal_code}-{context.period_start:%y%m}-{sequence:04}"
        accounts = [account for account, _amount, _customer, _supplier in bookings]
        debits = [max(amount, Decimal(0)) for _account, amount, _customer, _supplier in bookings]
        credits = [max(-amount, Decimal(0)) for _account, amount, _customer, _supplier in bookings]
        entry = self.key(
            _ENTRY, context.journal_id, context.period_id, sequence, number, shop.today, memo, *source,
            len(bookings), sum(debits), shop.user.pk,
        )  # fmt: skip
        partners = [[row[2] for row in bookings], [row[3] for row in bookings]]
        self.run(_LINES, entry, shop.today, shop.currency.pk, accounts, debits, credits, *partners)
        self.run(_BALANCES, context.period_id, accounts, debits, credits)
        return entry

    def levels(self, products: Sequence[int]) -> dict[int, list[Any]]:
        """Locked stock levels by product: key, on hand, reserved, value."""
        rows = self.run(_LEVELS, list(products), self.shop.warehouse.pk).fetchall()
        return {row[0]: list(row[1:]) for row in rows}

    def move(
        self, kind: str, account: int, entry: int, source: tuple[str, int, str],
        rows: Sequence[tuple[int, Decimal, Decimal, int]], levels: dict[int, list[Any]],
    ) -> None:  # fmt: skip
        """Stock moves (product, quantity, value, document line) and the levels they lead to, changed already."""
        label, key, number = source
        after = [levels[row[0]] for row in rows]
        self.run(
            _MOVES, self.shop.warehouse.pk, kind, self.shop.today, account, entry, label, key, number,
            self.shop.user.pk, [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows],
            [level[1] for level in after], [level[3] for level in after], [row[3] for row in rows],
        )  # fmt: skip
        self.set_levels(levels)

    def set_levels(self, levels: dict[int, list[Any]]) -> None:
        """Write levels."""
        self.run(_SET_LEVELS, *([row[place] for row in levels.values()] for place in range(4)))

    def item(
        self, kind: str, account: int, partner: tuple[int | None, int | None], entry: int,
        source: tuple[str, int, str], due: Any, amount: Decimal,
    ) -> int:  # fmt: skip
        """An open item of one amount."""
        shop = self.shop
        return self.key(
            _ITEM, kind, account, *partner, entry, *source, shop.today, due, shop.currency.pk, amount, amount,
            amount, amount, shop.user.pk,
        )  # fmt: skip

    def pay(
        self, direction: str, partner: tuple[int | None, int | None], control: int, item: int, total: Decimal
    ) -> None:
        """A payment that settles one open item in full, with its entry."""
        shop, received = self.shop, direction == "receive"
        self.run("SELECT id FROM erp_openitem WHERE id = %s FOR UPDATE", item).fetchone()
        payment = self.key(
            _PAYMENT, shop.user.pk, shop.today, shop.user.pk, direction, *partner, shop.bank.pk, shop.currency.pk, total
        )
        self.run(_MEANT, payment, item, total)
        number = self.number("receipt", "RC") if received else self.number("payment", "PV")
        source = ("erp.payment", payment, number)
        signed = total if received else -total
        bookings: list[Booking] = [(shop.bank.pk, signed, None, None), (control, -signed, *partner)]
        entry = self.entry("BNK", source, bookings, number)
        own = self.item("receipt" if received else "payment", control, partner, entry, source, shop.today, -signed)
        pair = (item, own) if received else (own, item)
        self.run(_ALLOCATION, *pair, shop.today, total, total, total, shop.user.pk)
        self.run(_SETTLE, [item, own])
        self.run(_PAID, number, shop.user.pk, payment)
