"""S-23: what the database refuses of masters, levels, items, documents and keys, whichever way it comes (C and T)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from crm.customers.models import Customer
from erp.finance.models import Account, Allocation, OpenItem, Payment, PaymentAllocation, Period, Voucher
from erp.inventory.models import Product, StockAdjustment, StockLevel, StockMove
from erp.purchasing.models import Bill, GoodsReceipt
from erp.sales.models import CustomerTerms, Delivery, Invoice, SalesOrder
from oa.records.checks import documents
from oa.records.models import IdempotencyKey, PostedDocument
from tests import factories as make
from tests.erp.writing import INSERTS, execute, insert, refused, refused_to_change

pytestmark = pytest.mark.usefixtures("living")

every_way = pytest.mark.parametrize("way", INSERTS)
NOWHERE = 999999999


def copy(row: Any, **changes: Any) -> Any:
    """A new row like `row`."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.generated}
    return type(row)(**{**values, row._meta.pk.attname: None, **changes})


class TestAccounts:
    """I-05: what has postings takes no children, and what has children takes no postings."""

    def test_an_account_with_postings_becomes_no_group(self):
        refused_to_change(Account.objects.get(code="3001"), {"is_group": True}, "cannot become a group")

    def test_a_posting_account_gets_no_child(self):
        leaf, other = Account.objects.get(code="3001"), Account.objects.get(code="1101")
        refused_to_change(other, {"parent_id": leaf.pk}, "must be a group")

    @every_way
    def test_a_new_account_stands_below_a_group(self, way):
        leaf = Account.objects.get(code="3001")
        refused(lambda: insert(way, Account(code="300101", name="x", parent=leaf)), "must be a group")


class TestPeriods:
    """I-10: a period with entries keeps its dates, and a closed one tells since when."""

    def test_dates_stay(self):
        closed = Period.objects.get(state="closed")
        entry = closed.entries.first()
        refused_to_change(closed, {"end": entry.date - dt.timedelta(days=1)}, "entries on other dates")
        refused_to_change(closed, {"start": entry.date + dt.timedelta(days=1)}, "entries on other dates|period_order")

    def test_closing_has_a_time(self):
        refused_to_change(Period.objects.get(state="closed"), {"closed_at": None}, "period_closed_at")
        refused_to_change(Period.objects.filter(state="open").first(), {"state": "closed"}, "period_closed_at")

    @every_way
    def test_dates_are_given_once(self, way):
        first = Period.objects.first()
        refused(lambda: insert(way, copy(first, number=13)), "duplicate key")


@every_way
def test_stock_that_cannot_be_is_refused(way, living):
    """I-17, I-18, I-19 for new levels."""
    product = Product.objects.create(code="NEW", name="new", unit=living.pc)
    for columns, match in (
        ({"on_hand": D(-1), "value": D(-1)}, "level_not_negative"),
        ({"on_hand": D(0), "value": D("0.01")}, "level_value"),
        ({"on_hand": D(1), "value": D("-0.01")}, "level_value"),
        ({"on_hand": D(1), "reserved": D(2)}, "level_reserved_on_hand"),
        ({"on_hand": D(1), "reserved": D(-1)}, "level_reserved_positive"),
    ):
        level = StockLevel(product=product, warehouse=living.main, **columns)
        refused(lambda level=level: insert(way, level), match)
    level = StockLevel.objects.first()
    refused(lambda: insert(way, copy(level)), "level_once")


