"""Exchange rates by date (rule G-17)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext as _

from erp.finance.models import Currency, ExchangeRate
from kit.values.errors import BusinessError
from kit.values.money import ONE
from oa.organisation.models import CompanyProfile


def base_currency() -> Currency:
    """The currency the books are kept in."""
    return Currency.objects.get(code=CompanyProfile.current().base_currency)


def base_symbol() -> str:
    """The sign of the base currency, its code where it has none."""
    return str(_symbols().get())


def base_symbol_column() -> Subquery:
    """The same, as a column of rows that are read anyway."""
    return Subquery(_symbols())


def _symbols() -> QuerySet[Currency, Any]:
    base = Currency.objects.filter(code__in=CompanyProfile.objects.values("base_currency"))
    return base.values_list(Coalesce(NullIf("symbol", Value("")), "code"), flat=True)


def rate_on(currency: Currency, date: dt.date, *, base_code: str | None = None) -> Decimal:
    """Base currency per unit of `currency` on `date`: the latest rate not after it; 1 for the base currency."""
    if currency.code == (base_code or CompanyProfile.current().base_currency):
        return ONE
    rate = (
        ExchangeRate.objects.filter(currency=currency, date__lte=date).order_by("-date").values_list("rate", flat=True)
    ).first()
    if rate is None:
        raise BusinessError(
            _("There is no exchange rate for %(currency)s on %(date)s. Enter one under Finance, Exchange rates.")
            % {"currency": currency.code, "date": date},
            field="rate",
        )
    return Decimal(rate)


def fill_rate(document: Any, base: Currency) -> None:
    """Set the rate of a draft that nobody typed: 1 in `base`, else that of its day (rule G-17)."""
    if document.currency_id == base.pk:
        document.rate = ONE
    elif document.rate is None or document.rate == ONE:
        document.rate = rate_on(document.currency, document.date, base_code=base.code)
    elif document.rate <= 0:
        raise BusinessError(_("The rate must be more than 0."), field="rate")
