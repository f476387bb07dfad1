"""People, products, partners and talks of the demo company."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from crm.contracts.models import Contract
from crm.customers.models import Contact, Customer, CustomerGroup, CustomerStatus
from crm.customers.services import save_customer
from crm.followups.models import FollowUp
from crm.marketing.models import MarketingPlan
from erp.finance.models import Account, Currency, ExchangeRate, PaymentTerms, PostingGroup, Supplier, TaxCode
from erp.finance.suppliers import save_supplier
from erp.inventory.models import Product, ProductGroup, Unit, Warehouse
from erp.sales.models import CustomerPrice, CustomerTerms
from erp.setup.demo.names import (
    CONTACTS,
    CUSTOMERS,
    DEPARTMENTS,
    PEOPLE,
    POSITIONS,
    PRODUCTS,
    SUPPLIERS,
    TALKS,
)
from oa.organisation.models import CompanyProfile, Department, Position, User
from oa.records.transitions import plain_transitions

PASSWORD = "demo"  # noqa: S105  everybody in the demo company has it; production refuses the demo


@dataclass
class World:
    """What the demo company consists of; `chance` decides everything, so that a seed makes the same company."""

    chance: random.Random
    today: dt.date
    people: dict[str, User] = field(default_factory=dict)
    products: list[Product] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    suppliers: dict[str, list[Supplier]] = field(default_factory=dict)
    warehouse: Any = None
    bank: Any = None
    currencies: dict[str, Currency] = field(default_factory=dict)

    def day(self, least: int, most: int) -> dt.date:
        """A day between `most` and `least` days ago."""
        return self.today - dt.timedelta(days=self.chance.randint(least, most))


def make_masters(seed: int) -> World:
    """Everything that is there before the first document."""
    world = World(random.Random(seed), timezone.localdate())
    _company()
    _people(world)
    _products(world)
    _suppliers(world)
    _customers(world)
    _relations(world)
    return world


def _company() -> None:
    company = CompanyProfile.objects.get(pk=1)
    company.name, company.name_zh = "Huachen Precision", "华辰精密"
    company.tax_number, company.phone = "91320505MA7HC0DE2X", "0512 6688 1200"
    company.address, company.address_zh = "18 Xinghai Street, Suzhou, China", "苏州市工业园区星海街 18 号"
    company.bank_name, company.bank_account = "中国银行苏州分行", "4687 0000 1234 567"
    company.set_up = True
    company.save()


def _people(world: World) -> None:
    root = Department.objects.get(code="HQ")
    made = {"HQ": root}
    for code, name, parent in DEPARTMENTS:
        made[code] = Department.objects.create(code=code, name=name, parent=made[parent])
    posts = {code: Position.objects.create(code=code, name=name) for code, name in POSITIONS}
    for username, name, role, department, post in PEOPLE:
        user = User(username=username, name=name, email=f"{username}@huachen.example", department=made[department],
                    position=posts[post], is_staff=role in ("administrator", "chief-accountant", "accountant"))
        user.set_password(PASSWORD)
        user.save()
        user.groups.set(Group.objects.filter(role__code=role))
        world.people[username] = user
    made["SALES"].head = world.people["manager"]
    made["SALES"].save()


def _products(world: World) -> None:
    goods = PostingGroup.objects.filter(code="GOODS").first()
    groups = {
        code: ProductGroup.objects.create(code=code, name=english, name_zh=name, posting_group=goods if code != "SERVICE" else None)
        for code, english, name in (("MOTION", "Linear motion", "直线传动"), ("DRIVE", "Drives and control", "驱动与控制"),
                                    ("PARTS", "Parts", "零配件"), ("SERVICE", "Services", "服务"))
    }
    units = {unit.code: unit for unit in Unit.objects.all()}
    codes = {code.code: code for code in TaxCode.objects.all()}
    for number, (code, name, english, group, unit, price, cost) in enumerate(PRODUCTS):
        service = group == "SERVICE"
        world.products.append(Product.objects.create(
            code=code, name=name, name_en=english, group=groups[group], unit=units.get(unit, units["pc"]),
            price=Decimal(str(price)), cost=Decimal(str(cost)), kind="service" if service else "goods",
            tax_code=codes["V6" if service else "V13"], barcode=f"69300010{number:04}", minimum=0 if service else 20,
        ))
    world.warehouse = Warehouse.objects.get(code="MAIN")
    world.bank = Account.objects.filter(is_cash=True, is_group=False, code__startswith="1002").order_by("code").first()
    world.currencies = {c.code: c for c in Currency.objects.all()}
    for code, rate in (("USD", "7.12"), ("EUR", "7.78")):
        start = world.today - dt.timedelta(days=420)
        for month in range(15):
            drift = Decimal(world.chance.randint(-60, 60)) / 1000
            ExchangeRate.objects.create(currency=world.currencies[code], date=start + dt.timedelta(days=30 * month), rate=Decimal(rate) + drift)


def _suppliers(world: World) -> None:
    terms = PaymentTerms.objects.filter(active=True).order_by("days").last()
    for name, city, phone, group in SUPPLIERS:
        foreign = name.endswith("AG")
        supplier = save_supplier(Supplier(
            name=name, city=city, phone=phone, country="Germany" if foreign else "中国", payment_terms=terms,
            currency=world.currencies["EUR" if foreign else "CNY"],
        ), by=world.people["buyer"])
        world.suppliers.setdefault(group, []).append(supplier)
    for product in world.products:
        found = world.suppliers.get(product.group.code if product.group else "", [])
        if found:
            product.supplier = found[0]
            product.save()


def _customers(world: World) -> None:
    group = CustomerGroup.objects.order_by("pk").first()
    terms = list(PaymentTerms.objects.filter(active=True, days__in=(30, 60)))
    for number, (name, short, city, country, industry, grade, limit, owner) in enumerate(CUSTOMERS):
        person = world.people[owner]
        foreign = country != "中国"
        customer = save_customer(Customer(
            name=name, short_name=short, city=city, country=country, industry=industry, grade=grade, group=group, owner=person,
            department=person.department, status=CustomerStatus.ACTIVE, source="fair", phone=f"138{number:02}345678",
            address=f"{city}高新区创新路 {number + 8} 号" if not foreign else f"{number + 8} Mill Road",
            tax_number=f"9132{number:02}94MA1X7K2P{number % 10}"[:18],
        ), by=person)
        CustomerTerms.objects.create(
            customer=customer, credit_limit=Decimal(limit), payment_terms=world.chance.choice(terms) if terms else None,
            credit_action="hold" if grade == "C" else "warn", currency=world.currencies["USD" if foreign else "CNY"],
        )
        for i, (contact, title, role) in enumerate(CONTACTS[: world.chance.randint(1, 4)]):
            Contact.objects.create(customer=customer, name=contact, title=title, role=role, primary=i == 0,
                                   phone=f"139{number:02}{i}26021", email=f"contact{number}-{i}@example.com")
        world.customers.append(customer)
    for customer in world.customers[:4]:
        for product in world.products[:2]:
            CustomerPrice.objects.create(customer=customer, product=product, currency=world.currencies["CNY"],
                                         price=product.price * Decimal("0.95"), minimum=10)


def _relations(world: World) -> None:
    """Talks with next dates, contracts and marketing plans."""
    for customer in world.customers:
        for _count in range(world.chance.randint(1, 4)):
            channel, text = world.chance.choice(TALKS)
            at = timezone.now() - dt.timedelta(days=world.chance.randint(0, 60), hours=world.chance.randint(1, 8))
            FollowUp.objects.create(customer=customer, channel=channel, text=text, happened_at=at, owner=customer.owner)
        customer.last_contact_at = customer.followups.first().happened_at
        customer.next_contact_on = world.today + dt.timedelta(days=world.chance.randint(-3, 14))
        customer.save()
    run = plain_transitions(Contract)
    for customer in world.customers[:6]:
        contract = Contract.objects.create(
            customer=customer, title=f"{customer.short_name} {world.today.year} 年度框架协议", type="frame", owner=customer.owner,
            starts_on=dt.date(world.today.year, 1, 1), ends_on=dt.date(world.today.year, 12, 31), amount=1200000,
            date=world.day(200, 300), department=customer.department,
        )
        run["start"](run["sign"](contract, by=customer.owner), by=customer.owner)
    plan = MarketingPlan.objects.create(
        title="工业博览会 CIIF", channel="fair", budget=180000, cost=162400, owner=world.people["manager"],
        starts_on=world.day(60, 62), ends_on=world.day(56, 58), goal="收集 150 条线索", date=world.day(120, 130),
    )
    plan.customers.set(world.customers[:5])
    plain_transitions(MarketingPlan)["launch"](plan, by=world.people["manager"])
