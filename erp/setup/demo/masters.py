"""Currencies, partners and goods, with the terms and prices that customers have."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from crm.customers.models import Contact, Customer, CustomerGroup, Tag
from crm.customers.services import save_customer
from erp.finance.charts import GOODS, SERVICE
from erp.finance.models import Account, Currency, ExchangeRate, PaymentTerms, PostingGroup, Supplier, TaxCode
from erp.finance.suppliers import save_supplier
from erp.inventory.models import Product, ProductGroup, ProductKind, Unit, Warehouse
from erp.sales.models import CustomerPrice, CustomerTerms
from erp.setup.demo.customers import CUSTOMERS, FOREIGN, FOREIGN_TITLES, GIVEN, SURNAMES, TITLES, Buyer
from erp.setup.demo.names import GROUPS, PRODUCTS, SUPPLIERS, Item
from erp.setup.demo.world import World

# Base currency for one US dollar, every thirty days from the first day on.
RATES = ("7.1860", "7.1520", "7.1235", "7.1480", "7.1695", "7.1020", "7.0785", "7.0940", "7.1165", "7.1310", "7.0875",
         "7.0650", "7.0820")  # fmt: skip


def make_masters(world: World) -> None:
    """Everything that documents choose from."""
    _money(world)
    _suppliers(world)
    _products(world)
    _customers(world)
    _prices(world)


def _money(world: World) -> None:
    world.currencies = {row.code: row for row in Currency.objects.all()}
    world.banks = {"CNY": Account.objects.get(code="100201"), "USD": Account.objects.get(code="100202")}
    world.warehouse = Warehouse.objects.order_by("pk").first()
    ExchangeRate.objects.bulk_create(
        ExchangeRate(
            currency=world.currencies["USD"], date=world.start + dt.timedelta(days=30 * month), rate=Decimal(rate)
        )
        for month, rate in enumerate(RATES)
    )


def _suppliers(world: World) -> None:
    terms = PaymentTerms.objects.get(code="NET30")
    for partner in SUPPLIERS:
        supplier = Supplier(
            name=partner.name, city=partner.city, region=partner.region, country=partner.country,
            contact_name=partner.contact, phone=f"139 {world.dice.randint(1000, 9999)} {world.dice.randint(1000, 9999)}",
            currency=world.currencies[partner.currency], payment_terms=terms,
        )  # fmt: skip
        world.suppliers.append(save_supplier(supplier, by=world.people["buyer"]))


def _products(world: World) -> None:
    posting = {row.code: row for row in PostingGroup.objects.all()}
    groups = {
        code: ProductGroup.objects.create(
            code=code, name=name, name_zh=name_zh, posting_group=posting.get(SERVICE if code == "labour" else GOODS)
        )
        for code, name_zh, name in GROUPS
    }
    taxes = {row.code: row for row in TaxCode.objects.all()}
    units = {row.code: row for row in Unit.objects.all()}
    for item in PRODUCTS:
        goods = item.group != "labour"
        world.products[item.code] = Product.objects.create(
            code=item.code, name=item.name, name_en=item.name_en, group=groups[item.group], unit=units[item.unit],
            kind=ProductKind.GOODS if goods else ProductKind.SERVICE, price=Decimal(item.price), cost=Decimal(item.cost),
            tax_code=taxes["V13" if goods else "V6"], minimum=Decimal(item.most if goods else 0), barcode=_barcode(item),
            supplier=world.suppliers[item.supplier] if goods else None, created_by=world.people["buyer"],
        )  # fmt: skip


def _barcode(item: Item) -> str:
    """A number of thirteen digits made of the code, with its check digit."""
    digits = f"690{sum(ord(char) * 31**i for i, char in enumerate(item.code)) % 10**9:09d}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"{digits}{-(odd + 3 * even) % 10}"


def _customers(world: World) -> None:
    domestic = CustomerGroup.objects.create(code="domestic", name="Domestic", name_zh="内销")
    export = CustomerGroup.objects.create(code="export", name="Export", name_zh="外销")
    key = Tag.objects.create(code="key", name="Key account", name_zh="重点客户")
    for buyer in CUSTOMERS:
        owner, foreign = world.people[buyer.owner], buyer.currency != "CNY"
        customer = Customer(
            name=buyer.name, short_name=buyer.short, city=buyer.city, region=buyer.region, country=buyer.country,
            industry=buyer.industry, grade=buyer.grade, group=export if foreign else domestic, status="active",
            source=world.dice.choice(("fair", "referral", "website", "phone", "partner")), owner=owner,
            address=f"{world.dice.randint(1, 300)} Harbour Road" if foreign else f"工业大道{world.dice.randint(1, 300)}号",
            phone=f"0{world.dice.randint(10, 99)}{world.dice.randint(1, 9)} {world.dice.randint(1000000, 9999999)}",
            invoice_title=buyer.name, tax_number="" if foreign else f"9132{world.dice.randint(10**13, 10**14 - 1)}",
        )  # fmt: skip
        world.customers.append(save_customer(customer, by=owner))
        if buyer.grade == "A":
            customer.tags.add(key)
        _contacts(world, customer, buyer)
    _terms(world)


def _terms(world: World) -> None:
    terms = {row.code: row for row in PaymentTerms.objects.all()}
    free = TaxCode.objects.get(code="V0")
    CustomerTerms.objects.bulk_create(
        CustomerTerms(
            customer=customer,
            credit_limit=Decimal(buyer.limit * 1000) if buyer.limit else None,
            credit_action=buyer.action,
            payment_terms=terms[buyer.terms],
            currency=world.currencies[buyer.currency],
            tax_code=free if buyer.currency != "CNY" else None,
        )
        for customer, buyer in zip(world.customers, CUSTOMERS, strict=True)
    )


def _contacts(world: World, customer: Customer, buyer: Buyer) -> None:
    """One to three people, the first of them the main contact."""
    foreign = buyer.currency != "CNY"
    titles = FOREIGN_TITLES if foreign else TITLES
    chosen = world.dice.sample(titles, world.dice.randint(1, 3))
    for position, (title, part) in enumerate(chosen):
        name = world.dice.choice(FOREIGN) if foreign else world.dice.choice(SURNAMES) + world.dice.choice(GIVEN)
        Contact.objects.create(
            customer=customer, name=name, title=title, role=part, primary=position == 0,
            phone=f"13{world.dice.randint(0, 9)} {world.dice.randint(1000, 9999)} {world.dice.randint(1000, 9999)}",
            email=f"contact{position + 1}@{customer.code.lower()}.example",
        )  # fmt: skip


def _prices(world: World) -> None:
    """Agreed prices of the biggest customers."""
    for customer in (c for c in world.customers if c.grade == "A"):
        for code in sorted(world.dice.sample(sorted(world.products), 3)):
            product = world.products[code]
            CustomerPrice.objects.create(
                customer=customer, product=product, currency=world.currencies["CNY"], valid_from=world.start,
                price=(product.price * Decimal("0.93")).quantize(Decimal("0.1")),
            )  # fmt: skip
