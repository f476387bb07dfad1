"""Many people at the same rows: what there is once is given once (rules G-07, G-19, D-01, A-02).

Every lock has a control which takes it away and shows that the race is real.
"""

from __future__ import annotations

import uuid
from collections import Counter
from decimal import Decimal as D
from typing import Any

import pytest

from crm.customers.models import Customer
from erp.finance.models import Account, Allocation, JournalEntry, Payment, Voucher
from erp.finance.services import save_payment
from erp.inventory.models import Product, StockMove
from erp.sales.models import Delivery, Invoice, SalesOrder, SalesOrderLine
from erp.sales.models.terms import CreditAction
from erp.sales.services import deliver_order, invoice_order
from oa.records.models import Counter as NumberCounter
from oa.records.models import NumberSequence
from tests import factories as make
from tests.invariants import assert_books, broken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY = 8


def total(outcomes: list[Counter[str]]) -> Counter[str]:
    return sum(outcomes, Counter())


def confirmed_orders(customer: Customer, product: Product, number: int, quantity: int = 1) -> list[int]:
    """Many confirmed orders without reservations, made in a few statements."""
    template = make.confirmed_order(customer, make.line(product, quantity))
    template_line = template.lines.get()
    SalesOrderLine.objects.update(reserved=0)
    product.levels.update(reserved=0)
    head, running = template.number.rsplit("-", 1)
    orders = []
    for step in range(1, number):
        order = (
            SalesOrder.objects.get(pk=template.pk)
            if step == 1
            else orders[-1].__class__(
                **{f.attname: getattr(template, f.attname) for f in SalesOrder._meta.concrete_fields if not f.generated}
            )
        )
        order.pk, order.number = None, f"{head}-{int(running) + step:0{len(running)}}"
        order._state.adding = True
        orders.append(order)
    SalesOrder.objects.bulk_create(orders)
    lines = []
    for order in orders:
        columns = {f.attname: getattr(template_line, f.attname) for f in SalesOrderLine._meta.concrete_fields}
        lines.append(SalesOrderLine(**columns | {"id": None, "order_id": order.pk, "reserved": 0}))
    SalesOrderLine.objects.bulk_create(lines)
    sequence = NumberSequence.objects.get(key="sales-order")
    NumberCounter.objects.filter(key__startswith=f"{sequence.key}:").update(last=int(running) + number - 1)
    return [template.pk, *(order.pk for order in orders)]


def shared_out(keys: list[int], workers: int = EVERYBODY) -> list[dict[str, Any]]:
    return [{"keys": keys[start::workers]} for start in range(workers)]


# ---- the last item ----


def test_the_last_item_is_sold_once(crowd: Any) -> None:
    """D-01, V-20: 8 people, 1600 orders, 500 pieces: exactly 500 are sold, the others are told."""
    product = make.make_product()
    make.stock(product, 500, "7.31")
    orders = confirmed_orders(make.make_customer(), product, 1600)
    outcome = total(crowd.run("deliver", shared_out(orders)))
    assert outcome == Counter(ok=500, refused=1100)
    assert (make.level(product).on_hand, make.level(product).value) == (0, 0)
    assert sum(m.quantity for m in StockMove.objects.filter(source="erp.delivery")) == -500
    assert_books()


def test_the_last_item_is_oversold_without_the_lock(crowd: Any) -> None:
    """The control of the test above: levels read without a lock."""
    product = make.make_product()
    make.stock(product, 20, "7.31")
    orders = confirmed_orders(make.make_customer(), product, 80)
    outcome = total(crowd.run("deliver", shared_out(orders), control=True))
    assert outcome["ok"] > 20
    assert "I-15" in broken()


def test_stock_is_reserved_once(crowd: Any) -> None:
    """S-06: orders confirmed at the same moment share what there is and no more."""
    product, customer = make.make_product(), make.make_customer()
    make.stock(product, 30)
    orders = [make.make_order(customer, make.line(product, 2)).pk for _ in range(24)]
    assert total(crowd.run("confirm", shared_out(orders))) == Counter(ok=24)
    assert make.level(product).reserved == 30 == sum(line.reserved for line in SalesOrderLine.objects.all())
    assert_books()


def test_stock_is_reserved_twice_without_the_lock(crowd: Any) -> None:
    """The control: several orders get the same pieces."""
    product, customer = make.make_product(), make.make_customer()
    make.stock(product, 30)
    orders = [make.make_order(customer, make.line(product, 2)).pk for _ in range(24)]
    crowd.run("confirm", shared_out(orders), control=True)
    assert sum(line.reserved for line in SalesOrderLine.objects.all()) > make.level(product).reserved
    assert "I-19" in broken()


