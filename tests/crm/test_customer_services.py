"""Commands on customers, follow-ups and suppliers."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from crm.customers.models import Customer
from crm.customers.services import save_customer, transfer_customer
from crm.followups.services import log_followup
from erp.finance.models import Supplier
from erp.finance.suppliers import save_supplier
from oa.organisation.models import Department
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_new_masters_get_codes_without_gaps() -> None:
    """G-07: a code that is given stays, an empty one comes from the sequence, a refused save takes none."""
    user = make.make_user()
    first = save_customer(Customer(name="A"), by=user)
    given = save_customer(Customer(name="B", code="OLD-7"), by=user)
    with pytest.raises(Exception, match=r"violates|null"):
        save_customer(Customer(name=None), by=user)
    second = save_customer(Customer(name="C"), by=user)
    assert [c.code for c in (first, given, second)] == ["C-00001", "OLD-7", "C-00002"]
    assert [save_supplier(Supplier(name=n), by=user).code for n in "AB"] == ["S-00001", "S-00002"]


def test_a_new_customer_belongs_to_its_maker() -> None:
    """C-10: owner and department default to the person who enters it; those given stay."""
    north = Department.objects.create(code="N", name="North")
    seller = make.make_user("seller", "sales", department=north)
    mine = save_customer(Customer(name="A"), by=seller)
    assert (mine.owner, mine.department, mine.created_by) == (seller, north, seller)
    clerk = make.make_user("clerk")
    theirs = save_customer(Customer(name="B", owner=seller), by=clerk)
    assert (theirs.owner, theirs.department) == (seller, north)


def test_a_customer_is_handed_over_with_its_visibility() -> None:
    """C-15, G-21: the new owner and department see it, the old owner does not any more."""
    north, south = (Department.objects.create(code=c, name=c) for c in "NS")
    old = make.make_user("old", "sales", department=north)
    new = make.make_user("new", "sales", department=south)
    customer = save_customer(Customer(name="A"), by=old)
    version = customer.version
    customer = transfer_customer(customer, new, by=make.make_user())
    assert (customer.owner, customer.department, customer.version) == (new, south, version + 1)
    assert not Customer.objects.visible_to(old).exists() and Customer.objects.visible_to(new).exists()
    gone = make.make_user("gone", is_active=False)
    with refused("does not work here any more"):
        transfer_customer(customer, gone, by=new)


def test_a_follow_up_moves_last_and_next_contact() -> None:
    """5.5.1: every follow-up updates its customer; its version stays, the past is no next date."""
    user, customer = make.make_user(), make.make_customer()
    friday = timezone.localdate() + dt.timedelta(days=4)
    made = log_followup(customer, by=user, text=" called ", channel="call", next_on=friday)
    customer.refresh_from_db()
    assert (customer.last_contact_at, customer.next_contact_on, customer.version) == (made.happened_at, friday, 1)
    assert (made.text, made.owner) == ("called", user)
    with refused("Enter what was said"):
        log_followup(customer, by=user, text="  ")
    with refused("in the past"):
        log_followup(customer, by=user, text="x", next_on=make.days_ago(1))
    log_followup(customer, by=user, text="came by")
    customer.refresh_from_db()
    assert customer.next_contact_on is None, "what was planned has happened"
