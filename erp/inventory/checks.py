"""Invariants of the stock ledger."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from erp.finance.checks import dangling_sources, untimely
from kit.rules.checks import Row, check, rows
from kit.rules.days import business_zone

_INVENTORY = """(
    SELECT id FROM erp_account WHERE control = 'inventory' UNION SELECT account_id FROM erp_stockmove
)"""


@check("I-15", _("stock on hand equals the sum of its moves"))
def levels_tie() -> list[Row]:
    """Quantity and value per product and warehouse."""
    return rows("""
        SELECT p.code AS product, w.code AS warehouse, l.on_hand, m.quantity AS moved, l.value, m.value AS moved_value
          FROM erp_stocklevel l
          FULL JOIN (SELECT product_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value
                       FROM erp_stockmove GROUP BY 1, 2) m USING (product_id, warehouse_id)
          LEFT JOIN erp_product p ON p.id = product_id LEFT JOIN erp_warehouse w ON w.id = warehouse_id
         WHERE l.id IS NULL OR l.on_hand <> coalesce(m.quantity, 0) OR l.value <> coalesce(m.value, 0)
    """)


@check("I-15", _("every move tells the quantity and value after it"))
def moves_explain_themselves() -> list[Row]:
    """Running sums in the order of posting."""
    return rows("""
        SELECT id AS move, number, quantity_after, quantity AS expected_quantity, value_after, value AS expected_value
          FROM (SELECT id, number, quantity_after, value_after, sum(quantity) OVER w AS quantity,
                       sum(value) OVER w AS value
                  FROM erp_stockmove WINDOW w AS (PARTITION BY product_id, warehouse_id ORDER BY id)) m
         WHERE quantity_after <> quantity OR value_after <> value
    """)


@check("I-16", _("stock value equals the inventory accounts"))
def stock_ties_to_ledger() -> list[Row]:
    """Per entry and inventory account: the value of the moves is what the entry posts there, nothing else."""
    return rows(f"""
        WITH moves AS (
            SELECT coalesce(entry_id, 0) AS entry, account_id, sum(value) AS value FROM erp_stockmove GROUP BY 1, 2
        ), ledger AS (
            SELECT entry_id AS entry, account_id, sum(debit - credit) AS value FROM erp_journalline
             WHERE account_id IN {_INVENTORY} GROUP BY 1, 2
        )
        SELECT coalesce(e.number, '–') AS entry, a.code AS account, m.value AS moves, l.value AS ledger
          FROM moves m FULL JOIN ledger l USING (entry, account_id)
          LEFT JOIN erp_journalentry e ON e.id = entry LEFT JOIN erp_account a ON a.id = account_id
         WHERE coalesce(m.value, 0) <> coalesce(l.value, 0)
    """)


@check("I-16", _("the stock of a product and warehouse stands on one inventory account"))
def stock_stands_on_one_account() -> list[Row]:
    """So stock value ties per account too: what was posted to other accounts has left them again (rule V-14)."""
    return rows("""
        SELECT p.code AS product, w.code AS warehouse, a.code AS account, sum(m.value) AS value
          FROM erp_stocklevel l JOIN erp_stockmove m USING (product_id, warehouse_id)
          JOIN erp_product p ON p.id = product_id JOIN erp_warehouse w ON w.id = warehouse_id
          JOIN erp_account a ON a.id = m.account_id
         WHERE m.account_id <> l.account_id GROUP BY 1, 2, 3 HAVING sum(m.value) <> 0
    """)


@check("I-16", _("moves are dated like their entry"))
def moves_share_date() -> list[Row]:
    """So stock value and inventory account agree on every day (rule V-14)."""
    return rows("""
        SELECT m.number, m.date, e.number AS entry, e.date AS entry_date
          FROM erp_stockmove m JOIN erp_journalentry e ON e.id = m.entry_id WHERE m.date <> e.date
    """)


@check("I-17", _("no stock means no value, and stock has no negative value"))
def empty_is_worthless() -> list[Row]:
    """The last piece takes all the value that is left (rule V-02)."""
    return rows("""
        SELECT p.code AS product, w.code AS warehouse, l.on_hand, l.value
          FROM erp_stocklevel l JOIN erp_product p ON p.id = l.product_id JOIN erp_warehouse w ON w.id = l.warehouse_id
         WHERE l.on_hand = 0 AND l.value <> 0 OR l.on_hand > 0 AND l.value < 0
    """)


@check("I-17", _("no move left value behind without stock, or negative value with it"))
def moves_leave_no_residue() -> list[Row]:
    """The same after every posting of the past: the last move of each document and level."""
    return rows("""
        SELECT m.id AS move, m.number, m.quantity_after, m.value_after
          FROM (SELECT id, number, quantity_after, value_after,
                       row_number() OVER (PARTITION BY product_id, warehouse_id, source, source_id, posted_at
                                              ORDER BY id DESC) AS place FROM erp_stockmove) m
         WHERE m.place = 1
           AND (m.quantity_after = 0 AND m.value_after <> 0 OR m.quantity_after > 0 AND m.value_after < 0)
    """)


@check("I-18", _("stock was never negative where the warehouse does not allow it"))
def never_negative() -> list[Row]:
    """At every point in time, in the order of dates as well as in the order of posting (rule V-20).

    A warehouse that once allowed it is looked at from the end of that time on: what it did before was right.
    """
    sql = """
        WITH allowed AS (
            SELECT pgh_obj_id AS id, max(pgh_created_at) AS until FROM erp_warehousehistory
             WHERE allow_negative GROUP BY 1
        )
        SELECT p.code AS product, w.code AS warehouse, s.date, s.number, s.by_date, s.by_posting
          FROM (SELECT product_id, warehouse_id, date, posted_at, number,
                       sum(quantity) OVER (PARTITION BY product_id, warehouse_id ORDER BY date, id) AS by_date,
                       sum(quantity) OVER (PARTITION BY product_id, warehouse_id ORDER BY id) AS by_posting
                  FROM erp_stockmove) s
          JOIN erp_product p ON p.id = s.product_id JOIN erp_warehouse w ON w.id = s.warehouse_id
          LEFT JOIN erp_stocklevel l ON l.product_id = s.product_id AND l.warehouse_id = s.warehouse_id
          LEFT JOIN allowed a ON a.id = w.id
         WHERE NOT coalesce(l.allow_negative, FALSE)
           AND (s.by_posting < 0 AND s.posted_at > coalesce(a.until, '-infinity')
                OR s.by_date < 0 AND s.date > coalesce((a.until AT TIME ZONE %(zone)s)::date, '-infinity'))
    """
    return rows(sql, {"zone": str(business_zone())})


@check("I-18", _("only warehouses that allow negative stock have it"))
def permission_follows_warehouse() -> list[Row]:
    """Levels carry the setting of their warehouse."""
    return rows("""
        SELECT p.code AS product, w.code AS warehouse, l.on_hand, l.allow_negative
          FROM erp_stocklevel l JOIN erp_product p ON p.id = l.product_id JOIN erp_warehouse w ON w.id = l.warehouse_id
         WHERE l.allow_negative <> w.allow_negative OR l.on_hand < 0 AND NOT w.allow_negative
    """)


@check("I-23", _("stock adjustments equal their lines and moves"))
def adjustments_tie() -> list[Row]:
    """Value of the head, of the lines and of the moves are the same."""
    return rows("""
        SELECT d.number, d.value, l.value AS lines, m.value AS moves
          FROM erp_stockadjustment d
          LEFT JOIN (SELECT adjustment_id, sum(value) AS value FROM erp_stockadjustmentline GROUP BY 1) l
            ON l.adjustment_id = d.id
          LEFT JOIN (SELECT source_id, sum(value) AS value FROM erp_stockmove
                      WHERE source = 'erp.stockadjustment' AND kind <> 'value' GROUP BY 1) m ON m.source_id = d.id
         WHERE d.state <> 'draft'
           AND (d.value <> coalesce(l.value, 0) OR d.value <> coalesce(m.value, 0))
    """)


@check("I-33", _("stock moves lead to documents that exist"))
def sources_resolve() -> Iterator[Row]:
    """They name a model and a row of it."""
    yield from dangling_sources("erp_stockmove")


@check("I-37", _("no stock move was posted in the future, nor dated after the day it was posted"))
def move_times() -> list[Row]:
    """By the clock of the database; a day is allowed for time zones."""
    return untimely("erp_stockmove")
