"""Taking more or less from an order than was ordered: within the tolerance, or allowed by name (rule G-12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from erp.finance.context import PostingContext
from erp.finance.rights import allow
from erp.inventory.ledger import plain
from erp.trade.progress import most_to_move, moved_over, rest_to_give_up, to_move, tolerance_of
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO
from oa.records.bulk import bulk_set, locked


def excess_problem(
    document: Any,
    draft: Any,
    line: Any,
    wanted: Decimal,
    partner: Any,
    context: PostingContext,
    *,
    message: str,
    row: int,
) -> Problem | None:
    """Why `document` may not take `wanted` from the order `line` in all; None where it may.

    An allowance ends where less is open of the order than when the `draft` line was allowed. `partner` is the
    supplier or the customer's terms, if any; the product's group is loaded. `message` names what is `open` of the
    `product` and what was `entered`.
    """
    if document.excess_allowed_by_id and to_move(line) >= (draft.open_when_allowed or ZERO):
        return None
    product = line.product
    tolerance = tolerance_of(
        line.tolerance,
        product.tolerance,
        product.group.tolerance if product.group_id else None,
        partner.tolerance if partner else None,
        context.tolerance,
    )
    if wanted <= most_to_move(line, tolerance):
        return None
    facts = {"open": plain(to_move(line)), "product": product.code, "entered": plain(wanted)}
    return Problem(message % facts, "quantity", row)


def agree_tolerances(lines: Sequence[Any], existing: Sequence[Any], *, by: Any) -> None:
    """Keep the tolerance of lines that say none; only who may exceed an order agrees another one (rule G-12)."""
    agreed = {line.pk: line.tolerance for line in existing}
    may = by is None or by.has_perm("erp.exceed_tolerance")
    problems = []
    for row, line in enumerate(lines):
        before = agreed.get(line.pk)
        if line.tolerance is None:
            line.tolerance = before
        elif line.tolerance != before and not may:
            message = _("You do not have the right to do this: %s. Ask your administrator for it.")
            problems.append(Problem(message % _("agree a tolerance"), "tolerance", row))
    if problems:
        raise BusinessError(problems=problems)


def excess_words(lines: Iterable[Any]) -> list[str]:
    """What was moved beyond the order, a sentence for each of the order `lines` where it was."""
    return [
        _("%(product)s: %(over)s more than ordered (%(moved)s of %(ordered)s).")
        % {
            "product": line.product.code,
            "over": plain(moved_over(line)),
            "moved": plain(line.moved - line.returned_replace),
            "ordered": plain(line.quantity - line.cancelled),
        }
        for line in lines
        if moved_over(line) > 0
    ]


def settle_rests(document: Any, drafts: Sequence[Any], lines: Mapping[int, Any], tolerance: Decimal) -> None:
    """Give up what is left of the order `lines` that count as complete now that `drafts` are carried to them.

    The warning of `document` tells what is more or less than ordered.
    """
    words = [document.warning]
    for draft in drafts:
        line = lines[draft.order_line_id]
        draft.given_up = rest_to_give_up(line, tolerance)
        line.cancelled += draft.given_up
        if draft.given_up:
            text = _("%(product)s: %(rest)s less than ordered; the line counts as complete.")
            words.append(text % {"product": line.product.code, "rest": plain(draft.given_up)})
    words += excess_words(lines[key] for key in sorted({draft.order_line_id for draft in drafts}))
    document.warning = " ".join(filter(None, words))


@transaction.atomic
def allow_excess(document: Any, *, by: Any, version: int | None = None) -> Any:
    """Let a draft, as it stands now, take more from its orders than the tolerance admits.

    Whoever posts it needs no right for that. Changing the draft takes the allowance back, and so does everything
    else that takes from these orders meanwhile.
    """
    current = locked(type(document)._default_manager.all(), document.pk, version=version)
    allow(by, "erp.exceed_tolerance", _("allow more than ordered"), current)
    if current.state != "draft":
        raise BusinessError(_("%s is posted; only a draft can be allowed to exceed its order.") % current)
    lines = list(current.lines.select_related("order_line"))
    for line in lines:
        line.open_when_allowed = to_move(line.order_line) if line.order_line else None
    bulk_set(lines, ("open_when_allowed",))
    current.excess_allowed_by = by
    current.version += 1
    current.save()
    return current
