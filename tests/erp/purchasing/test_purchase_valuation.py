"""What a later price does to stock and to the cost of goods sold (rules P-12, V-02, V-12), against a plain model."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import Supplier
from erp.inventory.models import Product, StockMove
from erp.purchasing.models import Bill, GoodsReceipt, PurchaseOrder
from erp.purchasing.services import draft_bill, post_bill, receive_order, reverse_bill, reverse_receipt, save_bill
from erp.sales.services import deliver_order, reverse_delivery
from oa.organisation.models import User
from tests import factories as make
from tests.readings import balance, code, entry_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture
def mingrui() -> Customer:
    return make.make_customer("Mingrui Precision")


def bill_at(order: PurchaseOrder, price: str | D, by: User) -> Bill:
    """A posted bill of all that is received, every line at `price`."""
    bill = draft_bill(order, by=by)
    rows = list(bill.lines.select_related("product"))
    save_bill(bill, [make.line(row.product, str(row.quantity), str(price), pk=row.pk) for row in rows], by=by)
    return post_bill(bill, by=by)


def received(supplier: Supplier, product: Product, quantity: int, price: str, by: User) -> PurchaseOrder:
    order = make.confirmed_purchase(supplier, make.line(product, quantity, price), by=by)
    receive_order(order, by=by)
    return order


def state(product: Product) -> tuple[D, D, D]:
    """Quantity and value in stock, and the cost of what was sold."""
    level = make.level(product)
    return level.on_hand, level.value, balance("cogs")


def test_a_mistyped_price_leaves_no_trace(clerk: User, hengtuo: Supplier, mingrui: Customer, motor: Product) -> None:
    """V-12, G-04: billed at 600.00 for 60.00, nine of ten sold, reversed: everything is as at 60.00 from the start."""
    order = received(hengtuo, motor, 10, "60", clerk)
    bill = bill_at(order, "600", clerk)
    deliver_order(make.confirmed_order(mingrui, make.line(motor, 9), by=clerk), by=clerk)
    assert state(motor) == (1, 600, 5400)
    counter = reverse_bill(bill, by=clerk)
    assert state(motor) == (1, 60, 540)
    assert entry_of(counter)[code("inventory")] == -5400, "G-04: the entry is the mirror of the bill's"
    assert entry_of(counter, "value") == {code("inventory"): D(4860), code("cogs"): D(-4860)}
    bill_at(order, "60", clerk)
    assert state(motor) == (1, 60, 540)


def test_goods_that_came_later_keep_their_price(
    clerk: User, hengtuo: Supplier, mingrui: Customer, motor: Product
) -> None:
    """V-12: all of the first receipt is sold when its bill comes, dearer or cheaper; the second stays at its price."""
    first = received(hengtuo, motor, 10, "60", clerk)
    deliver_order(make.confirmed_order(mingrui, make.line(motor, 10), by=clerk), by=clerk)
    received(hengtuo, motor, 10, "50", clerk)
    bill = bill_at(first, "66", clerk)
    assert state(motor) == (10, 500, 660) and not StockMove.objects.filter(kind="value").exists()
    reverse_bill(bill, by=clerk)
    assert state(motor) == (10, 500, 600)


def test_the_bill_of_goods_mixed_with_others(clerk: User, hengtuo: Supplier, mingrui: Customer, motor: Product) -> None:
    """V-12: of ten at 60.00 and thirty at 40.00 half is sold, so half of either is there; the bill says 64.00."""
    first = received(hengtuo, motor, 10, "60", clerk)
    received(hengtuo, motor, 30, "40", clerk)
    deliver_order(make.confirmed_order(mingrui, make.line(motor, 20), by=clerk), by=clerk)
    assert state(motor) == (20, 900, 900)
    bill_at(first, "64", clerk)
    assert state(motor) == (20, 920, 920)


def test_a_delivery_taken_back_brings_its_part_back(
    clerk: User, hengtuo: Supplier, mingrui: Customer, motor: Product
) -> None:
    """V-06, V-12: what came back is in stock again when the bill comes."""
    order = received(hengtuo, motor, 10, "60", clerk)
    sale = make.confirmed_order(mingrui, make.line(motor, 8), by=clerk)
    delivery = deliver_order(sale, by=clerk)
    reverse_delivery(delivery, by=clerk)
    bill_at(order, "61", clerk)
    assert state(motor) == (10, 610, 0)


def test_price_of_goods_that_covered_negative_stock(
    clerk: User, hengtuo: Supplier, mingrui: Customer, motor: Product
) -> None:
    """V-12, V-20: four were sold before; their part of the difference is cost of goods sold."""
    shop = make.warehouse("SHOP", allow_negative=True)
    sale = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk, warehouse=shop)
    deliver_order(sale, by=clerk)
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk, warehouse=shop)
    receive_order(order, by=clerk)
    bill_at(order, "70", clerk)
    level = make.level(motor, shop)
    assert (level.on_hand, level.value, balance("cogs")) == (6, 420, 280)


@dataclass
class Lot:
    """A receipt in the plain model: pieces, prices, and how much of it is still in the pool."""

    order: PurchaseOrder
    receipt: GoodsReceipt
    pieces: int
    price: D
    left: D = D(1)
    bill: Bill | None = None

    @property
    def cost(self) -> D:
        return self.pieces * self.price


@dataclass
class Model:
    """A pool that is mixed perfectly: every issue takes the same part of every receipt, at today's price of it."""

    lots: list[Lot] = field(default_factory=list)
    pieces: int = 0

    @property
    def value(self) -> D:
        return sum((lot.left * lot.cost for lot in self.lots), D(0))

    def issue(self, pieces: int) -> None:
        for lot in self.lots:
            lot.left *= D(self.pieces - pieces) / self.pieces
        self.pieces -= pieces


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_events_ends_where_the_plain_model_does(
    seed: int, clerk: User, hengtuo: Supplier, mingrui: Customer, motor: Product
) -> None:
    """V-02, V-12, P-12: stock is worth its last known prices to a cent per event; nothing is lost or made."""
    chance, model, events = random.Random(seed), Model(), 0
    for _step in range(18):
        events += walk(chance, model, clerk, hengtuo, mingrui, motor)
        if not model.lots:
            continue
        level = make.level(motor)
        assert level.on_hand == model.pieces and abs(level.value - model.value) <= D("0.01") * events
        assert level.value == balance("inventory")
        assert balance("inventory") + balance("cogs") == sum(lot.cost for lot in model.lots)
        assert -balance("grni") == sum(lot.cost for lot in model.lots if lot.bill is None)
    if model.pieces:
        deliver_order(make.confirmed_order(mingrui, make.line(motor, model.pieces), by=clerk), by=clerk)
    assert state(motor) == (0, 0, sum(lot.cost for lot in model.lots))


