"""More delivered than ordered: where the tolerance is said, and who may exceed it (rule G-12)."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client

from crm.customers.models import Customer
from erp.inventory.models import Product, ProductGroup
from erp.sales.models import Delivery, SalesOrder
from erp.sales.models.terms import CreditAction
from erp.sales.services import (
    add_open,
    amend_order,
    deliver_order,
    draft_delivery,
    invoice_order,
    post_delivery,
    reopen_order,
    reverse_delivery,
    save_delivery,
    save_order,
)
from erp.trade.excess import allow_excess
from oa.organisation.models import CompanyProfile, User
from tests import factories as make
from tests.invariants import broken
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def line_of(order: SalesOrder) -> Any:
    return order.lines.get()


def say(place: Any, tolerance: str) -> None:
    """Write a tolerance where rule G-12 looks for it."""
    column = "over_receipt_tolerance" if isinstance(place, CompanyProfile) else "tolerance"
    type(place).objects.filter(pk=place.pk).update(**{column: D(tolerance)})


def excess(order: SalesOrder, quantity: int, *, by: User) -> Delivery:
    """A draft that takes `quantity` from the only line of `order`."""
    return draft_delivery(order, {line_of(order).pk: D(quantity)}, by=by)


def test_the_nearest_place_that_says_a_tolerance_counts(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12: order line, product, product group, customer, company, in this order; 0 is said, empty is not."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    places = [
        (CompanyProfile.current(), "10", 11),
        (make.terms(mingrui), "20", 12),
        (motor.group, "30", 13),
        (motor, "40", 14),
        (line_of(order), "50", 15),
    ]
    for place, tolerance, most in places:
        say(place, tolerance)
        with refused(f"Only 10 of SV-750W are left to deliver; you entered {most + 1}"):
            deliver_order(order, {line_of(order).pk: D(most + 1)}, by=clerk)
        reverse_delivery(deliver_order(order, {line_of(order).pk: D(most)}, by=clerk), by=clerk)
    say(line_of(order), "0")
    with refused("you entered 11"):
        deliver_order(order, {line_of(order).pk: D(11)}, by=clerk)


def test_a_tolerance_lies_between_nothing_and_all(clerk: User, mingrui: Customer, motor: Product) -> None:
    """At each of its places the database refuses another one."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    for place in (CompanyProfile.current(), make.terms(mingrui), motor.group, motor, line_of(order)):
        for tolerance in ("-0.01", "100.01"):
            with pytest.raises(IntegrityError, match="tolerance"), transaction.atomic():
                say(place, tolerance)


@pytest.mark.parametrize("where", ["line", "product", "group", "customer", "company"])
def test_what_was_right_stays_right_when_a_tolerance_is_narrowed(
    clerk: User, mingrui: Customer, motor: Product, where: str
) -> None:
    """I-21: `verify` admits what a tolerance admitted once, wherever it was said, and not a bit more."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    places = {"line": line_of(order), "product": motor, "group": motor.group, "customer": make.terms(mingrui)}
    place = places.get(where) or CompanyProfile.current()
    say(place, "10")
    deliver_order(order, {line_of(order).pk: D(11)}, by=clerk)
    say(place, "0")
    motor.group = ProductGroup.objects.create(code="other", name="Other")
    motor.save()
    assert not broken({"I-21"})
    for quantity, holds in (("9.99", False), ("10", True)):
        SalesOrder.objects.get().lines.update(quantity=D(quantity))
        assert (not broken({"I-21"})) is holds, quantity


def test_terms_that_come_later_say_nothing_about_earlier_deliveries(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """I-21: what the company admitted before the customer had terms of 0 % stays right."""
    make.company(over_receipt_tolerance=D(10))
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    deliver_order(order, {line_of(order).pk: D(11)}, by=clerk)
    make.terms(mingrui, tolerance=D(0))
    assert not broken({"I-21"})


def test_more_than_the_tolerance_is_shipped_when_the_sales_manager_allows_it(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """G-12, G-22: who ships cannot allow it, who allows it cannot ship; the note tells who and how much."""
    manager, keeper = make.make_user("manager", "sales-manager"), make.make_user("keeper", "warehouse")
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk, owner=manager)
    draft = excess(order, 15, by=keeper)
    with refused("Only 10 of SV-750W are left to deliver; you entered 15"):
        post_delivery(draft, by=keeper)
    with refused("You do not have the right to do this: allow more than ordered"):
        allow_excess(draft, by=keeper)
    draft = allow_excess(draft, by=manager)
    with refused("You do not have the right"):
        post_delivery(draft, by=manager)
    shipped = post_delivery(draft, by=keeper)
    assert shipped.warning == "SV-750W: 5 more than ordered (15 of 10)."
    assert (shipped.excess_allowed_by, shipped.posted_by) == (manager, keeper)
    order.refresh_from_db()
    assert (order.goods_status, order.goods_percent) == ("over", 100)
    with refused("Only 0 of SV-750W are left"):
        deliver_order(order, {line_of(order).pk: D(1)}, by=keeper)
    with refused("only a draft can be allowed"):
        allow_excess(shipped, by=manager)
    assert invoice_order(order, by=clerk).lines.get().quantity == 15


def test_nobody_exceeds_a_tolerance_by_mistake(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12: even who may do everything is refused until it is allowed by name."""
    order = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk)
    draft = excess(order, 11, by=clerk)
    with refused("Only 1 of SV-750W"):
        post_delivery(draft, by=clerk)


