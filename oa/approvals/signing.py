"""The signature beside a verdict: of whoever gives it, as it is at that moment (rules X-13, N-12)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals.access import Hand
from oa.approvals.models import ApprovalAction, ApprovalRequest, ApprovalTask
from oa.approvals.models.requests import TaskRole
from oa.records.models import PersonSignature
from oa.records.models.signatures import standing_on
from oa.records.signatures import present_signature, signing


def signature_for(hand: Hand) -> PersonSignature | None:
    """What the history keeps with a verdict; refused where the step needs a signature that the person does not have."""
    found = signing(hand.by)
    if found is None and hand.by is not None and asks_for_one(hand.task):
        raise BusinessError(
            _("“%s” needs your signature. Keep one under “My signature” in the menu of your name, then decide.")
            % hand.task.node
        )
    return found


def asks_for_one(task: ApprovalTask) -> bool:
    """Whether the step of a task needs a signature of who decides; advice is no decision."""
    step = task.node.step if task.node is not None else None
    return step is not None and step.signed and task.role != TaskRole.ADVICE


def lacks_one(task: ApprovalTask, user: Any) -> bool:
    """Whether a verdict of `user` would be refused for want of a signature."""
    return asks_for_one(task) and present_signature(user) is None


def signed_actions(user: Any) -> QuerySet[ApprovalAction]:
    """Signed verdicts on requests that `user` may see."""
    return ApprovalAction.objects.filter(request__in=ApprovalRequest.objects.visible_to(user).order_by().values("pk"))


standing_on.append(signed_actions)
