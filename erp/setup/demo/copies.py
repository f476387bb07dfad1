"""Many more of the same: whole copies of the demo's partners, goods and documents, made by the database itself.

Commands make a few hundred orders; a hundred thousand would take them hours. A copy has customers, suppliers and
products of its own, so what holds for the original holds for it: balances, stock, open items, credit. It shares
accounts, periods, people and warehouses. Keys are shifted by a fixed distance per table, numbers go on without
gaps where the original's end, and texts that name a number name the copy's.
"""

from __future__ import annotations

from collections.abc import Iterator

import pgtrigger
from django.db import connection, models
from django.db.models import Max

from crm.contracts.models import Contract
from crm.customers.models import Contact, Customer
from crm.followups.models import FollowUp
from erp.finance.models import (
    Allocation,
    JournalEntry,
    JournalLine,
    OpenItem,
    Payment,
    PaymentAllocation,
    Supplier,
    Voucher,
    VoucherLine,
)
from erp.inventory.models import Product, StockAdjustment, StockAdjustmentLine, StockLevel, StockMove
from erp.purchasing.models import Bill, BillLine, GoodsReceipt, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from erp.sales.models import (
    CustomerPrice,
    CustomerTerms,
    Delivery,
    DeliveryLine,
    Invoice,
    InvoiceLine,
    SalesOrder,
    SalesOrderLine,
)

# Documents that ledgers name as their source, with their lines.
SOURCES: dict[type[models.Model], type[models.Model] | None] = {
    Invoice: InvoiceLine, Delivery: DeliveryLine, GoodsReceipt: GoodsReceiptLine, Bill: BillLine, Payment: None,
    Voucher: VoucherLine, StockAdjustment: StockAdjustmentLine,
}  # fmt: skip
COPIED: tuple[type[models.Model], ...] = (
    Customer, Customer.tags.through, Contact, Contract, FollowUp, Supplier, Product, CustomerTerms, CustomerPrice,
    StockLevel, SalesOrder, SalesOrderLine, PurchaseOrder, PurchaseOrderLine, *SOURCES,
    *(lines for lines in SOURCES.values() if lines), JournalEntry, JournalLine, OpenItem, Allocation, PaymentAllocation,
    StockMove,
)  # fmt: skip
NUMBERED: tuple[tuple[type[models.Model], str], ...] = (
    (Customer, "code"), (Supplier, "code"), (Contract, "number"), (SalesOrder, "number"), (PurchaseOrder, "number"),
    (JournalEntry, "number"), *((document, "number") for document in SOURCES),
)  # fmt: skip
# Texts that name numbers, besides the numbers themselves.
TELLING = {"number", "source_number", "memo", "reference"}
# What must differ between a thing and its copy; `n` counts the copies.
OWN = {
    (Product, "code"): "b.code || '-' || (n + 1)", (Product, "name"): "b.name || ' ' || (n + 1)",
    (Product, "name_en"): "b.name_en || ' ' || (n + 1)", (Product, "barcode"): "''",
    (Customer, "code"): "pg_temp.renumbered(b.code, n)", (Supplier, "code"): "pg_temp.renumbered(b.code, n)",
    (Customer, "name"): "b.name || ' ' || (n + 1)", (Customer, "short_name"): "b.short_name || ' ' || (n + 1)",
    (Customer, "invoice_title"): "b.invoice_title || ' ' || (n + 1)", (Supplier, "name"): "b.name || ' ' || (n + 1)",
    (JournalEntry, "sequence"): "substring(pg_temp.renumbered(b.number, n) from '[0-9]+$')::int",
}  # fmt: skip