def test_changing_the_draft_takes_the_allowance_back(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12: what was allowed is this draft with these quantities."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    draft = allow_excess(excess(order, 12, by=clerk), by=clerk)
    draft = save_delivery(draft, {draft.lines.get().pk: D(15)}, by=clerk)
    with refused("you entered 15"):
        post_delivery(draft, by=clerk)
    post_delivery(allow_excess(draft, by=clerk), by=clerk)


def test_an_excess_that_was_taken_back_allows_nothing(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12, I-21: the counter note carries the allowance of its original; `verify` counts neither."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    shipped = post_delivery(allow_excess(excess(order, 15, by=clerk), by=clerk), by=clerk)
    reverse_delivery(shipped, by=clerk)
    with refused("Only 10 of SV-750W"):
        deliver_order(order, {line_of(order).pk: D(11)}, by=clerk)
    deliver_order(order, by=clerk)
    SalesOrder.objects.get().lines.update(quantity=D(9))
    assert broken({"I-21"})
    SalesOrder.objects.get().lines.update(quantity=D(10))


def test_the_tolerance_of_a_line_is_agreed_with_the_order(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12, G-08: typed with the line, kept by an amendment that leaves it open, changed by one that tells it."""
    for wrong in ("-1", "100.01"):
        with refused("The tolerance lies between 0 and 100") as caught:
            make.make_order(mingrui, make.line(motor, 10, tolerance=D(wrong)), by=clerk)
        assert [(p.field, p.row) for p in caught.value] == [("tolerance", 0)]
    order = make.confirmed_order(mingrui, make.line(motor, 10, tolerance=D(5)), by=clerk)
    for given, stored in ((None, 5), (D(7), 7), (D(0), 0)):
        order = amend_order(order, [make.line(motor, 10, tolerance=given, pk=line_of(order).pk)], by=clerk)
        assert line_of(order).tolerance == stored


def test_only_who_may_exceed_an_order_agrees_a_tolerance(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12: else whoever writes the order could let everything pass; what is agreed survives their changes."""
    seller = make.make_user("seller", "sales")
    mingrui.owner = seller
    mingrui.save()
    with refused("You do not have the right to do this: agree a tolerance") as caught:
        make.make_order(mingrui, make.line(motor, 10, tolerance=D(50)), by=seller)
    assert [(p.field, p.row) for p in caught.value] == [("tolerance", 0)]
    order = make.make_order(mingrui, make.line(motor, 10, tolerance=D(5)), by=clerk, owner=seller)
    order = save_order(order, [make.line(motor, 12, pk=line_of(order).pk)], by=seller)
    assert (line_of(order).tolerance, line_of(order).quantity) == (5, 12)
    order = make.confirm_order(order, by=seller)
    order = amend_order(order, [make.line(motor, 13, pk=line_of(order).pk)], by=seller)
    assert line_of(order).tolerance == 5
    with refused("agree a tolerance"):
        amend_order(order, [make.line(motor, 13, tolerance=D(6), pk=line_of(order).pk)], by=seller)


def test_pages_show_what_is_beyond_the_order_and_offer_to_allow_it(
    client: Client, clerk: User, mingrui: Customer, motor: Product
) -> None:
    """G-12: the excess stands in words on the draft, on the note and on the order; the button is the manager's."""
    order = make.confirmed_order(mingrui, make.line(motor, 10, tolerance=D(20)), by=clerk)
    draft = excess(order, 15, by=clerk)
    path, offer = f"/sales/deliveries/{draft.url_key}/", "Allow excess"
    keeper = make.make_user("keeper", "warehouse")
    client.force_login(keeper, backend=settings.AUTHENTICATION_BACKENDS[-1])
    page = client.get(path).content.decode()
    assert "5 more than is left on the order" in page and offer not in page
    assert client.post(f"{path}do/allow-excess/").status_code == 403
    client.force_login(clerk, backend=settings.AUTHENTICATION_BACKENDS[-1])
    assert offer in client.get(path).content.decode()
    assert client.post(f"{path}do/allow-excess/").status_code == 302
    page = client.get(path).content.decode()
    assert "Excess allowed by" in page and f">{offer}<" not in page
    shipped = post_delivery(draft, by=clerk)
    for place in (f"/sales/deliveries/{shipped.number}/", f"/sales/orders/{order.number}/"):
        assert "SV-750W: 5 more than ordered (15 of 10)." in client.get(place).content.decode()


def test_a_little_less_than_ordered_completes_the_line(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12, G-11: within the company's under-tolerance the rest is given up, its reservation too; one less is not."""
    make.company(under_tolerance=D(10))
    order = make.confirmed_order(mingrui, make.line(motor, 20), by=clerk)
    key = line_of(order).pk
    deliver_order(order, {key: D(10)}, by=clerk)
    first = deliver_order(order, {key: D(7)}, by=clerk)
    assert (first.warning, line_of(order).cancelled, make.level(motor).reserved) == ("", 0, 3)
    last = deliver_order(order, {key: D(1)}, by=clerk)
    assert last.warning == "SV-750W: 2 less than ordered; the line counts as complete."
    order.refresh_from_db()
    assert (order.goods_status, order.goods_percent, line_of(order).cancelled) == ("complete", 100, 2)
    assert (make.level(motor).on_hand, make.level(motor).reserved) == (2, 0)
    invoice_order(order, by=clerk)
    order.refresh_from_db()
    assert order.state == "closed"


def test_taking_back_a_delivery_opens_the_rest_that_it_gave_up(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12, G-04: as if it had never been; a rest that was reopened by hand meanwhile is not opened twice."""
    make.company(under_tolerance=D(10))
    order = make.confirmed_order(mingrui, make.line(motor, 20), by=clerk)
    reverse_delivery(deliver_order(order, {line_of(order).pk: D(19)}, by=clerk), by=clerk)
    order.refresh_from_db()
    assert (order.goods_status, line_of(order).cancelled, line_of(order).moved) == ("none", 0, 0)
    shipped = deliver_order(order, {line_of(order).pk: D(19)}, by=clerk)
    order = reopen_order(order, by=clerk)
    assert (order.goods_status, line_of(order).reserved) == ("partial", 1)
    reverse_delivery(shipped, by=clerk)
    deliver_order(order, {line_of(order).pk: D(20)}, by=clerk)
    assert line_of(order).cancelled == 0


def test_an_allowance_is_for_the_order_as_it_was(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12: what others took from the order meanwhile is not allowed a second time."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    key = line_of(order).pk
    big = allow_excess(draft_delivery(order, {key: D(11)}, by=clerk), by=clerk)
    deliver_order(order, {key: D(9)}, by=clerk)
    with refused("Only 1 of SV-750W are left to deliver; you entered 11"):
        post_delivery(big, by=clerk)
    post_delivery(allow_excess(big, by=clerk), by=clerk)


def test_credit_counts_what_goes_beyond_the_order(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-03, S-04, S-05: an excess is checked like more ordered, and no release of the order covers it."""
    make.company(over_receipt_tolerance=D(50))
    make.terms(mingrui, credit_limit=D(1130), credit_action=CreditAction.REFUSE)
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    with refused("exceeds the credit limit"):
        deliver_order(order, {line_of(order).pk: D(15)}, by=clerk)
    deliver_order(order, by=clerk)


def test_credit_counts_all_orders_of_one_delivery(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04: where confirmed orders do not count, several orders that leave together are checked together."""
    make.terms(mingrui, credit_limit=D(1500), credit_action=CreditAction.REFUSE, count_orders=False)
    first, _second = (make.confirmed_order(mingrui, make.line(motor, 10), by=clerk) for _ in range(2))
    delivery = add_open(draft_delivery(first, by=clerk), by=clerk)
    with refused("exceeds the credit limit"):
        post_delivery(delivery, by=clerk)
