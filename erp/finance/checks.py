"""Invariants of the general ledger and of open items."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.utils.translation import gettext_lazy as _

from erp.finance import expense_checks as expense_checks  # registers its invariants
from erp.finance.models import Payment, Voucher
from erp.finance.services.payments import SEQUENCES
from kit.rules.checks import Row, check, rows, values
from oa.records.checks import counter_gaps, documents, number_gaps
from oa.records.models import PostedDocument

_BASE = "(SELECT cur.id FROM erp_currency cur JOIN oa_companyprofile c ON c.base_currency = cur.code)"


@check("I-01", _("every ledger line has one side, and negative amounts in red only"))
def one_side() -> list[Row]:
    """Exactly one of debit and credit is not 0; it is negative only on a red line."""
    return rows("""
        SELECT l.id AS line, e.number, l.debit, l.credit, l.red
          FROM erp_journalline l LEFT JOIN erp_journalentry e ON e.id = l.entry_id
         WHERE (l.debit = 0) = (l.credit = 0) OR l.red <> (l.debit < 0 OR l.credit < 0)
    """)


@check("I-02", _("debits equal credits in every entry"))
def balanced() -> list[Row]:
    """In base currency, and equal to the total that seals the entry."""
    return rows("""
        SELECT e.number, s.debit, s.credit, e.total
          FROM erp_journalentry e
          JOIN (SELECT entry_id, sum(debit) AS debit, sum(credit) AS credit FROM erp_journalline GROUP BY entry_id) s
            ON s.entry_id = e.id
         WHERE s.debit <> s.credit OR s.debit <> e.total
    """)


@check("I-03", _("debits equal credits in each currency"))
def balanced_by_currency() -> list[Row]:
    """Entries in one currency, and those of invoices and payments in every foreign one, balance in it.

    Others may exchange one currency for another. In base currency both amounts of a line are the same.
    """
    return rows(f"""
        WITH s AS (
            SELECT l.entry_id, l.currency_id, sum(l.amount) AS amount,
                   bool_or(l.currency_id = {_BASE} AND l.amount <> l.debit - l.credit) AS unequal,
                   count(*) OVER (PARTITION BY l.entry_id) AS currencies
              FROM erp_journalline l GROUP BY l.entry_id, l.currency_id
        )
        SELECT e.number, cur.code AS currency, s.amount AS difference
          FROM s JOIN erp_journalentry e ON e.id = s.entry_id JOIN erp_currency cur ON cur.id = s.currency_id
         WHERE s.unequal
            OR s.amount <> 0 AND (s.currencies = 1 OR s.currency_id <> {_BASE}
                                  AND e.source IN ('erp.invoice', 'erp.payment'))
    """)


@check("I-04", _("every entry has its lines, at least two, and no line is without entry"))
def complete() -> list[Row]:
    """The number of lines is the one the entry was sealed with."""
    return rows("""
        SELECT e.number, coalesce(s.lines, 0) AS lines, e.line_count AS expected, s.entry_id AS entry
          FROM erp_journalentry e
          FULL JOIN (SELECT entry_id, count(*) AS lines FROM erp_journalline GROUP BY entry_id) s ON s.entry_id = e.id
         WHERE e.id IS NULL OR coalesce(s.lines, 0) < 2 OR s.lines <> e.line_count
    """)


@check("I-05", _("ledger lines stand on accounts that take postings, on their entry's date"))
def leaf_accounts() -> list[Row]:
    """No line on a group account or on one that has children; the line's date is its entry's."""
    return rows("""
        SELECT e.number, a.code AS account, l.date, e.date AS entry_date
          FROM erp_journalline l JOIN erp_journalentry e ON e.id = l.entry_id
          LEFT JOIN erp_account a ON a.id = l.account_id
         WHERE a.id IS NULL OR a.is_group OR l.date <> e.date
            OR l.account_id IN (SELECT parent_id FROM erp_account WHERE parent_id IS NOT NULL)
    """)


@check("I-05", _("nothing was posted by hand to an account that was archived at that time"))
def archived_accounts() -> list[Row]:
    """Vouchers but for reversals; documents follow their posting rules, also to an account that retires (G-24)."""
    return rows("""
        WITH archived AS (
            SELECT a.id, a.code, max(h.pgh_created_at) FILTER (WHERE h.active) AS since
              FROM erp_account a LEFT JOIN erp_accounthistory h ON h.pgh_obj_id = a.id
             WHERE NOT a.active GROUP BY a.id
        )
        SELECT e.number, a.code AS account, e.posted_at, a.since AS archived
          FROM archived a JOIN erp_journalline l ON l.account_id = a.id JOIN erp_journalentry e ON e.id = l.entry_id
         WHERE e.source = 'erp.voucher' AND e.reversal_of_id IS NULL
           AND e.posted_at > coalesce(a.since, '-infinity')
    """)


@check("I-06", _("a document is posted once for each purpose, and a draft not at all"))
def posted_once() -> Iterator[Row]:
    """One live entry per source and purpose; documents with entries are posted or reversed."""
    yield from rows("""
        SELECT source, source_id, purpose, count(*) AS entries, string_agg(number, ' ') AS numbers
          FROM erp_journalentry GROUP BY source, source_id, purpose HAVING count(*) > 1
    """)
    for model in documents(PostedDocument):
        yield from rows(
            f"""
            SELECT e.number, e.source, d.number AS document, d.state
              FROM erp_journalentry e JOIN {model._meta.db_table} d ON d.id = e.source_id
             WHERE e.source = %(label)s AND d.state = 'draft'
            """,
            {"label": model._meta.label_lower},
        )


@check("I-07", _("numbers of entries have no gaps"))
def entry_numbers() -> list[Row]:
    """Sequences run from 1 without gaps in every journal and period, and the number shows the sequence."""
    return rows("""
        SELECT j.code AS journal, p.start AS period, count(*), min(e.sequence) AS first, max(e.sequence) AS last,
               count(*) FILTER (WHERE ltrim(split_part(e.number, '-', -1), '0') <> e.sequence::text) AS misnumbered
          FROM erp_journalentry e JOIN erp_journal j ON j.id = e.journal_id JOIN erp_period p ON p.id = e.period_id
         GROUP BY j.code, p.start
        HAVING count(*) <> max(e.sequence) OR min(e.sequence) <> 1 OR count(DISTINCT e.sequence) <> count(*)
            OR bool_or(ltrim(split_part(e.number, '-', -1), '0') <> e.sequence::text)
    """)


@check("I-07", _("numbers of money documents and vouchers have no gaps"))
def money_numbers() -> Iterator[Row]:
    """Receipts, payments and refunds share a table and have a sequence each."""
    for direction in SEQUENCES:
        yield from number_gaps(Payment, f"d.direction = '{direction.value}'")
    yield from number_gaps(Voucher)


@check("I-08", _("counters of journals stand at the last entry"))
def entry_counters() -> Iterator[Row]:
    """The counters of journals, and those of money documents and vouchers, are at the highest number."""
    yield from rows("""
        SELECT k.key AS counter, c.last, k.highest
          FROM (SELECT key, last FROM oa_counter WHERE starts_with(key, 'journal:')) c
          FULL JOIN (SELECT 'journal:' || journal_id || ':' || period_id AS key, max(sequence) AS highest
                       FROM erp_journalentry GROUP BY journal_id, period_id) k USING (key)
         WHERE c.last IS DISTINCT FROM k.highest
    """)
    for direction, sequence in SEQUENCES.items():
        yield from counter_gaps(Payment, sequence, f"d.direction = '{direction.value}'")
    yield from counter_gaps(Voucher, "voucher")


@check("I-09", _("a reversal mirrors its entry exactly and once"))
def mirrored() -> list[Row]:
    """Same accounts and dimensions with opposite amounts, on the same side in red or on the other side."""
    return rows("""
        WITH both_ways AS (
            SELECT r.id AS reversal, l.account_id, l.customer_id, l.supplier_id, l.department_id, l.employee_id,
                   l.currency_id, l.rate, l.debit - l.credit AS base, l.amount, 1 AS n
              FROM erp_journalentry r JOIN erp_journalline l ON l.entry_id = r.id WHERE r.reversal_of_id IS NOT NULL
            UNION ALL
            SELECT r.id, l.account_id, l.customer_id, l.supplier_id, l.department_id, l.employee_id, l.currency_id,
                   l.rate, l.credit - l.debit, -l.amount, -1
              FROM erp_journalentry r JOIN erp_journalline l ON l.entry_id = r.reversal_of_id
        ), differing AS (
            SELECT DISTINCT reversal FROM both_ways
             GROUP BY reversal, account_id, customer_id, supplier_id, department_id, employee_id, currency_id, rate,
                      base, amount
            HAVING sum(n) <> 0
        )
        SELECT r.number, o.number AS reversal_of, r.date, o.date AS original_date
          FROM erp_journalentry r LEFT JOIN erp_journalentry o ON o.id = r.reversal_of_id
         WHERE r.reversal_of_id IS NOT NULL
           AND (o.id IS NULL OR r.date < o.date OR o.reversal_of_id IS NOT NULL
                OR r.id IN (SELECT reversal FROM differing)
                OR EXISTS (SELECT 1 FROM erp_journalentry t WHERE t.reversal_of_id = r.reversal_of_id AND t.id <> r.id))
    """)


@check("I-09", _("a reversed document has one posted counter document, and their entries belong together"))
def mirrored_documents() -> Iterator[Row]:
    """Original and counter document name each other, by state, by key and by their entries."""
    for model in documents(PostedDocument):
        yield from rows(
            f"""
            SELECT %(label)s AS document, d.number, d.state, c.number AS counter, c.state AS counter_state
              FROM {model._meta.db_table} d
              LEFT JOIN {model._meta.db_table} c ON c.reversal_of_id = d.id
              LEFT JOIN erp_journalentry e ON e.source = %(label)s AND e.source_id = d.id AND e.purpose = 'post'
              LEFT JOIN erp_journalentry m ON m.source = %(label)s AND m.source_id = c.id AND m.purpose = 'post'
             WHERE (d.state = 'reversed') <> (c.id IS NOT NULL AND c.state = 'posted')
                OR c.id IS NOT NULL AND (d.reversal_of_id IS NOT NULL OR c.date < d.date
                                         OR m.reversal_of_id IS DISTINCT FROM e.id)
            """,
            {"label": model._meta.label_lower},
        )


@check("I-10", _("nothing is posted into a closed period or outside of its dates"))
def periods_respected() -> list[Row]:
    """Entries lie in their period and were posted before it was closed; periods do not overlap."""
    entries = rows("""
        SELECT e.number, e.date, p.start AS period, e.posted_at, p.closed_at
          FROM erp_journalentry e LEFT JOIN erp_period p ON p.id = e.period_id
         WHERE p.id IS NULL OR e.date NOT BETWEEN p.start AND p."end"
            OR p.state = 'closed' AND (p.closed_at IS NULL OR e.posted_at > p.closed_at)
    """)
    overlaps = rows("""
        SELECT a.start AS period, b.start AS overlaps FROM erp_period a
          JOIN erp_period b ON a.id < b.id AND a.start <= b."end" AND b.start <= a."end"
    """)
    return [*entries, *overlaps]


@check("I-11", _("open items equal the control accounts of every partner"))
def open_items_tie() -> list[Row]:
    """Per account, partner and currency, in that currency and in base currency."""
    return rows("""
        WITH control AS (
            SELECT id FROM erp_account WHERE control IN ('receivable', 'payable')
             UNION SELECT account_id FROM erp_openitem
        ), ledger AS (
            SELECT l.account_id, coalesce(l.customer_id, 0) AS customer, coalesce(l.supplier_id, 0) AS supplier,
                   l.currency_id, sum(l.amount) AS amount, sum(l.debit - l.credit) AS base
              FROM erp_journalline l WHERE l.account_id IN (SELECT id FROM control) GROUP BY 1, 2, 3, 4
        ), items AS (
            SELECT account_id, coalesce(customer_id, 0) AS customer, coalesce(supplier_id, 0) AS supplier,
                   currency_id, sum(remaining) AS amount, sum(base_remaining) AS base
              FROM erp_openitem GROUP BY 1, 2, 3, 4
        )
        SELECT a.code AS account, customer, supplier, cur.code AS currency, i.amount AS open_items,
               l.amount AS ledger, i.base AS open_items_in_base, l.base AS ledger_in_base
          FROM items i FULL JOIN ledger l USING (account_id, customer, supplier, currency_id)
          LEFT JOIN erp_account a ON a.id = account_id LEFT JOIN erp_currency cur ON cur.id = currency_id
         WHERE coalesce(i.amount, 0) <> coalesce(l.amount, 0) OR coalesce(i.base, 0) <> coalesce(l.base, 0)
    """)


@check("I-13", _("the trial balance of every period adds up to 0"))
def trial_balance() -> list[Row]:
    """All debits equal all credits, in the ledger and in the balances that reports read."""
    return rows("""
        SELECT p.start AS period, s.source, s.difference FROM (
            SELECT e.period_id, 'ledger' AS source, sum(l.debit) - sum(l.credit) AS difference
              FROM erp_journalline l JOIN erp_journalentry e ON e.id = l.entry_id GROUP BY e.period_id
            UNION ALL
            SELECT period_id, 'balances', sum(debit) - sum(credit) FROM erp_periodbalance GROUP BY period_id
        ) s LEFT JOIN erp_period p ON p.id = s.period_id WHERE s.difference <> 0
    """)


@check("I-13", _("every fiscal year goes on where the one before ended"))
def years_join() -> list[Row]:
    """The periods of a year follow one another without gap or overlap, and years do not overlap.

    So an opening balance, the turnovers before a day, is the closing balance of the day before.
    """
    months = rows("""
        SELECT y.name AS year, p.number AS period, p.start, p."end", p.following
          FROM erp_fiscalyear y
          FULL JOIN (SELECT year_id, number, start, "end",
                            lag("end" + 1, 1, start) OVER (PARTITION BY year_id ORDER BY start) AS following,
                            lag(number + 1, 1, 1) OVER (PARTITION BY year_id ORDER BY start) AS place,
                            lead(start) OVER (PARTITION BY year_id ORDER BY start) AS next
                       FROM erp_period) p ON p.year_id = y.id
         WHERE y.id IS NULL OR p.start <> p.following OR p.number <> p.place
            OR p.start NOT BETWEEN y.start AND y."end" OR p."end" NOT BETWEEN y.start AND y."end"
            OR p.number = 1 AND p.start <> y.start OR p.next IS NULL AND p."end" <> y."end"
    """)
    years = rows("""
        SELECT a.name AS year, b.name AS overlaps FROM erp_fiscalyear a
          JOIN erp_fiscalyear b ON a.id < b.id AND a.start <= b."end" AND b.start <= a."end"
    """)
    return [*months, *years]


@check("I-14", _("period balances equal the sums of their lines"))
def period_balances() -> list[Row]:
    """Per account and period, debits and credits."""
    return rows("""
        SELECT a.code AS account, p.start AS period, b.debit, s.debit AS lines_debit, b.credit,
               s.credit AS lines_credit
          FROM erp_periodbalance b
          FULL JOIN (SELECT l.account_id, e.period_id, sum(l.debit) AS debit, sum(l.credit) AS credit
                       FROM erp_journalline l JOIN erp_journalentry e ON e.id = l.entry_id GROUP BY 1, 2) s
            USING (account_id, period_id)
          LEFT JOIN erp_account a ON a.id = account_id LEFT JOIN erp_period p ON p.id = period_id
         WHERE coalesce(b.debit, 0) <> coalesce(s.debit, 0) OR coalesce(b.credit, 0) <> coalesce(s.credit, 0)
    """)


@check("I-23", _("payments and vouchers equal their entries"))
def money_entries() -> list[Row]:
    """The bank line is the payment's amount in both currencies, the voucher's lines are its entry's."""
    payments = rows("""
        SELECT d.number, d.amount, d.base_amount, sum(l.amount) AS entry_amount, sum(l.debit - l.credit) AS entry_base
          FROM erp_payment d
          LEFT JOIN erp_journalentry e ON e.source = 'erp.payment' AND e.source_id = d.id AND e.purpose = 'post'
          LEFT JOIN erp_journalline l ON l.entry_id = e.id AND l.account_id = d.account_id
         WHERE d.state <> 'draft' GROUP BY d.id
        HAVING (coalesce(sum(l.amount), 0), coalesce(sum(l.debit - l.credit), 0))
            <> CASE WHEN d.direction IN ('receive', 'recover') THEN (d.amount, d.base_amount)
                    ELSE (-d.amount, -d.base_amount) END
    """)
    vouchers = rows("""
        WITH both_ways AS (
            SELECT v.voucher_id AS id, v.account_id, v.customer_id, v.supplier_id, v.currency_id,
                   v.debit - v.credit AS amount
              FROM erp_voucherline v JOIN erp_voucher d ON d.id = v.voucher_id WHERE d.state <> 'draft'
            UNION ALL
            SELECT e.source_id, l.account_id, l.customer_id, l.supplier_id, l.currency_id, -l.amount
              FROM erp_journalline l JOIN erp_journalentry e ON e.id = l.entry_id
             WHERE e.source = 'erp.voucher' AND e.purpose = 'post'
        )
        SELECT d.number, a.code AS account, s.difference
          FROM (SELECT id, account_id, sum(amount) AS difference FROM both_ways
                 GROUP BY id, account_id, customer_id, supplier_id, currency_id HAVING sum(amount) <> 0) s
          LEFT JOIN erp_voucher d ON d.id = s.id LEFT JOIN erp_account a ON a.id = s.account_id
    """)
    return [*payments, *vouchers]


