"""Pages of expenses that are not the kit's: a receipt from a phone, and the audit of a claim."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kit.pages import formats
from kit.pages.hooks import hooks
from kit.pages.resources import by_model
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.values.errors import BusinessError, Problem
from kit.values.keys import is_key
from kit.values.money import ONE, ZERO
from oa.expenses import services
from oa.expenses.amounts import oldest_first
from oa.expenses.forms import ReceiptForm
from oa.expenses.models import ExpenseClaim
from oa.expenses.models.shared import DRAFTS
from oa.expenses.services.audit import Cut, open_advances


def _claim(request: HttpRequest, key: str) -> ExpenseClaim:
    rows = by_model[ExpenseClaim].queryset(request.user).select_related("owner", "department")
    found = rows.filter(pk=int(key)).first() if is_key(key) else None
    if found is None:
        raise Http404
    return found


def receipt_view(request: HttpRequest) -> HttpResponse:
    """Note one expense with a photo: into the claim of the address, else into the newest draft, else into a new one."""
    user: Any = request.user
    if not user.has_perm("oa.add_expenseclaim"):
        raise PermissionDenied
    key = request.GET.get("claim", "")
    if key:
        claim: ExpenseClaim | None = _claim(request, key)
    else:
        claim = ExpenseClaim.objects.filter(owner=user, state="draft").order_by("-pk").first()
    if claim is not None and (claim.owner_id != user.pk or claim.state not in DRAFTS):
        raise PermissionDenied
    form = ReceiptForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            saved, _repeat = hooks.once(
                request.POST.get("submit_id", ""), user, f"expense.receipt.{key}", lambda: _added(claim, form, user)
            )
            messages.success(request, _("%s was saved.") % saved)
            if request.POST.get("then") == "next":
                return go(request, f"{request.path}?claim={saved.pk}")
            return go(request, by_model[ExpenseClaim].url_for(saved))
        except BusinessError as error:
            for problem in error:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    resource = by_model[ExpenseClaim]
    head = Head(title=_("Add receipt"), crumbs=crumbs(resource, (_("Add receipt"), "")), note=str(claim or ""))
    context = {"head": head, "form": form, "claim": claim, "back": resource.url_for(claim) if claim else resource.url()}
    return fragment_or_page(request, "oa/expenses/receipt.html", context, 422 if request.method == "POST" else 200)


def _added(claim: ExpenseClaim | None, form: ReceiptForm, user: Any) -> ExpenseClaim:
    given = form.cleaned_data
    line = services.LineInput(
        type=given["type"],
        amount=given["amount"],
        date=given["date"],
        description=given["description"],
        city=given["city"],
        days=given["days"] or ONE,
        currency=given["currency"],
        tax=given["tax"] or ZERO,
        invoice=given["invoice"],
        excess_reason=given["excess_reason"],
    )
    return services.add_receipt(claim or ExpenseClaim(), line, form.pictures, by=user)


def audit_view(request: HttpRequest, key: str) -> HttpResponse:
    """What was claimed beside what is to be left of it, and what the person's advances take (rules E-01, E-02)."""
    user: Any = request.user
    claim = _claim(request, key)
    resource = by_model[ExpenseClaim]
    if not user.has_perm("oa.audit_expenseclaim") or claim.owner_id == user.pk:
        raise PermissionDenied
    if claim.state != "approved":
        messages.info(request, _("%s can no longer be audited.") % claim)
        return go(request, resource.url_for(claim))
    lines = list(claim.lines.select_related("type").prefetch_related("receipts__attachment").order_by("position"))
    advances = open_advances(claim)
    status, problems = 200, []
    if request.method == "POST":
        try:
            cuts, offsets = _cuts(request, lines), _offsets(request, advances)
            version = request.POST.get("version", "")
            hooks.once(
                request.POST.get("submit_id", ""), user, f"expense.audit.{claim.pk}",
                lambda: services.audit_claim(
                    claim, cuts, offsets, by=user, version=int(version) if is_key(version) else None
                ),
            )  # fmt: skip
            messages.success(request, f"{_('Audited')}: {claim}")
            return go(request, resource.url_for(claim))
        except BusinessError as error:
            status, problems = 422, [_place(lines, problem) for problem in error]
    head = Head(title=_("Audit"), crumbs=crumbs(resource, (str(claim), resource.url_for(claim)), (_("Audit"), "")))
    proposed = oldest_first(((row.pk, row.open_amount) for row in advances), claim.allowed)
    context = {"head": head, "claim": claim, "problems": problems, "back": resource.url_for(claim)} | {
        "rows": [_row(request, line) for line in lines],
        "advances": [
            (row, request.POST.get(f"offset-{row.pk}", formats.trimmed(proposed.get(row.pk, ZERO), 2)))
            for row in advances
        ],
        "version": claim.version,
    }
    return fragment_or_page(request, "oa/expenses/audit.html", context, status)


def _row(request: HttpRequest, line: Any) -> dict[str, Any]:
    """A line with what was typed, or what was claimed."""
    return {
        "line": line,
        "allowed": request.POST.get(f"allowed-{line.pk}", formats.trimmed(line.amount, 2)),
        "reason": request.POST.get(f"reason-{line.pk}", ""),
        "files": list(line.receipts.all()),
    }


def _cuts(request: HttpRequest, lines: list[Any]) -> dict[int, Cut]:
    """What finance typed, for the lines that it leaves less of."""
    cuts, problems = {}, []
    for row, line in enumerate(lines):
        try:
            allowed = formats.parse_number(request.POST.get(f"allowed-{line.pk}", ""))
        except ValueError as error:
            problems.append(Problem(str(error), "allowed", row))
            continue
        if allowed is not None and allowed != line.amount:
            cuts[line.pk] = Cut(allowed, request.POST.get(f"reason-{line.pk}", ""))
    if problems:
        raise BusinessError(problems=problems)
    return cuts


def _offsets(request: HttpRequest, advances: list[Any]) -> dict[int, Decimal]:
    try:
        return {row.pk: formats.parse_number(request.POST.get(f"offset-{row.pk}", "")) or ZERO for row in advances}
    except ValueError as error:
        raise BusinessError(str(error)) from error


def _place(lines: list[Any], problem: Problem) -> str:
    """A problem with the number of its line."""
    if problem.row is None:
        return str(problem.message)
    return _("Line %(number)s: %(problem)s") % {"number": lines[problem.row].position, "problem": problem.message}
