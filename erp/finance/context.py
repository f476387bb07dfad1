"""What posting needs to know, in one statement: company, journal, period, posting rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from erp.finance.models import FiscalYear, Period
from erp.finance.models.accounts import Purpose
from kit.rules.days import business_day
from kit.values.dates import add_months, month_end
from kit.values.errors import BusinessError
from oa.organisation.models import CompanyProfile

# The period stays as it is until the posting is done; who comes after a close reads its words, not those of the guard.
_LOAD = """
SELECT c.base_currency, cur.id, cur.exponent, c.reversal_style, c.cost_at, c.tax_method,
       c.over_receipt_tolerance, c.under_tolerance, c.bill_tolerance, j.id, j.code, p.id, p.state, p.start,
       (SELECT json_agg(json_build_array(r.purpose, r.product_group_id, r.partner_group_id, r.account_id)
                        ORDER BY r.valid_from NULLS FIRST)
          FROM erp_postingrule r
         WHERE (r.valid_from IS NULL OR r.valid_from <= %(date)s) AND (r.valid_to IS NULL OR r.valid_to >= %(date)s))
  FROM oa_companyprofile c
  JOIN erp_currency cur ON cur.code = c.base_currency
  LEFT JOIN erp_journal j ON j.code = %(journal)s
  LEFT JOIN LATERAL (SELECT id, state, start FROM erp_period WHERE %(date)s BETWEEN start AND "end" FOR SHARE) p ON TRUE
"""

# Journals every installation has; `migrate` makes them.
SALES, PURCHASES, BANK, STOCK, GENERAL = "SAL", "PUR", "BNK", "INV", "GEN"


@dataclass(frozen=True)
class PostingContext:
    """Everything a posting on `date` in one journal looks up."""

    date: dt.date
    base_code: str
    base_currency_id: int
    exponent: int
    reversal_style: str
    cost_at: str
    tax_method: str
    tolerance: Any
    under_tolerance: Any
    bill_tolerance: Any
    journal_id: int
    journal_code: str
    period_id: int
    period_start: dt.date
    rules: dict[tuple[str, int | None, int | None], int]

    def account(self, purpose: str, product_group: int | None = None, partner_group: int | None = None) -> int:
        """The account for `purpose`: the most specific rule wins; refuses by name when there is none (F-08)."""
        for product, partner in (
            (product_group, partner_group),
            (product_group, None),
            (None, partner_group),
            (None, None),
        ):
            found = self.rules.get((purpose, product, partner))
            if found is not None:
                return found
        raise BusinessError(
            _("There is no posting rule for “%s”. Ask accounting to add one under Finance, Posting rules.")
            % Purpose(purpose).label
        )


def posting_context(date: dt.date, journal: str) -> PostingContext:
    """Load the context for a posting on `date`; refuses future dates (G-18) and closed periods (F-30).

    The fiscal year of `date` is made on demand.
    """
    if date > business_day():
        raise BusinessError(_("%s lies in the future; post with a date up to today.") % date, field="date")
    row = _load(date, journal)
    if row[11] is None:
        ensure_fiscal_year(date)
        row = _load(date, journal)
    if row[12] != "open":
        raise BusinessError(_("%s is closed. Use a date in an open period.") % row[13].strftime("%Y-%m"), field="date")
    rules = {(purpose, product, partner): account for purpose, product, partner, account in row[14] or []}
    found = [*row[:12], row[13], rules]  # without the period's state, which is settled
    return PostingContext(date, *found)


def _load(date: dt.date, journal: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, {"date": date, "journal": journal})
        row = cursor.fetchone()
    if row is None or row[9] is None:
        raise BusinessError(_("The journal %s does not exist.") % journal)
    return row


def ensure_fiscal_year(date: dt.date) -> FiscalYear:
    """The fiscal year of `date` with its twelve periods, made when it does not exist."""
    first = CompanyProfile.current().fiscal_year_start
    start = dt.date(date.year if date.month >= first else date.year - 1, first, 1)
    end = month_end(add_months(start, 11))
    name = str(start.year) if first == 1 else f"{start.year}/{end.year % 100:02}"
    year, _made = FiscalYear.objects.get_or_create(start=start, defaults={"end": end, "name": name})
    months = [add_months(start, i) for i in range(12)]
    Period.objects.bulk_create(
        [Period(year=year, number=i + 1, start=day, end=month_end(day)) for i, day in enumerate(months)],
        ignore_conflicts=True,
    )
    return year
