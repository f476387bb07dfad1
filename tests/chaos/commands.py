"""The commands that the processes of the drill run at random, each by whoever does it in the demo company.

A command chooses its record from what is there, and returns the record it made, or None where there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import F

from crm.customers.models import Customer
from crm.customers.services import transfer_customer
from erp.finance.models import Account, Journal, OpenItem, Payment, Supplier, Voucher
from erp.finance.models.payments import Direction
from erp.finance.services import pay, post_voucher, reverse_payment, reverse_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import AdjustmentReason, Product, StockAdjustment, StockLevel, Warehouse
from erp.inventory.services import AdjustmentInput, post_adjustment, reverse_adjustment, save_adjustment
from erp.purchasing import services as purchasing
from erp.purchasing.models import Bill, GoodsReceipt, PurchaseOrder, PurchaseOrderLine
from erp.sales import services as sales
from erp.sales.models import Delivery, Invoice, SalesOrder, SalesOrderLine
from erp.trade.lines import LineInput
from oa.approvals.models import ApprovalTask, FormRequest, RequestForm
from oa.approvals.services import approve, reject, submit
from oa.approvals.services.forms import save_request
from oa.organisation.models import User
from oa.records.attachments import remove_attachment, store_attachments
from oa.records.models import Attachment

NEAR = 40  # candidates: few, so that processes meet at the same rows


def one_of(dice: Random, rows: Any) -> Any:
    """One of the newest of `rows`, None where there is none."""
    keys = list(rows.order_by("-pk").values_list("pk", flat=True)[:NEAR])
    return rows.model._base_manager.get(pk=dice.choice(keys)) if keys else None


def goods(dice: Random, most: int) -> list[LineInput]:
    """One to three products in stock units."""
    level = StockLevel.objects.filter(product__active=True).order_by("pk").values_list("product_id", flat=True)
    keys = sorted(set(level))
    chosen = dice.sample(keys, min(len(keys), dice.randint(1, 3)))
    products = Product.objects.in_bulk(chosen)
    return [LineInput(products[key], Decimal(dice.randint(1, most)), products[key].price) for key in chosen]


def partly(dice: Random, lines: Any, done: str, of: str) -> dict[int, Decimal]:
    """A part of what is open on order lines: `of` less `done`, whole units."""
    found = {}
    for line in lines:
        left = getattr(line, of) - getattr(line, done)
        if left > 0:
            found[line.pk] = Decimal(dice.randint(1, int(left))) if left >= 1 else left
    return found


def sell(dice: Random, by: User) -> Any:
    """A sales order, written and confirmed."""
    customer = one_of(dice, Customer.objects.visible_to(by).filter(active=True))
    order = SalesOrder(customer=customer, warehouse=Warehouse.objects.order_by("pk")[0])
    return sales.confirm_order(sales.save_order(order, goods(dice, 4), by=by), by=by)


def ship(dice: Random, by: User) -> Any:
    """What is open of an order, or a part of it."""
    open_lines = SalesOrderLine.objects.filter(quantity__gt=F("moved")).values("order")
    order = one_of(dice, SalesOrder.objects.filter(state="confirmed", hold="", pk__in=open_lines))
    if order is None:
        return None
    part = partly(dice, order.lines.all(), "moved", "quantity") if dice.random() < 0.5 else None
    return sales.deliver_order(order, part, by=by)


def invoice(dice: Random, by: User) -> Any:
    """What was delivered of an order."""
    lines = SalesOrderLine.objects.filter(moved__gt=F("billed")).values("order")
    order = one_of(dice, SalesOrder.objects.filter(pk__in=lines))
    return order and sales.invoice_order(order, by=by)


def money(dice: Random, by: User, direction: Direction, **partner: Any) -> Any:
    """Receive or pay an open item wholly or in part and allocate it."""
    sign = 1 if direction == Direction.RECEIVE else -1
    items = OpenItem.objects.filter(**partner)
    item = one_of(dice, items.filter(remaining__gt=0) if sign > 0 else items.filter(remaining__lt=0))
    if item is None:
        return None
    amount = item.remaining * sign
    if dice.random() < 0.3 and amount > 10:
        amount = (amount / 2).quantize(Decimal(1))
    payment = Payment(
        direction=direction, customer=item.customer, supplier=item.supplier, currency=item.currency,
        account=Account.objects.filter(is_cash=True, is_group=False).order_by("code").last(), amount=amount,
    )  # fmt: skip
    return pay(payment, {item.pk: amount}, by=by)


def receive_money(dice: Random, by: User) -> Any:
    """Money of a customer."""
    return money(dice, by, Direction.RECEIVE, customer__isnull=False)


def pay_bill(dice: Random, by: User) -> Any:
    """Money to a supplier."""
    return money(dice, by, Direction.PAY, supplier__isnull=False)


def purchase(dice: Random, by: User) -> Any:
    """A purchase order, written and confirmed."""
    supplier = one_of(dice, Supplier.objects.filter(active=True, blocked=False))
    order = PurchaseOrder(supplier=supplier, warehouse=Warehouse.objects.order_by("pk")[0])
    return purchasing.confirm_order(purchasing.save_order(order, goods(dice, 20), by=by), by=by)


def receive_goods(dice: Random, by: User) -> Any:
    """What is open of a purchase order, or a part of it."""
    open_lines = PurchaseOrderLine.objects.filter(quantity__gt=F("moved")).values("order")
    order = one_of(dice, PurchaseOrder.objects.filter(state="confirmed", pk__in=open_lines))
    if order is None:
        return None
    part = partly(dice, order.lines.all(), "moved", "quantity") if dice.random() < 0.3 else None
    return purchasing.receive_order(order, part, by=by)


def bill(dice: Random, by: User) -> Any:
    """What was received of a purchase order."""
    lines = PurchaseOrderLine.objects.filter(moved__gt=F("billed")).values("order")
    order = one_of(dice, PurchaseOrder.objects.filter(pk__in=lines))
    return order and purchasing.bill_order(order, by=by, supplier_number=f"{dice.getrandbits(64):x}")


def adjust(dice: Random, by: User) -> Any:
    """Stock found or lost."""
    store = Warehouse.objects.order_by("pk")[0]
    head = StockAdjustment(warehouse=store, reason=AdjustmentReason.COUNT)
    lines = [AdjustmentInput(line.product, line.quantity * dice.choice((1, 1, -1)), None) for line in goods(dice, 5)]
    return post_adjustment(save_adjustment(head, lines, by=by), by=by)


def voucher(dice: Random, by: User) -> Any:
    """An entry by hand."""
    accounts = list(Account.objects.filter(is_group=False, active=True, control="", is_cash=False).order_by("pk")[:20])
    debit, credit = dice.sample(accounts, 2)
    amount = Decimal(dice.randint(1, 100_000)) / 100
    head = Voucher(journal=Journal.objects.get(code="GEN"), memo="x")
    lines = [EntryInput(debit, debit=amount), EntryInput(credit, credit=amount)]
    return post_voucher(save_voucher(head, lines, by=by), by=by)


REVERSALS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (Delivery, sales.reverse_delivery),
    (Invoice, sales.reverse_invoice),
    (Payment, reverse_payment),
    (GoodsReceipt, purchasing.reverse_receipt),
    (Bill, purchasing.reverse_bill),
    (StockAdjustment, reverse_adjustment),
    (Voucher, reverse_voucher),
)


def reverse(dice: Random, by: User) -> Any:
    """Take a posted document back by its counter document."""
    model, command = dice.choice(REVERSALS)
    document = one_of(dice, model.objects.filter(state="posted", reversal_of=None))
    return document and command(document, by=by)


def give_away(dice: Random, by: User) -> Any:
    """Another owner for a customer."""
    owner = User.objects.get(username=dice.choice(("sales", "sales2")))
    return transfer_customer(one_of(dice, Customer.objects.visible_to(by)), owner, by=by)


def request(dice: Random, by: User) -> Any:
    """A request made and submitted."""
    form = RequestForm.objects.get(code="OUT")
    values = {field["name"]: FILLED.get(field["type"], "x") for field in form.fields}
    return submit(save_request(FormRequest(form=form), values, by=by), kind=form.kind, by=by)


FILLED = {"date": "2030-01-04", "time": "2030-01-04 09:00", "datetime": "2030-01-04 09:00", "number": "1",
          "amount": "10", "flag": "1"}  # fmt: skip


def decide(dice: Random, by: User) -> Any:
    """Whoever is asked agrees, or does not."""
    task = one_of(dice, ApprovalTask.objects.filter(state="running", request__kind="form:OUT", node__isnull=False))
    if task is None:
        return None
    return approve(task, by=task.user) if dice.random() < 0.8 else reject(task, by=task.user, text="No.")


def attach(dice: Random, by: User) -> Any:
    """A file for a customer; the answer is what its content is known by."""
    customer = one_of(dice, Customer.objects.visible_to(by))
    file = ContentFile(dice.randbytes(200).hex().encode(), name=f"note-{dice.getrandbits(32):x}.txt")
    return store_attachments(customer, [file], by=by)[0].sha256


def detach(dice: Random, by: User) -> Any:
    """A file is taken away."""
    file = one_of(dice, Attachment.objects.filter(owner=by, name__startswith="note-"))
    if file is None:
        return None
    remove_attachment(file, Customer.objects.get(pk=file.object_id), by=by)
    return file.sha256


@dataclass(frozen=True)
class Command:
    """What one operation is: who does it and how often; `makes` is the table that it adds one row to."""

    run: Callable[[Random, User], Any]
    who: str
    weight: int
    makes: Any = None


COMMANDS: dict[str, Command] = {
    "sell": Command(sell, "manager", 16, SalesOrder),
    "ship": Command(ship, "warehouse", 16, Delivery),
    "invoice": Command(invoice, "accountant", 12, Invoice),
    "receive money": Command(receive_money, "accountant", 10, Payment),
    "purchase": Command(purchase, "buyer", 8, PurchaseOrder),
    "receive goods": Command(receive_goods, "warehouse", 8, GoodsReceipt),
    "bill": Command(bill, "accountant", 6, Bill),
    "pay bill": Command(pay_bill, "accountant", 5, Payment),
    "adjust": Command(adjust, "warehouse", 4, StockAdjustment),
    "voucher": Command(voucher, "accountant", 6, Voucher),
    "reverse": Command(reverse, "chief", 6),
    "give away": Command(give_away, "manager", 3),
    "request": Command(request, "sales", 3),
    "decide": Command(decide, "manager", 3),
    "attach": Command(attach, "manager", 4, Attachment),
    "detach": Command(detach, "manager", 1),
}
