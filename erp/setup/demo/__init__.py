"""A company that has lived for a year, made through the commands that people use (`manage.py demo`).

The same seed on the same day makes the same company. Everything is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone, translation

from crm.customers.models import Customer
from erp.finance.models import OpenItem, Payment, Supplier, Voucher
from erp.inventory.models import Product, StockAdjustment
from erp.purchasing.models import PurchaseOrder
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.setup.demo.approvals import make_approvals
from erp.setup.demo.big import Say, Size, enlarge
from erp.setup.demo.buying import Buying
from erp.setup.demo.copies import make_copies
from erp.setup.demo.masters import make_masters
from erp.setup.demo.news import announce
from erp.setup.demo.office import finish_office, plan_office
from erp.setup.demo.paper import push_paper
from erp.setup.demo.people import make_people
from erp.setup.demo.plan import think_up
from erp.setup.demo.relations import make_relations
from erp.setup.demo.selling import Selling
from erp.setup.demo.signatures import make_signatures
from erp.setup.demo.together import work_together
from erp.setup.demo.world import World
from oa.organisation.models import User
from oa.organisation.zones import company_zone

LEAST, MOST = 30, 2_000_000
BY_HAND = 1_000  # more orders than that are copies of about BASE orders that the commands made
BASE = 400
BOOKS = (User, Customer, Supplier, Product, SalesOrder, PurchaseOrder, Invoice, Voucher, StockAdjustment, Payment)


@dataclass(frozen=True)
class Summary:
    """What was made, in figures; amounts in base currency."""

    orders: int
    deliveries: int
    invoices: int
    purchases: int
    ordered: str
    invoiced: str
    receivable: str


def empty() -> bool:
    """Whether nobody has worked here yet: no person, partner, product or document."""
    return not any(model._default_manager.exists() for model in BOOKS)


@transaction.atomic
def make_demo(orders: int, seed: int, size: Size | None = None, say: Say = lambda _line: None) -> Summary:
    """The whole company, or nothing of it; with a `size` it grows to thousands of people."""
    with translation.override("zh-hans"), timezone.override(company_zone()):
        copies = max(1, -(-orders // BASE)) if orders > BY_HAND else 1
        world = World(Random(seed), -(-orders // copies))
        make_people(world)
        make_masters(world)
        links = make_relations(world)
        stories = think_up(world)
        selling = Selling(world, links)
        Buying(world, stories).plan()
        selling.plan(stories)
        plan_office(world)
        world.live()
        _money_of_late(world, selling)
        if copies > 1:
            make_copies(copies - 1, say)
        finish_office(world)
        make_signatures(world)
        make_approvals(world)
        work_together(world)
        push_paper(world)
        announce(world)
        if size is not None:
            enlarge(world, size, say)
    return summary()


def _money_of_late(world: World, selling: Selling) -> None:
    """Money that came yesterday and today, for both salespeople, so that the daily report has all its parts."""
    for username in ("sales", "sales2"):
        due = Invoice.objects.filter(
            owner=world.people[username], state="posted", open_amount__gt=0, date__lt=world.today, reversal_of=None,
            due_date__gte=world.ago(15),  # who is later than that does not pay today either
        )  # fmt: skip
        for age, invoice in enumerate(due.select_related("customer", "currency").order_by("due_date", "pk")[:2]):
            selling.receive(world.ago(age), invoice)


def summary() -> Summary:
    """The figures of what is in the database."""
    orders, invoices = SalesOrder.objects.exclude(number=None), Invoice.objects.exclude(number=None)
    owed = OpenItem.objects.exclude(customer=None).aggregate(n=Sum("base_remaining"))["n"]
    return Summary(
        orders=SalesOrder.objects.count(), deliveries=Delivery.objects.count(), invoices=invoices.count(),
        purchases=PurchaseOrder.objects.count(), ordered=f"{orders.aggregate(n=Sum('base_total'))['n'] or 0:,.2f}",
        invoiced=f"{invoices.aggregate(n=Sum('base_total'))['n'] or 0:,.2f}", receivable=f"{owed or 0:,.2f}",
    )  # fmt: skip
