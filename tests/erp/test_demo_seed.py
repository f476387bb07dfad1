"""The demo is deterministic: a seed tells the same story again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from erp.finance.models import JournalLine, Payment
from erp.inventory.models import StockLevel, StockMove
from erp.sales.models import SalesOrder
from erp.setup.demo import empty, make_demo
from erp.setup.demo.big import Size
from oa.announcements.models import AnnouncementReceipt
from oa.approvals.models import ApprovalRequest
from oa.organisation.models import User
from tests.factories import make_user


class _Undo(Exception):
    """Ends a transaction without a trace."""


def fingerprint() -> list[Any]:
    """What would differ between two companies."""
    return [
        list(
            SalesOrder.objects.order_by("pk").values_list(
                "number", "customer__code", "date", "state", "total", "paid_percent"
            )
        ),
        list(StockLevel.objects.order_by("product__code").values_list("product__code", "on_hand", "value")),
        list(Payment.objects.order_by("pk").values_list("number", "date", "amount")),
        StockMove.objects.count(),
        list(
            JournalLine.objects.order_by("account__code")
            .values("account__code")
            .annotate(d=Sum("debit"), c=Sum("credit"))
        ),
        list(User.objects.order_by("pk").values_list("username", "name", "department__code")),
        list(ApprovalRequest.objects.order_by("pk").values_list("title", "state", "amount", "applicant__username")),
        AnnouncementReceipt.objects.exclude(first_read_at=None).count(),
    ]


@pytest.mark.slow
@pytest.mark.django_db
def test_the_same_seed_makes_the_same_company() -> None:
    """And another seed another one, with a large office as well."""
    made = []
    for seed in (7, 7, 8):
        try:
            with transaction.atomic():
                make_demo(30, seed, Size(30, 80, 200))
                made.append(fingerprint())
                raise _Undo
        except _Undo:
            pass
    assert made[0] == made[1] != made[2]


@pytest.mark.django_db
def test_an_installation_with_its_first_person_is_in_use() -> None:
    """Whoever made an administrator and begins later gets no company with well-known passwords beside it."""
    assert empty()
    make_user("boss")
    assert not empty()
