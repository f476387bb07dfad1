"""Back office of company, departments, users and roles."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from kit.pages.admin import HistoryAdmin, RecordAdmin
from oa.organisation.models import CompanyProfile, Department, Position, Role, User
from oa.organisation.people import GIVES_ROLES, outranks
from oa.roles import FOREIGN_GRANTS


@admin.register(CompanyProfile)
class CompanyAdmin(RecordAdmin):
    """The one company row: changed, never added or deleted. The chart is chosen by loading it."""

    list_display = ["name", "name_zh", "tax_number", "base_currency"]
    readonly_fields = ["base_currency", "chart"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Department)
class DepartmentAdmin(RecordAdmin):
    """Departments."""

    list_display = ["code", "name", "parent", "head", "active"]
    list_filter = ["active"]
    list_select_related = ["parent", "head"]
    search_fields = ["code", "name"]


@admin.register(Position)
class PositionAdmin(RecordAdmin):
    """Positions."""

    list_display = ["code", "name", "active"]
    list_filter = ["active"]
    search_fields = ["code", "name"]


class RoleInline(admin.StackedInline):
    """Code, Chinese name and data scope of a role."""

    model = Role
    can_delete = False
    min_num = 1


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(DjangoGroupAdmin):
    """Roles: a group of permissions with its data scope."""

    list_display = ["name", "code", "scope"]
    list_select_related = ["role"]
    inlines = [RoleInline]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """A group is a role here, so the permissions on roles decide."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("oa.view_role") or self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("oa.add_role")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(GIVES_ROLES)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("oa.delete_role")

    @admin.display(description=_("code"), ordering="role__code")
    def code(self, group: Group) -> str:
        """The role's code."""
        return group.role.code if hasattr(group, "role") else ""

    @admin.display(description=_("data scope"))
    def scope(self, group: Group) -> str:
        """The role's data scope."""
        return str(group.role.get_scope_display()) if hasattr(group, "role") else ""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        """Permissions of our apps; history is written by triggers, so only viewing it can be granted."""
        if db_field.name == "permissions":
            ours = Q(content_type__app_label__in=["oa", "crm", "erp", *FOREIGN_GRANTS])
            written = Q(codename__endswith="history") & ~Q(codename__startswith="view_")
            kwargs["queryset"] = Permission.objects.filter(ours & ~written)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(User)
class UserAdmin(HistoryAdmin, DjangoUserAdmin):
    """Users. Rights come from roles, and only who may give roles touches those of others (rule G-22)."""

    list_display = ["username", "name", "email", "department", "position", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "groups", "department"]
    list_select_related = ["department", "position"]
    search_fields = ["username", "name", "email", "phone", "pinyin"]
    autocomplete_fields = ["department", "position"]
    ordering = ["username"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("person"), {"fields": ["name", "email", "phone", "department", "position"]}),
        (_("settings"), {"fields": ["language", "time_zone"]}),
        (_("rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        (_("dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (
            None,
            {"classes": ["wide"], "fields": ["username", "name", "email", "usable_password", "password1", "password2"]},
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody raises rights, their own or others', without the permission to give roles."""
        fixed = list(super().get_readonly_fields(request, obj))
        if not request.user.has_perm(GIVES_ROLES):
            fixed += ["is_staff", "groups"]
        if not request.user.is_superuser:
            fixed.append("is_superuser")
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who gives roles is changed only by who gives roles, a superuser only by a superuser."""
        return super().has_change_permission(request, obj) and outranks(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for changes."""
        return super().has_delete_permission(request, obj) and outranks(request.user, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The list's bulk deletion obeys the same order."""
        if not all(outranks(request.user, user) for user in queryset):
            raise PermissionDenied
        super().delete_queryset(request, queryset)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """A password is a person's identity: only who may give roles sets one for somebody else."""
        if not request.user.has_perm(GIVES_ROLES):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Raise the version so that open pages notice the change."""
        if change:
            obj.version += 1
        super().save_model(request, obj, form, change)
