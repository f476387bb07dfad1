"""The forms of documents: what follows from a choice in the head, what stays, and what it costs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from html.parser import HTMLParser

import pghistory
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.customers.models import Address, Contact
from erp.sales import services
from erp.sales.models import CustomerPrice, SalesOrder
from tests import factories as make

pytestmark = pytest.mark.django_db


class Fields(HTMLParser):
    """Values of inputs and chosen options by name, and texts by id."""

    def __init__(self, html):
        super().__init__()
        self.values, self.texts, self._select, self._id = {}, {}, "", ""
        self.feed(html)
        self.texts = {name: text.strip() for name, text in self.texts.items()}

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input" and "name" in given:
            self.values[given["name"]] = given.get("value", "")
        if tag == "select":
            self._select = given.get("name", "")
        if tag == "option" and "selected" in given:
            self.values[self._select] = given["value"]
        self._id = given.get("id", "")

    def handle_data(self, data):
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data


@pytest.fixture
def clerk(client):
    user = make.make_user("clerk")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return user


@pytest.fixture
def mingrui():
    """Pays in dollars after 60 days; one contact, a delivery address, a price of its own."""
    customer = make.make_customer("Mingrui", code="C-1", address="8 Suhong Road", city="Suzhou")
    make.currency("USD", "7.2")
    terms = make.payment_terms("NET60", days=60)
    make.terms(customer, payment_terms=terms, currency=make.currency("USD"), credit_limit=D(100_000))
    Contact.objects.create(customer=customer, name="Zhou", primary=True)
    Address.objects.create(customer=customer, role="delivery", line="Gate 3", country="China")
    return customer


def head(customer=None, **more):
    """What the page posts of an order's head."""
    given = {
        "date": make.today().isoformat(),
        "currency": make.currency().pk,
        "rate": "1",
        "warehouse": make.warehouse().pk,
    }
    if customer is not None:
        given |= {"customer": customer.pk, "customer_text": f"{customer.code} {customer}"}
    return {**given, **more}


def row(product, index=0, **more):
    """What the page posts of a line."""
    given = {"id": "", "product": product.pk, "product_text": product.code, "for": product.pk, "quantity": "2", **more}
    return {f"lines-{index}-{name}": value for name, value in given.items()}


def compute(client, path, **given):
    answer = client.post(f"/{path}/compute/", given, headers={"HX-Request": "true", "HX-Target": "compute"})
    assert answer.status_code == 200
    return Fields(answer.content.decode())


def test_customer_brings_terms_contact_currency_address_and_credit(client, clerk, mingrui):
    """UX 6.5.7: what is agreed with a customer is filled in when it is chosen."""
    found = compute(client, "sales/orders", **head(mingrui), changed="all", head="customer")
    terms = mingrui.terms
    assert found.values["payment_terms"] == str(terms.payment_terms_id)
    assert (found.values["currency"], found.values["rate"]) == (str(terms.currency_id), "7.2")
    assert found.values["contact"] == str(Contact.objects.get().pk) and found.values["contact_text"] == "Zhou"
    assert "Gate 3" in found.values["ship_to"]
    assert found.texts["hint-customer"] == "Credit left 100,000"


def test_what_was_typed_stays_unless_it_belongs_to_another_customer(client, clerk, mingrui):
    """UX 6.5.7: typed values are not overwritten; a contact of another customer cannot stay."""
    other = Contact.objects.create(customer=make.make_customer("Other"), name="Wang")
    net30 = make.payment_terms("NET30", days=30)
    given = head(mingrui, payment_terms=net30.pk, contact=other.pk, contact_text="Wang")
    found = compute(client, "sales/orders", **given, changed="all", head="customer", typed="payment_terms,contact")
    assert "payment_terms" not in found.values
    assert found.values["contact_text"] == "Zhou"


def test_found_prices_follow_the_customer_and_typed_ones_stay(client, clerk, mingrui):
    """Rule S-01 while typing: a price that was found is found again, one that was typed is not touched."""
    motor = make.make_product("SV", "100")
    CustomerPrice.objects.create(customer=mingrui, product=motor, currency=make.currency("USD"), price=D("12.5"))
    usd = {"currency": make.currency("USD").pk, "rate": "7.2"}
    found = compute(
        client,
        "sales/orders",
        **head(mingrui, **usd),
        **row(motor, 0, price="100.00", found="100.00"),
        **row(motor, 1, price="90", found="100.00"),
        changed="all",
        head="customer",
    )
    assert found.values["lines-0-price"] == "12.50"
    assert "lines-1-price" not in found.values
    assert found.texts["lines-0-amount"] == "25.00" and found.texts["lines-1-amount"] == "180.00"


