"""Fixtures of operations."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection, transaction


@pytest.fixture(scope="module")
def living_company(django_db_setup, django_db_blocker):
    """The living company, made once for a module, in a transaction that is rolled back."""
    from tests.erp.living import live  # pytest reads this file before Django is set up

    with django_db_blocker.unblock(), transaction.atomic():
        company = live()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield company
        transaction.set_rollback(True)


@pytest.fixture
def living(living_company):
    """The living company for one test: what the test breaks is whole again for the next one."""
    point = transaction.savepoint()
    yield living_company
    transaction.savepoint_rollback(point)


@pytest.fixture
def clerk(client):
    """A person who can do everything, logged in."""
    from tests import factories as make

    user = make.make_user("clerk")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return user


@pytest.fixture
def mingrui():
    """A customer."""
    from tests import factories as make

    return make.make_customer("Mingrui", code="C-1")
