"""The chain of documents from an order to the money, from whichever of them one looks (UX 6.4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet, Value

from erp.finance.models import Allocation, Payment, PaymentAllocation
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
        own = payment = Q(pk__in=[])
        if isinstance(document, order):
            orders = Q(pk=document.pk)
        elif isinstance(document, Payment):
            payment = Q(pk=document.pk)
            own = Q(pk__in=settled.filter(payment=document).values("item__source_id"))
            own |= _across("erp.payment", Q(pk=document.pk), label)
            orders = Q(pk__in=bill._default_manager.filter(own).values("lines__order_line__order"))
        else:
            orders = Q(pk__in=document.lines.values("order_line__order"))
            own = Q(pk=document.pk) if isinstance(document, bill) else own
        related = Q(lines__order_line__order__in=order._default_manager.filter(orders).values("pk"))
        billed = bill._default_manager.filter(related | own).values("pk")
        paid = Q(pk__in=settled.filter(item__source_id__in=billed).values("payment"))
        paid |= _across(label, related | own, "erp.payment")
        return [orders, related, related | own, paid | payment]


def _across(label: str, documents: Q, other: str) -> Q:
    """Documents of kind `other` that settle, or are settled by, those `documents` of kind `label`."""
    keys = apps.get_model(label)._default_manager.filter(documents).values("pk")
    live = Allocation.objects.filter(reverses=None, reversed_by=None)
    found = Q(pk__in=[])
    for near, far in (("debit_item", "credit_item"), ("credit_item", "debit_item")):
        sides = {f"{near}__source": label, f"{near}__source_id__in": keys, f"{far}__source": other}
        found |= Q(pk__in=live.filter(**sides).values(f"{far}__source_id"))
    return found


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