@check("I-25", _("allocations settle items of one partner and never more than their amount"))
def allocations_tie() -> list[Row]:
    """What remains of an item is its amount less its allocations; pairs match; undoing rows mirror."""
    remaining = rows("""
        WITH taken AS (
            SELECT debit_item_id AS item, amount, debit_base AS base FROM erp_allocation
            UNION ALL SELECT credit_item_id, -amount, -credit_base FROM erp_allocation
        ), sums AS (SELECT item, sum(amount) AS amount, sum(base) AS base FROM taken GROUP BY item)
        SELECT i.id AS item, i.number, i.amount, i.remaining, s.amount AS allocated, i.base_amount,
               i.base_remaining, s.base AS base_allocated
          FROM erp_openitem i LEFT JOIN sums s ON s.item = i.id
         WHERE i.remaining <> i.amount - coalesce(s.amount, 0)
            OR i.base_remaining <> i.base_amount - coalesce(s.base, 0)
            OR abs(i.remaining) > abs(i.amount) OR i.remaining * i.amount < 0
            OR i.remaining = 0 AND i.base_remaining <> 0
    """)
    pairs = rows("""
        SELECT a.id AS allocation, d.number AS debit, c.number AS credit, a.amount, r.amount AS undoes
          FROM erp_allocation a
          LEFT JOIN erp_openitem d ON d.id = a.debit_item_id LEFT JOIN erp_openitem c ON c.id = a.credit_item_id
          LEFT JOIN erp_allocation r ON r.id = a.reverses_id
         WHERE d.amount <= 0 OR c.amount >= 0 OR d.account_id <> c.account_id OR d.currency_id <> c.currency_id
            OR d.customer_id IS DISTINCT FROM c.customer_id OR d.supplier_id IS DISTINCT FROM c.supplier_id
            OR (a.amount <= 0) <> (a.reverses_id IS NOT NULL)
            OR r.id IS NOT NULL AND (r.reverses_id IS NOT NULL OR a.amount <> -r.amount
                OR a.debit_base <> -r.debit_base OR a.credit_base <> -r.credit_base
                OR a.debit_item_id <> r.debit_item_id OR a.credit_item_id <> r.credit_item_id)
    """)
    return [*remaining, *pairs]


