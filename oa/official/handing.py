"""What of official documents a person who leaves hands over: the steps that wait for them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from oa.official.models import OfficialTurn
from oa.organisation.handover import Handover, handovers
from oa.organisation.models import User


def _turns(user: User) -> QuerySet[Any]:
    return OfficialTurn.objects.filter(user=user, done_at=None)


def _move(user: User, successor: User) -> int:
    return _turns(user).update(user=successor)


handovers.append(Handover(_("open steps of official documents"), _turns, _move))
