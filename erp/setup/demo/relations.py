"""Contracts, marketing plans and what was said to customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from crm.contracts.models import Contract, ContractType
from crm.customers.models import Customer
from crm.followups.models import FollowUp
from crm.marketing.models import MarketingPlan
from erp.setup.demo.customers import CUSTOMERS, FOREIGN_TALKS, PLANS, TALKS
from erp.setup.demo.world import World
from oa.records.transitions import plain_transitions

CONTRACTS = (
    (0, "start"),
    (1, "start"),
    (2, "start"),
    (12, "start"),
    (13, "sign"),
    (10, "start"),
    (4, "complete"),
    (16, ""),
)


def make_relations(world: World) -> Mapping[int, Mapping[str, Any]]:
    """All of it; returns contract and campaign that orders of a customer may name, by its position."""
    links: dict[int, dict[str, Any]] = {}
    _contracts(world, links)
    _plans(world, links)
    _talks(world)
    return links


def _contracts(world: World, links: dict[int, dict[str, Any]]) -> None:
    """Frame agreements of the year in every state."""
    commands = plain_transitions(Contract)
    for position, reached in CONTRACTS:
        customer = world.customers[position]
        amount = Decimal(world.dice.randint(30, 160) * 10_000)
        contract = Contract.objects.create(
            customer=customer, title=f"{customer} 年度框架协议", type=ContractType.FRAME, date=world.ago(350),
            signed_on=world.ago(348) if reached else None, starts_on=world.ago(345), ends_on=world.ago(-20), amount=amount,
            currency_code=CUSTOMERS[position].currency, owner=customer.owner, department=customer.department,
            signatory=str(customer.contacts.order_by("-primary", "pk").first() or ""), created_by=customer.owner,
        )  # fmt: skip
        for name in {"": (), "sign": ("sign",), "start": ("sign", "start")}.get(reached, ("sign", "start", "complete")):
            contract = world.let(customer.owner, commands[name], contract)
        if reached == "start":
            links.setdefault(position, {})["contract"] = contract


def _plans(world: World, links: dict[int, dict[str, Any]]) -> None:
    """One plan that is over, one that runs, one that is being written."""
    commands, manager = plain_transitions(MarketingPlan), world.people["manager"]
    for number, (title, channel, reached) in enumerate(PLANS):
        begin = world.ago(200 - 90 * number)
        plan = MarketingPlan.objects.create(
            title=title, channel=channel, date=begin, starts_on=begin, ends_on=begin + dt.timedelta(days=60),
            budget=Decimal(40_000 + 20_000 * number), cost=Decimal("36850") if reached == "finish" else 0,
            goal="新增 10 家意向客户", result="收集线索 34 条，成交 6 单" if reached == "finish" else "", owner=manager,
            department=manager.department, created_by=manager,
        )  # fmt: skip
        invited = world.dice.sample(range(len(world.customers)), 8)
        plan.customers.set([world.customers[i] for i in sorted(invited)])
        for name in {"finish": ("launch", "finish"), "launch": ("launch",)}.get(reached, ()):
            plan = world.let(manager, commands[name], plan)
        if reached:
            for position in invited[:4]:
                links.setdefault(position, {})["campaign"] = plan


def _talks(world: World) -> None:
    """Two to five talks with everybody; some next contacts are overdue, some lie ahead."""
    talks, touched = [], []
    for customer, buyer in zip(world.customers, CUSTOMERS, strict=True):
        ages = sorted(world.dice.sample(range(3, 170), world.dice.randint(2, 5)), reverse=True)
        texts = FOREIGN_TALKS if buyer.currency != "CNY" else TALKS
        contact = customer.contacts.order_by("-primary", "pk").first()
        for age in ages:
            channel, text = world.dice.choice(texts)
            talks.append(
                FollowUp(
                    customer=customer,
                    contact=contact,
                    channel=channel,
                    text=text,
                    owner=customer.owner,
                    happened_at=timezone.now() - dt.timedelta(days=age, hours=world.dice.randint(0, 5)),
                    created_by=customer.owner,
                )
            )
        last = talks[-1]
        if world.dice.random() < 0.7:
            last.next_on = world.ago(world.dice.randint(-21, 4))
        customer.last_contact_at, customer.next_contact_on = last.happened_at, last.next_on
        touched.append(customer)
    FollowUp.objects.bulk_create(talks)
    Customer.objects.bulk_update(touched, ["last_contact_at", "next_contact_on"])