def test_quantity_reaches_the_next_price(client, clerk, mingrui):
    """Rule S-01: the price of a larger quantity is taken as soon as the quantity is typed."""
    motor = make.make_product("SV", "100")
    CustomerPrice.objects.create(customer=mingrui, product=motor, currency=make.currency(), minimum=10, price=D(80))
    given = row(motor, 0, price="100.00", found="100.00", quantity="10")
    found = compute(client, "sales/orders", **head(mingrui), **given, changed="0")
    assert found.values["lines-0-price"] == "80.00" and found.texts["lines-0-amount"] == "800.00"


def test_contact_picker_offers_people_of_the_customer_only(client, clerk, mingrui):
    """The picker is narrowed while choosing and checked when saving."""
    stranger = Contact.objects.create(customer=make.make_customer("Other"), name="Zhou Stranger")
    page = client.get("/sales/orders/new/").content.decode()
    assert 'data-url="/ui/pick/contact/" data-depends="customer"' in page
    offered = client.get(f"/ui/pick/contact/?q=Zhou&customer={mingrui.pk}").content.decode()
    assert "Stranger" not in offered and 'data-label="Zhou"' in offered
    given = head(mingrui, contact=stranger.pk, contact_text="Zhou Stranger") | row(make.make_product("SV"))
    answer = client.post("/sales/orders/new/", given)
    assert answer.status_code == 422 and "does not belong to" in answer.content.decode()
    assert not SalesOrder.objects.exists()


def test_new_order_from_the_customer_page_is_prefilled(client, clerk, mingrui):
    """`?customer=` brings the same along as choosing it."""
    found = Fields(client.get(f"/sales/orders/new/?customer={mingrui.pk}").content.decode())
    assert found.values["customer"] == str(mingrui.pk)
    assert found.values["contact_text"] == "Zhou"
    assert found.values["currency"] == str(mingrui.terms.currency_id)


def test_supplier_brings_terms_and_currency(client, clerk):
    """The same on the purchasing side."""
    make.currency("USD", "7.2")
    supplier = make.make_supplier(currency=make.currency("USD"), payment_terms=make.payment_terms("NET60", days=60))
    given = head(supplier=supplier.pk, supplier_text=f"{supplier.code} {supplier}")
    found = compute(client, "purchasing/orders", **given, changed="all", head="supplier")
    assert found.values["payment_terms"] == str(supplier.payment_terms_id)
    assert (found.values["currency"], found.values["rate"]) == (str(supplier.currency_id), "7.2")


def test_receipt_lists_the_open_items_of_the_customer_and_proposes(client, clerk, mingrui):
    """Rule A-04: the rows follow the customer, the amounts the sum, oldest first; typed ones stay."""
    make.terms(mingrui, currency=None)
    motor = make.make_product("SV", "100", tax=None)
    make.stock(motor, 20, by=clerk)
    for quantity, back in ((3, 30), (5, 10)):
        day = make.days_ago(back)
        order = make.confirmed_order(mingrui, make.line(motor, quantity), date=day, currency=make.currency())
        services.deliver_order(order, by=clerk)
        services.invoice_order(order, by=clerk, date=day)
    common = {
        "customer": mingrui.pk,
        "customer_text": f"{mingrui.code} {mingrui}",
        "date": make.today().isoformat(),
        "account": make.bank().pk,
        "currency": make.currency().pk,
        "rate": "1",
    }
    found = compute(client, "sales/receipts", **common, amount="", changed="all", head="customer")
    first, second = (
        item
        for order in SalesOrder.objects.order_by("date")
        for line in order.lines.all()
        for invoice in [line.invoice_lines.get().invoice]
        for item in make.items(invoice)
    )
    assert [name for name in found.values if name.endswith("-amount")] == [
        f"lines-{i.pk}-amount" for i in (first, second)
    ]
    found = compute(client, "sales/receipts", **common, amount="400", changed="all", head="amount")
    assert (found.values[f"lines-{first.pk}-amount"], found.values[f"lines-{second.pk}-amount"]) == ("300.00", "100.00")
    typed = {
        f"lines-{second.pk}-id": second.pk,
        f"lines-{second.pk}-amount": "50",
        f"lines-{second.pk}-proposed": "100",
    }
    found = compute(client, "sales/receipts", **common, **typed, amount="450", changed="all", head="amount")
    assert f"lines-{first.pk}-amount" not in found.values


