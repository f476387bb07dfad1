"""Commands on posting rules."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from erp.finance.models import PostingRule
from kit.values.errors import BusinessError, Problem
from oa.records.commands import command


@command
def save_posting_rule(rule: PostingRule, *, by: Any) -> PostingRule:
    """Store a rule; refused where documents could not post by it: groups and archived accounts (rules F-02, F-08).

    And while stock stands on the account it led to (rule V-14).
    """
    problems = []
    if rule.account.is_group:
        problems.append(Problem(_("%s is a group; choose one of its accounts.") % rule.account, "account"))
    if not rule.account.active:
        problems.append(Problem(_("%s is archived; choose another account.") % rule.account, "account"))
    if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
        problems.append(Problem(_("The last day lies before the first."), "valid_to"))
    if refusal := rule.refusal():
        problems.append(Problem(refusal, "account"))
    if problems:
        raise BusinessError(problems=problems)
    rule.save()
    return rule
