"""A posting and a change of the inventory account at the same moment (rules F-08, V-14)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from erp.finance.models import Account, PostingGroup, PostingRule
from erp.finance.rules import save_posting_rule
from erp.inventory import services as stock
from erp.inventory.models import Product, ProductGroup
from erp.inventory.products import save_product, save_product_group
from kit.values.errors import BusinessError
from tests import factories as make
from tests.invariants import assert_books

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def in_another_connection(work: Callable[[], Any], outcome: list[Any]) -> threading.Thread:
    def run() -> None:
        try:
            outcome.append(work())
        except BusinessError as error:
            outcome.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def other_account() -> Account:
    old = PostingRule.objects.get(purpose="inventory", product_group=None).account
    code = f"{old.code}9"
    return Account.objects.create(code=code, name="New", type=old.type, control=old.control, parent=old.parent)


def raw() -> ProductGroup:
    posting = PostingGroup.objects.create(code="RAW", name="Materials")
    save_posting_rule(PostingRule(purpose="inventory", product_group=posting, account=other_account()), by=None)
    return ProductGroup.objects.create(code="raw", name="Materials", posting_group=posting)


def move_product(product: Product) -> Callable[[], Any]:
    product.group = raw()
    return lambda: save_product(product, by=None)


def move_group(product: Product) -> Callable[[], Any]:
    group = ProductGroup.objects.get(pk=product.group_id)
    group.posting_group = raw().posting_group
    return lambda: save_product_group(group, by=None)


def move_rule(product: Product) -> Callable[[], Any]:
    rule = PostingRule.objects.get(purpose="inventory", product_group=None)
    rule.account = other_account()
    return lambda: save_posting_rule(rule, by=None)


EVERY_WAY = pytest.mark.parametrize("change", [move_product, move_group, move_rule])


@EVERY_WAY
def test_goods_that_come_in_meanwhile_stay_where_they_begin(
    change: Callable[[Product], Callable[[], Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change saw no stock, the posting knew the old account: all that moves later follows the stock."""
    product = make.make_product("STEEL")
    work, outcome = change(Product.objects.get(pk=product.pk)), []
    real = stock.lock_levels

    def changed_meanwhile(keys: Any) -> Any:
        in_another_connection(work, outcome).join()
        return real(keys)

    monkeypatch.setattr(stock, "lock_levels", changed_meanwhile)  # after accounts are known, before goods are posted
    make.stock(product, 10)
    monkeypatch.undo()
    assert not isinstance(outcome[0], BusinessError)
    began = make.level(product).account
    make.stock(Product.objects.get(pk=product.pk), 5)
    assert make.level(product).account == began
    assert_books()


@EVERY_WAY
def test_a_change_does_not_hold_up_postings(change: Callable[[Product], Callable[[], Any]]) -> None:
    """A long transaction that changes masters, such as an import, leaves the warehouse at work."""
    product = make.make_product("STEEL")
    work, outcome = change(Product.objects.get(pk=product.pk)), []
    with transaction.atomic():
        work()
        thread = in_another_connection(lambda: make.stock(make.make_product("OTHER"), 1), outcome)
        thread.join(4)
        assert not thread.is_alive() and not isinstance(outcome[0], BusinessError)
    assert_books()
