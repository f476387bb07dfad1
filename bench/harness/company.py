"""The little company that the benchmarks trade with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from crm.customers.models import Customer
from erp.finance.context import BANK, PURCHASES, SALES, STOCK, PostingContext, ensure_fiscal_year, posting_context
from erp.finance.models import Account, Currency, PaymentTerms, Supplier, TaxCode
from erp.finance.models.accounts import Purpose
from erp.inventory.models import AdjustmentReason, Product, ProductGroup, StockAdjustment, Unit, Warehouse
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from erp.sales.models import CustomerTerms
from erp.sales.models.terms import CreditAction
from oa.organisation.models import Role, User

COST = Decimal("7.31")
STOCKED = Decimal(10_000_000)  # of each product: no benchmark runs out of it


@dataclass(frozen=True)
class Shop:
    """Masters of a benchmark, as they were loaded by whoever hands them to the services."""

    user: User
    customers: list[Customer]
    suppliers: list[Supplier]
    products: list[Product]
    warehouse: Warehouse
    bank: Account
    currency: Currency
    tax: TaxCode
    today: dt.date
    contexts: dict[str, PostingContext]
    group: int | None  # posting group of the products

    def account(self, purpose: Purpose, journal: str = SALES) -> int:
        """The account of the posting rules."""
        return self.contexts[journal].account(purpose, self.group)


def open_shop(products: int = 100, partners: int = 8) -> Shop:
    """`products` in stock, customers with a credit limit that is checked, suppliers; everything by the services."""
    user = User.objects.create(username="bench", name="Bench")
    user.groups.add(Role.objects.get(code="administrator").group)
    terms = PaymentTerms.objects.get(code="NET30")
    customers = [_customer(number, terms) for number in range(partners)]
    suppliers = [
        Supplier.objects.create(code=f"S{number}", name=f"Supplier {number}", payment_terms=terms)
        for number in range(partners)
    ]
    goods = _products(products)
    warehouse = Warehouse.objects.get(code="MAIN")
    opening = StockAdjustment(warehouse=warehouse, reason=AdjustmentReason.OPENING)
    save_adjustment(opening, [AdjustmentInput(product, STOCKED, COST) for product in goods], by=user)
    post_adjustment(opening, by=user)
    today = timezone.localdate()
    ensure_fiscal_year(today)
    return Shop(
        user=user,
        customers=customers,
        suppliers=suppliers,
        products=goods,
        warehouse=warehouse,
        bank=Account.objects.filter(is_cash=True, is_group=False).order_by("code")[0],
        currency=Currency.objects.get(code="CNY"),
        tax=TaxCode.objects.get(code="V13"),
        today=today,
        contexts={journal: posting_context(today, journal) for journal in (SALES, PURCHASES, BANK, STOCK)},
        group=goods[0].group.posting_group_id if goods[0].group else None,
    )


def _customer(number: int, terms: PaymentTerms) -> Customer:
    customer = Customer.objects.create(code=f"C{number}", name=f"Customer {number}", address="1 Road", city="Suzhou")
    CustomerTerms.objects.create(
        customer=customer, payment_terms=terms, credit_limit=Decimal(10**15), credit_action=CreditAction.REFUSE
    )
    return customer


def _products(count: int) -> list[Product]:
    unit, group = Unit.objects.get(code="pc"), ProductGroup.objects.get(code="general")
    tax = TaxCode.objects.get(code="V13")
    return Product.objects.bulk_create(
        Product(
            code=f"P{number:04}",
            name=f"Product {number}",
            unit=unit,
            group=group,
            tax_code=tax,
            price=Decimal(10 + number) + Decimal("0.17"),
            cost=COST,
        )
        for number in range(count)
    )
