"""Goods receipts: what is refused, and that nothing changes then."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.utils import timezone

from erp.finance.models import Period, PostingRule, Supplier
from erp.finance.services import close_period
from erp.inventory.models import Product
from erp.purchasing.models import GoodsReceipt
from erp.purchasing.services import (
    bill_order,
    draft_receipt,
    post_receipt,
    receive_order,
    reverse_bill,
    reverse_receipt,
    save_receipt,
)
from kit.values.dates import add_months
from kit.values.errors import VersionConflict
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def test_over_receipt_within_and_beyond_the_tolerance(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-12: the company's tolerance, the product's before it; all parts together stay within it."""
    make.company(over_receipt_tolerance=D(10))
    order = make.confirmed_purchase(hengtuo, make.line(motor, 100, "60"), by=clerk)
    [line] = order.lines.all()
    with refused("Only 100 of SV-750W are left to receive; you entered 111") as caught:
        receive_order(order, {line.pk: D(111)}, by=clerk)
    assert [(p.field, p.row) for p in caught.value] == [("quantity", 0)]
    assert receive_order(order, {line.pk: D(105)}, by=clerk).value == 6300
    order.refresh_from_db()
    assert order.goods_status == "over"
    with refused("Only 0 of SV-750W are left"):
        receive_order(order, {line.pk: D(6)}, by=clerk)
    receive_order(order, {line.pk: D(5)}, by=clerk)
    with refused("you entered 1"):
        receive_order(order, {line.pk: D(1)}, by=clerk)
    motor.tolerance = D(0)
    motor.save()
    other = make.confirmed_purchase(hengtuo, make.line(motor, 100, "60"), by=clerk)
    with refused("Only 100"):
        receive_order(other, {other.lines.get().pk: D(101)}, by=clerk)


def test_a_draft_is_checked_again_when_it_is_posted(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-19: two drafts of everything that is open; only one of them can be received."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    first, second = draft_receipt(order, by=clerk), draft_receipt(order, by=clerk)
    post_receipt(first, by=clerk)
    with refused("Only 0 of SV-750W are left to receive; you entered 10"):
        post_receipt(second, by=clerk)
    with refused("not possible any more"):
        post_receipt(first, by=clerk)
    with refused("is received and cannot be changed"):
        save_receipt(first, {}, by=clerk)


def test_what_a_draft_receipt_may_hold(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-13, G-19."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    [ordered] = order.lines.all()
    receipt = draft_receipt(order, {ordered.pk: D(2)}, by=clerk)
    [line] = receipt.lines.all()
    for quantity, words in ((D(-1), "more than 0"), (D("1.5"), "does not fit"), (D(0), "at least one line")):
        with refused(words):
            save_receipt(receipt, {line.pk: quantity}, by=clerk)
    with pytest.raises(VersionConflict):
        save_receipt(receipt, {line.pk: D(3)}, by=clerk, version=7)
    for quantity, words in ((D(-1), "more than 0"), (D("1.5"), "does not fit")):
        with refused(words):
            receive_order(order, {ordered.pk: quantity}, by=clerk)
    with refused("not on the order any more"):
        receive_order(order, {ordered.pk + 1: D(1)}, by=clerk)


def test_one_receipt_for_one_warehouse(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """Goods of another warehouse wait for their own receipt; services come with any."""
    north, freight = make.warehouse("NORTH"), make.make_service("FREIGHT")
    order = make.confirmed_purchase(
        hengtuo,
        make.line(motor, 1, "60"),
        make.line(motor, 2, "60", warehouse=north),
        make.line(freight, 1, "5"),
        by=clerk,
    )
    lines = list(order.lines.all())
    with refused("one warehouse at a time"):
        receive_order(order, {line.pk: D(1) for line in lines}, by=clerk)
    first, second = receive_order(order, by=clerk), receive_order(order, by=clerk)
    assert (first.warehouse, first.lines.count(), second.warehouse) == (make.warehouse(), 2, north)
    assert (make.level(motor).on_hand, make.level(motor, north).on_hand) == (1, 2)


def test_earlier_dates_need_the_right_and_an_open_period(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """V-24, F-30, G-18."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    keeper = make.make_user("keeper", "warehouse")
    with refused("movements of today only"):
        receive_order(order, by=keeper, date=make.days_ago(1))
    with refused("lies in the future"):
        receive_order(order, by=clerk, date=make.days_ago(-1))
    long_ago = add_months(make.today().replace(day=1), -1)
    receipt = receive_order(order, {order.lines.get().pk: D(1)}, by=clerk, date=long_ago)
    assert receipt.date == long_ago
    close_period(Period.objects.get(start=long_ago), by=clerk)
    with refused("is closed. Use a date in an open period"):
        receive_order(order, by=clerk, date=long_ago)
    with refused("cannot be dated before"):
        reverse_receipt(receipt, by=clerk, date=make.days_ago(400))
    assert reverse_receipt(receipt, by=clerk).date == timezone.localdate(), "G-04: today, the period is closed"


def test_a_missing_posting_rule_is_named(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """F-08."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    PostingRule.objects.filter(purpose="grni").delete()
    with refused("no posting rule for “goods received, not invoiced”"):
        receive_order(order, by=clerk)
    assert not GoodsReceipt.objects.exists()


def test_a_reversal_stands_alone(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-04: once, and not of itself."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk)
    counter = reverse_receipt(receipt, by=clerk)
    with refused("not possible any more"):
        reverse_receipt(receipt, by=clerk)
    with refused("is a reversal itself"):
        reverse_receipt(counter, by=clerk)
    order.refresh_from_db()
    assert (order.goods_status, order.state, counter.number[:3]) == ("none", "confirmed", "GR-")


def test_a_receipt_is_not_taken_back_while_its_bill_stood(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-18: on any day the clearing account shows what was received and not billed by then."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk, date=make.days_ago(9))
    receipt = receive_order(order, by=clerk, date=make.days_ago(8))
    bill = bill_order(order, by=clerk, date=make.days_ago(7))
    reverse_bill(bill, by=clerk, date=make.days_ago(3))
    with refused(f"{bill.number} was reversed on {make.days_ago(3)}") as caught:
        reverse_receipt(receipt, by=clerk, date=make.days_ago(4))
    assert [problem.field for problem in caught.value] == ["date"]
    assert reverse_receipt(receipt, by=clerk, date=make.days_ago(3)).date == make.days_ago(3)