# The last running number behind every head, such as SO-2611-.
_HEADS = "CREATE TEMPORARY TABLE demo_heads (head text PRIMARY KEY, last bigint) ON COMMIT DROP"
_HEAD = """
INSERT INTO demo_heads SELECT regexp_replace({column}, '[0-9]+$', ''), max(substring({column} from '[0-9]+$')::bigint)
  FROM {table} WHERE {column} ~ '[0-9]$' GROUP BY 1
    ON CONFLICT (head) DO UPDATE SET last = greatest(demo_heads.last, excluded.last)
"""
_RENUMBERED = r"""
CREATE FUNCTION pg_temp.renumbered(given text, n bigint) RETURNS text LANGUAGE plpgsql STABLE AS $body$
DECLARE part text[]; shift bigint; running text; told text := given;
BEGIN
    FOR part IN SELECT regexp_matches(given, '([A-Z]{1,3}-(?:[0-9]{4}-)?)([0-9]{4,})', 'g') LOOP
        SELECT last INTO shift FROM demo_heads WHERE head = part[1];
        IF FOUND THEN
            running := (part[2]::bigint + n * shift)::text;
            told := replace(told, part[1] || part[2],
                            part[1] || lpad(running, greatest(length(part[2]), length(running)), '0'));
        END IF;
    END LOOP;
    RETURN told;
END $body$
"""
_COPY = """
INSERT INTO {table} ({columns}) SELECT {values}
  FROM {table} b CROSS JOIN generate_series(1, {copies}) n WHERE b.id <= {last} ORDER BY n, b.id
"""
# What grows with the copies: running numbers of what is copied, and the sums per account and period.
_GROWN = (
    "UPDATE oa_counter SET last = last * %s WHERE key !~ '^(role|marketing-plan):'",
    "UPDATE erp_periodbalance SET debit = debit * %s",
    "UPDATE erp_periodbalance SET credit = credit * %s",
)


def make_copies(copies: int) -> None:
    """Add `copies` copies of everything that was traded, in the transaction around it.

    Guards against writing posted documents are off meanwhile; checks of the database stay on, and entries are
    weighed when the transaction ends.
    """
    with pgtrigger.ignore(), connection.cursor() as cursor:
        distance = {model: last_key(model) for model in COPIED}
        cursor.execute(_HEADS)
        for model, column in NUMBERED:
            cursor.execute(_HEAD.format(table=model._meta.db_table, column=column))
        cursor.execute(_RENUMBERED)
        for model in COPIED:
            pairs = list(_columns(model, distance))
            cursor.execute(
                _COPY.format(
                    table=model._meta.db_table,
                    columns=", ".join(f'"{name}"' for name, _value in pairs),
                    values=", ".join(value for _name, value in pairs),
                    copies=int(copies),
                    last=distance[model],
                )
            )
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                [model._meta.db_table, max(distance[model], 1) * (copies + 1)],
            )
        for statement in _GROWN:
            cursor.execute(statement, [copies + 1])
        cursor.execute("DROP FUNCTION pg_temp.renumbered(text, bigint)")


def last_key(model: type[models.Model]) -> int:
    """The highest key in the table of `model`."""
    return model._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _columns(model: type[models.Model], distance: dict[type[models.Model], int]) -> Iterator[tuple[str, str]]:
    """Every stored column with the SQL of its value in copy `n` of row `b`."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.GeneratedField):
            continue
        column = field.column
        if (model, field.name) in OWN:
            yield column, OWN[model, field.name]
        elif field.primary_key:
            yield column, f"b.id + n * {distance[model]}"
        elif field.is_relation and field.related_model in distance:
            yield column, f"b.{column} + n * {distance[field.related_model]}"
        elif column in ("source_id", "source_line") and hasattr(model, "source_id"):
            yield column, _shifted_source(column, distance)
        elif column in TELLING:
            yield column, f"pg_temp.renumbered(b.{column}, n)"
        else:
            yield column, f'b."{column}"'


def _shifted_source(column: str, distance: dict[type[models.Model], int]) -> str:
    """The key of a ledger row's document or document line, which lies in the table that `source` names."""
    cases = []
    for document, lines in SOURCES.items():
        target = document if column == "source_id" else lines
        if target is not None:
            cases.append(f"WHEN '{document._meta.label_lower}' THEN {distance[target]}")
    return f"CASE WHEN b.{column} = 0 THEN 0 ELSE b.{column} + n * (CASE b.source {' '.join(cases)} ELSE 0 END) END"
