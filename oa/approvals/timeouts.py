"""Time that ran out: reminders and decisions by rule, each under the lock of its request."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.db import OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.rules.outage import starved
from kit.values.errors import BusinessError
from oa.approvals.engine import Run, open_run
from oa.approvals.messages import tell_late
from oa.approvals.models import ApprovalTask
from oa.approvals.models.flows import NodeKind, OnTimeout
from oa.approvals.models.log import Act
from oa.approvals.services import approve, reject

BATCH = 500

logger = logging.getLogger(__name__)


def handle_overdue(now: dt.datetime | None = None) -> int:
    """Remind people or decide by rule where the time of a step ran out; returns how many tasks were handled.

    Each task is handled in a transaction of its own and moves its own clock, so that a killed or doubled worker
    neither loses nor repeats anything.
    """
    now = now or timezone.now()
    late = ApprovalTask.objects.filter(state="running", remind_at__lte=now).order_by("remind_at")
    handled = 0
    for task in list(late[:BATCH]):
        try:
            handled += _handle(task, now)
        except OperationalError as error:
            logger.warning("approval task %s is tried again: %s", task.pk, error)  # somebody else had it in hand
        except Exception as error:
            if starved(error):
                raise  # nothing is wrong with the task: the next minute, and perhaps another process, handles it
            # Whatever stands in the way of one task, the others have their time, too.
            logger.warning("approval task %s: %s", task.pk, error, exc_info=not isinstance(error, BusinessError))
            _put_off(task, now)
    return handled


@transaction.atomic
def _handle(task: ApprovalTask, now: dt.datetime) -> bool:
    run = open_run(task.request_id, None)
    current = next((t for t in run.tasks[task.node_id or 0] if t.pk == task.pk), None)
    if current is None or current.state != "running" or current.remind_at is None or current.remind_at > now:
        return False
    step = current.node.step if current.node is not None else None
    rule = step.on_timeout if step is not None else OnTimeout.REMIND
    if current.role == "advice":
        rule = OnTimeout.REMIND
    if rule == OnTimeout.APPROVE:
        approve(current, by=None, text=str(_("The time to decide ran out.")))
    elif rule == OnTimeout.REJECT and step is not None and step.kind == NodeKind.APPROVE:
        reject(current, by=None, text=str(_("The time to decide ran out.")))
    else:
        _remind(run, current, step, now)
    return True


def _remind(run: Run, task: ApprovalTask, step: Any, now: dt.datetime) -> None:
    task.reminders += 1
    every, most = (step.remind_hours, step.remind_most) if step is not None else (24, 3)
    task.remind_at = now + dt.timedelta(hours=every) if task.reminders < most else None
    task.save(update_fields=["reminders", "remind_at"])
    if task.reminders <= most:
        run.log(Act.SYSTEM, node=task.node, task=task, data={"note": "reminded", "count": task.reminders})
        tell_late(run.request, [task.user])


def _put_off(task: ApprovalTask, now: dt.datetime) -> None:
    """The rule cannot be followed now, for example because the effect is refused: try again in an hour."""
    ApprovalTask.objects.filter(pk=task.pk, state="running").update(remind_at=now + dt.timedelta(hours=1))
