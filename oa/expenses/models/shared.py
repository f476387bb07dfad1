"""What claims and advances have in common: who sees them, and how they stay as they were submitted."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from kit.rules.permissions import ALL, SUBTREE, VisibleQuerySet
from oa.approvals.models.requests import involving
from oa.records.guards import Frozen, no_truncate

DRAFTS = ("draft", "returned")  # states in which the person it belongs to writes it
EVERY = "oa.view_every_expenseclaim"  # the right of finance to see the money matters of other people


class PersonalQuerySet(VisibleQuerySet):
    """A claim or advance is seen by the person it is for, by who approves it, and by finance (rule G-21).

    Finance (`EVERY`) and those who approve by right see what was submitted, within their data scope.
    """

    approve: ClassVar[str] = ""  # the right to approve without a flow

    def visible_to(self, user: Any) -> Self:
        """Rows `user` may see."""
        scope = user.data_scope(self.model)
        if scope is None:
            return self.none()
        # overseeing approvals is no look into the money matters of others: only what one has to do with
        first, *others = involving(user, "object_id", content_type=ContentType.objects.get_for_model(self.model))
        seen = Q(owner=user.pk) | Q(pk__in=first.union(*others, all=True))
        if user.has_perm(EVERY) or user.has_perm(self.approve):
            seen |= self._within(user, scope) & ~Q(state="draft")
        return self.filter(seen)

    def _within(self, user: Any, scope: str) -> Q:
        if scope == ALL:
            return Q()
        if scope == "own":
            return Q(owner=user.pk)
        near = user.department_ids if scope == SUBTREE else user.own_department_ids
        return Q(department__in=near)


def submitted_guards(
    audited: tuple[str, ...], before: tuple[str, ...], always: tuple[str, ...] = ()
) -> list[pgtrigger.Trigger]:
    """What was submitted stays: until it has left the states `before` only the columns `audited` change, then none.

    The columns `always` (such as the state) change at any time.
    """
    free = ("state", "version", "updated_at", "note", *always)
    fixed = "RAISE EXCEPTION 'What was submitted cannot be changed.' USING ERRCODE = '23001';"
    common: dict[str, Any] = {"when": pgtrigger.Before, "func": fixed}
    return [
        pgtrigger.Trigger(
            name="submitted_is_fixed",
            operation=pgtrigger.Update,
            condition=Frozen(DRAFTS, (*free, *audited)),
            **common,
        ),
        pgtrigger.Trigger(name="posted_is_fixed", operation=pgtrigger.Update, condition=Frozen(before, free), **common),
        pgtrigger.Trigger(
            name="submitted_stays", operation=pgtrigger.Delete, condition=~pgtrigger.Q(old__state="draft"), **common
        ),
        no_truncate(),
    ]