class TestSettlement:
    """I-25 at the door of open items and allocations."""

    @every_way
    @pytest.mark.parametrize(
        ("changes", "match"),
        [
            ({"amount": D(0)}, "allocation_sign"),
            ({"amount": D(-5)}, "allocation_sign"),
            ({"debit_item_id": NOWHERE}, "foreign key"),
        ],
        ids=["nothing", "negative", "no item"],
    )
    def test_allocations(self, way, changes, match):
        row = Allocation.objects.filter(reverses=None).first()
        refused(lambda: insert(way, copy(row, **changes)), match)

    @every_way
    def test_an_allocation_is_undone_once(self, way):
        undone = Allocation.objects.exclude(reverses=None).first()
        refused(lambda: insert(way, copy(undone)), "reverses")

    @every_way
    @pytest.mark.parametrize(
        ("changes", "match"),
        [
            ({"remaining": D(10**9)}, "item_remaining_range"),
            ({"remaining": D(-1)}, "item_remaining_range"),
            ({"remaining": D(0), "base_remaining": D(1)}, "item_settled_in_base"),
            ({"customer_id": None}, "item_one_partner"),
        ],
        ids=["more than due", "less than nothing", "settled but for base currency", "nobody's"],
    )
    def test_items(self, way, changes, match):
        row = OpenItem.objects.filter(amount__gt=0, supplier=None).first()
        refused(lambda: insert(way, copy(row, **changes)), match)

    @every_way
    def test_an_intention_is_more_than_nothing(self, way, living):
        item = OpenItem.objects.first()
        draft = copy(living.payment, state="draft", number=None, posted_at=None)
        draft.save()
        row = PaymentAllocation(payment=draft, item=item, amount=D(0))
        refused(lambda: insert(way, row), "payment_line_positive")


@every_way
def test_numbers_are_given_once(way, living):
    """I-07, G-07: for every kind of document; a second one by update too."""
    for model in documents():
        own = {"reversal_of": None} if issubclass(model, PostedDocument) else {}
        row = model.objects.filter(**own).exclude(number=None).first()
        if row is not None:
            refused(lambda row=row: insert(way, copy(row)), "duplicate key")
    refused_to_change(living.draft, {"number": living.order.number}, "duplicate key")


@every_way
def test_a_document_is_reversed_once(way, living):
    """I-09, G-04."""
    for model in (Delivery, GoodsReceipt, Invoice, Bill, Payment, Voucher):
        counter = model.objects.filter(reversal_of__isnull=False).first()
        refused(lambda counter=counter: insert(way, copy(counter, number="X-1")), "reversal_of|duplicate key")


def test_states_follow_their_table(living):
    """I-29: from every state there is, every other state that the table does not lead to."""
    tried: dict[str, int] = defaultdict(int)
    for model in documents():
        states = {state.name for state in model.STATES.states}
        for state in states:
            row = model.objects.filter(state=state).first()
            for other in states - {state} if row is not None else ():
                if (state, other) not in model.STATES.pairs():
                    refused_to_change(row, {"state": other}, "nvalid transition")
                    tried[model.__name__] += 1
    assert {"SalesOrder", "PurchaseOrder", "Delivery", "GoodsReceipt", "Invoice", "Bill", "Payment", "Voucher"} <= {
        *tried
    }, tried


class TestKeys:
    """I-31."""

    @every_way
    def test_a_key_is_used_once(self, way, living):
        again = copy(living.key, key=living.key.key)
        refused(lambda: insert(way, again), "duplicate key")

    @every_way
    def test_an_effect_has_a_record(self, way, living):
        for names in ({"effect": "crm.customer", "effect_id": None}, {"effect": "", "effect_id": 1}):
            row = IdempotencyKey(key=uuid.uuid4(), user=living.by, command="x", **names)
            refused(lambda row=row: insert(way, row), "key_names_its_effect")

    def test_an_effect_keeps_its_record(self, living):
        refused_to_change(living.key, {"effect_id": None}, "key_names_its_effect")
        refused_to_change(living.key, {"effect": ""}, "key_names_its_effect")


