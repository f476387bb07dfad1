"""A clerk, a customer and two products in stock; after every scenario the books are checked.

Models are imported by the fixtures: pytest reads this file before the settings when it is given this folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest


@pytest.fixture
def make() -> Any:
    """The makers of `tests.factories`."""
    return import_module("tests.factories")


@pytest.fixture(autouse=True)
def books_hold(db: None) -> Iterator[None]:
    """Whatever a scenario does, the books' invariants hold at its end."""
    yield
    import_module("tests.invariants").assert_books()


@pytest.fixture
def clerk(make: Any) -> Any:
    """Someone who may do everything."""
    return make.make_user("clerk")


@pytest.fixture
def mingrui(make: Any) -> Any:
    """A customer in Suzhou."""
    return make.make_customer("Mingrui Precision", short_name="Mingrui", address="8 Suhong Road", city="Suzhou")


@pytest.fixture
def motor(make: Any, clerk: Any) -> Any:
    """100.00 each, 20 in stock at 60.00."""
    product = make.make_product("SV-750W", price="100")
    make.stock(product, 20, "60", by=clerk)
    return product


@pytest.fixture
def drive(make: Any, clerk: Any) -> Any:
    """33.33 each, 20 in stock at 20.50."""
    product = make.make_product("DR-1", price="33.33")
    make.stock(product, 20, "20.50", by=clerk)
    return product
