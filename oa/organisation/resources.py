"""Pages of the organisation and the settings."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from kit.pages.columns import Column, reads_chinese
from kit.pages.nav import Link, tree
from kit.pages.resources import Resource, naming, register
from oa.organisation.accounts import save_department, save_person
from oa.organisation.forms import CompanyForm, DutyForm, PersonForm, RoleForm
from oa.organisation.models import CompanyProfile, Department, DutyConflict, PersonnelChange, Position, Post, Role, User
from oa.organisation.moves import MOVES
from oa.organisation.people import outranks
from oa.organisation.rights import is_shipped, save_role

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
    related = ("parent", "head")
    ordering = ("code",)
    save = staticmethod(save_department)


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
        "extension",
        "department",
        "position",
        "manager",
        "joined_on",
        "language",
        "time_zone",
        "groups",
        "is_active",
    )
    extra_fields = ("left_on",)
    related = ("department", "position", "manager")
    labels: ClassVar = {"groups": _("Roles")}
    save = staticmethod(save_person)
    importable = False
    ordering = ("username",)

    form_class = PersonForm

    def may(self, user: Any, action: str) -> bool:
        """A new person joins, which is for who moves people."""
        return super().may(user, action) and (action != "add" or user.has_perm(MOVES))

    def badge(self, obj: Any) -> tuple[Any, str] | None:
        """Who does not work here any more."""
        return None if obj.is_active else (_("has left"), "mute")

    def fixed(self, obj: Any) -> tuple[str, ...]:
        """Whoever left comes back by a command."""
        return () if obj.left_on is None else ("is_active",)

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
class PostResource(Resource):
    model = Post
    path = "org/posts"
    label = _("further post")
    columns = (Column("user", phone="cust"), "department", "position")
    filters = ("user", "department", "position")
    search_fields = ("user__name", "user__pinyin", "department__name", "position__name")
    fields = ("user", "department", "position")
    related = ("user", "department", "position")


@register
class PersonnelChangeResource(Resource):
    model = PersonnelChange
    path = "org/changes"
    group = "office"
    order = 45
    columns = (
        "on",
        Column("person", phone="cust"),
        "kind",
        "department_before",
        "department",
        "position",
        "successor",
        "moved",
    )
    filters = ("kind", "person", "on", "department")
    search_fields = ("person__name", "person__pinyin", "reason")
    extra_fields = (
        "person",
        "kind",
        "on",
        "department_before",
        "position_before",
        "department",
        "position",
        "successor",
        "moved",
        "reason",
        "created_at",
        "created_by",
    )
    related = ("person", "department", "department_before", "position", "position_before", "successor", "created_by")
    can_create = can_edit = importable = False


def _save_role(role: Role, *, by: Any) -> Role:
    """What the form gives: the name is the group's, the rights are keys."""
    name, rights = role.given  # type: ignore[attr-defined]
    return save_role(role, by=by, name=name, rights=rights)


@register
class RoleResource(Resource):
    model = Role
    path = "org/roles"
    group = "office"
    order = 40
    key = "code"
    small = True
    columns = ("code", Column("group__name", _("Name")), "name_zh", "scope", "second_factor")
    search_fields = ("code", "name_zh", "group__name")
    fields = ("code", "name_zh", "scope", "second_factor")
    related = ("group",)
    form_class = RoleForm
    save = staticmethod(_save_role)
    importable = False

    def fixed(self, obj: Any) -> tuple[str, ...]:
        """Programs and files know a role by its code."""
        return ("code",)

    def deletable(self, obj: Any, user: Any) -> bool:
        """Shipped roles stay; they may be changed."""
        return super().deletable(obj, user) and not is_shipped(obj)

    def initial(self, request: Any) -> dict[str, Any]:
        """A copy begins with the scope and the rights of another role."""
        origin = Role.objects.visible_to(request.user).filter(code=request.GET.get("copy", "")).first()
        if origin is None:
            return super().initial(request)
        return {"scope": origin.scope, "rights": list(origin.group.permissions.values_list("pk", flat=True))}


@register
class DutyConflictResource(Resource):
    model = DutyConflict
    path = "org/duties"
    group = "office"
    order = 46
    key = "code"
    columns = ("code", Column("name", phone="cust"), "name_zh", "mode", "active")
    filters = ("mode", "active")
    search_fields = ("code", "name", "name_zh")
    fields = ("code", "name", "name_zh", "mode", "active", "note")  # both duties: in words, by form and panel
    form_class = DutyForm
    importable = False

    def badge(self, obj: Any) -> tuple[Any, str]:
        """Whether the rule counts."""
        return (_("in force"), "ok") if obj.active else (_("switched off"), "mute")


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
