"""Small makers of master data and documents for tests; each names only what the test cares about."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group

from crm.customers.models import Customer
from erp.finance.models import (
    Account,
    Currency,
    ExchangeRate,
    JournalLine,
    OpenItem,
    Payment,
    PaymentTerms,
    PostingRule,
    Supplier,
    TaxCode,
)
from erp.finance.models.payments import Direction
from erp.finance.services import pay
from erp.inventory.models import (
    AdjustmentReason,
    Product,
    ProductGroup,
    ProductKind,
    StockAdjustment,
    StockLevel,
    Unit,
    Warehouse,
)
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from erp.purchasing import services as purchasing
from erp.purchasing.models import PurchaseOrder
from erp.sales.models import CustomerTerms, SalesOrder
from erp.sales.services import confirm_order, save_order
from erp.trade.lines import LineInput
from kit.rules.days import business_day
from oa.organisation.models import CompanyProfile, User

_numbers = itertools.count(1)


def today() -> dt.date:
    """The company's present day."""
    return business_day()


def days_ago(days: int) -> dt.date:
    return today() - dt.timedelta(days=days)


def make_user(username: str = "", *roles: str, **columns: Any) -> User:
    """A person who can do everything, or what the roles (codes) allow."""
    username = username or f"user{next(_numbers)}"
    user = User.objects.create_user(
        username,
        f"{username}@example.com",
        "sanhe-test-pass",
        name=columns.pop("name", username.title()),
        is_superuser=not roles,
        **columns,
    )
    if roles:
        user.groups.set(Group.objects.filter(role__code__in=roles))
    return user


def company(**columns: Any) -> CompanyProfile:
    """The company with some settings changed."""
    profile = CompanyProfile.current()
    for name, value in columns.items():
        setattr(profile, name, value)
    profile.save()
    return profile


def make_customer(name: str = "Mingrui Precision", **columns: Any) -> Customer:
    columns.setdefault("code", f"C-{next(_numbers):05}")
    return Customer.objects.create(name=name, **columns)


def terms(customer: Customer, **columns: Any) -> CustomerTerms:
    """The ERP side of a customer, made or changed."""
    row, _made = CustomerTerms.objects.update_or_create(customer=customer, defaults=columns)
    customer.terms = row
    return row


def make_product(code: str = "", price: str = "100", tax: str | None = "V13", **columns: Any) -> Product:
    """A product kept in stock, unless `kind` says otherwise."""
    code = code or f"P-{next(_numbers):04}"
    return Product.objects.create(
        code=code,
        name=columns.pop("name", code),
        unit=columns.pop("unit", None) or Unit.objects.get(code="pc"),
        group=columns.pop("group", None) or ProductGroup.objects.get(code="general"),
        price=Decimal(price),
        tax_code=TaxCode.objects.get(code=tax) if tax else None,
        **columns,
    )


def make_service(code: str = "", price: str = "100", tax: str | None = "V6", **columns: Any) -> Product:
    return make_product(code, price, tax, kind=ProductKind.SERVICE, **columns)


def warehouse(code: str = "MAIN", **columns: Any) -> Warehouse:
    row, _made = Warehouse.objects.get_or_create(code=code, defaults={"name": code.title(), **columns})
    return row


def stock(
    product: Product,
    quantity: str | int,
    cost: str = "60",
    *,
    by: Any = None,
    date: dt.date | None = None,
    where: Warehouse | None = None,
) -> StockLevel:
    """Opening stock of a product at a unit cost."""
    adjustment = StockAdjustment(
        warehouse=where or warehouse(),
        reason=AdjustmentReason.OPENING,
        date=date or today(),
    )
    save_adjustment(adjustment, [AdjustmentInput(product, Decimal(quantity), Decimal(cost))], by=by)
    post_adjustment(adjustment, by=by)
    return level(product, where)


