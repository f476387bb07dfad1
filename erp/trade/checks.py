"""Queries for the invariants that sales and purchase documents share; the sections register them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from django.db import connection

from erp.trade.progress import tolerance_of, with_tolerance
from kit.rules.checks import Row, rows

_HEADERS = """
SELECT d.id, d.number, d.net, l.net AS lines_net, d.tax, l.tax AS lines_tax, d.total, d.base_total
  FROM {head} d
  LEFT JOIN (SELECT {key} AS id, sum(net) AS net, sum(tax) AS tax FROM {line} GROUP BY 1) l ON l.id = d.id
 CROSS JOIN (SELECT cur.exponent FROM erp_currency cur JOIN oa_companyprofile c ON c.base_currency = cur.code) base
 WHERE d.net <> coalesce(l.net, 0) OR d.tax <> coalesce(l.tax, 0) OR d.total <> d.net + d.tax
    OR d.base_total <> round(d.total * d.rate, base.exponent)
"""
_TAXES = """
WITH l AS (
    SELECT d.id, d.number, l.position, d.tax_method, d.prices_include_tax AS included, cur.exponent, l.net, l.tax,
           l.tax_rate, round(l.quantity * l.price * (100 - l.discount) * 0.01, cur.exponent) AS gross, l.discount_share
      FROM {line} l JOIN {head} d ON d.id = l.{key} JOIN erp_currency cur ON cur.id = d.currency_id
), sums AS (
    SELECT id, number, position, included, exponent, tax_rate, net, tax FROM l WHERE tax_method = 'line'
    UNION ALL
    SELECT id, number, NULL, included, exponent, tax_rate, sum(net), sum(tax) FROM l WHERE tax_method <> 'line'
     GROUP BY id, number, included, exponent, tax_rate
)
SELECT id, number, position, tax_rate, net, tax FROM sums
 WHERE tax <> CASE WHEN included THEN net + tax - round((net + tax) / (1 + tax_rate), exponent)
                   ELSE round(net * tax_rate, exponent) END
UNION ALL
SELECT id, number, position, tax_rate, net, tax FROM l
 WHERE gross - discount_share <> CASE WHEN included THEN net + tax ELSE net END
    OR abs(discount_share) > abs(gross) OR discount_share * gross < 0
UNION ALL
SELECT d.id, d.number, NULL, NULL, NULL, NULL FROM {head} d
  JOIN (SELECT id, exponent, sum(gross) AS gross, sum(discount_share) AS share FROM l GROUP BY 1, 2) s ON s.id = d.id
 WHERE s.share <> round(s.gross * d.discount / 100, s.exponent) + d.discount_amount
"""
_ENTRIES = """
SELECT d.number, d.total, l.amount AS entry_amount, d.base_total, l.base AS entry_base
  FROM {head} d
  LEFT JOIN (SELECT e.source_id, l.{partner}, l.currency_id, sum(l.amount) AS amount, sum(l.debit - l.credit) AS base
               FROM erp_journalentry e JOIN erp_journalline l ON l.entry_id = e.id
              WHERE e.source = %(label)s AND e.purpose = 'post' AND l.{partner} IS NOT NULL GROUP BY 1, 2, 3) l
    ON l.source_id = d.id AND l.{partner} = d.{partner} AND l.currency_id = d.currency_id
 WHERE d.state <> 'draft'
   AND (coalesce(l.amount, 0) <> %(sign)s * d.total OR coalesce(l.base, 0) <> %(sign)s * d.base_total)
