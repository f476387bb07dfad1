"""What `migrate` puts into an empty installation, and the charts of accounts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

import crm.setup
import erp.setup
import oa.setup
from crm.customers.models import CustomerGroup
from erp.finance import context
from erp.finance.charts import CHARTS, load_chart, rows_of
from erp.finance.models import (
    Account,
    Currency,
    Journal,
    PaymentTerms,
    PostingRule,
    TaxCode,
    Voucher,
    VoucherLine,
)
from erp.finance.models.accounts import AccountType, Control, Purpose, Side
from erp.finance.services import post_voucher, save_voucher
from erp.finance.services.payments import SEQUENCES
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import ProductGroup, Unit, Warehouse
from kit.values.errors import BusinessError
from oa.organisation.models import CompanyProfile, Department
from oa.records.models import NumberSequence

pytestmark = pytest.mark.django_db

CHINESE = ["small-enterprise", "asbe"]
INSTALLERS = [("oa", oa.setup), ("crm", crm.setup), ("erp", erp.setup)]


def install(**signal):
    for label, module in INSTALLERS:
        module.install(apps.get_app_config(label), using="default", **signal)


def post_something():
    voucher = save_voucher(
        Voucher(journal=Journal.objects.get(code="GEN"), date=dt.date.today(), memo="capital"),
        [
            EntryInput(Account.objects.get(code="1001"), debit=Decimal(5)),
            EntryInput(Account.objects.get(code="3001"), credit=Decimal(5)),
        ],
        by=None,
    )
    return post_voucher(voucher, by=None)


def test_a_new_installation_has_everything_documents_need():
    company = CompanyProfile.current()
    assert (company.name_zh, company.base_currency, company.chart) == ("我的公司", "CNY", "small-enterprise")
    assert list(Department.objects.values_list("code", flat=True)) == ["HQ"]
    assert Currency.objects.get(code="CNY").exponent == 2 and Currency.objects.get(code="JPY").exponent == 0
    codes = {context.SALES, context.PURCHASES, context.BANK, context.STOCK, context.GENERAL}
    assert codes == set(Journal.objects.values_list("code", flat=True))
    for model in (PaymentTerms, Unit, Warehouse, CustomerGroup, ProductGroup):
        assert model.objects.filter(active=True).exclude(name_zh="").exists(), model


def test_every_document_type_has_a_number_sequence():
    """Rule G-07."""
    wanted = {getattr(model, "SEQUENCE", "") for model in apps.get_models()} - {""}
    keys = set(NumberSequence.objects.values_list("key", flat=True))
    assert wanted | {*SEQUENCES.values(), "voucher", "customer", "supplier"} == keys
    prefixes = list(NumberSequence.objects.values_list("prefix", flat=True))
    assert len(prefixes) == len(set(prefixes))


def test_installing_again_writes_nothing():
    with CaptureQueriesContext(
        connection,
    ) as queries:
        install()
    writing = [q["sql"] for q in queries if q["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert writing == []


def test_what_people_changed_and_deleted_stays():
    Unit.objects.filter(code="box").delete()
    Currency.objects.filter(code="JPY").delete()
    PaymentTerms.objects.filter(code="NET30").update(days=45)
    CompanyProfile.objects.update(name="Sanhe Machines")
    PostingRule.objects.filter(purpose=Purpose.ROUNDING).delete()
    install()
    assert not Unit.objects.filter(code="box").exists()
    assert not Currency.objects.filter(code="JPY").exists()
    assert PaymentTerms.objects.get(code="NET30").days == 45
    assert CompanyProfile.current().name == "Sanhe Machines"
    assert not PostingRule.objects.filter(purpose=Purpose.ROUNDING).exists()


def test_what_documents_name_by_code_comes_back():
    Journal.objects.filter(code="INV").delete()
    NumberSequence.objects.filter(key="voucher").delete()
    install()
    assert Journal.objects.filter(code="INV").exists()
    assert NumberSequence.objects.filter(key="voucher").exists()


def test_nothing_is_installed_before_the_tables_are_there():
    Unit.objects.all().delete()
    MigrationRecorder.Migration.objects.filter(app="erp").delete()
    erp.setup.install(apps.get_app_config("erp"), using="default", plan=[])
    assert not Unit.objects.exists()


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_complete(name):
    """Rules F-08 and F-09: a tree of groups and leaves, control accounts, a rule for every purpose, tax accounts."""
    count = load_chart(name)
    accounts = {account.code: account for account in Account.objects.select_related("parent")}
    assert count == len(accounts) == len(rows_of(name))
    assert CompanyProfile.current().chart == name
    for account in accounts.values():
        assert account.name and account.name_zh and account.active
        assert account.type in AccountType.values and account.normal_side in Side.values
        assert account.parent is None or account.parent.is_group
        assert account.is_group == any(child.parent == account for child in accounts.values())
        assert not (account.is_group and (account.control or account.is_cash))
    for control in Control.values:
        wanted = 2 if control == "employee" else 1  # what is owed to employees, and what they hold
        assert sum(account.control == control for account in accounts.values()) == wanted, control
    assert sum(account.is_cash for account in accounts.values()) >= 2
    general = PostingRule.objects.filter(product_group=None, partner_group=None)
    assert sorted(general.values_list("purpose", flat=True)) == sorted(Purpose.values)
    controlled = {str(p): str(p) for p in (Purpose.RECEIVABLE, Purpose.PAYABLE, Purpose.INVENTORY, Purpose.GRNI)}
    controlled |= {"employee-payable": "employee", "employee-advance": "employee"}
    for rule in general.select_related("account"):
        assert not rule.account.is_group
        assert rule.account.control == controlled.get(rule.purpose, "")
    assert not TaxCode.objects.filter(output_account=None).exists()
    assert not TaxCode.objects.filter(input_account=None).exists()


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_charts_have_levels_of_4_2_2_and_the_vat_accounts(name):
    """Rules F-09 and A-21."""
    load_chart(name)
    for account in Account.objects.select_related("parent"):
        assert len(account.code) == (len(account.parent.code) + 2 if account.parent else 4)
        assert account.parent is None or account.code.startswith(account.parent.code)
    below = set(Account.objects.filter(code__startswith="2221").values_list("name_zh", flat=True))
    assert below >= {
        "应交增值税",
        "进项税额",
        "销项税额",
        "已交税金",
        "进项税额转出",
        "减免税款",
        "转出未交增值税",
        "转出多交增值税",
        "未交增值税",
        "待认证进项税额",
        "待转销项税额",
        "简易计税",
        "应交城市维护建设税",
        "应交教育费附加",
    }
    assert Account.objects.get(code="2221").is_group and Account.objects.get(code="222101").is_group
    assert TaxCode.objects.get(code="V13").output_account.code == "22210102"
    assert TaxCode.objects.get(code="V13").input_account.code == "22210101"
    assert TaxCode.objects.get(code="V3").output_account.name_zh == "简易计税"


def test_tax_rates_are_fractions():
    rates = dict(TaxCode.objects.values_list("code", "rate"))
    assert rates == {
        "V13": Decimal("0.13"),
        "V9": Decimal("0.09"),
        "V6": Decimal("0.06"),
        "V3": Decimal("0.03"),
        "V0": Decimal(0),
    }


def test_loading_a_chart_takes_own_tax_codes_along():
    TaxCode.objects.create(code="X5", name="five", rate=Decimal("0.05"))
    load_chart("generic")
    own = TaxCode.objects.get(code="X5")
    assert (own.output_account.code, own.input_account.code) == ("2210", "1410")


def test_the_number_of_statements_does_not_grow_with_the_chart():
    with CaptureQueriesContext(connection) as small:
        load_chart("generic")
    with CaptureQueriesContext(connection) as large:
        load_chart("asbe")
    assert len(large) <= len(small)


def test_a_chart_cannot_be_replaced_once_something_is_posted():
    post_something()
    with pytest.raises(BusinessError, match="posted already"):
        load_chart("asbe")
    assert CompanyProfile.current().chart == "small-enterprise"
    assert Account.objects.filter(code="5001").exists()


def test_a_chart_cannot_be_replaced_under_drafts_that_use_its_accounts():
    voucher = Voucher.objects.create(journal=Journal.objects.get(code="GEN"), date=dt.date.today())
    line = {"voucher": voucher, "currency": Currency.objects.get(code="CNY"), "debit": 5}
    VoucherLine.objects.create(position=1, account=Account.objects.get(code="1001"), **line)
    load_chart("asbe")  # has 1001 too: the draft keeps its account
    assert voucher.lines.get().account.code == "1001"
    VoucherLine.objects.create(position=2, account=Account.objects.get(code="6001"), **line)
    with pytest.raises(BusinessError, match="Drafts use accounts"):
        load_chart("small-enterprise")
    assert Account.objects.filter(code="6001").exists() and CompanyProfile.current().chart == "asbe"


def test_an_unknown_chart_is_refused():
    with pytest.raises(BusinessError, match="no chart of accounts"):
        load_chart("martian")
