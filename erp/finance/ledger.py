"""The only writer of the general ledger.

A posting is one SQL statement: number, entry, lines and period balances go in together, whatever the number
of lines. The number's counter row and the balances (in account order) are the last locks of a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from erp.finance.context import PostingContext
from erp.finance.models import JournalEntry
from kit.values.errors import BusinessError
from kit.values.money import ONE, ZERO, decimals
from oa.organisation.models.company import ReversalStyle

_POST = """
WITH counter AS (
    INSERT INTO oa_counter (key, last) VALUES (%(counter)s, 1)
    ON CONFLICT (key) DO UPDATE SET last = oa_counter.last + 1 RETURNING last
), entry AS (
    INSERT INTO erp_journalentry (journal_id, period_id, sequence, number, date, memo, source, source_id,
        source_number, purpose, reversal_of_id, line_count, total, posted_at, posted_by_id)
    SELECT %(journal)s, %(period)s, last, %(prefix)s || lpad(last::text, greatest(4, length(last::text)), '0'),
        %(date)s, %(memo)s, %(source)s, %(source_id)s, %(source_number)s, %(purpose)s, %(reversal_of)s,
        %(line_count)s, %(total)s, now(), %(by)s
    FROM counter RETURNING id, number
), given AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(debits)s::numeric[], %(credits)s::numeric[], %(reds)s::bool[],
        %(currencies)s::bigint[], %(amounts)s::numeric[], %(rates)s::numeric[], %(memos)s::text[],
        %(customers)s::bigint[], %(suppliers)s::bigint[], %(departments)s::bigint[], %(employees)s::bigint[])
      WITH ORDINALITY AS l(account, debit, credit, red, currency, amount, rate, memo, customer, supplier, department,
        employee, position)
), lines AS (
    INSERT INTO erp_journalline (entry_id, account_id, date, debit, credit, red, currency_id, amount, rate, memo,
        customer_id, supplier_id, department_id, employee_id)
    SELECT entry.id, account, %(date)s, debit, credit, red, currency, amount, rate, given.memo, customer,
        supplier, department, employee
    FROM entry, given ORDER BY position
), balances AS (
    INSERT INTO erp_periodbalance (period_id, account_id, debit, credit)
    SELECT %(period)s, account, sum(debit), sum(credit) FROM given GROUP BY account ORDER BY account
    ON CONFLICT (account_id, period_id) DO UPDATE
       SET debit = erp_periodbalance.debit + EXCLUDED.debit, credit = erp_periodbalance.credit + EXCLUDED.credit
)
SELECT id, number FROM entry
"""


@dataclass(frozen=True)
class Line:
    """One ledger line to post: `amount` is signed in base currency (debit positive).

    `currency_amount` is the same in `currency_id`; both are left out for amounts in base currency.
    """

    account_id: int
    amount: Decimal
    currency_id: int | None = None
    currency_amount: Decimal | None = None
    rate: Decimal = ONE
    memo: str = ""
    customer_id: int | None = None
    supplier_id: int | None = None
    department_id: int | None = None
    employee_id: int | None = None
    red: bool = False
    credit_side: bool = False  # only with `red`: the negative amount stands on the credit side


@dataclass(frozen=True)
class Source:
    """The document an entry comes from: model label (`erp.delivery`), key and number."""

    label: str
    pk: int
    number: str


def source_of(document: Any) -> Source:
    """The `Source` of a numbered document."""
    return Source(document._meta.label_lower, document.pk, document.number or "")


def merged(lines: Iterable[Line]) -> list[Line]:
    """Lines of equal account and dimensions as one; what cancels out is left away (DESIGN decision 7)."""
    sums: dict[Line, tuple[Decimal, Decimal]] = {}
    for line in lines:
        key = replace(line, amount=ZERO, currency_amount=None)
        base, foreign = sums.get(key, (ZERO, ZERO))
        given = line.amount if line.currency_amount is None else line.currency_amount
        sums[key] = (base + line.amount, foreign + given)
    return [replace(key, amount=base, currency_amount=foreign) for key, (base, foreign) in sums.items() if base]


def post_entry(
    context: PostingContext,
    source: Source,
    lines: Sequence[Line],
    *,
    by: Any,
    memo: str = "",
    purpose: str = "post",
    reversal_of: int | None = None,
    as_given: bool = False,
) -> tuple[int, str] | None:
    """Post balanced `lines`; returns the entry's key and number, None when nothing is left to post.

    Lines are aggregated by account and dimension unless they are to stand `as_given`. Raises BusinessError
    when debits and credits differ; the database refuses it as well.
    """
    lines = lines if as_given or reversal_of else merged(lines)
    if not lines:
        return None
    if sum((line.amount for line in lines), ZERO):
        raise BusinessError(_("Debits and credits of %s differ; nothing was posted.") % source.number)
    columns = _columns(lines, context.base_currency_id)
    values = {
        **columns,
        **_place(context),
        "memo": memo[:300],
        "source": source.label,
        "source_id": source.pk,
        "source_number": source.number,
        "purpose": purpose,
        "reversal_of": reversal_of,
        "line_count": len(lines),
        "total": sum(columns["debits"], ZERO),
        "by": by.pk if by else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_POST, values)
        entry_id, number = cursor.fetchone()
    return entry_id, number


def _place(context: PostingContext) -> dict[str, Any]:
    """Where an entry belongs: journal, period, date, and the counter that numbers it."""
    return {
        "counter": f"journal:{context.journal_id}:{context.period_id}",
        "prefix": f"{context.journal_code}-{context.period_start:%y%m}-",
        "journal": context.journal_id,
        "period": context.period_id,
        "date": context.date,
    }


def _columns(lines: Sequence[Line], base_currency_id: int) -> dict[str, list[Any]]:
    """The lines by column, as arrays for the statement."""
    return {
        "accounts": [line.account_id for line in lines],
        "debits": decimals([ZERO if _on_credit_side(line) else line.amount for line in lines]),
        "credits": decimals([-line.amount if _on_credit_side(line) else ZERO for line in lines]),
        "reds": [line.red for line in lines],
        "currencies": [line.currency_id or base_currency_id for line in lines],
        "amounts": decimals([line.amount if line.currency_amount is None else line.currency_amount for line in lines]),
        "rates": decimals([line.rate for line in lines]),
        "memos": [line.memo[:300] for line in lines],
        "customers": [line.customer_id for line in lines],
        "suppliers": [line.supplier_id for line in lines],
        "departments": [line.department_id for line in lines],
        "employees": [line.employee_id for line in lines],
    }


def _on_credit_side(line: Line) -> bool:
    return line.credit_side if line.red else line.amount < 0


def reverse_entry(
    context: PostingContext, source: Source, original: JournalEntry, *, by: Any, memo: str = "", purpose: str = "post"
) -> tuple[int, str] | None:
    """Post the exact mirror of `original`, red letter or on the opposite side by company setting (G-04, G-05)."""
    red = context.reversal_style == ReversalStyle.RED
    lines = [
        Line(
            account_id=line.account_id,
            amount=line.credit - line.debit,
            currency_id=line.currency_id,
            currency_amount=-line.amount,
            rate=line.rate,
            memo=line.memo,
            customer_id=line.customer_id,
            supplier_id=line.supplier_id,
            department_id=line.department_id,
            employee_id=line.employee_id,
            red=red and not line.red,
            credit_side=bool(line.credit) if red and not line.red else False,
        )
        for line in original.lines.all()
    ]
    return post_entry(context, source, lines, by=by, memo=memo, purpose=purpose, reversal_of=original.pk)


def entry_of(source: Source, purpose: str = "post") -> JournalEntry | None:
    """The entry a document posted for `purpose`, with its lines."""
    entries = JournalEntry.objects.filter(source=source.label, source_id=source.pk, purpose=purpose)
    return entries.prefetch_related("lines").first()


def base_amounts(amounts: Sequence[Decimal], rate: Decimal, exponent: int) -> tuple[list[Decimal], Decimal]:
    """Document amounts in base currency, each rounded, and their sum (rule G-17)."""
    rounded = [(amount * rate).quantize(ONE.scaleb(-exponent), rounding="ROUND_HALF_UP") for amount in amounts]
    return rounded, sum(rounded, ZERO)
