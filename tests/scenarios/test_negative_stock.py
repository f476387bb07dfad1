"""A warehouse that sells before it has received: what a receipt covers, and what its reversal gives back."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from crm.customers.models import Customer
from erp.finance.models import Supplier
from erp.inventory.models import AdjustmentReason, Product, StockAdjustment, StockMove, Warehouse
from erp.inventory.services import AdjustmentInput, post_adjustment, reverse_adjustment, save_adjustment
from erp.purchasing.models import GoodsReceipt
from erp.purchasing.services import receive_order, reverse_receipt
from erp.sales.services import deliver_order
from oa.organisation.models import User
from tests import factories as make
from tests.invariants import assert_books
from tests.readings import code, entry_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Warehouse:
    return make.warehouse("SHOP", allow_negative=True)


@pytest.fixture
def part() -> Product:
    """Expected to cost 60.00 each; nothing in stock."""
    return make.make_product("PART", price="100", cost=D(60))


@pytest.fixture
def hengtuo() -> Supplier:
    return make.make_supplier("Wuxi Hengtuo")


@pytest.fixture
def sold(clerk: User, mingrui: Customer, part: Product, shop: Warehouse) -> None:
    """Four left that were not there."""
    ship(clerk, mingrui, part, shop, 4)
    assert state(part, shop) == (-4, -240, 240)


def ship(clerk: User, customer: Customer, product: Product, where: Warehouse, quantity: int) -> None:
    deliver_order(make.confirmed_order(customer, make.line(product, quantity), by=clerk, warehouse=where), by=clerk)


def receive(
    clerk: User, supplier: Supplier, product: Product, where: Warehouse, quantity: int, price: str
) -> GoodsReceipt:
    line = make.line(product, quantity, price)
    return receive_order(make.confirmed_purchase(supplier, line, by=clerk, warehouse=where), by=clerk)


def state(product: Product, where: Warehouse) -> tuple[D, D, D]:
    """Quantity and value in stock, and the cost of what was sold; inventory and stock are the same amount."""
    level = make.level(product, where)
    assert make.balance("inventory") == level.value
    return level.on_hand, level.value, make.balance("cogs")


def moves(document: Any) -> list[tuple[D, D]]:
    found = StockMove.objects.filter(source=document._meta.label_lower, source_id=document.pk).order_by("pk")
    return [(move.quantity, move.value) for move in found]


@pytest.mark.parametrize(("price", "rest"), [("72.50", "-50"), ("50", "40"), ("60", "0")])
def test_reversing_a_receipt_that_covered_negative_stock(
    clerk: User, hengtuo: Supplier, part: Product, shop: Warehouse, sold: None, price: str, rest: str
) -> None:
    """G-04, V-11, I-16: dearer, cheaper or as expected, the reversal restores what was there before the receipt."""
    receipt = receive(clerk, hengtuo, part, shop, 10, price)
    assert state(part, shop) == (6, 6 * D(price), 4 * D(price))
    back = reverse_receipt(receipt, by=clerk)
    assert state(part, shop) == (-4, -240, 240) and make.balance("grni") == 0
    expected = [(D(-10), -10 * D(price)), (D(0), -D(rest))]
    assert moves(back) == (expected if D(rest) else expected[:1])
    assert entry_of(back).get(code("cogs"), D(0)) == D(rest)
    assert_books()

    receive(clerk, hengtuo, part, shop, 10, "70")
    assert state(part, shop) == (6, 420, 280), "the next receipt covers what the first one did"


def test_reversing_it_after_all_the_rest_was_sold(
    clerk: User, hengtuo: Supplier, mingrui: Customer, part: Product, shop: Warehouse, sold: None
) -> None:
    """V-11, I-16, I-17: the stock is negative again by everything that was sold."""
    receipt = receive(clerk, hengtuo, part, shop, 10, "72.50")
    ship(clerk, mingrui, part, shop, 6)
    assert state(part, shop) == (0, 0, 725)
    reverse_receipt(receipt, by=clerk)
    assert state(part, shop) == (-10, -675, 675)
    receive(clerk, hengtuo, part, shop, 10, "50")
    assert state(part, shop) == (0, 0, 500), "in the end everything sold costs what was paid for it"
    assert_books()


def test_reversing_it_after_another_receipt(
    clerk: User, hengtuo: Supplier, part: Product, shop: Warehouse, sold: None
) -> None:
    """V-02, V-11: what is left is as if the first receipt had never been."""
    first = receive(clerk, hengtuo, part, shop, 10, "72.50")
    receive(clerk, hengtuo, part, shop, 4, "90")
    reverse_receipt(first, by=clerk)
    assert state(part, shop) == (0, 0, 360), "the four that were sold cost what the second receipt cost"
    assert_books()


def test_two_lines_of_one_product_cover_negative_stock(
    clerk: User, hengtuo: Supplier, part: Product, shop: Warehouse, sold: None
) -> None:
    """V-11, I-16: the second line of a receipt covers what the first one left negative."""
    lines = [make.line(part, 3, "70"), make.line(part, 2, "80")]
    order = make.confirmed_purchase(hengtuo, *lines, by=clerk, warehouse=shop)
    receipt = receive_order(order, by=clerk)
    assert state(part, shop) == (1, 80, 290)
    reverse_receipt(receipt, by=clerk)
    assert state(part, shop) == (-4, -240, 240)
    assert_books()


def test_reversing_a_gain_that_covered_negative_stock(clerk: User, part: Product, shop: Warehouse, sold: None) -> None:
    """V-11, V-42, I-16: an adjustment posts what it leaves behind by an entry of its own; the reversal undoes both."""
    gain = StockAdjustment(warehouse=shop, reason=AdjustmentReason.OTHER, date=make.today())
    save_adjustment(gain, [AdjustmentInput(part, D(10), D("72.50"))], by=clerk)
    gain = post_adjustment(gain, by=clerk)
    assert state(part, shop) == (6, 435, 240) and make.balance("adjustment-loss") == -675
    counter = reverse_adjustment(gain, by=clerk)
    assert state(part, shop) == (-4, -240, 240) and make.balance("adjustment-loss") == 0
    assert moves(counter) == [(-10, -725), (0, 50)]
    assert_books()


def test_a_receipt_that_covers_a_part(
    clerk: User, hengtuo: Supplier, mingrui: Customer, part: Product, shop: Warehouse, sold: None
) -> None:
    """V-20: what is covered gets its cost at once; what is still negative stays at the cost it was issued at."""
    receipt = receive(clerk, hengtuo, part, shop, 3, "70")
    assert state(part, shop) == (-1, -60, 270)
    ship(clerk, mingrui, part, shop, 1)
    assert state(part, shop) == (-2, -120, 330)
    reverse_receipt(receipt, by=clerk)
    assert state(part, shop) == (-5, -300, 300)
    receive(clerk, hengtuo, part, shop, 5, "80")
    assert state(part, shop) == (0, 0, 400)
    assert_books()


def test_a_product_without_known_cost(clerk: User, hengtuo: Supplier, mingrui: Customer, shop: Warehouse) -> None:
    """V-20: ten leave at nothing; nine of them get their cost with the receipt, and stock has no value for minus one."""
    part = make.make_product("NEW")
    ship(clerk, mingrui, part, shop, 10)
    receive(clerk, hengtuo, part, shop, 9, "70")
    assert state(part, shop) == (-1, 0, 630)
    assert_books()


def test_an_issue_below_an_empty_stock_costs_what_the_last_movement_did(
    clerk: User, hengtuo: Supplier, mingrui: Customer, part: Product, shop: Warehouse
) -> None:
    """V-20: at the last known cost, and at the cost of the product only while nothing is known."""
    receive(clerk, hengtuo, part, shop, 3, "50")
    ship(clerk, mingrui, part, shop, 3)
    ship(clerk, mingrui, part, shop, 2)
    assert state(part, shop) == (-2, -100, 250)
    ship(clerk, mingrui, part, shop, 1)
    assert state(part, shop) == (-3, -150, 300)
    assert_books()
