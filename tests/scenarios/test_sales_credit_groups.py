"""Companies that share one credit limit, and what is overdue by an amount (rules S-03, S-04)."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.sales.credit import credit_terms, exposure
from erp.sales.models import CustomerTerms, Invoice
from erp.sales.models.terms import CreditAction
from erp.sales.services import (
    confirm_order,
    deliver_order,
    invoice_order,
    post_invoice,
    save_invoice,
)
from kit.pages.forms import form_class
from kit.pages.resources import registry
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(mingrui: Customer) -> tuple[Customer, Customer, Customer]:
    """A head company with a limit of 1130 and two that share it; the limits of their own mean nothing."""
    head = make.make_customer("Mingrui Holding", short_name="Holding")
    make.terms(head, credit_limit=D(1130), credit_action=CreditAction.REFUSE)
    sister = make.make_customer("Mingrui Optics", short_name="Optics")
    for member in (mingrui, sister):
        make.terms(member, credit_of=head, credit_limit=D(1), credit_action=CreditAction.WARN)
    return head, mingrui, sister


def test_a_group_shares_one_limit(clerk: User, group: tuple[Customer, ...], motor: Product) -> None:
    """S-03: exposure, limit and action are those of the head company, over all its members."""
    head, mingrui, sister = group
    make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    order = make.confirmed_order(head, make.line(motor, 5), by=clerk)
    deliver_order(order, by=clerk)
    invoice_order(order, by=clerk)
    for company in group:
        state = exposure(company.pk)
        assert (state.receivable, state.to_deliver, state.total()) == (565, 452, 1017)
        terms = credit_terms(Customer.objects.get(pk=company.pk))
        assert terms is not None and terms.customer == head
    draft = make.make_order(sister, make.line(motor, 2), by=clerk)
    with refused(r"exceeds the credit limit of Holding by 113\.00"):
        confirm_order(draft, by=clerk)
    make.receive(head, "113", by=clerk)
    assert confirm_order(draft, by=clerk).warning == ""


def test_the_rule_of_the_group_holds_at_every_check_point(
    clerk: User, group: tuple[Customer, ...], motor: Product
) -> None:
    """S-03, S-04: at delivery and at a direct invoice as well."""
    head, mingrui, sister = group
    order = make.confirmed_order(mingrui, make.line(motor, 5), by=clerk)
    make.terms(head, credit_limit=D(500))
    with refused("exceeds the credit limit of Holding by 65"):
        deliver_order(order, by=clerk)
    advice = make.line(make.make_service("ADVICE", price="100", tax=None), 1)
    invoice = save_invoice(Invoice(customer=sister, date=make.today()), [advice], by=clerk)
    with refused("This invoice exceeds the credit limit of Holding by 165"):
        post_invoice(invoice, by=clerk)


def test_a_head_without_terms_has_no_limit(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-03: the limit of the head company is meant; the form asks for it, and where its terms went there is none."""
    head = make.make_customer("Head")
    terms = make.terms(mingrui, credit_limit=D(1))
    terms.credit_of = head
    with pytest.raises(ValidationError, match="Head has no terms yet"):
        terms.full_clean()
    make.terms(mingrui, credit_of=head)
    assert make.confirmed_order(mingrui, make.line(motor, 5), by=clerk).warning == ""


def test_a_limit_is_shared_on_one_level(clerk: User, group: tuple[Customer, ...]) -> None:
    """S-03: neither with itself, nor with a member, nor by a head; said at the field of the form."""
    head, mingrui, _sister = group
    other = make.make_customer("Other")

    def problem(customer: Customer, credit_of: Customer) -> str:
        terms = CustomerTerms.objects.filter(customer=customer).first() or CustomerTerms(customer=customer)
        terms.credit_of = credit_of
        with pytest.raises(ValidationError) as caught:
            terms.full_clean()
        assert list(caught.value.message_dict) == ["credit_of"]
        return str(caught.value.message_dict["credit_of"][0])

    assert "cannot share its own limit" in problem(head, head)
    assert "Mingrui shares the limit of Holding already" in problem(other, mingrui)
    make.terms(other)
    assert "shares the limit of Holding already" in problem(head, other)
    form = form_class(registry["customerterms"])
    assert {"credit_of", "overdue_amount"} <= set(form.base_fields)


def overdue(customer: Customer, motor: Product, clerk: User, quantity: int, days: int) -> Any:
    """An invoice of `quantity` motors that is due since `days` days."""
    order = make.confirmed_order(customer, make.line(motor, quantity), by=clerk, date=make.days_ago(days))
    deliver_order(order, by=clerk, date=make.days_ago(days))
    return invoice_order(order, by=clerk, date=make.days_ago(days))


def test_too_much_overdue_whatever_the_days(clerk: User, group: tuple[Customer, ...], motor: Product) -> None:
    """S-04: any invoice overdue for more than the days, or more than the amount; over the whole group."""
    head, mingrui, sister = group
    make.terms(head, credit_limit=None, overdue_days=30, overdue_amount=D(226))
    motor = make.make_product("NEW", price="100")
    make.stock(motor, 20, "60", by=clerk, date=make.days_ago(9))
    overdue(mingrui, motor, clerk, 2, 2)
    overdue(sister, motor, clerk, 1, 0)
    draft = make.make_order(sister, make.line(motor, 1), by=clerk)
    assert (exposure(head.pk).overdue, exposure(head.pk).receivable) == (226, 339), "due today is not overdue"
    confirm_order(draft, by=clerk)
    late = make.make_order(head, make.line(motor, 1), by=clerk)
    make.terms(head, overdue_amount=D("225.99"))
    with refused(r"Holding has 226\.00 overdue; 225\.99 are allowed"):
        confirm_order(late, by=clerk)
    make.receive(mingrui, "226", by=clerk)
    confirm_order(late, by=clerk)


def test_the_customer_page_shows_the_shared_limit(
    clerk: User, client: Client, group: tuple[Customer, ...], motor: Product
) -> None:
    """S-03: the share of the common limit and the head's name beside the customer's own receivable."""
    head, mingrui, _sister = group
    order = make.confirmed_order(head, make.line(motor, 5), by=clerk)
    deliver_order(order, by=clerk)
    invoice_order(order, by=clerk)
    client.force_login(clerk, backend="oa.organisation.auth.NameOrMailBackend")
    figures = client.get(registry["customer"].url_for(mingrui)).context["figures"]
    receivable = next(f for f in figures if str(f.label) == "Receivable")
    assert (receivable.value, receivable.note) == ("0", "Limit 1,130 · 50% used · shared with Holding")
    figures = client.get(registry["customer"].url_for(head)).context["figures"]
    receivable = next(f for f in figures if str(f.label) == "Receivable")
    assert (receivable.value, "shared" in receivable.note) == ("565", False)
