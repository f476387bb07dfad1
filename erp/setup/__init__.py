"""What `migrate` puts into an empty installation: chart of accounts, journals, currencies, units, roles.

Journals and the base currency are made whenever they are missing, because documents name them; all other
tables are filled only while they are empty.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import transaction

from erp.business.setup import install_daily_schedule
from erp.finance.charts import GOODS, load_chart
from erp.finance.models import Account, Currency, Journal, PaymentTerms, PostingGroup
from erp.inventory.models import ProductGroup, Unit, Warehouse
from erp.roles import DUTIES, GRANTS
from erp.setup.defaults import CURRENCIES, JOURNALS, PAYMENT_TERMS, UNITS
from oa.organisation.duties import install_duties
from oa.organisation.models import CompanyProfile
from oa.setup import fully_migrated, install_roles


def install(sender: AppConfig, using: str = "default", **kwargs: Any) -> None:
    """`post_migrate` of operations; master data goes to the default database only."""
    if not fully_migrated(sender, using, kwargs):
        return
    with transaction.atomic(using=using):
        install_roles(sender, GRANTS, using)
        if using == "default":
            install_duties(DUTIES)
            _finance()
            _inventory()
            install_daily_schedule()


def _finance() -> None:
    company = CompanyProfile.objects.get(pk=1)
    codes = set(Currency.objects.values_list("code", flat=True))
    rows = [Currency(code=c, name=n, name_zh=z, symbol=s, exponent=e) for c, n, z, s, e in CURRENCIES]
    base = company.base_currency
    if not codes:
        Currency.objects.bulk_create(rows)
        codes = {row.code for row in rows}
    if base not in codes:
        Currency.objects.create(code=base, name=base)
    journals = set(Journal.objects.values_list("code", flat=True))
    Journal.objects.bulk_create(
        Journal(code=code, name=name, name_zh=name_zh) for code, name, name_zh in JOURNALS if code not in journals
    )
    if not PaymentTerms.objects.exists():
        PaymentTerms.objects.bulk_create(
            PaymentTerms(code=code, name=name, name_zh=name_zh, days=days, end_of_month=end)
            for code, name, name_zh, days, end in PAYMENT_TERMS
        )
    if not Account.objects.exists():
        load_chart(company.chart)


def _inventory() -> None:
    if not Unit.objects.exists():
        Unit.objects.bulk_create(Unit(code=c, name=n, name_zh=z, decimals=d) for c, n, z, d in UNITS)
    if not Warehouse.objects.exists():
        Warehouse.objects.create(code="MAIN", name="Main warehouse", name_zh="主仓")
    if not ProductGroup.objects.exists():
        goods = PostingGroup.objects.filter(code=GOODS).first()
        ProductGroup.objects.create(code="general", name="General", name_zh="一般商品", posting_group=goods)
