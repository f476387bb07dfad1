"""What of a product and its units stays as it is once documents have it."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from erp.inventory.models import Product, ProductKind, ProductUnit, StockAdjustment, Unit
from erp.inventory.services import AdjustmentInput, save_adjustment
from kit.pages.resources import registry
from oa.organisation.models import User
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> User:
    return make.make_user("clerk")


def stored(product: Product) -> Product:
    return Product.objects.get(pk=product.pk)


def test_unit_and_kind_stay_once_a_document_has_the_product(clerk: User) -> None:
    """G-13, V-21: ten pieces must not become ten boxes; a draft is enough, since it holds a quantity too."""
    free, ordered, stocked = make.make_product("FREE"), make.make_product("ORDERED"), make.make_product("STOCKED")
    make.make_purchase(make.make_supplier(), make.line(ordered, 1, "1"), by=clerk)
    make.stock(stocked, 10, by=clerk)
    box = Unit.objects.get(code="box")
    for product in (ordered, stocked):
        for name, value in (("unit", box), ("kind", ProductKind.SERVICE)):
            changed = stored(product)
            setattr(changed, name, value)
            with pytest.raises(ValidationError, match="is used in documents") as caught:
                changed.full_clean()
            assert list(caught.value.message_dict) == [name]
        renamed = stored(product)
        renamed.name, renamed.active = "Other name", False
        renamed.full_clean()
    unused = stored(free)
    unused.unit, unused.kind = box, ProductKind.SERVICE
    unused.full_clean()


def test_the_form_says_so(clerk: User, client: Client) -> None:
    """The rule reaches the person, and nothing is stored."""
    product = make.make_product("STOCKED")
    make.stock(product, 10, by=clerk)
    client.force_login(clerk)
    page = registry["product"]
    data = {name: getattr(product, name) or "" for name in ("code", "name", "kind", "price", "cost", "minimum")}
    data |= {"group": product.group_id, "unit": Unit.objects.get(code="box").pk, "active": "on"}
    answer = client.post(page.url_for(product, "edit"), data)
    assert answer.status_code == 422 and "used in documents" in answer.content.decode()
    assert stored(product).unit == product.unit


def test_decimals_that_stock_has_stay(clerk: User) -> None:
    """G-13: 1.25 kg in stock keep two decimals."""
    kilo = Unit.objects.create(code="kg2", name="kg", decimals=4)
    product = make.make_product("SALT", unit=kilo)
    make.stock(product, "1.25", by=clerk)
    kilo.decimals = 2
    kilo.full_clean()
    kilo.decimals = 1
    with pytest.raises(ValidationError, match=r"SALT has 1\.25 in stock, which needs more decimals"):
        kilo.full_clean()


def test_the_own_unit_has_no_factor() -> None:
    """One piece is one piece."""
    product = make.make_product()
    with pytest.raises(ValidationError, match="the product's own unit"):
        ProductUnit(product=product, unit=product.unit, factor=D(12)).full_clean()
    ProductUnit(product=product, unit=Unit.objects.get(code="box"), factor=D(12)).full_clean()


def test_an_archived_product_can_still_leave(clerk: User) -> None:
    """G-24: archiving keeps the stock in the books, and what is left can be written off."""
    product = make.make_product("OLD")
    make.stock(product, 3, by=clerk)
    product.active = False
    product.save()
    loss = StockAdjustment(warehouse=make.warehouse(), date=make.today())
    assert save_adjustment(loss, [AdjustmentInput(product, D(-3))], by=clerk).lines.count() == 1
