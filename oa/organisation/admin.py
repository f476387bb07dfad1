"""Back office of company, departments, users and roles."""

from __future__ import annotations

from typing import Any

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from kit.pages.admin import HistoryAdmin, ReadOnlyAdmin, RecordAdmin
from kit.values.errors import BusinessError
from oa.organisation.accounts import save_person
from oa.organisation.models import CompanyProfile, Department, DutyConflict, PersonnelChange, Position, Post, Role, User
from oa.organisation.people import GIVES_ROLES, outranks
from oa.organisation.rights import give_roles


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


@admin.register(Post)
class PostAdmin(RecordAdmin):
    """Further posts of people."""

    list_display = ["user", "department", "position"]
    list_select_related = ["user", "department", "position"]
    search_fields = ["user__name", "user__username", "department__name"]
    autocomplete_fields = ["user", "department", "position"]


@admin.register(DutyConflict)
class DutyConflictAdmin(RecordAdmin):
    """Duties that are kept apart."""

    list_display = ["code", "name", "mode", "active"]
    list_filter = ["mode", "active"]
    search_fields = ["code", "name"]


@admin.register(PersonnelChange)
class PersonnelChangeAdmin(ReadOnlyAdmin):
    """Joining, transfer, leaving and return, as they happened."""

    list_display = ["on", "person", "kind", "department", "position", "successor", "moved"]
    list_filter = ["kind"]
    list_select_related = ["person", "department", "position", "successor"]
    date_hierarchy = "on"


class RoleInline(admin.StackedInline):
    """Code, Chinese name and data scope of a role."""

    model = Role
    can_delete = False
    min_num = 1


admin.site.unregister(Group)
# What django-allauth shows there holds secrets, and tables that nobody uses.
admin.site.unregister([Authenticator, EmailAddress])


@admin.register(Group)
class RoleAdmin(DjangoGroupAdmin):
    """Roles, to look at: they are changed on their page, whose command knows which duties do not go together."""

    list_display = ["name", "code", "scope"]
    list_select_related = ["role"]
    inlines = [RoleInline]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """A group is a role here, so the permissions on roles decide."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("oa.view_role")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("code"), ordering="role__code")
    def code(self, group: Group) -> str:
        """The role's code."""
        return group.role.code if hasattr(group, "role") else ""

    @admin.display(description=_("data scope"))
    def scope(self, group: Group) -> str:
        """The role's data scope."""
        return str(group.role.get_scope_display()) if hasattr(group, "role") else ""


class GivenPasswordForm(AdminPasswordChangeForm):
    """A password that somebody sets for another person."""

    def save(self, commit: bool = True) -> Any:
        """Store it as one that its person has to replace."""
        self.user.password_given = True
        return super().save(commit)


@admin.register(User)
class UserAdmin(HistoryAdmin, DjangoUserAdmin):
    """Users. Rights come from roles, and only who may give roles touches those of others (rule G-22)."""

    list_display = ["username", "name", "email", "department", "position", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "groups", "department"]
    list_select_related = ["department", "position"]
    search_fields = ["username", "name", "email", "phone", "pinyin"]
    autocomplete_fields = ["department", "position", "manager"]
    change_password_form = GivenPasswordForm
    ordering = ["username"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("person"), {"fields": ["name", "email", "phone", "extension", "department", "position", "manager"]}),
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
        """A password is a person's identity: only who may give roles sets one for somebody else, not for oneself."""
        if not request.user.has_perm(GIVES_ROLES):
            raise PermissionDenied
        if id == str(request.user.pk):
            return HttpResponseRedirect(reverse("password_change"))
        return super().user_change_password(request, id, form_url)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What a command refuses is told in words; nothing of the form was stored."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except BusinessError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """By the command of the person's page; raises the version so that open pages notice the change."""
        if change:
            obj.version += 1
            save_person(obj, by=request.user)
        else:
            obj.password_given = obj.has_usable_password()
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles go through the command that looks at duties."""
        if "groups" in form.changed_data and "groups" in form.cleaned_data:
            give_roles(form.instance, form.cleaned_data.pop("groups"), by=request.user)
        super().save_related(request, form, formsets, change)
