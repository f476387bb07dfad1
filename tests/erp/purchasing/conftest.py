"""What the tests of purchasing share: somebody who buys, a supplier, a product."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D

import pytest


@pytest.fixture
def books_hold(db: None) -> Iterator[None]:
    """Whatever a test does, the books' invariants hold at its end."""
    from tests.invariants import assert_books  # pytest reads this file before Django is set up

    yield
    assert_books()


@pytest.fixture
def clerk(db):
    from tests import factories as make

    return make.make_user("clerk")


@pytest.fixture
def hengtuo(db):
    from tests import factories as make

    return make.make_supplier("Wuxi Hengtuo")


@pytest.fixture
def motor(db):
    from tests import factories as make

    return make.make_product("SV-750W", cost=D(60))