def level(product: Product, where: Warehouse | None = None) -> StockLevel:
    return StockLevel.objects.get(product=product, warehouse=where or warehouse())


def line(product: Product, quantity: str | int = 1, price: str | None = None, **more: Any) -> LineInput:
    """A line as a person types it."""
    more = {name: Decimal(value) if name == "discount" else value for name, value in more.items()}
    return LineInput(product, Decimal(quantity), None if price is None else Decimal(price), **more)


def make_order(customer: Customer, *lines: LineInput, by: Any = None, **head: Any) -> SalesOrder:
    """A draft sales order."""
    head.setdefault("warehouse", warehouse())
    return save_order(SalesOrder(customer=customer, **head), list(lines), by=by)


def confirmed_order(customer: Customer, *lines: LineInput, by: Any = None, **head: Any) -> SalesOrder:
    return confirm_order(make_order(customer, *lines, by=by, **head), by=by)


def currency(code: str = "CNY", rate: str | None = None, date: dt.date | None = None) -> Currency:
    """A currency, with what one unit of it is worth from `date` on (long ago by default)."""
    row = Currency.objects.get(code=code)
    if rate is not None:
        ExchangeRate.objects.update_or_create(
            currency=row, date=date or dt.date(2020, 1, 1), defaults={"rate": Decimal(rate)}
        )
    return row


def bank() -> Account:
    """The first bank account of the chart."""
    return Account.objects.filter(is_cash=True, is_group=False).order_by("code").last()


def payment_terms(code: str = "NET30", **columns: Any) -> PaymentTerms:
    row, _made = PaymentTerms.objects.update_or_create(code=code, defaults={"name": code, **columns})
    return row


def receive(
    customer: Customer, amount: str, allocations: Mapping[int, Decimal] | None = None, *, by: Any = None, **columns: Any
) -> Payment:
    """A posted receipt; without `allocations` it settles the oldest items."""
    columns.setdefault("account", bank())
    columns.setdefault("currency", currency())
    payment = Payment(direction=Direction.RECEIVE, customer=customer, amount=Decimal(amount), **columns)
    return pay(payment, allocations, by=by)


def items(document: Any) -> list[OpenItem]:
    """The open items of a document."""
    return list(OpenItem.objects.filter(source=document._meta.label_lower, source_id=document.pk).order_by("pk"))


def make_supplier(name: str = "Wuxi Hengtuo", **columns: Any) -> Supplier:
    columns.setdefault("code", f"S-{next(_numbers):05}")
    return Supplier.objects.create(name=name, **columns)


def make_purchase(supplier: Supplier, *lines: LineInput, by: Any = None, **head: Any) -> PurchaseOrder:
    """A draft purchase order."""
    head.setdefault("warehouse", warehouse())
    return purchasing.save_order(PurchaseOrder(supplier=supplier, **head), list(lines), by=by)


def confirmed_purchase(supplier: Supplier, *lines: LineInput, by: Any = None, **head: Any) -> PurchaseOrder:
    return purchasing.confirm_order(make_purchase(supplier, *lines, by=by, **head), by=by)


def pay_supplier(
    supplier: Supplier, amount: str, allocations: Mapping[int, Decimal] | None = None, *, by: Any = None, **columns: Any
) -> Payment:
    """A posted payment; without `allocations` it settles the oldest items."""
    columns.setdefault("account", bank())
    columns.setdefault("currency", currency())
    payment = Payment(direction=Direction.PAY, supplier=supplier, amount=Decimal(amount), **columns)
    return pay(payment, allocations, by=by)


def balance(purpose: str, debit_only: bool = False) -> Decimal:
    """What the ledger holds on the accounts that posting rules use for `purpose`, or their debit turnover."""
    accounts = PostingRule.objects.filter(purpose=purpose).values("account")
    lines = JournalLine.objects.filter(account__in=accounts)
    return sum((row.debit if debit_only else row.debit - row.credit for row in lines), Decimal(0))
