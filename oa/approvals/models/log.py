"""What happened in approvals: append-only (rules X-04, X-13, G-20), and the copies people got."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.permissions import VisibleQuerySet
from oa.approvals.models.proxies import Proxy
from oa.approvals.models.requests import ApprovalNode, ApprovalRequest, ApprovalTask
from oa.records.guards import append_only
from oa.records.models import PersonSignature
from oa.records.models.signatures import own_signature


class Act(models.TextChoices):
    SUBMIT = "submit", _("submitted")
    RESUBMIT = "resubmit", _("submitted again")
    APPROVE = "approve", _("approved")
    HANDLE = "handle", _("handled")
    REJECT = "reject", _("rejected")
    RETURN = "return", _("returned")
    ADVISE = "advise", _("gave advice")
    TRANSFER = "transfer", _("transferred")
    DELEGATE = "delegate", _("asked for advice")
    ADD = "add", _("added a signer")
    REMOVE = "remove", _("removed a signer")
    CC = "cc", _("sent a copy")
    URGE = "urge", _("urged")
    EDIT = "edit", pgettext_lazy("history", "changed")
    WITHDRAW = "withdraw", _("withdrew")
    TAKE_BACK = "take_back", _("took the decision back")
    CANCEL = "cancel", pgettext_lazy("history", "cancelled")
    SYSTEM = "system", _("by rule")
    EFFECT = "effect", _("took effect")


VERDICTS = (Act.APPROVE, Act.HANDLE, Act.REJECT, Act.RETURN, Act.ADVISE)

# A verdict is given on a running task, by the person asked or by who stands in for them that day (I-27).
_ENTITLED = """
    IF NOT EXISTS (
        SELECT 1 FROM oa_approvaltask t LEFT JOIN oa_proxy p ON p.id = NEW.proxy_id
         WHERE t.id = NEW.task_id AND t.request_id = NEW.request_id AND t.state = 'running'
           AND (NEW.by_id IS NULL
                OR (NEW.proxy_id IS NULL AND NEW.by_id = t.user_id AND NEW.behalf_id IS NULL)
                OR (NEW.by_id = p.proxy_id AND t.user_id = p.principal_id AND NEW.behalf_id = p.principal_id
                    AND p.revoked_at IS NULL AND NEW.day BETWEEN p.since AND p.until))
    ) THEN
        RAISE EXCEPTION 'This decision is not for this person to take.' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""

# Where the step asks for it, nobody decides without a signature; the clock has none, and advice is no decision.
_SIGNED = """
    IF NEW.signature_id IS NULL AND NEW.by_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM oa_approvalnode n JOIN oa_flowstep s ON s.id = n.step_id WHERE n.id = NEW.node_id AND s.signed
    ) THEN
        RAISE EXCEPTION 'This step needs a signature.' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""


class ApprovalAction(models.Model):
    """One thing somebody did; `by` None is the system. `behalf`: the absent person `by` decided for (`proxy`)."""

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="actions")
    node = models.ForeignKey(ApprovalNode, models.PROTECT, null=True, related_name="+")
    task = models.ForeignKey(ApprovalTask, models.PROTECT, null=True, related_name="+")
    act = models.CharField(max_length=9, choices=Act)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    behalf = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    proxy = models.ForeignKey(Proxy, models.PROTECT, null=True, related_name="+")
    target = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")  # to whom
    signature = models.ForeignKey(PersonSignature, models.PROTECT, null=True, related_name="+")  # of `by`, then
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    facts_hash = models.CharField(max_length=64)
    content_hash = models.CharField(max_length=64)
    day = models.DateField()  # the company's
    at = models.DateTimeField(default=timezone.now)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval history")
        verbose_name_plural = _("approval history")
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(act__in=["approve", "handle", "reject", "return", "advise"]),
                name="action_one_verdict",
            ),
            models.CheckConstraint(
                condition=~Q(act__in=["approve", "handle", "reject", "return", "advise"]) | Q(task__isnull=False),
                name="action_task",
            ),
            models.CheckConstraint(
                condition=Q(signature=None) | Q(act__in=["approve", "handle", "reject", "return", "advise"]),
                name="action_signed_verdict",
            ),
        ]
        indexes = [
            models.Index(fields=["request", "id"], name="action_request"),
            models.Index(fields=["by", "-id"], name="action_by"),
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="entitled",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__act__in=[str(act) for act in VERDICTS]),
                func=_ENTITLED,
            ),
            own_signature(),
            pgtrigger.Trigger(
                name="signed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__act__in=[str(act) for act in VERDICTS if act != Act.ADVISE]),
                func=_SIGNED,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {self.by or '—'}"


class ApprovalCopy(models.Model):
    """A request somebody was told of for information."""

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="copies")
    user: Any = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval copy")
        verbose_name_plural = _("approval copies")
        default_permissions = ()
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["request", "user"], name="copy_once")]
        indexes = [models.Index(fields=["user", "-id"], name="copy_user")]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.user}"
