"""Separate duties (rule G-22): pairs that a company switches on, by person or by document."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import erp.setup
from erp.finance.models import Account, Journal, Voucher
from erp.finance.services import post_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from erp.roles import DUTIES
from erp.sales.services import confirm_order
from kit.exchange import reports
from kit.values.errors import BusinessError
from oa.organisation import moves
from oa.organisation.duties import held_keys
from oa.organisation.models import DutyConflict, Role, User
from oa.organisation.rights import give_roles, save_role
from oa.organisation.words import choices
from tests import factories as make
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def on(code: str) -> DutyConflict:
    DutyConflict.objects.filter(code=code).update(active=True)
    return DutyConflict.objects.get(code=code)


def groups(*codes: str):
    return Group.objects.filter(role__code__in=codes)


@pytest.fixture
def firm() -> SimpleNamespace:
    f = SimpleNamespace(root=make.make_user("root"), hr=make.make_user("hr", "hr"))
    f.pia = make.make_user("pia", "purchasing")
    f.joe = make.make_user("joe", "warehouse")
    return f


def test_the_pairs_are_shipped_switched_off_and_name_rights_that_exist():
    """G-22 as far as there are such documents; what a company changed stays."""
    rows = {row.code: row for row in DutyConflict.objects.all()}
    assert set(rows) == {duty[0] for duty in DUTIES} and not any(row.active for row in rows.values())
    names = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    for row in rows.values():
        assert row.first_set and row.second_set and row.first_set | row.second_set <= names, row.code
        assert row.name_zh and not row.first_set & row.second_set
    DutyConflict.objects.filter(code="bill-pay").update(active=True, name="Ours")
    erp.setup.install(apps.get_app_config("erp"), using="default")
    assert DutyConflict.objects.get(code="bill-pay").name == "Ours" and DutyConflict.objects.count() == len(DUTIES)


def test_nobody_is_given_both_duties(firm):
    """Refused naming the roles; switched off, it is allowed."""
    give_roles(firm.pia, groups("purchasing", "warehouse"), by=firm.root)
    give_roles(firm.pia, groups("purchasing"), by=firm.root)
    on("order-receive")
    with pytest.raises(BusinessError) as error:
        give_roles(firm.pia, groups("purchasing", "warehouse"), by=firm.root)
    assert str(error.value) == (
        "Order and receive goods: Pia would hold both duties, through Purchasing and Warehouse."
    )
    assert list(firm.pia.groups.values_list("role__code", flat=True)) == ["purchasing"]


def test_the_person_form_refuses_it_too(firm):
    on("order-receive")
    data = {"username": "pia", "name": "Pia", "email": firm.pia.email, "is_active": "on", "version": "1",
            "groups": list(groups("purchasing", "warehouse").values_list("pk", flat=True))}  # fmt: skip
    answer = client_of(firm.root).post("/org/people/pia/edit/", data)
    assert answer.status_code == 422 and "would hold both duties" in answer.content.decode()
    assert User.objects.get(pk=firm.pia.pk).groups.count() == 1
    User.objects.filter(pk=firm.root.pk).update(is_staff=True)
    data |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    url = reverse("admin:oa_user_change", args=[firm.pia.pk])
    assert "would hold both duties" in client_of(firm.root).post(url, data, follow=True).content.decode()
    assert User.objects.get(pk=firm.pia.pk).groups.count() == 1


def test_a_role_does_not_grow_into_both_duties_of_its_people(firm):
    """By one role alone, and together with another one somebody has."""
    on("order-receive")
    role = Role.objects.get(code="purchasing")
    keys = set(role.group.permissions.values_list("pk", flat=True))
    receive = Permission.objects.get(codename="post_goodsreceipt").pk
    with pytest.raises(BusinessError, match="Pia would hold both duties"):
        save_role(role, by=firm.root, name="Purchasing", rights=keys | {receive})
    firm.pia.groups.clear()
    role.refresh_from_db()
    save_role(role, by=firm.root, name="Purchasing", rights=keys | {receive})


def test_who_joins_or_returns_gets_no_both_duties(firm):
    on("order-receive")
    both = groups("purchasing", "warehouse")
    with pytest.raises(BusinessError, match="would hold both duties"):
        moves.join(User(username="new"), by=firm.root, roles=both)
    moves.leave(firm.joe, by=firm.root)
    with pytest.raises(BusinessError, match="would hold both duties"):
        moves.rejoin(firm.joe, by=firm.root, roles=both)


def test_who_held_both_before_can_still_be_changed(firm):
    """A rule that is switched on stops nothing old; the report lists it."""
    give_roles(firm.pia, groups("purchasing", "warehouse"), by=firm.root)
    rule = on("order-receive")
    give_roles(firm.pia, groups("purchasing", "warehouse", "sales"), by=firm.root)
    report = reports.get("duty-conflicts")
    (row,) = report.rows({}, firm.root)
    assert (row["rule"], row["person"]) == (rule.name, "Pia")
    assert row["first"] == "Purchasing" and row["second"] == "Warehouse"
    client = client_of(firm.root)
    assert "Pia" in client.get("/reports/duty-conflicts/").content.decode()
    page = client.get("/org/duties/order-receive/").content.decode()
    assert "Pia" in page and "Purchase orders: Confirm order" in page and "Goods receipts: Receive" in page
    assert client_of(firm.pia).get("/reports/duty-conflicts/").status_code == 403
    User.objects.filter(pk=firm.pia.pk).update(is_active=False)
    assert report.rows({}, firm.root) == []


def test_looking_at_duties_takes_one_statement(firm):
    for duty in DUTIES:
        on(duty[0])
    with CaptureQueriesContext(connection) as queries:
        assert held_keys() == []
    assert len(queries) == 1


def test_who_made_a_sales_order_does_not_confirm_it(firm):
    """Mode "document": another person with the same rights does; superusers are people, the system is none."""
    ann, amy = make.make_user("ann", "sales"), make.make_user("amy", "sales-manager")
    product = make.make_product("VALVE")
    customer = make.make_customer(owner=ann)

    def order(by):
        return make.make_order(customer, make.line(product), by=by, owner=ann)

    confirm_order(order(ann), by=User.objects.get(pk=ann.pk))
    on("approve-sales")
    ann, amy, root = (User.objects.get(username=name) for name in ("ann", "amy", "root"))
    made = order(ann)
    with pytest.raises(BusinessError, match="somebody else does this"):
        confirm_order(made, by=ann)
    made.refresh_from_db()
    assert made.state == "draft" and made.number is None
    give_roles(amy, groups("administrator"), by=None)
    confirm_order(made, by=User.objects.get(pk=amy.pk))
    with pytest.raises(BusinessError, match="somebody else does this"):
        confirm_order(order(root), by=root)
    confirm_order(order(None), by=root)
    confirm_order(order(root), by=None)


def test_the_button_is_refused_in_words(firm):
    on("approve-sales")
    root = User.objects.get(pk=firm.root.pk)
    made = make.make_order(make.make_customer(), make.line(make.make_product("VALVE")), by=root)
    answer = client_of(root).post(f"/sales/orders/{made.url_key}/do/confirm/", follow=True)
    assert "by the rule of separate duties somebody else does this" in answer.content.decode()
    made.refresh_from_db()
    assert made.state == "draft"


def test_who_prepared_a_voucher_does_not_post_it(firm):
    on("approve-voucher")
    joe = User.objects.get(pk=make.make_user("acc", "accountant").pk)
    accounts = Account.objects.filter(type__in=["asset", "equity"], is_group=False, control="").order_by("code")
    voucher = Voucher(journal=Journal.objects.get(code="GEN"), date=make.today(), memo="x", created_by=joe)
    lines = [EntryInput(accounts.first(), debit=Decimal(7)), EntryInput(accounts.last(), credit=Decimal(7))]
    save_voucher(voucher, lines, by=joe)
    with pytest.raises(BusinessError, match="somebody else does this"):
        post_voucher(voucher, by=joe)
    post_voucher(voucher, by=User.objects.get(pk=make.make_user("acc2", "accountant").pk))


def test_the_rule_costs_one_statement_for_a_person(firm):
    """Read once for whoever acts, not for every document."""
    person = User.objects.get(pk=firm.root.pk)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(3):
            assert person.document_duties == []
    assert len(queries) == 1


def test_rules_are_made_by_ticking_rights_in_words(firm):
    """The form offers rights by name and stores them; whoever does not see rules does not reach it."""
    client = client_of(firm.root)
    data = {"code": "own", "name": "Own", "mode": "person", "active": "on",
            "first": ["erp.add_bill", "erp.post_bill"], "second": ["erp.post_payment"]}  # fmt: skip
    assert client.post("/org/duties/new/", data).status_code == 302
    rule = DutyConflict.objects.get(code="own")
    assert rule.first_set == {"erp.add_bill", "erp.post_bill"} and rule.active
    assert client.post("/org/duties/own/edit/", {**data, "version": "1", "second": ["erp.unheard"]}).status_code == 422
    assert any(name == "erp.post_payment" for _area, rights in choices() for name, _word in rights)
    assert client_of(firm.hr).get("/org/duties/").status_code == 403
