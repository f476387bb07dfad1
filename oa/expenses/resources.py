"""Pages of expense types, standards, budgets, claims and advances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from kit.pages import formats
from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.panels import Figure
from kit.pages.resources import Resource, register, resource_of
from kit.rules.fields import MoneyField
from kit.rules.permissions import may
from oa.approvals.models import ApprovalRequest
from oa.approvals.models.requests import OPEN
from oa.approvals.services.submission import version_in_force
from oa.expenses import accounting, approving, services
from oa.expenses.budgets import stages_of
from oa.expenses.forms import ClaimForm
from oa.expenses.grids import ClaimGrid
from oa.expenses.models import Advance, ExpenseBudget, ExpenseClaim, ExpenseLimit, ExpenseType
from oa.expenses.models.shared import DRAFTS
from oa.records.notifications import may_see

tree.group("expenses", _("Expenses"), "receipt", 85, _("Office"))
tree.add("expenses", Link(_("Receipt by phone"), "expense-receipt", 5, "oa.add_expenseclaim", "camera"))

# By right, where no flow decides.
BY_RIGHT = {"submit", "approve", "reject"}


def commands_by_state(found: list[Command], obj: Any, user: Any, kind: str) -> list[Command]:
    """Writing is for the person, deciding for others, and by right only where no flow decides."""
    own = obj.owner_id == user.pk
    mine = {"submit", "cancel"}
    found = [command for command in found if (command.name in mine) == own]
    if not BY_RIGHT.intersection(command.name for command in found):
        return found
    meta = ContentType.objects.get_for_model(obj)
    runs = ApprovalRequest.objects.filter(content_type=meta, object_id=obj.pk, state__in=OPEN)
    if runs.exists() or (obj.state in DRAFTS and version_in_force(kind) is not None):
        found = [command for command in found if command.name not in BY_RIGHT]
    return found


@register
class ExpenseTypeResource(Resource):
    model = ExpenseType
    path = "expenses/types"
    group = "expenses"
    order = 60
    small = True
    columns = ("code", Column("name", phone="cust"), "name_zh", "needs_invoice", "per_diem", "per", "standard")
    search_fields = ("code", "name", "name_zh")
    filters = ("needs_invoice", "per_diem")
    fields = ("code", "name", "name_zh", "needs_invoice", "per_diem", "per", "standard", "active")


@register
class ExpenseLimitResource(Resource):
    model = ExpenseLimit
    path = "expenses/standards"
    group = "expenses"
    order = 70
    key = "pk"
    columns = (Column("type", phone="cust"), "position", "city", Column("amount", phone="amt"))
    filters = ("type", "position", "city")
    fields = ("type", "position", "city", "amount")
    importable = False  # an empty city or position means every one, which no key of a file can say


@register
class ExpenseBudgetResource(Resource):
    model = ExpenseBudget
    path = "expenses/budgets"
    group = "expenses"
    order = 80
    key = "pk"
    columns = (Column("department", phone="cust"), "type", "year", Column("amount", phone="amt"), "over")
    filters = ("department", "type", "year")
    fields = ("department", "type", "year", "amount", "over")
    import_key = ("department", "type", "year")

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """What of it is claimed, approved and booked, and what is left."""
        found = stages_of(obj)
        labels = {"claimed": gettext("Claimed"), "approved": gettext("Approved"), "posted": gettext("Booked")}
        left = obj.amount - sum(found.values())
        made = [Figure(labels[name], formats.money(amount)) for name, amount in found.items()]
        return [*made, Figure(gettext("Left"), formats.money(left), tone="neg" if left < 0 else "")]


@register
class ExpenseClaimResource(Resource):
    model = ExpenseClaim
    path = "expenses/claims"
    group = "expenses"
    order = 10
    icon = "receipt"
    create_key = "e"
    columns = (
        "number",
        Column("title", phone="cust"),
        "date",
        Column("owner", _("person")),
        "department",
        Column("total", phone="amt", total=True),
        "allowed",
        "offset",
        "state",
        "posted_on",
    )
    filters = ("state", "owner", "department", "date")
    search_fields = ("number", "title")
    ordering = ("-date", "-id")
    fields = ("title", "date", "department", "note")
    extra_fields = (
        "owner", "total", "allowed", "offset", "reason", "approved_by", "audited_by", "posted_on", "posted_by",
    )  # fmt: skip
    related = ("owner", "department", "approved_by", "audited_by", "posted_by")
    labels: ClassVar = {"owner": _("person"), "date": _("date of the claim")}
    quiet: ClassVar = {**Resource.quiet, "offset": 0}
    importable = False
    lines = ClaimGrid()
    form_class = ClaimForm
    not_copied = ("date",)
    views: ClassVar = {
        "audit": (_("To audit"), Q(state="approved")),
        "post": (_("To post"), Q(state="audited")),
        "pay": (_("To pay"), Q(state="posted")),
    }
    run: ClassVar = {
        "submit": services.submit_claim,
        "approve": services.approve_claim,
        "reject": services.reject_claim,
        "return": services.return_claim,
        "post": services.post_claim,
        "reverse": services.reverse_claim,
        "cancel": services.cancel_claim,
    }

    def initial(self, request: Any) -> dict[str, Any]:
        return {
            "about": request.GET.get("about", ""),
            "department": request.user.department,
            **super().initial(request),
        }

    def editable(self, obj: Any, user: Any) -> bool:
        """By its person, before it is submitted and when it was returned."""
        return obj.owner_id == user.pk and obj.state in DRAFTS and self.may(user, "change")

    def deletable(self, obj: Any, user: Any) -> bool:
        """A draft by its person."""
        return obj.owner_id == user.pk and super().deletable(obj, user)

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        found = commands_by_state(super().commands_for(obj, user), obj, user, approving.CLAIM_KIND)
        return found if accounting.ready() else [command for command in found if command.name != "post"]

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """What was claimed, what finance left, what is paid; and what it is about, where the reader may see it."""
        made = [Figure(gettext("Claimed"), formats.money(obj.total))]
        if obj.allowed != obj.total:
            made.append(Figure(gettext("Allowed"), formats.money(obj.allowed), tone="neg"))
        if obj.offset:
            made.append(Figure(gettext("Offset by advances"), formats.money(obj.offset)))
        if obj.state in ("audited", "posted", "paid"):
            made.append(Figure(gettext("To be paid"), formats.money(obj.allowed - obj.offset)))
        if obj.content_type_id:
            record: Any = obj.content_type.model_class()._default_manager.filter(pk=obj.object_id).first()
            resource = resource_of(record) if record is not None else None
            if resource is not None and may(user, "view", resource.model) and may_see(user, record):
                made.append(Figure(gettext("About"), str(record), resource.url_for(record), note=str(resource.title)))
        return made

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """That it goes beyond a budget, or is booked on another day than its own."""
        found: list[Any] = [_("over budget")] if obj.over_budget else []
        if obj.posted_on and obj.posted_on != obj.date:
            found.append(gettext("of %(date)s, booked on %(day)s") % {"date": obj.date, "day": obj.posted_on})
        return found


@register
class AdvanceResource(Resource):
    model = Advance
    path = "expenses/advances"
    group = "expenses"
    order = 20
    icon = "wallet"
    columns = (
        "number",
        Column("title", phone="cust"),
        "date",
        Column("owner", _("person")),
        Column("amount", phone="amt", total=True),
        Column("left", _("open amount"), "money", total=True),
        "due_on",
        "state",
    )
    annotations = ("left",)
    filters = ("state", "owner", "department", "date", "due_on")
    search_fields = ("number", "title")
    ordering = ("-date", "-id")
    fields = ("title", "date", "amount", "due_on", "department", "note")
    extra_fields = ("owner", "reason", "approved_by")
    related = ("owner", "department", "approved_by")
    labels: ClassVar = {"owner": _("person")}
    importable = False
    save = staticmethod(services.save_advance)
    views: ClassVar = {
        "open": (pgettext_lazy("amount", "Open"), Q(state="paid")),
        "pay": (_("To pay"), Q(state="approved")),
    }
    run: ClassVar = {
        "submit": services.submit_advance,
        "approve": services.approve_advance,
        "reject": services.reject_advance,
        "cancel": services.cancel_advance,
    }

    def list_queryset(self, user: Any) -> QuerySet[Any]:
        """With what is open of each."""
        rows: Any = self.queryset(user)
        paid = When(state__in=("paid", "settled"), then=F("open_amount"))
        empty = Value(None, MoneyField())
        return rows.with_open().annotate(left=Case(paid, default=empty, output_field=MoneyField()))

    def initial(self, request: Any) -> dict[str, Any]:
        return {"department": request.user.department, **super().initial(request)}

    def editable(self, obj: Any, user: Any) -> bool:
        """By its person, before it is submitted and when it was returned."""
        return obj.owner_id == user.pk and obj.state in DRAFTS and self.may(user, "change")

    def deletable(self, obj: Any, user: Any) -> bool:
        """A draft by its person."""
        return obj.owner_id == user.pk and super().deletable(obj, user)

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        return commands_by_state(super().commands_for(obj, user), obj, user, approving.ADVANCE_KIND)

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """How much of it is open."""
        made = [Figure(gettext("Amount"), formats.money(obj.amount))]
        if obj.state in ("paid", "settled"):
            row: Any = Advance.objects.with_open().get(pk=obj.pk)
            left = row.open_amount
            made.append(Figure(pgettext("amount", "Open"), formats.money(left), note=str(obj.due_on or "")))
        return made
