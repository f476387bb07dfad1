"""Two people edit one record: their changes are put together, real clashes are chosen (UX 7.6, rule G-19)."""

from __future__ import annotations

import html
import re
from decimal import Decimal as D
from html.parser import HTMLParser
from typing import Any

import pghistory
import pytest
from django.http import QueryDict
from django.test import Client

from crm.customers.models import Tag
from erp.sales.models import SalesOrder
from kit.pages.merging import opened_with, picked, side_of, text_of
from oa.organisation.models import User
from oa.records.models import FormDraft
from tests import factories as make

pytestmark = pytest.mark.django_db


class Posted(HTMLParser):
    """What a browser would post of the form with a field `version`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.data, self._name, self._area, self._inside = QueryDict(mutable=True), "", "", False
        self.feed(text[text.index("<form id=") :])

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        self._inside = self._inside or tag == "template"
        name, kind = given.get("name", ""), given.get("type", "")
        if self._inside or "disabled" in given:
            return
        if tag == "select":
            self._name = name
        if tag == "option" and "selected" in given:
            self.data.appendlist(self._name, given.get("value", ""))
        if tag == "textarea":
            self._area = name
            self.data[name] = ""
        if tag == "input" and name and (kind not in ("checkbox", "radio") or "checked" in given):
            self.data.appendlist(name, given.get("value") or ("on" if kind == "checkbox" else ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "template"
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            self.data[self._area] += data.lstrip("\n")


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def opened(browser: Client, url: str) -> QueryDict:
    answer = browser.get(url)
    assert answer.status_code == 200
    return Posted(answer.content.decode()).data


def send(browser: Client, url: str, data: QueryDict) -> Any:
    return browser.post(url, data.urlencode(), content_type="application/x-www-form-urlencoded")


def told(text: str) -> list[list[str]]:
    """The rows of the tables of differences."""
    box = text[text.index('id="conflict"') :].partition("</section>")[0]
    rows = re.findall(r"<tr><td>(.*?)</tr>", box, re.S)
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.split(r"</t[hd]>", row)[:4]] for row in rows
    ]


@pytest.fixture
def two() -> tuple[Client, Client]:
    return client(make.make_user("ann", name="Ann Ray")), client(make.make_user("bob", name="Bob Lee"))


@pytest.fixture
def order() -> SalesOrder:
    customer = make.make_customer("Mingrui", code="C-1")
    lines = [make.line(make.make_service(code, tax=None), 2, "100") for code in ("S1", "S2", "S3")]
    return make.make_order(customer, *lines, currency=make.currency())


def test_what_one_of_both_changed_is_put_together(two: Any, order: SalesOrder) -> None:
    """UX script 12: one changes the head, the other a line; both are saved by one click."""
    (ann, bob), url = two, f"/sales/orders/{order.url_key}/edit/"
    mine, theirs = opened(ann, url), opened(bob, url)
    theirs["customer_reference"] = "PO 9"
    theirs["lines-1-quantity"] = "5"
    mine["lines-0-quantity"] = "7"
    mine["note"] = "By Friday"
    assert send(bob, url, theirs).status_code == 302
    answer = send(ann, url, mine)
    page = answer.content.decode()
    assert answer.status_code == 409 and "Bob Lee" in page and 'name="pick-1"' not in page
    assert told(page) == [
        ["Customer's order number", "—", "PO 9", "—"],
        ["Note", "—", "—", "By Friday"],
        ["Line 1 · Qty", "2", "2", "7"],
        ["Line 2 · Qty", "2", "5", "2"],
    ]
    assert send(ann, url, Posted(page).data).status_code == 302
    order.refresh_from_db()
    assert (order.customer_reference, order.note) == ("PO 9", "By Friday")
    assert list(order.lines.order_by("position").values_list("quantity", flat=True)) == [7, 5, 2]


@pytest.mark.parametrize(("choice", "quantity", "reference"), (("theirs", 5, "PO 9"), ("yours", 7, "PO 7")))
def test_a_clash_is_chosen(two: Any, order: SalesOrder, choice: str, quantity: int, reference: str) -> None:
    """UX 7.6: what both changed needs a choice, theirs unless one says otherwise."""
    (ann, bob), url = two, f"/sales/orders/{order.url_key}/edit/"
    mine, theirs = opened(ann, url), opened(bob, url)
    theirs["customer_reference"], theirs["lines-0-quantity"] = "PO 9", "5"
    mine["customer_reference"], mine["lines-0-quantity"] = "PO 7", "7"
    mine["lines-0-product_text"] = "S2"
    mine["lines-0-product"] = ""
    assert send(bob, url, theirs).status_code == 302
    page = send(ann, url, mine).content.decode()
    data = Posted(page).data
    assert [data["pick-1"], data["pick-2"]] == ["theirs", "theirs"], "theirs is the default"
    assert ["Customer's order number", "—", "PO 9", "PO 7"] in told(page)
    assert ["Line 1 · Qty", "2", "5", "7"] in told(page)
    for name in ("pick-1", "pick-2"):
        data[name] = choice
    assert send(ann, url, data).status_code == 302
    order.refresh_from_db()
    first = order.lines.order_by("position")[0]
    assert (order.customer_reference, first.quantity, first.product.code) == (reference, quantity, "S2")


def test_lines_that_come_and_go(two: Any, order: SalesOrder) -> None:
    """UX 7.6: lines are compared by their id: new ones of both stay, deleted ones go unless the other changed them."""
    (ann, bob), url = two, f"/sales/orders/{order.url_key}/edit/"
    mine, theirs = opened(ann, url), opened(bob, url)
    fresh = make.make_service("S4", tax=None)
    for data, text in ((mine, "from Ann"), (theirs, "from Bob")):
        data["lines-3-product_text"], data["lines-3-description"], data["lines-3-price"] = fresh.code, text, "1"
        data["lines-3-quantity"] = "1"
    theirs["lines-0-quantity"] = "5"  # Ann deletes it
    mine["lines-1-quantity"] = "7"  # Bob deletes it
    for data, gone in ((mine, "lines-0-"), (theirs, "lines-1-"), (theirs, "lines-2-")):
        for name in [name for name in data if name.startswith(gone)]:
            del data[name]
    assert send(bob, url, theirs).status_code == 302
    page = send(ann, url, mine).content.decode()
    data = Posted(page).data
    assert [row[1:] for row in told(page) if "deleted" in row[1:3] or "deleted" in row[3]] != []
    assert data["pick-1"] == data["pick-2"] == "theirs" and "pick-3" not in data

    def stored() -> dict[str, D]:
        return dict(order.lines.values_list("description", "quantity"))

    both = data.copy()
    both["pick-1"] = both["pick-2"] = "yours"
    assert send(ann, url, both).status_code == 302
    names = stored()
    assert sorted(name for name in names if name.startswith("from")) == ["from Ann", "from Bob"]
    assert sorted(names.values()) == [1, 1, 7], "hers: the first is gone, the second is there, the third nobody missed"


def test_theirs_stands_where_nobody_chooses(two: Any, order: SalesOrder) -> None:
    """UX 7.6: without a choice their line stays, and stays deleted."""
    (ann, bob), url = two, f"/sales/orders/{order.url_key}/edit/"
    mine, theirs = opened(ann, url), opened(bob, url)
    theirs["lines-0-quantity"], mine["lines-1-quantity"] = "5", "7"
    for data, gone in ((mine, "lines-0-"), (theirs, "lines-1-")):
        for name in [name for name in data if name.startswith(gone)]:
            del data[name]
    assert send(bob, url, theirs).status_code == 302
    data = Posted(send(ann, url, mine).content.decode()).data
    assert send(ann, url, data).status_code == 302
    assert sorted(order.lines.values_list("quantity", flat=True)) == [2, 5]


def test_a_third_save_is_seen_again_and_yours_is_your_draft(two: Any, order: SalesOrder) -> None:
    """Rule G-19: the merged form carries the version it was made of; what was typed is kept as a draft meanwhile."""
    (ann, bob), url = two, f"/sales/orders/{order.url_key}/edit/"
    mine, theirs = opened(ann, url), opened(bob, url)
    theirs["customer_reference"], mine["note"] = "PO 9", "By Friday"
    assert send(bob, url, theirs).status_code == 302
    page = send(ann, url, mine).content.decode()
    assert "Keep as my draft" in page and 'data-draft-url=""' in page
    draft = QueryDict(FormDraft.objects.get().data)
    assert (draft["note"], draft["version"]) == ("By Friday", mine["version"])
    again = opened(bob, url)
    again["customer_reference"] = "PO 10"
    send(bob, url, again)
    merged = Posted(page).data
    third = send(ann, url, merged)
    assert third.status_code == 409
    assert told(third.content.decode()) == [
        ["Customer's order number", "PO 9", "PO 10", "PO 9"],
        ["Note", "—", "—", "By Friday"],
    ]
    restored = Posted(ann.get(f"{url}?draft=1").content.decode()).data
    assert send(ann, url, restored).status_code == 409, "a restored draft meets the conflict too"


def test_a_plain_record_with_pickers_sets_and_boxes(two: Any) -> None:
    """UX 7.6: fields of every kind, shown in words; the clash of a picker is saved as it was typed."""
    (ann, bob) = two
    customer = make.make_customer("Mingrui", code="C-1", city="Suzhou")
    east, west = (Tag.objects.create(code=code, name=code.title(), name_zh=code) for code in ("east", "west"))
    carol, dave = (make.make_user(name, name=name.title()) for name in ("carol", "dave"))
    url = "/crm/customers/C-1/edit/"
    mine, theirs = opened(ann, url), opened(bob, url)
    theirs["owner"], theirs["owner_text"] = str(carol.pk), "carol"
    mine["owner"], mine["owner_text"] = str(dave.pk), "dave"
    mine.setlist("tags", [str(west.pk)])
    theirs["city"] = "Wuxi"
    del mine["active"]
    assert send(bob, url, theirs).status_code == 302
    page = send(ann, url, mine).content.decode()
    found = {row[0]: row[1:] for row in told(page)}
    assert found["City"] == ["Suzhou", "Wuxi", "Suzhou"] and found["Active"] == ["yes", "yes", "no"]
    assert found["Tags"] == ["—", "—", "West"] and found["Owner"][1:] == ["Carol", "Dave"]
    data = Posted(page).data
    data["pick-1"] = "yours"
    assert send(ann, url, data).status_code == 302
    customer.refresh_from_db()
    assert (customer.owner, customer.city, customer.active) == (dave, "Wuxi", False)
    assert list(customer.tags.all()) == [west] and east.pk


def test_a_foreign_seal_is_none(two: Any, order: SalesOrder) -> None:
    """Rule G-19: what the page says it was opened with is signed; otherwise the form comes back as it was typed."""
    (ann, _bob), url = two, f"/sales/orders/{order.url_key}/edit/"
    data = opened(ann, url)
    assert opened_with(data["opened"]) is not None and opened_with(data["opened"] + "x") is None
    data["opened"], data["note"] = data["opened"] + "x", "Mine"
    with pghistory.context(user=make.make_user("eve").pk):
        SalesOrder.objects.filter(pk=order.pk).update(version=9)
    answer = send(ann, url, data)
    assert answer.status_code == 409 and 'id="conflict"' not in answer.content.decode()
    assert Posted(answer.content.decode()).data["note"] == "Mine"


def test_rules_of_merging() -> None:
    """UX 7.6: the rule of three values, and texts that do not depend on how a value was typed."""
    assert [side_of("a", *pair) for pair in (("a", "b"), ("b", "a"), ("b", "c"), ("b", "b"), ("a", "a"))] == [
        "yours",
        "theirs",
        "",
        None,
        None,
    ]
    assert text_of(D("100.00")) == text_of(D("1E+2")) == "100" and text_of(D("0.00")) == "0"
    assert text_of(" a\r\nb ") == "a\nb" and text_of(None) == text_of(False) == ""
    post = QueryDict(
        "name=T&name_text=T&names=x&pick-1=yours&over-1=name&mine-1=name%3DM%26name_text%3DM&pick-2=theirs"
    )
    data = picked(post)
    assert (data["name"], data["name_text"], data["names"]) == ("M", "M", "x")
