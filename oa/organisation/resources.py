"""Pages of the organisation and the settings."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from kit.pages.columns import Column, reads_chinese
from kit.pages.nav import Link, tree
from kit.pages.panels import Panel, panels
from kit.pages.resources import Resource, naming, register
from oa.organisation.forms import CompanyForm, PersonForm
from oa.organisation.models import CompanyProfile, Department, Position, Role, User
from oa.organisation.people import outranks

tree.group("office", _("Organisation"), "network", 90, _("Office"))
tree.top.append(Link(_("My desk"), "desk", 10, icon="house", go="h"))
tree.phone.append(Link(_("Desk"), "desk", 1, icon="house"))
tree.foot.append(Link(_("Reports"), "kit:reports", 10, icon="chart-column", go="r"))


@register
class DepartmentResource(Resource):
    model = Department
    path = "org/departments"
    group = "office"
    order = 20
    columns = ("code", Column("name", phone="cust"), "parent", "head")
    search_fields = ("code", "name")
    fields = ("code", "name", "parent", "head", "active")
    ordering = ("code",)


@register
class PositionResource(Resource):
    model = Position
    path = "org/positions"
    group = "office"
    order = 30
    small = True
    columns = ("code", "name")
    search_fields = ("code", "name")
    fields = ("code", "name", "active")


@register
class UserResource(Resource):
    model = User
    path = "org/people"
    label_plural = _("people")
    group = "office"
    order = 10
    key = "username"
    icon = "user"
    columns = (
        "username",
        Column("name", phone="cust"),
        "department",
        "position",
        "email",
        "phone",
        Column("is_active", _("Active")),
    )
    filters = ("department", "position", "is_active")
    search_fields = ("username", "name", "email", "pinyin")
    fields = (
        "username",
        "name",
        "email",
        "phone",
        "department",
        "position",
        "language",
        "time_zone",
        "groups",
        "is_active",
    )
    related = ("department", "position")
    labels: ClassVar = {"groups": _("Roles")}
    importable = False
    ordering = ("username",)

    form_class = PersonForm

    def editable(self, obj: Any, user: Any) -> bool:
        """Accounts of those who give rights are changed only by those who give rights (rule G-22)."""
        return super().editable(obj, user) and outranks(user, obj)

    def deletable(self, obj: Any, user: Any) -> bool:
        return super().deletable(obj, user) and outranks(user, obj)

    def pick_queryset(self, user: Any, params: Any) -> Any:
        return self.model.objects.filter(is_active=True)

    def pick_label(self, obj: Any) -> str:
        return str(obj)


gettext_noop("parent")  # what tree_queries calls the department above
naming[Group] = lambda group: str(getattr(group, "role", group))  # in the reader's language


@register
class RoleResource(Resource):
    model = Role
    path = "org/roles"
    group = "office"
    order = 40
    key = "code"
    small = True
    columns = ("code", Column("group__name", _("Name")), "name_zh", "scope")
    search_fields = ("code", "name_zh")
    fields = ("name_zh", "scope")
    related = ("group",)
    can_create = importable = False


panels["oa.role"].append(
    Panel("people", _("People"), "main", "user", "groups__role", permission="oa.view_user", order=10)
)


@register
class CompanyResource(Resource):
    model = CompanyProfile
    path = "settings/company"
    key = "pk"
    small = True
    columns = ("name", "name_zh", "tax_number", "base_currency")
    fields = (
        "name",
        "name_zh",
        "tax_number",
        "address",
        "address_zh",
        "phone",
        "email",
        "bank_name",
        "bank_account",
        "logo",
        "tax_method",
        "prices_include_tax",
        "cost_at",
        "reversal_style",
        "over_receipt_tolerance",
        "under_tolerance",
        "bill_tolerance",
        "time_zone",
    )
    extra_fields = ("base_currency", "fiscal_year_start")
    form_class = CompanyForm
    can_create = importable = False

    def heading(self, obj: Any) -> str:
        return str(obj.name_zh) if reads_chinese() and obj.name_zh else str(obj)


tree.foot.append(Link(_("Company"), "companyprofile-record", 20, "oa.change_companyprofile", "settings", ("1",)))