def test_confirmed_order_keeps_its_customer(client, clerk, mingrui):
    """Rule G-08: an amendment changes what may change; the form shows the rest only."""
    order = make.confirmed_order(mingrui, make.line(make.make_service("S", tax=None)), currency=make.currency())
    other = make.make_customer("Other")
    page = client.get(f"/sales/orders/{order.number}/edit/").content.decode()
    assert 'name="customer_text"' in page and "disabled" in page[page.index('name="customer_text"') :][:200]
    line = order.lines.get()
    given = head(other, customer_reference="PO 7", version=order.version) | row(
        line.product, 0, id=line.pk, price="100"
    )
    assert client.post(f"/sales/orders/{order.number}/edit/", given).status_code == 302
    order.refresh_from_db()
    assert (order.customer, order.customer_reference, order.revision) == (mingrui, "PO 7", 2)


def test_conflict_shows_the_form_and_saves_at_the_second_try(client, clerk, mingrui):
    """Rule G-19: nothing typed is lost, and whoever has looked may save over it."""
    order = make.make_order(mingrui, make.line(make.make_service("S", tax=None)), currency=make.currency())
    line = order.lines.get()
    given = head(mingrui) | row(line.product, 0, id=line.pk, quantity="9", price="100")
    with pghistory.context(user=make.make_user("bob", name="Bob Lee").pk):
        SalesOrder.objects.filter(pk=order.pk).update(version=7, customer_reference="PO 9")
    answer = client.post(f"/sales/orders/{order.url_key}/edit/", {**given, "version": 1})
    found = Fields(answer.content.decode())
    assert answer.status_code == 409
    assert all(text in answer.content.decode() for text in ("Saved meanwhile", "Bob Lee", "<ins>PO 9</ins>"))
    assert (found.values["lines-0-quantity"], found.texts["lines-0-amount"], found.values["version"]) == (
        "9",
        "900.00",
        "7",
    )
    assert client.post(f"/sales/orders/{order.url_key}/edit/", {**given, "version": 7}).status_code == 302
    assert order.lines.get().quantity == 9


@pytest.mark.parametrize("changed", ["0", "all"])
def test_computing_costs_the_same_for_two_and_forty_lines(client, clerk, mingrui, changed):
    """UX 9: statements do not grow with the lines."""
    products = [make.make_product(f"P{i}") for i in range(40)]

    def cost(count):
        given = head(mingrui)
        for i, product in enumerate(products[:count]):
            given |= row(product, i, price="10")
        with CaptureQueriesContext(connection) as statements:
            compute(client, "sales/orders", **given, changed=changed)
        return len(statements)

    cost(2)  # what is cached is cached
    assert cost(2) == cost(40) <= 15


def test_dates_are_read_as_people_type_them(client, clerk, mingrui):
    """UX 6.5.5: +7 is a week from now, also without JavaScript."""
    given = head(mingrui, required_date="+7") | row(make.make_service("S"))
    assert client.post("/sales/orders/new/", given).status_code == 302
    assert SalesOrder.objects.get().required_date == make.today() + dt.timedelta(days=7)


def test_typed_product_wins_over_the_key_of_the_one_before(client, clerk, mingrui):
    """UX 5.9: without JavaScript the hidden key stays when another code is typed over it."""
    old, new = make.make_service("OLD", tax=None), make.make_service("NEW", tax=None)
    order = make.make_order(mingrui, make.line(old), currency=make.currency())
    given = head(mingrui, version=order.version) | row(old, id=order.lines.get().pk, product_text="NEW", price="100")
    assert client.post(f"/sales/orders/{order.url_key}/edit/", given).status_code == 302
    assert order.lines.get().product == new