class TestRelations:
    """I-33 for ordinary relations: they lead somewhere, and what is used cannot go."""

    @every_way
    def test_new_rows(self, way, living):
        refused(lambda: insert(way, copy(living.draft, number=None, customer_id=NOWHERE)), "foreign key")
        refused(lambda: insert(way, Product(code="N", name="n", unit_id=NOWHERE)), "foreign key")

    def test_changes(self, living):
        refused_to_change(living.draft, {"customer_id": NOWHERE}, "foreign key")
        refused_to_change(living.motor, {"unit_id": NOWHERE}, "foreign key")

    @pytest.mark.parametrize("model", [Account, Customer, Product], ids=lambda model: model.__name__)
    def test_what_is_used_stays(self, model, living):
        used = {Account: Account.objects.get(code="1001"), Customer: living.mingrui, Product: living.motor}[model]
        rows = model.objects.filter(pk=used.pk)
        refused(used.delete)
        refused(rows.delete)
        refused(lambda: rows._raw_delete("default"), "foreign key")
        refused(lambda: execute(f"DELETE FROM {model._meta.db_table} WHERE id = %s", used.pk), "foreign key")


class TestTimes:
    """I-37: nothing is posted in the future, no document before it was made."""

    @every_way
    def test_stock_moves(self, way):
        late = timezone.now() + dt.timedelta(minutes=1)
        move = StockMove.objects.exclude(kind="value").first()
        refused(lambda: insert(way, copy(move, posted_at=late)), "time of posting")

    @every_way
    @pytest.mark.parametrize("model", documents(PostedDocument), ids=lambda model: model.__name__)
    def test_documents(self, way, model, living):
        row = model.objects.filter(reversal_of=None, state="posted").first() or StockAdjustment(
            warehouse=living.main, state="posted", number="SA-X"
        )
        for minutes, made in ((1, row.created_at), (-60, timezone.now())):
            wrong = timezone.now() + dt.timedelta(minutes=minutes)
            refused(lambda t=wrong, c=made: insert(way, copy(row, posted_at=t, created_at=c)), "time of posting")

    @pytest.mark.parametrize("model", documents(PostedDocument), ids=lambda model: model.__name__)
    def test_drafts(self, model, living):
        row = model.objects.filter(reversal_of=None, state="posted").first() or StockAdjustment(warehouse=living.main)
        draft = copy(row, state="draft", number=None, posted_at=None, created_at=timezone.now())
        draft.save()
        for minutes in (1, -60):
            wrong = timezone.now() + dt.timedelta(minutes=minutes)
            refused_to_change(draft, {"posted_at": wrong}, "time of posting")


def test_a_settled_invoice_takes_a_payment_after_the_clock_was_put_back(living):
    """Only a new time of posting is looked at: what is posted stays usable whatever the clock says."""
    execute("SET LOCAL session_replication_role = replica")
    Invoice.objects.filter(pk=living.invoice.pk).update(posted_at=timezone.now() + dt.timedelta(hours=1))
    execute("SET LOCAL session_replication_role = origin")
    assert Invoice.objects.filter(pk=living.invoice.pk).update(open_amount=0) == 1


def test_a_draft_of_an_order_is_free(living):
    """The guards are about what is issued: a draft changes and goes."""
    assert SalesOrder.objects.filter(pk=living.draft.pk).update(note="x") == 1
    assert SalesOrder.objects.get(pk=living.draft.pk).delete()


class TestCreditGroups:
    """S-03: a limit is shared on one level, whichever way the terms are written."""

    def groups(self):
        head, member, other = (make.make_customer(name) for name in ("Head", "Member", "Other"))
        return head, member, other, make.terms(member, credit_of=head)

    def test_a_head_has_a_limit_of_its_own(self):
        head, _member, other, _terms = self.groups()
        refused_to_change(make.terms(head), {"credit_of_id": other.pk}, "cannot share the limit of another")

    @every_way
    def test_nobody_points_to_a_member(self, way):
        _head, member, other, _terms = self.groups()
        refused(lambda: insert(way, CustomerTerms(customer=other, credit_of=member)), "cannot share the limit")

    def test_nobody_shares_a_limit_with_itself(self):
        _head, member, _other, terms = self.groups()
        refused_to_change(terms, {"credit_of_id": member.pk}, "terms_credit_of_another")

    def test_a_release_has_an_amount(self):
        order = SalesOrder.objects.filter(released_amount=None).first()
        refused_to_change(order, {"released_until": make.today()}, "order_release")
