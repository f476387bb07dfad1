"""Two people do the same in the same moment: one effect (rule G-19, invariant I-06).

Every race has a negative control: with the lock patched out the same interleaving has the double effect, so
it is the lock that prevents it. Committed data, one connection per thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal as D
from types import ModuleType
from typing import Any

import pytest
from django.db import IntegrityError, connection

from erp.finance.models import OpenItem, Payment, PaymentAllocation
from erp.finance.services import payments, post_payment, save_payment
from erp.purchasing.models import Bill, GoodsReceipt
from erp.purchasing.services import (
    bill_drafts,
    bill_order,
    bills,
    confirm_order,
    draft_bill,
    draft_receipt,
    orders,
    post_bill,
    post_receipt,
    receipts,
    receive_order,
    reversals,
    reverse_bill,
    reverse_receipt,
)
from kit.rules.prepared import Prepared
from kit.values.errors import BusinessError
from tests import factories as make
from tests.concurrency.unlocked import unlocked
from tests.invariants import assert_books, broken

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

PATIENCE = 0.7  # seconds that one waits for the other after it has read; with a lock nobody comes


def race(*commands: Callable[[], Any]) -> list[Any]:
    """Run commands at the same time, each on its own connection; returns results or what was raised."""
    results: list[Any] = [None] * len(commands)
    start = threading.Barrier(len(commands))

    def run(index: int) -> None:
        try:
            start.wait()
            results[index] = commands[index]()
        except Exception as error:  # a deadlock is a result too
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def meet_after(monkeypatch: pytest.MonkeyPatch, *places: tuple[ModuleType, str]) -> None:
    """Whoever has returned from one of `places` waits for the other: both have read before anybody writes."""
    meeting = threading.Barrier(2)

    def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(timeout=PATIENCE)
            return result

        return wrapped

    for module, name in places:
        monkeypatch.setattr(module, name, waiting(getattr(module, name)))


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the first lock of every command away."""

    def read_only(rows: Prepared, key: Any, *, version: int | None = None, **values: Any) -> Any:
        return unlocked(rows, key=key, **values)

    def orders_of_receipt(receipt: GoodsReceipt) -> list[Any]:
        return list(orders.HEAD.filter(lines__receipt_lines__receipt=receipt))

    def orders_of_bill(bill: Bill) -> list[Any]:
        return list(orders.HEAD.filter(lines__bill_lines__bill=bill))

    def read_items(keys: Any) -> dict[int, OpenItem]:
        return {item.pk: item for item in OpenItem.objects.filter(pk__in=set(keys))}

    def read_items_of(source: Any) -> list[OpenItem]:
        return list(OpenItem.objects.filter(source=source.label, source_id=source.pk))

    for module in (orders, receipts, bills, bill_drafts, reversals, payments):
        monkeypatch.setattr(module, "locked", read_only)
    for module in (receipts, reversals):
        monkeypatch.setattr(module, "lock_receipt_orders", orders_of_receipt)
    for module in (bills, reversals):
        monkeypatch.setattr(module, "lock_bill_orders", orders_of_bill)
    monkeypatch.setattr(reversals, "items_of", read_items_of)
    monkeypatch.setattr(payments, "lock_items", read_items)


@dataclass
class Race:
    """What two people do, where they meet, and the invariants that break when nothing holds them back.

    None break where a unique constraint of the database stops the second one anyway.
    """

    commands: tuple[Callable[[], Any], Callable[[], Any]]
    meeting: tuple[tuple[ModuleType, str], ...]
    broken: set[str]


def order_of_ten(received: bool = False) -> Any:
    product = make.make_product()
    order = make.confirmed_purchase(make.make_supplier(), make.line(product, 10, "60"))
    if received:
        receive_order(order, by=None)
    return order


def confirm() -> Race:
    order = make.make_purchase(make.make_supplier(), make.line(make.make_product(), 10, "60"))
    return Race((lambda: confirm_order(order, by=None),) * 2, ((orders, "order_lines"),), {"I-07"})


def receive() -> Race:
    order = order_of_ten()
    return Race((lambda: receive_order(order, by=None),) * 2, ((receipts, "order_lines"),), {"I-21"})


def post_one_receipt() -> Race:
    receipt = draft_receipt(order_of_ten(), by=None)
    return Race((lambda: post_receipt(receipt, by=None),) * 2, ((receipts, "order_lines"),), set())


def post_two_receipts() -> Race:
    order = order_of_ten()
    first, second = draft_receipt(order, by=None), draft_receipt(order, by=None)
    return Race(
        (lambda: post_receipt(first, by=None), lambda: post_receipt(second, by=None)),
        ((receipts, "order_lines"),),
        {"I-21"},
    )