def dangling_sources(table: str) -> Iterator[Row]:
    """Rows of a ledger whose `source` and `source_id` lead to no document (I-33)."""
    for label in values(f"SELECT DISTINCT source FROM {table}"):
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError):
            yield {"table": table, "source": label, "problem": "no such model"}
            continue
        yield from rows(
            f"""
            SELECT '{table}' AS table, t.id, t.source, t.source_id FROM {table} t
             WHERE t.source = %(label)s
               AND NOT EXISTS (SELECT 1 FROM {model._meta.db_table} d WHERE d.{model._meta.pk.column} = t.source_id)
            """,
            {"label": label},
        )


def untimely(table: str) -> list[Row]:
    """Rows of a ledger posted in the future, or dated after the day they were posted (I-37)."""
    return rows(f"""
        SELECT number, date, posted_at FROM {table}
         WHERE posted_at > clock_timestamp() + interval '5 seconds' OR date > (posted_at AT TIME ZONE 'UTC')::date + 1
    """)


@check("I-33", _("entries and open items lead to documents that exist"))
def sources_resolve() -> Iterator[Row]:
    """They name a model and a row of it."""
    yield from dangling_sources("erp_journalentry")
    yield from dangling_sources("erp_openitem")


@check("I-37", _("no entry was posted in the future, nor dated after the day it was posted"))
def entry_times() -> list[Row]:
    """By the clock of the database; a day is allowed for time zones."""
    return untimely("erp_journalentry")
