"""The chain of documents from an order to the money, from whichever of them one looks (UX 6.4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet, Value

from erp.finance.models import Allocation, OpenItem, Payment, PaymentAllocation
from kit.pages.panels import FlowEntry, FlowStep, flows
from kit.pages.resources import Resource, registry

LIMIT = 40  # documents of one chain that are shown
chains: dict[str, Chain] = {}  # direction of a payment -> its chain


@dataclass(frozen=True)
class Chain:
    """The documents of one direction of trade, by the names of their resources."""

    order: str
    movement: str
    bill: str
    payment: str

    def register(self) -> None:
        """Show the chain on the page of each of its documents."""
        for slug in (self.order, self.movement, self.bill):
            flows[registry[slug].meta.label_lower] = self.steps
        chains[registry[self.payment].default_filters["direction"]] = self
        flows[Payment._meta.label_lower] = _of_payment

    def steps(self, document: Any, user: Any) -> Sequence[FlowStep]:
        """All documents of the chain that `user` may see; one statement."""
        resources = [registry[slug] for slug in (self.order, self.movement, self.bill, self.payment)]
        parts = [
            _rows(rows, resource, user, position)
            for position, (resource, rows) in enumerate(zip(resources, self._rows_of(document), strict=True))
            if resource.may(user, "view")
        ]
        found = list(parts[0].union(*parts[1:]).order_by("position", "pk")[:LIMIT]) if parts else []
        return [
            FlowStep(
                resource.title,
                resource.title_plural,
                resource.icon,
                [_entry(resource, row, document) for row in found if row["position"] == position],
            )
            for position, resource in enumerate(resources)
            if resource.may(user, "view")
        ]

    def _rows_of(self, document: Any) -> list[Q]:
        """Conditions for orders, movements, bills and payments of the chain of `document`."""
        order, bill = registry[self.order].model, registry[self.bill].model
        label = bill._meta.label_lower
        settled = PaymentAllocation.objects.filter(item__source=label)
        own: list[QuerySet[Any]] = []
        payment: list[QuerySet[Any]] = []
        if isinstance(document, order):
            orders = Q(pk=document.pk)
        elif isinstance(document, Payment):
            payment = [Payment.objects.filter(pk=document.pk).values("pk")]
            own = [settled.filter(payment=document).values("item__source_id"), *_across("erp.payment", payment, label)]
            orders = Q(pk__in=bill._default_manager.filter(_any(own)).values("lines__order_line__order"))
        else:
            orders = Q(pk__in=document.lines.values("order_line__order"))
            if isinstance(document, bill):
                own = [bill._default_manager.filter(pk=document.pk).values("pk")]
        related = Q(lines__order_line__order__in=order._default_manager.filter(orders).values("pk"))
        billed = [bill._default_manager.filter(related).values("pk"), *own]
        paid = [
            settled.filter(item__source_id__in=_union(billed)).values("payment"),
            *_across(label, billed, "erp.payment"),
            *payment,
        ]
        return [orders, related, _any(billed), _any(paid)]


def _across(label: str, keys: Sequence[QuerySet[Any]], other: str) -> list[QuerySet[Any]]:
    """Keys of documents of kind `other` that settle, or are settled by, those of kind `label` with `keys`."""
    items = OpenItem.objects.filter(source=label, source_id__in=_union(keys)).values("pk")
    live = Allocation.objects.filter(reverses=None, reversed_by=None)
    return [
        live.filter(**{f"{near}__in": items, f"{far}__source": other}).values(f"{far}__source_id")
        for near, far in (("debit_item", "credit_item"), ("credit_item", "debit_item"))
    ]


def _union(keys: Sequence[QuerySet[Any]]) -> QuerySet[Any]:
    """One subquery of all `keys`: an OR of several would read whole tables."""
    return keys[0].union(*keys[1:]) if len(keys) > 1 else keys[0].distinct()


def _any(keys: Sequence[QuerySet[Any]]) -> Q:
    return Q(pk__in=_union(keys))


def _of_payment(document: Any, user: Any) -> Sequence[FlowStep]:
    chain = chains.get(document.direction)
    return chain.steps(document, user) if chain is not None else ()


def _rows(condition: Q, resource: Resource, user: Any, position: int) -> QuerySet[Any, dict[str, Any]]:
    rows = resource.queryset(user).filter(condition).order_by()
    kept = resource.model._default_manager.filter(pk__in=rows.values("pk")).order_by()
    return kept.values("pk", "number", "state", position=Value(position, output_field=models.IntegerField()))


def _entry(resource: Resource, row: dict[str, Any], document: Any) -> FlowEntry:
    states = resource.states
    state = states[row["state"]] if states is not None else None
    return FlowEntry(
        row["number"] or "",
        resource.url("record", row["number"] or f"d-{row['pk']}"),
        state.label if state else "",
        state.tone if state else "",
        isinstance(document, resource.model) and document.pk == row["pk"],
    )
