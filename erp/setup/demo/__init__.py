"""A living company to look at: deterministic, made through the services, and always passing `verify`."""

from __future__ import annotations

from erp.finance.models import JournalEntry
from erp.sales.models import SalesOrder
from erp.setup.demo.masters import PASSWORD, World, make_masters
from erp.setup.demo.names import PEOPLE
from erp.setup.demo.trade import trade
from kit.values.errors import BusinessError

MOST = 20_000  # orders that go through the services in acceptable time


def has_business() -> bool:
    """Whether anything was posted or ordered in this installation."""
    return JournalEntry.objects.exists() or SalesOrder.objects.exists()


def make_demo(orders: int = 120, seed: int = 1) -> World:
    """Fill an empty installation with a company that traded for a year; the same seed makes the same company."""
    if has_business():
        raise BusinessError("There is business in this installation already; the demo needs an empty one.")
    if not 6 <= orders <= MOST:
        raise BusinessError(f"Choose between 6 and {MOST} orders.")
    world = make_masters(seed)
    trade(world, orders)
    return world


__all__ = ["PASSWORD", "PEOPLE", "World", "has_business", "make_demo"]
