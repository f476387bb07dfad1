"""Invariants of sales."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from erp.sales.models import Delivery, DeliveryLine, Invoice, InvoiceLine, SalesOrder, SalesOrderLine
from erp.trade.checks import (
    billed_differences,
    entry_differences,
    header_differences,
    moved_differences,
    open_differences,
    tax_differences,
    tax_posting_differences,
)
from kit.rules.checks import Row, check, rows

# Where the tolerance of a customer is: table, its key, the order's column.
_TERMS = ("erp_customerterms", "customer_id", "customer_id")


@check("I-12", _("goods shipped and not invoiced clear with their order lines"))
def goods_shipped_clear() -> list[Row]:
    """Order lines: what was delivered and invoiced in full has all its cost expensed, and never more."""
    return rows("""
        SELECT o.number, l.position, l.moved, l.billed - l.credited AS invoiced, l.delivered_cost, l.expensed_cost
          FROM erp_salesorderline l JOIN erp_salesorder o ON o.id = l.order_id
         WHERE l.moved > 0 AND l.billed - l.credited >= l.moved AND l.expensed_cost <> l.delivered_cost
            OR l.expensed_cost > l.delivered_cost OR l.moved = 0 AND l.delivered_cost <> 0
    """)


@check("I-12", _("the account of goods shipped holds the cost that order lines wait for"))
def goods_shipped_tie() -> list[Row]:
    """Postings of documents to accounts that rules use for nothing but goods shipped."""
    return rows("""
        WITH accounts AS (
            SELECT account_id FROM erp_postingrule GROUP BY account_id HAVING bool_and(purpose = 'shipped')
        ), ledger AS (
            SELECT coalesce(sum(l.debit - l.credit), 0) AS amount FROM erp_journalline l
              JOIN erp_journalentry e ON e.id = l.entry_id
             WHERE l.account_id IN (SELECT account_id FROM accounts) AND e.source <> 'erp.voucher'
        ), waiting AS (SELECT coalesce(sum(delivered_cost - expensed_cost), 0) AS amount FROM erp_salesorderline)
        SELECT ledger.amount AS ledger, waiting.amount AS order_lines FROM ledger, waiting
         WHERE ledger.amount <> waiting.amount AND EXISTS (SELECT 1 FROM accounts)
    """)


@check("I-19", _("reserved stock is there and belongs to confirmed orders"))
def reservations_tie() -> list[Row]:
    """Per product and warehouse; nothing else reserves, and no more than is on hand."""
    return rows("""
        WITH wanted AS (
            SELECT l.product_id, l.warehouse_id, sum(l.reserved) FILTER (WHERE o.state = 'confirmed') AS reserved,
                   sum(l.reserved) FILTER (WHERE o.state <> 'confirmed') AS stale
              FROM erp_salesorderline l JOIN erp_salesorder o ON o.id = l.order_id
             WHERE l.reserved <> 0 GROUP BY 1, 2
        )
        SELECT p.code AS product, w.code AS warehouse, s.on_hand, s.reserved, r.reserved AS orders,
               r.stale AS orders_not_confirmed
          FROM erp_stocklevel s FULL JOIN wanted r USING (product_id, warehouse_id)
          LEFT JOIN erp_product p ON p.id = product_id LEFT JOIN erp_warehouse w ON w.id = warehouse_id
         WHERE coalesce(s.reserved, 0) <> coalesce(r.reserved, 0) OR coalesce(r.stale, 0) <> 0
            OR s.reserved < 0 OR s.reserved > s.on_hand AND NOT s.allow_negative
    """)


@check("I-19", _("an order line reserves no more than it still has to deliver"))
def reservations_needed() -> list[Row]:
    """In the product's own unit."""
    return rows("""
        SELECT o.number, l.position, l.reserved, l.quantity, l.cancelled, l.moved
          FROM erp_salesorderline l JOIN erp_salesorder o ON o.id = l.order_id
         WHERE l.reserved < 0
            OR l.reserved > greatest(0, l.quantity - l.cancelled - l.moved + l.returned_replace) * l.factor
    """)


@check("I-21", _("deliveries add up on the order lines and stay within what was ordered"))
def delivered_within_ordered() -> list[Row]:
    """Net of reversals, and beyond the order by the tolerance at the most unless it was allowed (rule G-12)."""
    return moved_differences(SalesOrder, SalesOrderLine, Delivery, DeliveryLine, partner=_TERMS)


@check("I-22", _("invoices add up on the order lines and stay within what was delivered"))
def invoiced_within_delivered() -> list[Row]:
    """Net of reversals and credits (rule G-11)."""
    return billed_differences(SalesOrder, SalesOrderLine, Invoice, InvoiceLine)


@check("I-23", _("sales documents equal their lines and entries"))
def totals_tie() -> list[Row]:
    """Heads of orders and invoices, the receivable of invoices, the cost of deliveries."""
    costs = rows("""
        SELECT d.number, d.cost, l.cost AS lines, m.value AS moves
          FROM erp_delivery d
          LEFT JOIN (SELECT delivery_id, sum(cost) AS cost FROM erp_deliveryline GROUP BY 1) l ON l.delivery_id = d.id
          LEFT JOIN (SELECT source_id, -sum(value) AS value FROM erp_stockmove
                      WHERE source = 'erp.delivery' AND kind <> 'value' GROUP BY 1) m ON m.source_id = d.id
         WHERE d.state <> 'draft' AND (d.cost <> coalesce(l.cost, 0) OR d.cost <> coalesce(m.value, 0))
    """)
    return [
        *header_differences(SalesOrder, SalesOrderLine),
        *header_differences(Invoice, InvoiceLine),
        *entry_differences(Invoice, "customer_id", 1),
        *costs,
    ]


@check("I-23", _("moves of deliveries carry the quantities of their lines"))
def delivery_moves_tie() -> list[Row]:
    """One move per line of a stocked product, in the product's own unit."""
    return rows("""
        SELECT d.number, l.position, l.quantity * l.factor AS quantity, m.quantity AS moved
          FROM erp_deliveryline l JOIN erp_delivery d ON d.id = l.delivery_id JOIN erp_product p ON p.id = l.product_id
          LEFT JOIN erp_stockmove m ON m.source = 'erp.delivery' AND m.source_id = d.id AND m.source_line = l.id
                                   AND m.kind <> 'value'
         WHERE d.state <> 'draft' AND p.kind = 'goods'
           AND coalesce(m.quantity, 0) <> -round(l.quantity * l.factor, 4)
    """)


@check("I-24", _("tax of sales documents is net amount times rate"))
def taxes_tie() -> list[Row]:
    """By the tax method stored on the document (rule G-15)."""
    return [*tax_differences(SalesOrder, SalesOrderLine), *tax_differences(Invoice, InvoiceLine)]


@check("I-24", _("tax of invoices is what the tax accounts got"))
def taxes_posted() -> list[Row]:
    """Per invoice, in its currency and in base currency."""
    return tax_posting_differences(Invoice, InvoiceLine, 1)


@check("I-25", _("what is open on invoices is what their open items tell"))
def open_amounts_tie() -> list[Row]:
    """The amount shown on the invoice."""
    return open_differences(Invoice, 1)
