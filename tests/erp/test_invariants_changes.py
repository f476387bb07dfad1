"""What people may change later does not break an invariant: what was right when it was posted stays right."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from django.utils import timezone

from erp.finance.models import Account, Journal, JournalEntry, Period, TaxCode, Voucher
from erp.finance.services import close_period, post_voucher, reopen_period, reverse_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import StockLevel, StockMove
from erp.inventory.warehouses import save_warehouse
from erp.purchasing.services import bill_order, receive_order
from erp.sales.services import deliver_order, invoice_order
from tests import factories as make
from tests.invariants import assert_books, broken

pytestmark = pytest.mark.django_db


def voucher(*codes: str) -> Voucher:
    """A posted voucher from one account to another."""
    debit, credit = (Account.objects.get(code=code) for code in codes)
    head = Voucher(journal=Journal.objects.get(code="GEN"), date=make.today(), memo="by hand")
    lines = [EntryInput(debit, debit=D(5)), EntryInput(credit, credit=D(5))]
    return post_voucher(save_voucher(head, lines, by=None), by=None)


def test_a_warehouse_that_may_no_longer_be_negative() -> None:
    """I-18, V-20: what it did before was right; what comes afterwards is looked at again."""
    shop, part = make.warehouse("SHOP", allow_negative=True), make.make_product("PART", price="20", cost=D(7))
    order = make.confirmed_order(make.make_customer(), make.line(part, 5), warehouse=shop)
    deliver_order(order, by=None)
    assert make.level(part, shop).on_hand == -5
    make.stock(part, 8, "7", where=shop)
    shop.allow_negative = False
    save_warehouse(shop, by=None)
    assert_books()
    StockMove.objects.bulk_create(
        [
            StockMove(
                product=part,
                warehouse=shop,
                kind="adjustment",
                date=make.today(),
                quantity=-4,
                value=-28,
                quantity_after=-1,
                value_after=-7,
                account_id=StockMove.objects.first().account_id,
                source="erp.stockadjustment",
                source_id=1,
                source_line=999,
                number="SA-X",
                posted_at=timezone.now() + dt.timedelta(seconds=1),
            )
        ]
    )
    assert "I-18" in broken({"I-18"})


def test_only_the_warehouse_decides_what_may_be_negative() -> None:
    """I-18: a level that allows more than its warehouse is found before anything happened."""
    part = make.make_product("PART")
    make.stock(part, 1)
    StockLevel.objects.update(allow_negative=True)
    assert "I-18" in broken({"I-18"})


def test_tax_codes_that_change_later() -> None:
    """I-24: documents keep the tax, the accounts and the kind of tax they were posted with."""
    motor = make.make_product("SV-750W", price="100", cost=D(60))
    purchase = make.confirmed_purchase(make.make_supplier(), make.line(motor, 10, "60"))
    receive_order(purchase, by=None)
    bill_order(purchase, by=None)
    order = make.confirmed_order(make.make_customer(), make.line(motor, 2))
    deliver_order(order, by=None)
    invoice_order(order, by=None)
    assert_books()
    code = TaxCode.objects.get(code="V13")
    code.rate, code.recoverable = D("0.09"), False
    code.output_account = code.input_account = Account.objects.get(code="1101")
    code.save()
    assert_books()


def test_tax_that_cannot_be_recovered_is_cost() -> None:
    """I-24: nothing on the tax account, and the invariant knows it."""
    TaxCode.objects.filter(code="V13").update(recoverable=False)
    motor = make.make_product("SV-750W", price="100", cost=D(60))
    purchase = make.confirmed_purchase(make.make_supplier(), make.line(motor, 10, "60"))
    receive_order(purchase, by=None)
    bill_order(purchase, by=None)
    assert_books()


def test_accounts_that_are_archived_later() -> None:
    """I-05, G-24: what stands on them stays and is reversed as well."""
    given = voucher("5602", "3001")
    Account.objects.filter(code="3001").update(active=False)
    assert_books()
    reverse_voucher(given, by=None)
    assert JournalEntry.objects.count() == 2
    assert_books()


def test_periods_that_are_closed_reopened_and_closed_again() -> None:
    """I-10: entries of between are right."""
    first = voucher("5602", "1001")
    period = Period.objects.get(start__lte=make.today(), end__gte=make.today())
    close_period(period, by=None)
    reopen_period(period, by=None)
    second = voucher("5602", "1001")
    close_period(Period.objects.get(pk=period.pk), by=None)
    assert first.number != second.number
    assert_books()
