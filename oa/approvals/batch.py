"""Many approvals at once: each is checked and decided on its own (rule X-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.approvals.inbox import RELATED, batchable, waiting_tasks
from oa.approvals.models import ApprovalTask
from oa.approvals.services import approve

MOST = 100


@dataclass(frozen=True)
class Result:
    """What came of one row; `problem` is empty when it was approved."""

    task: ApprovalTask
    problem: str = ""


def ticked(ids: Sequence[str]) -> dict[int, str]:
    """What the boxes of the inbox stand for: the key of a task, and the hash of the content that its row showed."""
    pairs = (text.partition(".") for text in ids)
    return {int(key): seen for key, _dot, seen in pairs if is_key(key)}


def approve_many(seen: Mapping[int, str], *, by: Any) -> list[Result]:
    """Approve the tasks that are in the hands of `by`, at most a hundred; others are not even named.

    A row that cannot be approved is skipped with the reason and does not keep the others from it.
    """
    mine = {task.pk: task for task in waiting_tasks(by).filter(pk__in=list(seen)[:MOST])}
    missing = [key for key in seen if key not in mine]
    gone = ApprovalTask.objects.filter(pk__in=missing, user=by).select_related(*RELATED)
    results = [Result(task, _("This was decided meanwhile.")) for task in gone]
    for task in mine.values():
        if not batchable(task):
            results.append(Result(task, _("This one is decided on its own page.")))
            continue
        try:
            approve(task, by=by, content_hash=seen[task.pk])
            results.append(Result(task))
        except BusinessError as error:
            results.append(Result(task, str(error)))
    return results