"""
# Accounts that ever collected tax. Where it was changed whether tax is recoverable, earlier postings stay right.
_TAX_POSTINGS = """
WITH kept AS (
    SELECT id, {account}_id AS account_id, {posted} AS posted FROM erp_taxcode
     UNION SELECT pgh_obj_id, {account}_id, {posted} FROM erp_taxcodehistory
), codes AS (
    SELECT id, bool_or(posted) AS posted, bool_or(posted) <> bool_and(posted) AS changed FROM kept GROUP BY id
), lines AS (
    SELECT l.{key} AS id, sum(l.tax) FILTER (WHERE c.posted) AS tax, bool_or(c.changed) AS changed
      FROM {line} l JOIN codes c ON c.id = l.tax_code_id WHERE l.tax <> 0 GROUP BY 1
), accounts AS (
    SELECT d.id, sum(j.amount) AS amount, sum(j.debit - j.credit) AS base,
           round(sum(j.amount) * d.rate, base.exponent) AS converted
      FROM {head} d JOIN erp_journalentry e ON e.source = %(label)s AND e.source_id = d.id AND e.purpose = 'post'
      JOIN erp_journalline j ON j.entry_id = e.id
     CROSS JOIN (SELECT u.exponent FROM erp_currency u JOIN oa_companyprofile c ON c.base_currency = u.code) base
     WHERE j.account_id IN (SELECT account_id FROM kept) GROUP BY d.id, j.account_id, base.exponent
), posted AS (
    SELECT id, sum(amount) AS amount, sum(base) AS base, sum(converted) AS converted FROM accounts GROUP BY id
)
SELECT d.number, -%(sign)s * coalesce(lines.tax, 0) AS tax, p.amount AS posted, p.base, p.converted
  FROM {head} d LEFT JOIN lines USING (id) LEFT JOIN posted p USING (id)
 WHERE d.state <> 'draft' AND lines.changed IS NOT TRUE
   AND (coalesce(p.amount, 0) <> -%(sign)s * coalesce(lines.tax, 0) OR p.base <> p.converted)
"""
_OPEN = """
SELECT d.number, d.open_amount, i.remaining
  FROM {head} d
  LEFT JOIN (SELECT source_id, sum(remaining) * %(sign)s AS remaining FROM erp_openitem
              WHERE source = %(label)s GROUP BY 1) i ON i.source_id = d.id
 WHERE d.state <> 'draft' AND d.open_amount <> coalesce(i.remaining, 0)
"""
_MOVED = """
WITH moved AS (
    SELECT order_line_id, sum(quantity) AS quantity, sum(quantity) FILTER (WHERE allowed_by IS NOT NULL) AS allowed
      FROM (
        SELECT l.order_line_id, l.quantity, d.excess_allowed_by_id AS allowed_by
          FROM {line} l JOIN {head} d ON d.id = l.{key} WHERE d.state <> 'draft'
        {more}
    ) m GROUP BY 1
)
SELECT o.number, ol.position, ol.quantity, ol.moved, coalesce(m.quantity, 0) AS documents
"""
_MOVED_WRONG = """
  FROM {order_line} ol JOIN {order} o ON o.id = ol.order_id
  LEFT JOIN moved m ON m.order_line_id = ol.id
 WHERE ol.moved <> coalesce(m.quantity, 0) OR ol.moved < 0
    OR ol.returned_replace + ol.returned_credit > ol.moved OR ol.moved > 0 AND o.state IN ('draft', 'cancelled')
"""
# Order lines that got more than was ordered without an allowance, with every tolerance that was ever said at the
# five places of rule G-12: settings may have been narrowed since, which makes nothing wrong. Terms that were made
# after the order said nothing before.
_MOVED_OVER = """
     , ol.moved - ol.returned_replace - coalesce(m.allowed, 0) AS without_allowance,
       ARRAY(SELECT ol.tolerance UNION SELECT tolerance FROM {order_line}history WHERE pgh_obj_id = ol.id),
       ARRAY(SELECT p.tolerance UNION SELECT tolerance FROM erp_producthistory WHERE pgh_obj_id = p.id),
       ARRAY(SELECT g.tolerance
               FROM (SELECT p.group_id UNION SELECT group_id FROM erp_producthistory WHERE pgh_obj_id = p.id) k
               LEFT JOIN (SELECT id, tolerance FROM erp_productgroup
                           UNION SELECT pgh_obj_id, tolerance FROM erp_productgrouphistory) g ON g.id = k.group_id),
       ARRAY(SELECT tolerance FROM {partner} WHERE {partner_key} = o.{order_key}
              UNION SELECT tolerance FROM {partner}history WHERE {partner_key} = o.{order_key}
              UNION SELECT NULL WHERE NOT EXISTS (
                        SELECT 1 FROM {partner} WHERE {partner_key} = o.{order_key} AND created_at <= o.confirmed_at)),
       ARRAY(SELECT over_receipt_tolerance FROM oa_companyprofile
              UNION SELECT over_receipt_tolerance FROM oa_companyprofilehistory)
  FROM {order_line} ol JOIN {order} o ON o.id = ol.order_id JOIN erp_product p ON p.id = ol.product_id
  JOIN moved m ON m.order_line_id = ol.id
 WHERE ol.moved - ol.returned_replace - coalesce(m.allowed, 0) > ol.quantity
