"""Sales orders in approval: what approvers decide about, and what approval means (spec approvals X-06 to X-08)."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.customers.models import CustomerGroup
from erp.finance.models import Currency
from erp.sales.models import SalesOrder
from erp.sales.models.orders import ORDER_STATES, Hold
from erp.trade.prints import lines_of, priced_table
from kit.pages import formats
from oa.approvals.conditions import CHOICE, NUMBER, RECORD, Fact
from oa.approvals.contents import departments_up, facts_of
from oa.approvals.forecast import approvals_needed
from oa.approvals.models import ApprovalRequest, FlowVersion
from oa.approvals.registry import Approvable, approvables
from oa.organisation.models import Department
from oa.records.bulk import locked

KIND = "erp.salesorder"
FLOWS = FlowVersion.objects.filter(flow__kind=KIND, flow__active=True, state="published")


def facts(order: SalesOrder) -> dict[str, Any]:
    """What conditions may ask of an order; amounts in base currency, the highest discount of head and lines."""
    lines = list(order.lines.all())
    return {
        "amount": format(order.base_total, "f"),
        "discount": format(max([order.discount, *(line.discount for line in lines)]), "f"),
        "customer_group": "" if order.customer.group_id is None else str(order.customer.group_id),
        "currency": order.currency.code,
        "department": departments_up(order.department_id),
        "owner": "" if order.owner_id is None else str(order.owner_id),
    }


def content(order: SalesOrder) -> dict[str, Any]:
    """All that is agreed with the customer."""
    lines = order.lines.select_related("product", "unit", "tax_code").order_by("position")
    columns = ("description", "quantity", "price", "discount", "net", "tax")
    return {
        "customer": str(order.customer),
        "date": str(order.date),
        "currency": order.currency.code,
        "terms": str(order.payment_terms or ""),
        "discount": str(order.discount),
        "discount_amount": str(order.discount_amount),
        "total": str(order.total),
        "ship_to": order.ship_to,
        "note": order.note,
        "lines": [
            [line.product.code, str(line.unit), str(line.tax_code or ""), *(str(getattr(line, c)) for c in columns)]
            for line in lines
        ],
    }


def summary(order: SalesOrder) -> list[tuple[Any, Any]]:
    """What an approver reads first."""
    return [
        (_("Customer"), order.customer),
        (_("Total incl. tax"), f"{order.currency.code} {formats.money(order.total)}"),
        (_("Highest discount"), formats.percent(max([order.discount, *(x.discount for x in order.lines.all())]))),
        (_("Payment terms"), order.payment_terms or ""),
        (_("Owner"), order.owner or ""),
        (_("Note"), order.note),
    ]


def needed_for(order: SalesOrder, applicant: Any) -> str:
    """Why an order needs approval before it is confirmed or goes on, in words; empty when it does not.

    Not needed when exactly these facts were approved before (rule X-08), nor by the system itself.
    """
    version = FLOWS.first()
    if version is None or applicant is None:
        return ""
    approvable = approvables.get(KIND)
    found = facts_of(approvable, order, applicant, applicant.department_id)
    why = approvals_needed(version, approvable, found)
    return "" if why and approved_facts(order) == _own(found) else why


def shown_need(order: SalesOrder, reader: Any) -> str:
    """The same for the page of an order, whose buttons ask several times: read once for each record that is shown."""
    known: dict[Any, str] = order.__dict__.setdefault("_shown_need", {})
    if reader.pk not in known:
        known[reader.pk] = needed_for(order, reader)
    return known[reader.pk]


def requests_of(order: SalesOrder) -> Any:
    """All runs for an order."""
    return ApprovalRequest.objects.filter(
        content_type=ContentType.objects.get_for_model(SalesOrder), object_id=order.pk
    )


def approved_facts(order: SalesOrder) -> dict[str, Any] | None:
    """The facts of the order itself that were approved last."""
    last = requests_of(order).filter(state="approved").order_by("-decided_at").values_list("facts", flat=True).first()
    return None if last is None else _own(last)


def _own(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if not name.startswith("applicant_")}


def lock(order: SalesOrder) -> None:
    """A draft is kept as it is; an amended order waits on hold already."""
    if order.state == "confirmed" and order.hold == Hold.APPROVAL:
        return
    order.state = ORDER_STATES.check("lock", order).target
    order.version += 1
    order.save()


def unlock(order: SalesOrder) -> None:
    """A draft can be changed again; an amended order stays on hold until it is amended or approved."""
    if order.state == "confirmed":
        return
    order.state = ORDER_STATES.check("unlock", order).target
    order.version += 1
    order.save()


def effect(order: SalesOrder, by: Any) -> None:
    """Approval confirms a draft, and lets an amended order go on; credit and blocks are checked now (rule X-07)."""
    from erp.sales.services.orders import go_on_approved

    go_on_approved(locked(SalesOrder.objects.all(), order.pk))


approvables.register(
    Approvable(
        kind=KIND,
        label=gettext_lazy("Sales order"),
        model=SalesOrder,
        fields=(
            Fact("amount", gettext_lazy("amount incl. tax in base currency"), NUMBER),
            Fact("discount", gettext_lazy("highest discount %"), NUMBER),
            Fact("customer_group", gettext_lazy("customer group"), RECORD, lambda: _named(CustomerGroup)),
            Fact(
                "currency", gettext_lazy("currency"), CHOICE, lambda: [(c.code, c.code) for c in Currency.objects.all()]
            ),
            Fact("department", gettext_lazy("department"), RECORD, lambda: _named(Department), department=True),
            Fact("owner", gettext_lazy("owner"), RECORD, person=True),
        ),
        facts=facts,
        content=content,
        lock=lock,
        unlock=unlock,
        effect=effect,
        summary=summary,
        lines=lambda order: priced_table(order, lines_of(order)),
        title=lambda order: f"{order.customer} · {order.number or _('sales order')}",
        icon="shopping-cart",
    )
)


def _named(model: Any) -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in model.objects.all()]
