"""Stock keeps the inventory account it stands on (rules F-08, V-14), so that its value ties per account."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from erp.finance.models import Account, PostingGroup, PostingRule
from erp.finance.rules import save_posting_rule
from erp.inventory.models import AdjustmentReason, Product, ProductGroup, StockAdjustment, StockLevel
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from erp.purchasing.services import receive_order
from erp.sales.services import deliver_order, reverse_delivery
from kit.pages.resources import registry
from kit.values.errors import BusinessError
from oa.organisation.models import User
from tests import factories as make
from tests.importing import Files
from tests.invariants import assert_books

pytestmark = pytest.mark.django_db
WORDS = "is in stock on account"


@pytest.fixture
def clerk() -> User:
    return make.make_user("clerk")


@pytest.fixture
def raw() -> ProductGroup:
    """A group whose products stand on an account of their own."""
    old = PostingRule.objects.get(purpose="inventory", product_group=None).account
    account = Account.objects.create(
        code=f"{old.code}9", name="Materials", type=old.type, control=old.control, parent=old.parent
    )
    posting = PostingGroup.objects.create(code="RAW", name="Materials")
    save_posting_rule(PostingRule(purpose="inventory", product_group=posting, account=account), by=None)
    return ProductGroup.objects.create(code="raw", name="Materials", posting_group=posting)


def stored(row: Product | ProductGroup | PostingRule):
    return type(row).objects.get(pk=row.pk)


def write_off(product: Product, quantity: int, by: User) -> None:
    loss = StockAdjustment(warehouse=make.warehouse(), date=make.today(), reason=AdjustmentReason.OTHER)
    save_adjustment(loss, [AdjustmentInput(product, D(-quantity))], by=by)
    post_adjustment(loss, by=by)


def test_a_product_with_stock_changes_to_groups_of_the_same_account_only(clerk: User, raw: ProductGroup) -> None:
    """V-14: refused at the field while there is stock, allowed before and after."""
    product = make.make_product("STEEL")
    alike = ProductGroup.objects.create(code="alike", name="Alike", posting_group=product.group.posting_group)
    make.stock(product, 10, by=clerk)
    for group, refused in ((raw, True), (alike, False)):
        changed = stored(product)
        changed.group = group
        if refused:
            with pytest.raises(ValidationError, match=f"STEEL {WORDS}") as caught:
                changed.full_clean()
            assert list(caught.value.message_dict) == ["group"]
        else:
            changed.full_clean()
    write_off(product, 10, clerk)
    changed = stored(product)
    changed.group = raw
    changed.full_clean()
    changed.save()
    make.stock(changed, 5, "10", by=clerk)
    assert make.level(changed).account.code.endswith("9")
    assert_books()


def test_a_group_with_stock_keeps_its_account(clerk: User, client: Client, raw: ProductGroup, tmp_path: Path) -> None:
    """V-14: on the page, in the back office and by import."""
    product = make.make_product("STEEL")
    make.stock(product, 10, by=clerk)
    group, client_data = product.group, {"code": "general", "name": "General", "active": "on"}
    clerk.is_staff = True
    clerk.save()
    client.force_login(clerk)
    data = client_data | {"posting_group": raw.posting_group_id, "name_zh": "", "parent": ""}
    for url in (registry["productgroup"].url_for(group, "edit"), f"/backoffice/erp/productgroup/{group.pk}/change/"):
        assert WORDS in client.post(url, data).content.decode(), url
    code, said = Files(tmp_path).load("products", "code,name,category\nSTEEL,Steel,raw\n", "--update")
    assert code == 1 and f"category: STEEL {WORDS}" in said, said
    assert stored(group).posting_group == group.posting_group


def test_posting_rules_of_stock_stay(clerk: User, raw: ProductGroup) -> None:
    """F-08, V-14: another account, another date, a rule that would win, and deletion are refused."""
    product = make.make_product("STEEL", group=raw)
    make.stock(product, 10, by=clerk)
    general = PostingRule.objects.get(purpose="inventory", product_group=None)
    rule = PostingRule.objects.get(purpose="inventory", product_group=raw.posting_group)
    later = make.today() + dt.timedelta(days=30)
    moved, ended, dated = stored(rule), stored(rule), stored(rule)
    moved.account, ended.valid_to = general.account, later
    dated.pk, dated.account, dated.valid_from, dated.version = None, general.account, later, 1
    for changed in (moved, ended, dated):
        with pytest.raises(BusinessError, match=WORDS) as caught:
            save_posting_rule(changed, by=clerk)
        assert [problem.field for problem in caught.value.problems] == ["account"]
        with pytest.raises(ValidationError, match=WORDS):
            changed.clean()
    page = registry["postingrule"]
    assert not page.deletable(rule, clerk) and page.deletable(
        PostingRule.objects.get(purpose="cogs", product_group=None), clerk
    )
    other = stored(general)
    other.account = rule.account
    save_posting_rule(other, by=clerk)  # nothing stands on the general rule
    write_off(product, 10, clerk)
    save_posting_rule(moved, by=clerk)


def test_movements_follow_the_stock(clerk: User, raw: ProductGroup) -> None:
    """V-14: whoever changed the group past the guard cannot move the stock half over; it begins anew when empty."""
    product = make.make_product("STEEL")
    make.stock(product, 10, by=clerk)
    Product.objects.filter(pk=product.pk).update(group=raw)
    level = make.level(product)
    with pytest.raises(IntegrityError, match="another inventory account"), transaction.atomic():
        StockLevel.objects.filter(pk=level.pk).update(
            account=PostingRule.objects.get(product_group=raw.posting_group).account
        )
    began = level.account
    write_off(stored(product), 4, clerk)
    deliver_order(make.confirmed_order(make.make_customer(), make.line(stored(product), 2), by=clerk), by=clerk)
    receive_order(
        make.confirmed_purchase(make.make_supplier(), make.line(stored(product), 1, "60"), by=clerk), by=clerk
    )
    level = make.level(product)
    assert (level.on_hand, level.account) == (5, began)
    write_off(stored(product), 5, clerk)
    make.stock(stored(product), 3, by=clerk)
    assert make.level(product).account.code == f"{began.code}9"
    assert_books()


def test_a_document_of_the_old_account_comes_back_to_an_empty_place_only(clerk: User, raw: ProductGroup) -> None:
    """V-14, G-04: a reversal is the exact mirror; beside stock on another account it is refused in words."""
    product = make.make_product("STEEL")
    make.stock(product, 10, by=clerk)
    began = make.level(product).account
    deliveries = [
        deliver_order(make.confirmed_order(make.make_customer(), make.line(product, 5), by=clerk), by=clerk)
        for _ in range(2)
    ]
    Product.objects.filter(pk=product.pk).update(group=raw)
    reverse_delivery(deliveries[0], by=clerk)
    assert make.level(product).account == began
    write_off(stored(product), 5, clerk)
    make.stock(stored(product), 1, by=clerk)
    with pytest.raises(BusinessError, match="STEEL is in stock on another inventory account"), transaction.atomic():
        reverse_delivery(deliveries[1], by=clerk)
    write_off(stored(product), 1, clerk)
    reverse_delivery(deliveries[1], by=clerk)
    assert_books()
