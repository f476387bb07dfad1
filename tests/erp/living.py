"""A small company that has lived: a bit of everything that writes the books, made by the commands."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from decimal import Decimal as D
from types import SimpleNamespace

import pghistory
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.utils import timezone

from crm.customers.models import Customer
from erp.finance.models import Account, Currency, ExchangeRate, Journal, Payment, Period, Supplier, TaxCode, Voucher
from erp.finance.models.payments import Direction
from erp.finance.services import (
    close_period,
    pay,
    post_voucher,
    reverse_payment,
    reverse_voucher,
    save_voucher,
)
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import Product, ProductGroup, ProductUnit, Unit, Warehouse
from erp.purchasing import services as purchasing
from erp.purchasing.models import PurchaseOrder
from erp.sales import services as sales
from erp.sales.models import SalesOrder
from erp.trade.excess import allow_excess
from erp.trade.lines import LineInput
from oa.announcements import services
from oa.announcements.publishing import appear
from oa.organisation.models import CompanyProfile, User
from oa.organisation.models.company import CostAt
from oa.records.idempotency import once
from oa.records.models import Attachment, AuditAction, AuditEntry, Comment, IdempotencyKey
from oa.records.notifications import notify
from oa.reporting.models import OutboxMail
from tests.oa import announcing


def live() -> SimpleNamespace:
    """Buy, sell, invoice, pay, reverse, adjust, close a month; returns the main records by name."""
    c = _masters()
    _purchases(c)
    _sales(c)
    _foreign(c)
    _vouchers(c)
    _papers(c)
    _announce(c)
    return c


def _masters() -> SimpleNamespace:
    today = timezone.localdate()
    c = SimpleNamespace(today=today, by=User.objects.create(username="boss", is_superuser=True))
    c.main, c.pc = Warehouse.objects.get(code="MAIN"), Unit.objects.get(code="pc")
    c.tax, c.low = TaxCode.objects.get(code="V13"), TaxCode.objects.get(code="V6")
    goods = ProductGroup.objects.get(code="general")
    common = {"unit": c.pc, "group": goods, "tax_code": c.tax}
    c.motor = Product.objects.create(code="MOTOR", name="伺服电机", price=D("1299.9"), cost=D(700), **common)
    common["unit"] = Unit.objects.get(code="m")
    c.cable = Product.objects.create(code="CABLE", name="电缆", price=D("7.77"), cost=D(3), tolerance=5, **common)
    c.service = Product.objects.create(
        code="SERVICE", name="安装", kind="service", price=D(500), unit=c.pc, tax_code=c.low
    )
    c.box = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=c.cable, unit=c.box, factor=24)
    c.mingrui = Customer.objects.create(code="C-1", name="苏州明锐", owner=c.by)
    c.acme = Customer.objects.create(code="C-2", name="Acme Inc", owner=c.by)
    c.factory = Supplier.objects.create(code="S-1", name="东莞电机厂")
    c.usd = Currency.objects.get(code="USD")
    ExchangeRate.objects.create(currency=c.usd, date=today - dt.timedelta(days=60), rate=D("7.1234"))
    return c


def purchase(c, *lines, **head):
    """A confirmed purchase order; `lines` are (product, quantity, price)."""
    order = PurchaseOrder(supplier=c.factory, warehouse=c.main, date=c.today, **head)
    order = purchasing.save_order(order, [LineInput(p, D(q), D(price)) for p, q, price in lines], by=c.by)
    return purchasing.confirm_order(order, by=c.by)


def sell(c, customer, *lines, **head):
    """A confirmed sales order; `lines` are (product, quantity) with or without a price."""
    order = SalesOrder(customer=customer, warehouse=c.main, date=c.today, **head)
    inputs = [LineInput(line[0], D(line[1]), *(D(price) for price in line[2:])) for line in lines]
    return sales.confirm_order(sales.save_order(order, inputs, by=c.by), by=c.by)


def receive_money(c, customer, amount, **head):
    """Money from a customer, settling what is oldest."""
    head.setdefault("currency", Currency.objects.get(code="CNY"))
    bank = Account.objects.get(code="100202" if head["currency"] == c.usd else "100201")
    return pay(Payment(direction=Direction.RECEIVE, customer=customer, account=bank, amount=D(amount), **head), by=c.by)


def _purchases(c) -> None:
    c.purchase = purchase(c, (c.motor, 10, "699.99"), (c.cable, "100.5", "2.9876"), (c.service, 1, 300))
    first, second, service = c.purchase.lines.order_by("position")
    purchasing.receive_order(c.purchase, {first.pk: D(6), second.pk: D("100.5")}, by=c.by)
    c.receipt = purchasing.receive_order(c.purchase, {first.pk: D(4)}, by=c.by)
    c.bill = purchasing.bill_order(c.purchase, {first.pk: D(6), service.pk: D(1)}, by=c.by)
    wrong = purchasing.receive_order(purchase(c, (c.cable, 7, 3)), by=c.by)
    purchasing.reverse_receipt(wrong, by=c.by)
    returned = purchase(c, (c.motor, 2, 710))
    purchasing.receive_order(returned, by=c.by)
    purchasing.reverse_bill(purchasing.bill_order(returned, by=c.by), by=c.by)
    c.waiting = purchase(c, (c.motor, 3, 705))
    c.excess = purchasing.draft_receipt(order := purchase(c, (c.cable, 20, 3)), by=c.by)
    purchasing.save_receipt(c.excess, {c.excess.lines.get().pk: D(22)}, by=c.by)
    purchasing.post_receipt(allow_excess(c.excess, by=c.by), by=c.by)
    purchasing.bill_order(order, by=c.by)
    cash = Account.objects.get(code="1001")
    cny = Currency.objects.get(code="CNY")
    pay(Payment(direction=Direction.PAY, supplier=c.factory, account=cash, amount=D(1000), currency=cny), by=c.by)


def _sales(c) -> None:
    c.order = sell(c, c.mingrui, (c.motor, 5), (c.cable, 30), (c.service, 1))
    motors, cables, service = c.order.lines.order_by("position")
    c.delivery = sales.deliver_order(c.order, {motors.pk: D(3), cables.pk: D("31.5"), service.pk: D(1)}, by=c.by)
    c.invoice = sales.invoice_order(c.order, {motors.pk: D(3), cables.pk: D(10)}, by=c.by)
    c.payment = receive_money(c, c.mingrui, 2000)
    wrong = sell(c, c.mingrui, (c.cable, 5))
    c.undone = sales.deliver_order(wrong, by=c.by)
    sales.reverse_invoice(sales.invoice_order(wrong, by=c.by), by=c.by)
    sales.reverse_delivery(c.undone, by=c.by)
    included = sell(c, c.mingrui, (c.cable, 3, "9.99"), (c.motor, 1, "1468.89"), prices_include_tax=True)
    sales.deliver_order(included, by=c.by)
    sales.invoice_order(included, by=c.by)
    CompanyProfile.objects.update(cost_at=CostAt.INVOICE, tax_method="tax")
    late = sell(c, c.mingrui, (c.cable, 10), (c.motor, 1))
    sales.deliver_order(late, by=c.by)
    line = late.lines.order_by("position").first()
    sales.invoice_order(late, {line.pk: D(4)}, by=c.by)
    CompanyProfile.objects.update(cost_at=CostAt.DELIVERY, tax_method="line")
    c.reserved = sell(c, c.mingrui, (c.motor, 2))
    sales.close_order(sell(c, c.mingrui, (c.motor, 1)), reason="not needed", by=c.by)
    sales.cancel_order(sell(c, c.mingrui, (c.motor, 1)), by=c.by)
    lavish = sales.draft_delivery(sell(c, c.mingrui, (c.cable, 2)), by=c.by)
    sales.save_delivery(lavish, {lavish.lines.get().pk: D(3)}, by=c.by)
    sales.post_delivery(allow_excess(lavish, by=c.by), by=c.by)
    draft = SalesOrder(customer=c.mingrui, warehouse=c.main, date=c.today)
    c.draft = sales.save_order(draft, [LineInput(c.motor, D(1))], by=c.by)


def _foreign(c) -> None:
    order = sell(c, c.acme, (c.cable, 11, "1.55"), currency=c.usd, rate=D("7.1234"))
    sales.deliver_order(order, by=c.by)
    c.abroad = sales.invoice_order(order, by=c.by)
    half = (c.abroad.total / 2).quantize(D("0.01"))
    c.half = receive_money(c, c.acme, half, currency=c.usd, rate=D("7.2"))
    lost = receive_money(c, c.acme, c.abroad.total - half, currency=c.usd, rate=D("7.05"))
    reverse_payment(lost, by=c.by)


def _vouchers(c) -> None:
    general = Journal.objects.get(code="GEN")
    account = {a.code: a for a in Account.objects.all()}
    last_month = c.today.replace(day=1) - dt.timedelta(days=1)

    def voucher(day, *lines):
        draft = save_voucher(Voucher(journal=general, date=day, memo="by hand"), list(lines), by=c.by)
        return post_voucher(draft, by=c.by)

    c.capital = voucher(
        last_month, EntryInput(account["100201"], debit=D(100000)), EntryInput(account["3001"], credit=D(100000))
    )
    c.old = voucher(
        c.today,
        EntryInput(account["1122"], debit=D("500.5"), customer=c.mingrui),
        EntryInput(account["3199"], credit=D("500.5")),
    )
    rent = voucher(c.today, EntryInput(account["5602"], debit=D(80)), EntryInput(account["1001"], credit=D(80)))
    reverse_voucher(rent, by=c.by)
    CompanyProfile.objects.update(reversal_style="opposite")
    wrong = voucher(c.today, EntryInput(account["5601"], debit=D(9)), EntryInput(account["1001"], credit=D(9)))
    c.opposite = reverse_voucher(wrong, by=c.by)
    CompanyProfile.objects.update(reversal_style="red")
    close_period(Period.objects.get(start=last_month.replace(day=1)), by=c.by)


def _rename(c) -> Customer:
    c.mingrui.refresh_from_db()
    c.mingrui.name = "苏州明锐机电"
    c.mingrui.save()
    return c.mingrui


def _papers(c) -> None:
    kind = ContentType.objects.get_for_model(SalesOrder)
    content = b"signed"
    c.file = Attachment.objects.create(
        content_type=kind,
        object_id=c.order.pk,
        file=ContentFile(content, "order.pdf"),
        name="order.pdf",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        owner=c.by,
    )
    c.comment = Comment.objects.create(content_type=kind, object_id=c.order.pk, text="call back", owner=c.by)
    with pghistory.context(user=c.by.pk, url="/customers/C-1/edit/"):  # as in a request
        once(str(uuid.uuid4()), c.by, "customers.save", lambda: _rename(c))
    c.key = IdempotencyKey.objects.get()
    for what in ("Sales order", "Invoice"):
        AuditEntry.objects.create(user=c.by, action=AuditAction.PRINT, what=what)
    c.told = notify([c.by], "look", record=c.order)
    c.mail = OutboxMail.objects.create(
        dedupe="report-1", message_id="<1@sanhe>", to="boss@example.com", subject="Sales"
    )


def _announce(c) -> None:
    """An announcement that was approved, read and changed, so that there are replaced receipts."""
    deputy = User.objects.create(username="deputy", is_superuser=True)
    c.news = announcing.written(c.by, "New warehouse", category="company", to_everyone=True)
    services.submit(c.news, by=c.by)
    services.approve(c.news, by=deputy)
    appear(c.news.pk)
    services.seen(c.news, by=c.by, device="desk")
    c.news = services.amend(c.news, by=deputy, title="New warehouse", body="On Monday.", major=True)
