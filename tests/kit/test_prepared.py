"""Statements that are compiled once, and counts without counting (PERFORMANCE 3)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from crm.customers.models import Customer, CustomerGroup
from kit.pages.counting import counted
from kit.rules.prepared import Prepared
from kit.values.errors import VersionConflict
from oa.organisation.models import User
from oa.records.bulk import lockable, locked
from tests import factories as make

pytestmark = pytest.mark.django_db


def by_name(name: str, limit: int) -> Any:
    return Customer.objects.filter(name=name, pk__lt=limit).order_by("code")


def test_a_prepared_query_gives_what_the_query_gives() -> None:
    """The records of each call are those of the values of the call, in the order of the query, in one statement."""
    prepared = Prepared(by_name, name="a sample", limit=-7_310_001)
    for code, name in (("C-2", "Red %s"), ("C-1", "Red %s"), ("C-3", "Blue")):
        make.make_customer(name, code=code)
    for name, codes in (("Red %s", ["C-1", "C-2"]), ("Blue", ["C-3"]), ("", [])):
        with CaptureQueriesContext(connection) as queries:
            found = prepared.objects(name=name, limit=10**9)
        assert [row.code for row in found] == codes == [row.code for row in by_name(name, 10**9)]
        assert len(queries) == 1
    assert prepared.objects(name="Blue", limit=0) == []
    rows = Prepared(lambda name: Customer.objects.filter(name=name).values_list("code", "name"), name="a sample")
    assert rows.rows(name="Blue") == [("C-3", "Blue")]


def test_a_plan_that_is_kept_gives_the_same() -> None:
    """What the server plans once it answers with the values of each call, also after what it reads was changed."""
    prepared = Prepared(lambda name: Customer.objects.filter(name=name).values_list("code"), name="a sample")
    customer = make.make_customer("Red", code="C-1")
    assert [prepared.rows(name="Red") for _ in range(3)] == [[("C-1",)]] * 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%crm_customer%"])
        assert cursor.fetchone() == (1,)
    Customer.objects.filter(pk=customer.pk).update(name="Blue")
    assert (prepared.rows(name="Red"), prepared.rows(name="Blue")) == ([], [("C-1",)])


def test_related_records_come_along() -> None:
    """What `select_related` brings stands in its place, also over two steps and where there is nothing."""
    group = CustomerGroup.objects.create(code="G", name="Group")
    make.make_customer("Red", code="C-1", group=group, owner=make.make_user("ann"))
    make.make_customer("Blue", code="C-2")
    prepared = Prepared(
        lambda code: Customer.objects.filter(code=code).select_related("group", "owner__department"), code="a sample"
    )
    for _time in range(3):
        (red,), (blue,) = prepared.objects(code="C-1"), prepared.objects(code="C-2")
        with CaptureQueriesContext(connection) as queries:
            assert (red.group, red.owner.username, red.owner.department) == (group, "ann", None)
            assert (blue.group, blue.owner) == (None, None)
        assert len(queries) == 0


@pytest.mark.django_db(transaction=True)
def test_a_lock_holds_to_the_end_and_needs_a_transaction() -> None:
    """`locked` by a kept plan: another session gets nothing of the row, who asks outside of a transaction is told."""
    customer = make.make_customer("Red", code="C-1")
    rows = lockable(Customer.objects.select_related("group"))
    with pytest.raises(transaction.TransactionManagementError):
        locked(rows, customer.pk)
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as other:
        for _time in range(3):
            with transaction.atomic():
                assert locked(rows, customer.pk, version=customer.version) == customer
                taken = other.execute("SELECT id FROM crm_customer WHERE id = %s FOR UPDATE SKIP LOCKED", [customer.pk])
                assert taken.fetchall() == []
                other.rollback()
        with transaction.atomic(), pytest.raises(VersionConflict):
            locked(rows, customer.pk, version=customer.version + 1)
        with transaction.atomic(), pytest.raises(Customer.DoesNotExist):
            locked(rows, customer.pk + 1)


def test_a_sample_that_gets_lost_is_told() -> None:
    """A value that the query changes on its way could not be put in later: that is no silent wrong answer."""
    lost = Prepared(lambda name: Customer.objects.filter(name__icontains=name), name="a sample")
    with pytest.raises(AssertionError, match="did not come out"):
        lost.objects(name="Red")


def test_rights_change_with_the_next_request() -> None:
    """G-21: what is compiled once is asked each time: a role that was taken away is gone."""
    user = make.make_user("ann", "sales")
    assert User.objects.get(pk=user.pk).granted
    user.groups.clear()
    assert User.objects.get(pk=user.pk).granted == {}


@pytest.mark.parametrize("roles", [(), ("chief-accountant",)])
def test_a_list_is_five_statements(roles: tuple[str, ...], client: Any) -> None:
    """UX 9: session, person with rights, kept views, rows, totals; a count only where there is a second page."""
    client.force_login(make.make_user("ann", *roles))
    make.make_order(make.make_customer("Red"), make.line(make.make_product("P-1")))
    table = {"HX-Request": "true", "HX-Target": "list"}
    client.get("/sales/orders/", headers=table)
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/sales/orders/", headers=table).status_code == 200
    assert len(queries) == 5, [query["sql"][:200] for query in queries]


def test_only_a_large_table_that_nothing_narrows_is_not_counted() -> None:
    """UX 6.2.5: exact up to the limit; beyond it the planner's estimate, which has to be far above, is enough."""
    CustomerGroup.objects.bulk_create(CustomerGroup(code=f"G{n}", name=f"Group {n}") for n in range(40))
    rows = CustomerGroup.objects.all()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_customergroup")
    assert counted(rows, 100) == rows.count() >= 40
    assert counted(rows, 10) == 11
    assert counted(rows.filter(code__startswith="G1"), 100) == 11
    assert counted(rows.filter(code__startswith="G1"), 10) == 11
    rows.delete()
    assert counted(rows, 100) == 0