def walk(
    chance: random.Random, model: Model, by: User, supplier: Supplier, customer: Customer, product: Product
) -> int:
    """One event in the books and in the model; returns 0 where there was nothing to do."""
    price = D(chance.randint(3000, 9000)) / 100
    billed = [lot for lot in model.lots if lot.bill is not None]
    waiting = [lot for lot in model.lots if lot.bill is None]
    event = chance.choice(["receive", "sell", "sell", "bill", "bill", "reverse bill", "reverse receipt"])
    if event == "receive":
        pieces = chance.randint(1, 30)
        order = make.confirmed_purchase(supplier, make.line(product, pieces, str(price)), by=by)
        model.lots.append(Lot(order, receive_order(order, by=by), pieces, price))
        model.pieces += pieces
    elif event == "sell" and model.pieces:
        pieces = chance.randint(1, model.pieces)
        deliver_order(make.confirmed_order(customer, make.line(product, pieces), by=by), by=by)
        model.issue(pieces)
    elif event == "bill" and waiting:
        lot = chance.choice(waiting)
        lot.bill, lot.price = bill_at(lot.order, price, by), price
    elif event == "reverse bill" and billed:
        lot = chance.choice(billed)
        assert lot.bill is not None
        reverse_bill(lot.bill, by=by)
        lot.bill, lot.price = None, lot.receipt.value / lot.pieces
    elif event == "reverse receipt" and any(lot.left == 1 for lot in waiting):
        lot = next(lot for lot in waiting if lot.left == 1)
        reverse_receipt(lot.receipt, by=by)
        model.lots.remove(lot)
        model.pieces -= lot.pieces
    else:
        return 0
    return 1
