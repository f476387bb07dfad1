"""Shipped roles: who may do what, and that an administrator's changes stay (rules G-21, G-22)."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.utils import translation

import crm.setup
import erp.setup
import oa.setup
from kit.rules.permissions import ALL, DEPARTMENT, OWN, SUBTREE
from oa.organisation.models import Department, Role, User
from oa.roles import SHIPPED

pytestmark = pytest.mark.django_db

APPS = ["oa", "crm", "erp"]


def install():
    for label, module in (("oa", oa.setup), ("crm", crm.setup), ("erp", erp.setup)):
        module.install(apps.get_app_config(label), using="default")


def person(*roles):
    user = User.objects.create(username="-".join(roles) or "nobody", department=Department.objects.first())
    user.groups.set(Group.objects.filter(role__code__in=roles))
    return User.objects.get(pk=user.pk)


def held(role, labels=APPS):
    rows = Permission.objects.filter(group__role__code=role, content_type__app_label__in=labels)
    return set(rows.values_list("codename", flat=True))


def test_roles_carry_their_scope_and_a_name_in_both_languages():
    scopes = dict(Role.objects.values_list("code", "scope"))
    assert scopes == {
        "administrator": ALL,
        "sales": OWN,
        "sales-manager": SUBTREE,
        "warehouse": ALL,
        "purchasing": ALL,
        "accountant": ALL,
        "chief-accountant": ALL,
        "hr": ALL,
        "auditor": ALL,
    }
    assert all(role.name_zh for role in Role.objects.all())
    with translation.override("zh-hans"):
        assert str(Role.objects.get(code="sales")) == "销售"
    assert str(Role.objects.get(code="sales")) == "Sales"


DUTIES = [
    (
        "sales",
        "add_customer change_customer add_salesorder confirm_salesorder add_followup view_stocklevel view_delivery "
        "view_product",
        "cancel_salesorder release_salesorder add_delivery post_delivery post_invoice add_invoice post_payment "
        "view_stockmove view_supplier view_purchaseorder view_journalentry change_customerterms delete_customer "
        "change_product view_payment",
    ),
    (
        "sales-manager",
        "cancel_salesorder close_salesorder add_customerprice add_marketingplan delete_customer",
        "release_salesorder post_delivery post_invoice post_payment change_customerterms",
    ),
    (
        "warehouse",
        "post_delivery post_goodsreceipt post_stockadjustment view_stockmove view_salesorder",
        "post_invoice post_bill post_payment confirm_salesorder confirm_purchaseorder change_customer change_product "
        "reverse_stockadjustment view_invoice view_bill view_journalentry",
    ),
    (
        "purchasing",
        "confirm_purchaseorder add_supplier change_product view_goodsreceipt",
        "post_goodsreceipt add_goodsreceipt post_bill add_bill post_payment confirm_salesorder",
    ),
    (
        "accountant",
        "post_invoice post_bill post_payment post_voucher change_customerterms view_journalentry",
        "close_period change_period reverse_invoice reverse_payment reverse_voucher release_salesorder change_account "
        "change_postingrule post_delivery post_goodsreceipt confirm_purchaseorder add_supplier change_customer "
        "backdate_stockmove",
    ),
    (
        "chief-accountant",
        "reverse_invoice reverse_payment reverse_delivery release_salesorder close_period "
        "change_account change_postingrule change_taxcode post_voucher backdate_stockmove "
        "change_companyprofile",
        "confirm_salesorder post_delivery change_role change_user",
    ),
    (
        "hr",
        "add_user change_user change_department change_position view_role",
        "change_role add_role delete_role change_companyprofile view_customer view_salesorder view_outboxmail",
    ),
]


@pytest.mark.parametrize(("role", "may", "may_not"), DUTIES, ids=[duty[0] for duty in DUTIES])
def test_duties_are_kept_apart(role, may, may_not):
    """Rule G-22."""
    everything = set(Permission.objects.filter(content_type__app_label__in=APPS).values_list("codename", flat=True))
    granted = held(role)
    assert set(may.split()) <= everything and set(may_not.split()) <= everything, "misspelt in this test"
    assert set(may.split()) <= granted
    assert not set(may_not.split()) & granted


def test_auditors_see_everything_and_change_nothing():
    granted = held("auditor", [*APPS, "axes", "django_celery_beat"])
    everything = Permission.objects.filter(content_type__app_label__in=APPS).values_list("codename", flat=True)
    assert {name for name in everything if name.startswith("view_")} <= granted
    assert {name.split("_")[0] for name in granted} <= {"view", "export"}


def test_administrators_hold_everything_but_writing_history():
    labels = [*APPS, "axes", "django_celery_beat"]
    rows = Permission.objects.filter(content_type__app_label__in=labels)
    missing = set(rows.values_list("codename", flat=True)) - held("administrator", labels)
    assert missing and all(name.endswith("history") and not name.startswith("view_") for name in missing)
    written = Permission.objects.filter(codename__endswith="history", group__isnull=False)
    assert not written.exclude(codename__startswith="view_").exists()


def test_every_grant_names_a_permission_that_exists():
    """A misspelt codename would grant nothing and nobody would notice."""
    for label, module in (("oa", oa.setup), ("crm", crm.setup), ("erp", erp.setup)):
        names = set(Permission.objects.filter(content_type__app_label=label).values_list("codename", flat=True))
        for role, patterns in module.GRANTS.items():
            assert role in {shipped.code for shipped in SHIPPED}
            for pattern in patterns.split():
                if pattern != "export_*":
                    assert any(oa.setup.granted_by(pattern, name) for name in names), f"{role}: {pattern}"


def test_every_command_is_some_role_s_duty():
    """A transition that only administrators hold would stop the people whose work it is.

    To open every folder of the library and to oversee all approvals is nobody's daily work.
    """
    commands = {
        name
        for name in Permission.objects.filter(content_type__app_label__in=APPS).values_list("codename", flat=True)
        if name.split("_")[0] not in {"add", "change", "delete", "view"}
    }
    working = Permission.objects.filter(group__role__code__in=[r.code for r in SHIPPED if r.code != "administrator"])
    assert commands - {"administer_folder", "manage_approvalrequest"} <= set(working.values_list("codename", flat=True))


def test_the_widest_scope_of_several_roles_counts():
    user = person("sales", "sales-manager")
    assert user.data_scope(apps.get_model("crm.Customer")) == SUBTREE
    assert person("sales").data_scope(apps.get_model("crm.Customer")) == OWN
    assert person("hr").data_scope(apps.get_model("crm.Customer")) is None


def test_what_an_administrator_takes_away_stays_away():
    sales = Group.objects.get(role__code="sales")
    sales.permissions.remove(Permission.objects.get(codename="confirm_salesorder"))
    sales.permissions.add(Permission.objects.get(codename="post_delivery"))
    Role.objects.filter(code="sales").update(scope=DEPARTMENT)
    install()
    assert "confirm_salesorder" not in held("sales") and "post_delivery" in held("sales")
    assert Role.objects.get(code="sales").scope == DEPARTMENT


def test_a_permission_that_comes_with_an_upgrade_is_granted_once():
    gone = Permission.objects.get(codename="confirm_salesorder")
    gone.delete()
    install()  # the same permission as a new row: what an upgrade brings
    assert "confirm_salesorder" in held("sales") and "confirm_salesorder" not in held("warehouse")
    kind = ContentType.objects.get(app_label="erp", model="salesorder")
    Permission.objects.create(content_type=kind, codename="view_salesordermargin", name="new")
    install()
    assert "view_salesordermargin" in held("sales")
    Group.objects.get(role__code="sales").permissions.remove(Permission.objects.get(codename="view_salesordermargin"))
    install()
    assert "view_salesordermargin" not in held("sales")


def test_a_deleted_role_comes_back_whole_and_without_members():
    before = held("warehouse")
    keeper = person("warehouse")
    Group.objects.filter(role__code="warehouse").delete()
    install()
    assert held("warehouse") == before
    assert not keeper.groups.exists()


def test_every_scope_can_be_asked_of_every_model():
    """No list may fail for a role with a narrow scope."""
    user = person("sales")
    for model in apps.get_models():
        manager = model._default_manager
        if model._meta.app_label in APPS and hasattr(manager, "visible_to"):
            for scope in (OWN, DEPARTMENT, SUBTREE, ALL):
                meta = model._meta
                user.granted[f"{meta.app_label}.view_{meta.model_name}"] = scope
                assert manager.visible_to(user).count() >= 0, (model, scope)