def bill() -> Race:
    order = order_of_ten(received=True)
    return Race((lambda: bill_order(order, by=None),) * 2, ((bills, "draft_of_order"),), {"I-12"})


def post_two_bills() -> Race:
    order = order_of_ten(received=True)
    first, second = draft_bill(order, by=None), draft_bill(order, by=None)
    return Race(
        (lambda: post_bill(first, by=None), lambda: post_bill(second, by=None)),
        ((bills, "shared_receipts"),),
        {"I-12"},
    )


def bill_and_take_back() -> Race:
    """One bills what another takes back out of stock."""
    order = order_of_ten(received=True)
    receipt = GoodsReceipt.objects.get()
    return Race(
        (lambda: bill_order(order, by=None), lambda: reverse_receipt(receipt, by=None)),
        ((bills, "draft_of_order"), (reversals, "_refuse_if_billed")),
        {"I-12"},
    )


def pay() -> Race:
    order = order_of_ten(received=True)
    posted = bill_order(order, by=None)
    supplier, total = posted.supplier, str(posted.total)
    wanted = {item.pk: -item.amount for item in make.items(posted)}
    return Race((lambda: make.pay_supplier(supplier, total, wanted),) * 2, ((payments, "lock_items"),), {"I-25"})


def post_one_payment() -> Race:
    order = order_of_ten(received=True)
    posted = bill_order(order, by=None)
    payment = Payment(
        direction="pay", supplier=posted.supplier, account=make.bank(), currency=make.currency(), amount=posted.total
    )
    save_payment(payment, {item.pk: -item.amount for item in make.items(posted)}, by=None)
    return Race((lambda: post_payment(payment, by=None),) * 2, ((payments, "lock_items"),), set())


def pay_and_reverse() -> Race:
    """One pays the bill that another reverses."""
    order = order_of_ten(received=True)
    posted = bill_order(order, by=None)
    wanted = {item.pk: -item.amount for item in make.items(posted)}
    return Race(
        (lambda: make.pay_supplier(posted.supplier, str(posted.total), wanted), lambda: reverse_bill(posted, by=None)),
        ((payments, "lock_items"), (reversals, "refuse_if_settled")),
        {"I-25"},
    )


RACES = [
    confirm,
    receive,
    post_one_receipt,
    post_two_receipts,
    bill,
    post_two_bills,
    bill_and_take_back,
    pay,
    post_one_payment,
    pay_and_reverse,
]


@pytest.mark.parametrize("prepare", RACES)
def test_one_effect(prepare: Callable[[], Race], monkeypatch: pytest.MonkeyPatch) -> None:
    """One succeeds, the other is refused in words, and the books hold."""
    given = prepare()
    meet_after(monkeypatch, *given.meeting)
    results = race(*given.commands)
    refusals = [result for result in results if isinstance(result, Exception)]
    assert len(refusals) == 1 and isinstance(refusals[0], BusinessError), results
    monkeypatch.undo()
    assert_books()


@pytest.mark.parametrize("prepare", RACES)
def test_without_the_lock_there_are_two(prepare: Callable[[], Race], monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same interleaving breaks the books, or is stopped by the database alone."""
    given = prepare()
    without_locks(monkeypatch)
    meet_after(monkeypatch, *given.meeting)
    results = race(*given.commands)
    monkeypatch.undo()
    assert not any(isinstance(result, BusinessError) for result in results), results
    if given.broken:
        assert given.broken <= set(broken()), results
    else:
        assert sum(isinstance(result, IntegrityError) for result in results) == 1, results


def test_paying_and_billing_one_order_never_wait_for_each_other() -> None:
    """Lock order: documents, levels, open items, counters; no deadlock in twenty rounds."""
    product = make.make_product()
    order = make.confirmed_purchase(make.make_supplier(), make.line(product, 100, "60"))
    line = order.lines.get()
    receive_order(order, by=None)
    posted = bill_order(order, {line.pk: D(1)}, by=None)
    for _round in range(20):
        wanted = {item.pk: -item.amount for item in make.items(posted)}
        paid, posted = race(
            lambda wanted=wanted: make.pay_supplier(order.supplier, "67.80", wanted),
            lambda: bill_order(order, {line.pk: D(1)}, by=None),
        )
        assert isinstance(paid, Payment) and isinstance(posted, Bill), (paid, posted)
    assert PaymentAllocation.objects.count() == 20
    assert_books()