"""
_BILLED = """
WITH billed AS (
    SELECT l.order_line_id, sum(l.quantity) AS quantity
      FROM {line} l JOIN {head} d ON d.id = l.{key}
     WHERE d.state <> 'draft' AND l.order_line_id IS NOT NULL GROUP BY 1
)
SELECT o.number, ol.position, ol.moved, ol.billed, ol.credited, coalesce(b.quantity, 0) AS documents
  FROM {order_line} ol JOIN {order} o ON o.id = ol.order_id
  LEFT JOIN billed b ON b.order_line_id = ol.id
 WHERE ol.billed <> coalesce(b.quantity, 0) OR ol.billed < 0 OR ol.credited < 0 OR ol.credited > ol.billed
    OR ol.billed - ol.credited > ol.moved - ol.returned_replace - ol.returned_credit
"""


def _tables(head: Any, line: Any) -> dict[str, str]:
    """Names for the templates: head and line table, and the line's column that names its head."""
    key = next(field.column for field in line._meta.fields if field.related_model is head)
    return {"head": head._meta.db_table, "line": line._meta.db_table, "key": key}


def header_differences(head: Any, line: Any) -> list[Row]:
    """Documents whose totals are not the sums of their lines, or not converted by their rate (I-23)."""
    return rows(_HEADERS.format(**_tables(head, line)))


def tax_differences(head: Any, line: Any) -> list[Row]:
    """Lines, or rates of a document by its tax method, whose tax is not base x rate (I-24)."""
    return rows(_TAXES.format(**_tables(head, line)))


def entry_differences(head: Any, partner: str, sign: int) -> list[Row]:
    """Posted documents whose partner line in the ledger is not their total (I-23)."""
    sql = _ENTRIES.format(head=head._meta.db_table, partner=partner)
    return rows(sql, {"label": head._meta.label_lower, "sign": sign})


def tax_posting_differences(head: Any, line: Any, sign: int) -> list[Row]:
    """Posted documents whose tax in the ledger is not that of their lines (I-24).

    `sign` is 1 for output tax, which is credited, and -1 for input tax.
    """
    kind = (
        {"account": "output_account", "posted": "TRUE"}
        if sign > 0
        else {"account": "input_account", "posted": "recoverable"}
    )
    names = {**_tables(head, line), **kind}
    return rows(_TAX_POSTINGS.format(**names), {"label": head._meta.label_lower, "sign": sign})


def open_differences(head: Any, sign: int) -> list[Row]:
    """Documents whose open amount is not what their open items tell (I-25)."""
    return rows(_OPEN.format(head=head._meta.db_table), {"label": head._meta.label_lower, "sign": sign})


def moved_differences(
    order: Any, order_line: Any, head: Any, line: Any, *, partner: tuple[str, str, str], more: str = ""
) -> list[Row]:
    """Order lines whose moved quantity is not that of their documents, or more than allowed (I-21, rule G-12).

    `partner` names the table with the partner's tolerance, its key, and the order's column for it. `more` adds
    moved quantities from elsewhere: `UNION ALL SELECT order_line_id, quantity, excess_allowed_by_id …`.
    """
    names = {"order": order._meta.db_table, "order_line": order_line._meta.db_table, "more": more}
    names |= dict(zip(("partner", "partner_key", "order_key"), partner, strict=True)) | _tables(head, line)
    return [*rows((_MOVED + _MOVED_WRONG).format(**names)), *_beyond_tolerance((_MOVED + _MOVED_OVER).format(**names))]


def _beyond_tolerance(sql: str) -> Iterator[Row]:
    """The rows of `sql` that no tolerance which ever held admits."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for number, position, quantity, _moved, _documents, moved, *said in cursor:
            widest = max(tolerance_of(*places) for places in product(*said))
            if moved > with_tolerance(quantity, widest):
                yield {
                    "number": number,
                    "position": position,
                    "quantity": quantity,
                    "moved without allowance": moved,
                    "tolerance": widest,
                }


def billed_differences(order: Any, order_line: Any, head: Any, line: Any) -> list[Row]:
    """Order lines whose billed quantity is not that of their documents, or more than was moved (I-22)."""
    names = {"order": order._meta.db_table, "order_line": order_line._meta.db_table}
    return rows(_BILLED.format(**names, **_tables(head, line)))
