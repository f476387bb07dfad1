"""The audit trail: what people printed and exported, and from where (rule G-20, UX 6.2.10)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pghistory
import pghistory.models
import pytest
from django.apps import apps
from django.db import connection
from django.db.utils import DatabaseError
from django.test import Client

from oa.organisation.models import Role, User
from oa.records.models import AuditEntry
from tests import factories as make

pytestmark = pytest.mark.django_db


def browser(*roles: str, name: str = "") -> Client:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(make.make_user(name, *roles), backend="oa.organisation.auth.NameOrMailBackend")
    return client


@pytest.fixture
def order() -> Any:
    return make.confirmed_order(make.make_customer("Blue Mill"), make.line(make.make_service("S-1", "100")))


def test_exports_tell_who_took_which_rows_from_where(order: Any) -> None:
    boss = browser("administrator", name="boss")
    for path in (
        "/sales/orders/export/?view=confirmed&goods_status=none&format=csv",
        "/crm/customers/export/?full=1",
        "/reports/sales/?group_by=customer&format=xlsx",
    ):
        assert boss.get(path).status_code == 200, path
    told = [(e.user.username, e.ip, e.action, e.what.partition(" · ")[0]) for e in AuditEntry.objects.order_by("pk")]
    assert told == [
        ("boss", "192.0.2.7", "export", title) for title in ("Sales orders (csv)", "Customers (xlsx)", "Sales (xlsx)")
    ]
    first, _second, report = AuditEntry.objects.order_by("pk")
    assert "· confirmed · delivery status: None" in first.what and "Group by: Customer" in report.what


def test_prints_stand_in_the_trail_and_on_the_page_of_the_document(order: Any) -> None:
    boss = browser("administrator", name="boss")
    path = f"/sales/orders/{order.number}/"
    assert boss.get(f"{path}print/?format=pdf").status_code == 200
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, order.number in entry.what) == ("print", order.pk, True)
    assert "printed it" in boss.get(path).content.decode()
    assert "printed it" not in boss.get(f"/crm/customers/{order.customer.code}/").content.decode()


def test_what_is_refused_or_only_read_leaves_no_entry(order: Any) -> None:
    warehouse = browser("warehouse")
    assert warehouse.get("/finance/vouchers/export/").status_code == 403
    assert warehouse.get("/reports/trial-balance/?format=csv").status_code == 403
    assert warehouse.get("/sales/orders/").status_code == 200
    assert warehouse.get("/reports/sales/?format=odt").status_code == 404
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEntry.objects.update(what="nothing"),
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditEntry.objects.get().delete(),
        lambda: connection.cursor().execute("UPDATE oa_auditentry SET ip = NULL"),
        lambda: connection.cursor().execute("TRUNCATE oa_auditentry"),
    ],
)
def test_nobody_changes_the_trail(order: Any, change: Any) -> None:
    """Not by the ORM, not in bulk, not past it."""
    browser("administrator").get("/sales/orders/export/")
    with pytest.raises(DatabaseError):
        change()


def test_the_auditor_reads_the_trail_and_sellers_do_not(order: Any) -> None:
    browser("administrator").get("/sales/orders/export/")
    page = browser("auditor").get("/office/audit-trail/")
    assert page.status_code == 200 and "Sales orders" in page.content.decode()
    assert browser("sales-manager").get("/office/audit-trail/").status_code == 403


@pytest.mark.parametrize(
    ("given", "kept"), [("192.0.2.7", "192.0.2.7"), ("::1", "::1"), ("nonsense", None), ("", None)]
)
def test_the_history_tells_the_address_too(given: str, kept: str | None) -> None:
    """G-20: who, when, from where; an address that is none breaks nothing."""
    customer = make.make_customer("Blue Mill")
    client = browser("administrator")
    client.defaults["REMOTE_ADDR"] = given
    page = client.get(f"/crm/customers/{customer.code}/edit/")
    fields = SimpleNamespace(name="Red Mill", type="company", status="prospect", version=customer.version)
    assert page.status_code == 200 and client.post(page.request["PATH_INFO"], vars(fields)).status_code == 302
    assert pghistory.models.Context.objects.latest("created_at").metadata["ip"] == kept


def test_roles_and_rights_tell_who_gave_them() -> None:
    """Permission changes are history too, whichever way they come; the people and roles show them."""
    boss, ann = browser("administrator", name="boss"), make.make_user("ann", "sales")
    fields = {"username": "ann", "name": "Ann", "version": ann.version, "is_active": "on"}
    role = Role.objects.get(code="warehouse")
    assert boss.post("/org/people/ann/edit/", fields | {"groups": [role.pk]}).status_code == 302
    page = boss.get("/org/people/ann/").content.decode()
    assert (
        "gave: Warehouse" in page
        and "took away: Sales" in page
        and page.count(str(User.objects.get(username="boss"))) > 2
    )
    history = apps.get_model("oa", "UserRoleHistory").objects.filter(user=ann.pk).order_by("pgh_id")
    given = [(row.pgh_label, row.group.role.code) for row in history]
    assert given[0] == ("given", "sales") and set(given[1:]) == {("taken", "sales"), ("given", "warehouse")}
    with pghistory.context(user=ann.pk):
        role.group.permissions.remove(role.group.permissions.get(codename="post_delivery"))
    assert "took away: " in boss.get("/org/roles/warehouse/").content.decode()
    assert "gave: " not in boss.get("/org/roles/warehouse/").content.decode(), "what it was shipped with"


def test_passwords_are_in_no_history() -> None:
    ann = make.make_user("ann")
    ann.set_password("another-pass-1")
    ann.save()
    ann.name = "Ann Lee"
    ann.save()
    [row] = apps.get_model("oa", "UserHistory").objects.filter(pgh_obj_id=ann.pk)
    assert row.name != "Ann Lee" and "password" not in {field.name for field in row._meta.fields}
