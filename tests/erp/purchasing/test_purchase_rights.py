"""Services of purchasing and stock ask for the right of whoever acts, not only the pages (G-21, S-03)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest

from erp.finance.models import Supplier
from erp.inventory import services as inventory
from erp.inventory.models import Product, StockAdjustment
from erp.purchasing import services as purchasing
from erp.purchasing.models import Bill, PurchaseOrder
from oa.organisation.models import User
from tests import factories as make
from tests.invariants import assert_books
from tests.refusals import refused

pytestmark = pytest.mark.django_db

NOT_ALLOWED = "You do not have the right to do this"


class Company:
    """One document of every kind in every state that a command starts from."""

    def __init__(self, by: User, supplier: Supplier, product: Product) -> None:
        self.supplier, self.product = supplier, product
        self.draft = make.make_purchase(supplier, make.line(product, 1), by=by)
        self.order = make.confirmed_purchase(supplier, make.line(product, 9), by=by)
        key = self.order.lines.get().pk
        self.received = purchasing.receive_order(self.order, {key: D(2)}, by=by)
        self.receipt = purchasing.draft_receipt(self.order, {key: D(1)}, by=by)
        self.billed = purchasing.bill_order(self.order, {key: D(1)}, by=by, supplier_number="1")
        self.bill = purchasing.draft_bill(self.order, by=by, supplier_number="2")
        self.closed = make.confirmed_purchase(supplier, make.line(product, 1), by=by)
        purchasing.close_order(self.closed, by=by, reason="x")
        other = make.confirmed_purchase(supplier, make.line(product, 2), by=by)
        purchasing.receive_order(other, {other.lines.get().pk: D(1)}, by=by)
        self.sheet = self.new_sheet(by)
        self.posted = inventory.post_adjustment(self.new_sheet(by), by=by)

    def new_sheet(self, by: Any) -> StockAdjustment:
        sheet = StockAdjustment(warehouse=make.warehouse(), reason="count")
        return inventory.save_adjustment(sheet, [inventory.AdjustmentInput(self.product, D(1), D(5))], by=by)

    def commands(self, by: User) -> dict[str, Callable[[], Any]]:
        """Every command, each on a document that it could be done to."""
        line, key = make.line(self.product, 1), self.order.lines.get().pk
        new = PurchaseOrder(supplier=self.supplier, warehouse=make.warehouse())
        service = make.line(make.make_service(), 1, "10")
        bill = Bill(supplier=self.supplier, supplier_number="3")
        quantities = {self.receipt.lines.get().pk: D(2)}
        return {
            "new order": lambda: purchasing.save_order(new, [line], by=by),
            "save order": lambda: purchasing.save_order(self.draft, [line], by=by),
            "confirm": lambda: purchasing.confirm_order(self.draft, by=by),
            "amend": lambda: purchasing.amend_order(self.order, [make.line(self.product, 10, pk=key)], by=by),
            "close": lambda: purchasing.close_order(self.order, by=by, reason="x"),
            "reopen": lambda: purchasing.reopen_order(self.closed, by=by),
            "cancel": lambda: purchasing.cancel_order(self.draft, by=by, reason="x"),
            "draft receipt": lambda: purchasing.draft_receipt(self.order, by=by),
            "save receipt": lambda: purchasing.save_receipt(self.receipt, quantities, by=by),
            "post receipt": lambda: purchasing.post_receipt(self.receipt, by=by),
            "receive": lambda: purchasing.receive_order(self.order, by=by),
            "reverse receipt": lambda: purchasing.reverse_receipt(self.received, by=by),
            "draft bill": lambda: purchasing.draft_bill(self.order, by=by, supplier_number="4"),
            "new bill": lambda: purchasing.save_bill(bill, [service], by=by),
            "add to receipt": lambda: purchasing.add_open(self.receipt, by=by),
            "add to bill": lambda: purchasing.add_received(self.bill, by=by),
            "post bill": lambda: purchasing.post_bill(self.bill, by=by),
            "bill": lambda: purchasing.bill_order(self.order, by=by, supplier_number="5"),
            "reverse bill": lambda: purchasing.reverse_bill(self.billed, by=by),
            "new sheet": lambda: self.new_sheet(by),
            "post sheet": lambda: inventory.post_adjustment(self.sheet, by=by),
            "reverse sheet": lambda: inventory.reverse_adjustment(self.posted, by=by),
        }


@pytest.fixture
def company() -> Company:
    return Company(make.make_user("clerk"), make.make_supplier("Wuxi Hengtuo"), make.make_product("MOTOR"))


ORDERS = {"new order", "save order", "confirm", "amend", "close", "reopen", "cancel"}
GOODS = {"draft receipt", "save receipt", "add to receipt", "post receipt", "receive"}
BILLS = {"draft bill", "new bill", "add to bill", "post bill", "bill"}
SHEETS = {"new sheet", "post sheet"}
REVERSALS = {"reverse receipt", "reverse bill", "reverse sheet"}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("purchasing", ORDERS),
        ("warehouse", GOODS | SHEETS | {"reverse receipt"}),
        ("accountant", BILLS),
        ("chief-accountant", BILLS | REVERSALS),
        ("sales", set()),
        ("auditor", set()),
    ],
)
def test_every_command_asks_for_its_right(company: Company, role: str, may: set[str]) -> None:
    """G-21, G-22: what a shipped role may not do is refused by the service, and nothing changes."""
    commands = company.commands(make.make_user("actor", role))
    assert may <= commands.keys()
    for name in commands.keys() - may:
        with refused(NOT_ALLOWED):
            commands[name]()


@pytest.mark.parametrize(
    ("role", "name"),
    [
        *(("purchasing", name) for name in sorted(ORDERS - {"cancel"})),
        *(("warehouse", name) for name in sorted(GOODS | SHEETS)),
        *(("accountant", name) for name in sorted(BILLS - {"new bill"})),
        *(("chief-accountant", name) for name in ("reverse bill", "reverse sheet")),
    ],
)
def test_who_has_the_right_may(company: Company, role: str, name: str) -> None:
    """G-21: the same commands go through for those who may."""
    company.commands(make.make_user("actor", role))[name]()
    assert_books()