def test_a_credit_limit_is_used_once(crowd: Any) -> None:
    """S-03, S-04: orders of one customer confirmed at the same moment stay within the limit together."""
    product, customer = make.make_product(tax=None, price="100"), make.make_customer()
    make.stock(product, 100)
    make.terms(customer, credit_limit=D(500), credit_action=CreditAction.REFUSE)
    orders = [make.make_order(customer, make.line(product)).pk for _ in range(24)]
    assert total(crowd.run("confirm", shared_out(orders))) == Counter(ok=5, refused=19)


def test_the_limit_of_a_group_is_used_once(crowd: Any) -> None:
    """S-03: orders of several companies that share a limit stay within it together."""
    product, head = make.make_product(tax=None, price="100"), make.make_customer()
    make.stock(product, 100)
    make.terms(head, credit_limit=D(500), credit_action=CreditAction.REFUSE)
    group = [head, *(make.make_customer() for _ in range(3))]
    for member in group[1:]:
        make.terms(member, credit_of=head)
    orders = [make.make_order(group[number % 4], make.line(product)).pk for number in range(24)]
    assert total(crowd.run("confirm", shared_out(orders))) == Counter(ok=5, refused=19)


def test_a_credit_limit_is_exceeded_without_the_lock(crowd: Any) -> None:
    """The control: each sees only the orders of before."""
    product, customer = make.make_product(tax=None, price="100"), make.make_customer()
    make.stock(product, 100)
    make.terms(customer, credit_limit=D(500), credit_action=CreditAction.REFUSE)
    orders = [make.make_order(customer, make.line(product)).pk for _ in range(24)]
    assert total(crowd.run("confirm", shared_out(orders), control=True))["ok"] > 5


# ---- numbers ----


def test_entries_of_one_journal_are_numbered_without_gaps(crowd: Any) -> None:
    """G-07, F-05: 8 posters, 800 entries, one journal: 1 to 800, each once."""
    accounts = list(Account.objects.filter(is_group=False, control="").values_list("pk", flat=True)[:2])
    given = [{"first": 1000 * n, "count": 100, "accounts": accounts} for n in range(1, EVERYBODY + 1)]
    assert total(crowd.run("post_entries", given)) == Counter(ok=800)
    assert list(JournalEntry.objects.order_by("sequence").values_list("sequence", flat=True)) == list(range(1, 801))
    assert not broken(["I-02", "I-04", "I-07", "I-08", "I-13", "I-14"])


def test_entries_collide_without_the_counter(crowd: Any) -> None:
    """The control: the same posting, its counter read instead of locked, gives one number to several."""
    accounts = list(Account.objects.filter(is_group=False, control="").values_list("pk", flat=True)[:2])
    given = [{"first": 1000 * n, "count": 25, "accounts": accounts} for n in range(1, EVERYBODY + 1)]
    outcome = total(crowd.run("post_uncounted", given))
    assert outcome["UniqueViolation"] > 0 and outcome["ok"] < 200, outcome


def test_vouchers_are_numbered_without_gaps(crowd: Any) -> None:
    """G-07: 8 people, 200 vouchers: documents and entries both run from 1 to 200."""
    accounts = list(Account.objects.filter(is_group=False, control="").values_list("pk", flat=True)[:2])
    assert total(crowd.run("post_vouchers", [{"count": 25, "accounts": accounts}] * EVERYBODY)) == Counter(ok=200)
    numbers = Voucher.objects.order_by("number").values_list("number", flat=True)
    assert [int(number.rsplit("-", 1)[1]) for number in numbers] == list(range(1, 201))
    assert sorted(JournalEntry.objects.values_list("sequence", flat=True)) == list(range(1, 201))
    assert_books()


def test_numbers_collide_when_they_are_counted_up(crowd: Any) -> None:
    """The control: max() + 1 gives the same number to several."""
    outcome = total(crowd.run("count_up", [{"count": 100}] * EVERYBODY))
    assert outcome["UniqueViolation"] > 0


# ---- twice at the same moment ----


def test_an_order_is_confirmed_once(crowd: Any) -> None:
    """G-19: one number, one reservation, the others are told."""
    product = make.make_product()
    make.stock(product, 100)
    order = make.make_order(make.make_customer(), make.line(product, 10))
    outcome = total(crowd.run("confirm", [{"keys": [order.pk]}] * EVERYBODY))
    assert outcome == Counter(ok=1, refused=7)
    assert make.level(product).reserved == 10
    assert_books()


def test_an_order_is_confirmed_twice_without_the_lock(crowd: Any) -> None:
    """The control: several take a number for the same order."""
    product = make.make_product()
    make.stock(product, 100)
    order = make.make_order(make.make_customer(), make.line(product, 10))
    outcome = total(crowd.run("confirm", [{"keys": [order.pk]}] * EVERYBODY, control=True))
    assert outcome["ok"] > 1 and "I-07" in broken(), outcome


