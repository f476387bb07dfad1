"""What `migrate` puts into an empty installation: the company, a department, number sequences, roles.

Everything here may run again and again: it adds what is missing and never changes what people changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import connections, transaction
from django.db.migrations.loader import MigrationLoader

from oa.announcements.models import AnnouncementCategory
from oa.approvals.setup import install_forms
from oa.documents.setup import install_library
from oa.expenses.setup import install_types
from oa.leave.setup import install_leave
from oa.official.setup import install_official
from oa.organisation.models import CompanyProfile, Department, Role
from oa.records.models import Counter, NumberSequence
from oa.records.models.keys import Reset
from oa.reporting.setup import install_beat
from oa.roles import FOREIGN_GRANTS, GRANTS, SHIPPED

SEQUENCES = (
    ("sales-order", "SO"),
    ("delivery", "DN"),
    ("invoice", "IV"),
    ("receipt", "RC"),
    ("payment", "PV"),
    ("customer-refund", "CR"),
    ("supplier-refund", "SR"),
    ("purchase-order", "PO"),
    ("goods-receipt", "GR"),
    ("bill", "BL"),
    ("stock-adjustment", "SA"),
    ("voucher", "VC"),
    ("contract", "CT"),
    ("marketing-plan", "MP"),
    ("form-request", "RQ"),
    ("leave-request", "LV"),
    ("expense-claim", "EC"),
    ("advance", "AV"),
    ("expense-payment", "EP"),
    ("incoming-document", "IN"),
)
CODES = (("customer", "C"), ("supplier", "S"))  # running codes of masters
# announcements: code, names, whether somebody else has to approve
CATEGORIES = (
    ("notice", "Notice", "通知", False),
    ("company", "Company announcement", "公告", True),
    ("rules", "Rules and regulations", "规章制度", True),
)

# Counters of this kind remember, per role and app, the newest permission that was considered for it.
_CONSIDERED = "role:{role}:{app}"


def install(sender: AppConfig, using: str = "default", **kwargs: Any) -> None:
    """`post_migrate` of the office app."""
    if not fully_migrated(sender, using, kwargs):
        return
    with transaction.atomic(using=using):
        _company(using)
        _sequences(using)
        install_forms(using)
        _categories(using)
        install_types(using)
        install_roles(sender, GRANTS, using)
        for config in apps.get_app_configs():
            if config.label in FOREIGN_GRANTS:
                install_roles(config, FOREIGN_GRANTS[config.label], using)
        install_library(using)
        install_leave(using)
        install_official(using)
        if using == "default":
            install_beat()


def fully_migrated(sender: AppConfig, using: str, signal: Mapping[str, Any]) -> bool:
    """Whether all migrations of `sender` are applied, so that its tables fit the code.

    A flush sends no plan: the tables are there.
    """
    if "plan" not in signal:
        return True
    loader = MigrationLoader(connections[using], ignore_no_migrations=True)
    return set(loader.graph.leaf_nodes(sender.label)) <= set(loader.applied_migrations)


def _company(using: str) -> None:
    """The one company row and, where there is no department at all, the root of the tree."""
    first = {"name": "My company", "name_zh": "我的公司", "time_zone": settings.TIME_ZONE}
    CompanyProfile.objects.using(using).get_or_create(pk=1, defaults=first)
    if not Department.objects.using(using).exists():
        Department.objects.using(using).create(code="HQ", name="Headquarters")


def _sequences(using: str) -> None:
    """A number sequence for every document type, and for the codes of customers and suppliers (rule G-07)."""
    manager = NumberSequence.objects.using(using)
    present = set(manager.values_list("key", flat=True))
    rows = [NumberSequence(key=key, prefix=prefix) for key, prefix in SEQUENCES]
    rows += [NumberSequence(key=key, prefix=prefix, digits=5, reset=Reset.NEVER) for key, prefix in CODES]
    missing = [row for row in rows if row.key not in present]
    if missing:
        manager.bulk_create(missing)


def _categories(using: str) -> None:
    """Kinds of announcements, where there are none at all."""
    manager = AnnouncementCategory.objects.using(using)
    if not manager.exists():
        manager.bulk_create(
            AnnouncementCategory(code=code, name=name, name_zh=chinese, needs_approval=needs)
            for code, name, chinese, needs in CATEGORIES
        )


def install_roles(sender: AppConfig, table: Mapping[str, str], using: str) -> None:
    """Grant the permissions of one app to the shipped roles by `table` (role -> codenames or patterns).

    A permission is considered for a role once, when the permission or the role is new. What an administrator
    took away or added since stays that way.
    """
    create_permissions(sender, verbosity=0, using=using)
    groups = _shipped_groups(using)
    keys = {code: _CONSIDERED.format(role=code, app=sender.label) for code in table}
    considered = dict(Counter.objects.using(using).filter(key__in=keys.values()).values_list("key", "last"))
    oldest = min((considered.get(key, 0) for key in keys.values()), default=0)
    rows = Permission.objects.using(using).filter(content_type__app_label=sender.label, pk__gt=oldest)
    permissions = [(pk, name) for pk, name in rows.values_list("pk", "codename") if not _writes_history(name)]
    if not permissions:
        return
    newest = max(pk for pk, _name in permissions)
    grants = Group.permissions.through
    grants.objects.using(using).bulk_create(
        (
            grants(group_id=groups[code], permission_id=pk)
            for code, patterns in table.items()
            for pk, name in permissions
            if pk > considered.get(keys[code], 0) and granted_by(patterns, name)
        ),
        ignore_conflicts=True,
    )
    Counter.objects.using(using).bulk_create(
        (Counter(key=key, last=newest) for key in keys.values()),
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["last"],
    )


def granted_by(patterns: str, codename: str) -> bool:
    """Whether one of the blank-separated codenames or patterns fits `codename`."""
    return any(fnmatchcase(codename, pattern) for pattern in patterns.split())


def _writes_history(codename: str) -> bool:
    """History rows are written by triggers only: nobody gets a permission to."""
    return codename.endswith("history") and not codename.startswith("view_")


def _shipped_groups(using: str) -> dict[str, int]:
    """Group of every shipped role, making roles that are missing; a new role starts with all its grants."""
    present = dict(Role.objects.using(using).values_list("code", "group_id"))
    for role in SHIPPED:
        if role.code not in present:
            group, _made = Group.objects.using(using).get_or_create(name=role.name)
            Role.objects.using(using).create(group=group, code=role.code, name_zh=role.name_zh, scope=role.scope)
            Counter.objects.using(using).filter(key__startswith=_CONSIDERED.format(role=role.code, app="")).delete()
            present[role.code] = group.pk
    return present
