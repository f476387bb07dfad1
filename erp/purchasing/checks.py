"""Invariants of purchasing."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from erp.purchasing.models import (
    Bill,
    BillLine,
    GoodsReceipt,
    GoodsReceiptLine,
    PurchaseOrder,
    PurchaseOrderLine,
)
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

# A service that is billed without a receipt counts as received with its bill (rule P-09).
_SERVICES = """
UNION ALL SELECT b.order_line_id, b.quantity, d.excess_allowed_by_id
            FROM erp_billline b JOIN erp_bill d ON d.id = b.bill_id
           WHERE d.state <> 'draft' AND b.order_line_id IS NOT NULL AND b.receipt_line_id IS NULL
"""
# Where the tolerance of a supplier is: table, its key, the order's column.
_SUPPLIER = ("erp_supplier", "id", "supplier_id")


@check("I-12", _("goods received and not invoiced clear with their receipt lines"))
def receipts_clear() -> list[Row]:
    """A receipt line that is billed in full has its whole value cleared, and never more (rule P-12)."""
    return rows("""
        WITH bills AS (
            SELECT l.receipt_line_id, sum(l.quantity) AS quantity, sum(l.cleared) AS cleared
              FROM erp_billline l JOIN erp_bill d ON d.id = l.bill_id
             WHERE d.state <> 'draft' AND l.receipt_line_id IS NOT NULL GROUP BY 1
        )
        SELECT r.number, l.position, l.quantity, l.billed, l.value, l.cleared, b.quantity AS bills,
               b.cleared AS cleared_by_bills
          FROM erp_goodsreceiptline l JOIN erp_goodsreceipt r ON r.id = l.receipt_id
          LEFT JOIN bills b ON b.receipt_line_id = l.id
         WHERE l.billed <> coalesce(b.quantity, 0) OR l.cleared <> coalesce(b.cleared, 0)
            OR l.billed = l.quantity AND l.cleared <> l.value
            OR l.quantity > 0 AND (l.billed < 0 OR l.billed > l.quantity)
            OR l.quantity < 0 AND l.billed <> 0 OR r.state <> 'posted' AND l.billed <> 0
    """)


@check("I-12", _("the account of goods received, not invoiced, holds what receipt lines wait for"))
def clearing_account_ties() -> list[Row]:
    """All clearing accounts together."""
    return rows("""
        WITH ledger AS (
            SELECT coalesce(sum(l.credit - l.debit), 0) AS amount FROM erp_journalline l
              JOIN erp_account a ON a.id = l.account_id WHERE a.control = 'grni'
        ), waiting AS (
            SELECT coalesce(sum(l.value - l.cleared), 0) AS amount
              FROM erp_goodsreceiptline l JOIN erp_goodsreceipt r ON r.id = l.receipt_id WHERE r.state <> 'draft'
        )
        SELECT ledger.amount AS ledger, waiting.amount AS receipt_lines FROM ledger, waiting
         WHERE ledger.amount <> waiting.amount
    """)


@check("I-21", _("receipts add up on the order lines and stay within what was ordered"))
def received_within_ordered() -> list[Row]:
    """Net of reversals, and beyond the order by the tolerance at the most unless it was allowed (rule G-12)."""
    return moved_differences(
        PurchaseOrder, PurchaseOrderLine, GoodsReceipt, GoodsReceiptLine, partner=_SUPPLIER, more=_SERVICES
    )


@check("I-22", _("bills add up on the order lines and stay within what was received"))
def billed_within_received() -> list[Row]:
    """Net of reversals (rule P-09)."""
    return billed_differences(PurchaseOrder, PurchaseOrderLine, Bill, BillLine)


@check("I-23", _("purchase documents equal their lines and entries"))
def totals_tie() -> list[Row]:
    """Heads of orders and bills, the payable of bills, the value of receipts."""
    values = rows("""
        SELECT d.number, d.value, l.value AS lines, l.stocked, m.value AS moves
          FROM erp_goodsreceipt d
          LEFT JOIN (SELECT l.receipt_id, sum(l.value) AS value,
                            sum(l.value) FILTER (WHERE p.kind = 'goods') AS stocked
                       FROM erp_goodsreceiptline l JOIN erp_product p ON p.id = l.product_id GROUP BY 1) l
            ON l.receipt_id = d.id
          LEFT JOIN (SELECT source_id, sum(value) AS value FROM erp_stockmove
                      WHERE source = 'erp.goodsreceipt' AND kind <> 'value' GROUP BY 1) m ON m.source_id = d.id
         WHERE d.state <> 'draft'
           AND (d.value <> coalesce(l.value, 0) OR coalesce(l.stocked, 0) <> coalesce(m.value, 0))
    """)
    return [
        *header_differences(PurchaseOrder, PurchaseOrderLine),
        *header_differences(Bill, BillLine),
        *entry_differences(Bill, "supplier_id", -1),
        *values,
    ]


@check("I-24", _("tax of purchase documents is net amount times rate"))
def taxes_tie() -> list[Row]:
    """By the tax method stored on the document (rule G-15)."""
    return [*tax_differences(PurchaseOrder, PurchaseOrderLine), *tax_differences(Bill, BillLine)]


@check("I-24", _("input tax of bills is what the tax accounts got"))
def taxes_posted() -> list[Row]:
    """Per bill, in its currency and in base currency; what cannot be recovered is cost."""
    return tax_posting_differences(Bill, BillLine, -1)


@check("I-25", _("what is open on bills is what their open items tell"))
def open_amounts_tie() -> list[Row]:
    """The amount shown on the bill."""
    return open_differences(Bill, -1)
