"""What `migrate` puts into an empty installation: roles and one customer group."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import transaction

from crm.customers.models import CustomerGroup
from crm.roles import GRANTS
from oa.setup import fully_migrated, install_roles


def install(sender: AppConfig, using: str = "default", **kwargs: Any) -> None:
    """`post_migrate` of the customers app."""
    if not fully_migrated(sender, using, kwargs):
        return
    with transaction.atomic(using=using):
        install_roles(sender, GRANTS, using)
        if not CustomerGroup.objects.using(using).exists():
            CustomerGroup.objects.using(using).create(code="general", name="General", name_zh="一般客户")