def test_an_order_is_delivered_once(crowd: Any) -> None:
    """G-19, G-12: one delivery of what is open."""
    product = make.make_product()
    make.stock(product, 100)
    order = make.confirmed_order(make.make_customer(), make.line(product, 10))
    outcome = total(crowd.run("deliver", [{"keys": [order.pk]}] * EVERYBODY))
    assert outcome == Counter(ok=1, refused=7)
    assert Delivery.objects.count() == 1 and make.level(product).on_hand == 90
    assert_books()


def test_an_order_is_delivered_twice_without_the_lock(crowd: Any) -> None:
    """The control: everybody ships what was open."""
    product = make.make_product()
    make.stock(product, 100)
    order = make.confirmed_order(make.make_customer(), make.line(product, 10))
    outcome = total(crowd.run("deliver", [{"keys": [order.pk]}] * EVERYBODY, control=True))
    assert outcome["ok"] > 1 and "I-21" in broken()


def test_an_order_is_invoiced_once(crowd: Any) -> None:
    """G-19, G-11: one invoice of what is delivered."""
    order = delivered_order()
    outcome = total(crowd.run("invoice", [{"keys": [order.pk]}] * EVERYBODY))
    assert outcome == Counter(ok=1, refused=7)
    assert Invoice.objects.count() == 1
    assert_books()


def test_an_order_is_invoiced_twice_without_the_lock(crowd: Any) -> None:
    """The control: everybody invoices what was open."""
    order = delivered_order()
    outcome = total(crowd.run("invoice", [{"keys": [order.pk]}] * EVERYBODY, control=True))
    assert outcome["ok"] > 1 and "I-22" in broken()


def test_an_invoice_is_paid_once(crowd: Any) -> None:
    """A-02: of several receipts for the same item one settles it, the others are refused."""
    [item] = make.items(invoice_order(delivered_order(), by=None))
    outcome = total(crowd.run("settle", [{"item": item.pk}] * EVERYBODY))
    assert outcome == Counter(ok=1, refused=7)
    assert (Payment.objects.count(), Allocation.objects.count()) == (1, 1)
    assert_books()


def test_an_invoice_is_paid_twice_without_the_lock(crowd: Any) -> None:
    """The control: everybody settles what was open."""
    [item] = make.items(invoice_order(delivered_order(), by=None))
    outcome = total(crowd.run("settle", [{"item": item.pk}] * EVERYBODY, control=True))
    assert outcome["ok"] > 1 and "I-25" in broken(), outcome


def test_a_receipt_is_posted_once(crowd: Any) -> None:
    """G-02, G-19: the lock answers in words; behind it the ledger itself refuses a second posting (I-06)."""
    customer = make.make_customer()
    drafts = [
        save_payment(
            Payment(customer=customer, account=make.bank(), currency=make.currency(), amount=D(100)), {}, by=None
        )
        for _ in range(2)
    ]
    outcome = total(crowd.run("post_draft", [{"payment": drafts[0].pk}] * EVERYBODY))
    assert outcome == Counter(ok=1, refused=7)
    outcome = total(crowd.run("post_draft", [{"payment": drafts[1].pk}] * EVERYBODY, control=True))
    assert outcome == Counter(ok=1, UniqueViolation=7)
    assert JournalEntry.objects.count() == 2
    assert_books()


def test_a_form_sent_twice_makes_one_order(crowd: Any) -> None:
    """G-19, I-31: the repeats wait for the first and get its order; without a key everybody makes one."""
    user, customer, product = make.make_user(), make.make_customer(), make.make_product()
    given = {"user": user.pk, "customer": customer.pk, "product": product.pk}
    make.warehouse()
    outcome = total(crowd.run("submit", [given | {"key": str(uuid.uuid4())}] * EVERYBODY))
    assert outcome == Counter(ok=8) and SalesOrder.objects.count() == 1
    crowd.run("submit", [given | {"key": ""}] * EVERYBODY)
    assert SalesOrder.objects.count() == 9
    assert_books()


# ---- the order of locks ----


def test_payments_and_invoices_of_one_order_do_not_wait_for_each_other(crowd: Any) -> None:
    """DESIGN, lock order: invoicing an order while its invoices are paid and receipts reversed: no deadlock."""
    order = delivered_order(200)
    line = order.lines.get()
    invoice = invoice_order(order, {line.pk: D(1)}, by=None)
    [item] = make.items(invoice)
    given = [{"order": order.pk, "item": item.pk, "turns": 12, "mine": n} for n in range(EVERYBODY)]
    outcome = total(crowd.run("mix", given))
    assert set(outcome) == {"ok"}, outcome
    assert_books()


def delivered_order(quantity: int = 10) -> SalesOrder:
    """A confirmed and delivered order."""
    product = make.make_product(price="3", tax=None)
    make.stock(product, quantity)
    order = make.confirmed_order(make.make_customer(), make.line(product, quantity))
    deliver_order(order, by=None)
    return order
