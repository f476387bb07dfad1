"""A small trading company for tests of reports and papers, made through the services alone."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

from django.utils import timezone

from crm.customers.models import Contact, Customer
from erp.finance.models import (
    Account,
    Currency,
    ExchangeRate,
    Journal,
    OpenItem,
    Payment,
    PaymentTerms,
    Supplier,
    TaxCode,
    Voucher,
)
from erp.finance.services import pay, post_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import Product, ProductGroup, Unit, Warehouse
from erp.purchasing import services as purchasing
from erp.purchasing.models import PurchaseOrder
from erp.sales import services as sales
from erp.sales.models import Invoice, SalesOrder
from erp.trade.lines import LineInput
from kit.exchange import reports
from kit.exchange.reports import SYSTEM
from oa.organisation.models import CompanyProfile, User

D = Decimal
Line = tuple[Product, str, str]  # product, quantity, price


class Books:
    """Masters, and one method for each thing that happens; every date is given."""

    def __init__(self) -> None:
        CompanyProfile.objects.filter(pk=1).update(
            name="Huachen Precision Ltd.",
            name_zh="华辰精密有限公司",
            address="88 Jinji Lake Ave, Suzhou",
            address_zh="苏州市金鸡湖大道88号",
            phone="+86 512 6288 0001",
            tax_number="91320594MA1X2Y3Z45",
            bank_name="Bank of China, Suzhou",
            bank_account="6217 0000 1111 2222",
        )
        self.boss = User.objects.create_superuser("boss", password="x", name="Li Man")
        self.warehouse = Warehouse.objects.get(code="MAIN")
        self.north = Warehouse.objects.create(
            code="NORTH", name="North warehouse", name_zh="北仓", address="1 North Rd"
        )
        self.vat = TaxCode.objects.filter(rate=D("0.13")).first() or TaxCode.objects.create(
            code="V13",
            name="VAT 13 %",
            rate=D("0.13"),
            output_account=Account.objects.filter(is_group=False, type="liability").first(),
            input_account=Account.objects.filter(is_group=False, type="liability").first(),
        )
        self.motors = ProductGroup.objects.create(code="motors", name="Motors", name_zh="电机")
        self.motor = self.product("SV-750W", "伺服电机 750W", "Servo motor 750 W", self.motors)
        self.cable = self.product("CB-05", "电缆 5m", "Cable 5 m", None)
        self.hengtuo = self.customer("HT", "无锡恒拓自动化", country="中国")
        self.acme = self.customer("ACME", "Acme Ltd.", country="United Kingdom")
        self.maker = Supplier.objects.create(
            code="MK",
            name="Shanghai Motor Works",
            country="China",
            city="Shanghai",
            contact_name="Wang Wei",
            phone="021 555",
        )
        self.usd = Currency.objects.get(code="USD")
        ExchangeRate.objects.create(currency=self.usd, date=dt.date(2020, 1, 1), rate=D("7.10000000"))

    def product(self, code: str, name: str, name_en: str, group: ProductGroup | None) -> Product:
        return Product.objects.create(
            code=code,
            name=name,
            name_en=name_en,
            unit=Unit.objects.get(code="pc"),
            group=group,
            tax_code=self.vat,
        )

    def customer(self, code: str, name: str, **fields: Any) -> Customer:
        return Customer.objects.create(code=code, name=name, owner=self.boss, **fields)

    def contact(self, customer: Customer, name: str) -> Contact:
        return Contact.objects.create(customer=customer, name=name, phone="138 1234 6021")

    def draft(self, customer: Customer, date: dt.date, *lines: Line, discount: str = "0", **head: Any) -> SalesOrder:
        """A sales order that is not confirmed."""
        order = SalesOrder(customer=customer, date=date, **{"warehouse": self.warehouse, **head})
        inputs = [LineInput(p, D(q), price=D(price), discount=D(discount)) for p, q, price in lines]
        return sales.save_order(order, inputs, by=self.boss)

    def sell(self, customer: Customer, date: dt.date, *lines: Line, **head: Any) -> SalesOrder:
        """A confirmed sales order."""
        return sales.confirm_order(self.draft(customer, date, *lines, **head), by=self.boss)

    def buy(self, date: dt.date, *lines: Line, receive: bool = True, **head: Any) -> PurchaseOrder:
        """A confirmed purchase order, received on its day."""
        order = PurchaseOrder(supplier=self.maker, date=date, **{"warehouse": self.warehouse, **head})
        purchasing.save_order(order, [LineInput(p, D(q), price=D(price)) for p, q, price in lines], by=self.boss)
        order = purchasing.confirm_order(order, by=self.boss)
        if receive:
            purchasing.receive_order(order, by=self.boss, date=date)
        return order

    def bill(self, order: PurchaseOrder, date: dt.date) -> Any:
        """The supplier's bill for what was received."""
        return purchasing.bill_order(order, by=self.boss, date=date, supplier_number=f"B{order.pk}")

    def deliver(self, order: SalesOrder, date: dt.date) -> Any:
        return sales.deliver_order(order, by=self.boss, date=date)

    def invoice(self, order: SalesOrder, date: dt.date) -> Invoice:
        return sales.invoice_order(order, by=self.boss, date=date)

    def receive_money(self, customer: Customer, date: dt.date, amount: str, *items: OpenItem) -> Payment:
        """Money from a customer for the given items, in base currency; without items it stays unallocated."""
        payment = Payment(
            direction="receive",
            customer=customer,
            date=date,
            amount=D(amount),
            account=self.bank(),
            currency=Currency.objects.get(code="CNY"),
        )
        left, wanted = D(amount), {}
        for item in items:
            wanted[item.pk] = min(left, abs(item.remaining))
            left -= wanted[item.pk]
        return pay(payment, wanted, by=self.boss)

    def bank(self) -> Account:
        return Account.objects.filter(is_cash=True, is_group=False).order_by("code")[1]

    def voucher(self, date: dt.date, *lines: tuple[str, str, str], memo: str = "Adjustment") -> Voucher:
        """A posted voucher of (account code, debit, credit)."""
        accounts = Account.objects.in_bulk([code for code, _d, _c in lines], field_name="code")
        voucher = Voucher(journal=Journal.objects.get(code="GEN"), date=date, memo=memo)
        save_voucher(
            voucher, [EntryInput(accounts[code], debit=D(d), credit=D(c)) for code, d, c in lines], by=self.boss
        )
        return post_voucher(voucher, by=self.boss)

    def item_of(self, document: Any) -> OpenItem:
        """The open item of a posted document."""
        return OpenItem.objects.get(source=document._meta.label_lower, source_id=document.pk)

    def net_30(self) -> PaymentTerms:
        return PaymentTerms.objects.get(code="NET30")

    def debts(self) -> Books:
        """Invoices of 100 and of 20 days ago, net 30 days; money for a part of the first one 10 days ago."""
        self.buy(ago(150), (self.motor, "100", "10"))
        for days in (100, 20):
            order = self.sell(self.hengtuo, ago(days), (self.motor, "10", "100"), payment_terms=self.net_30())
            self.deliver(order, ago(days))
            invoice = self.invoice(order, ago(days))
            if days == 100:
                self.receive_money(self.hengtuo, ago(10), "300", self.item_of(invoice))
        return self

    def orders(self) -> Books:
        """Three confirmed orders in two months and currencies, one draft, one cancelled."""
        january, february = dt.date(2025, 1, 15), dt.date(2025, 2, 1)
        self.sell(self.hengtuo, january, (self.motor, "3", "33.335"), (self.cable, "7", "1.15"), discount="15")
        self.sell(self.hengtuo, dt.date(2025, 1, 20), (self.motor, "1", "100"), ship_country="中国")
        self.sell(self.acme, february, (self.motor, "2", "12.345"), currency=self.usd, rate=D("7.1"))
        cancelled = self.sell(self.acme, february, (self.motor, "50", "1"))
        sales.cancel_order(cancelled, by=self.boss, reason="test")
        self.draft(self.acme, february, (self.motor, "60", "1"))
        return self


def ago(days: int) -> dt.date:
    """The day so many days before today."""
    return timezone.localdate() - dt.timedelta(days=days)


def report(name: str, user: Any = SYSTEM, **params: Any) -> reports.ReportResult:
    """The result of a report, parameters as texts."""
    found = reports.get(name)
    given = {key: str(value) for key, value in params.items()}
    return reports.run(found, reports.parse_params(found, given, user), user)


def rows(name: str, user: Any = SYSTEM, **params: Any) -> list[dict[str, str]]:
    """What a machine reads: the CSV."""
    data = reports.to_csv(report(name, user, **params)).decode()
    return list(csv.DictReader(io.StringIO(data, newline="")))


def keyed(name: str, key: str, **params: Any) -> dict[str, dict[str, str]]:
    """The rows by one of their columns."""
    return {row[key]: row for row in rows(name, **params)}
