"""Papers of real documents: order confirmation, delivery note, invoice, purchase order (T-01, UX 6.9)."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from erp.sales.services import reverse_invoice
from erp.trade.prints import partner_language
from kit.exchange.printing import get, print_pages, print_pdf, prints_for
from oa.organisation.models import CompanyProfile
from tests.erp.books import Books

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
HOSTILE = "{{7*7}} {% load %} #panic() *bold* $x$ <b> {x.__class__} %(x)s"


@pytest.fixture
def books() -> Books:
    return Books()


def pages(name: str, document: Any, language: str = "en") -> list[str]:
    data = print_pdf(get(name), type(document).objects.get(pk=document.pk), language)
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


class Text(str):
    """The text of all pages; where lines break does not matter to `in` and `count`."""

    def __contains__(self, part: str) -> bool:
        return squeezed(part) in squeezed(self)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def text(name: str, document: Any, language: str = "en") -> Text:
    return Text("\n".join(pages(name, document, language)))


def test_order_confirmation(books: Books) -> None:
    """T-01: parties, references, lines, discount, tax by rate, total and words; numbers as stored."""
    order = books.sell(
        books.acme,
        TODAY,
        (books.motor, "12", "1040"),
        (books.cable, "3", "9.5"),
        discount="10",
        customer_reference="PO-88231",
        contact=books.contact(books.acme, "Jane Doe"),
        payment_terms=books.net_30(),
        ship_to="Gate B, Dock Road",
        ship_country="United Kingdom",
        note="Call before delivery.",
    )
    shown = text("order-confirmation", order)
    for part in (
        "Order confirmation",
        order.number,
        "Acme Ltd.",
        "Jane Doe",
        "138 1234 6021",
        "PO-88231",
        "Gate B, Dock Road",
        "SV-750W",
        "Servo motor 750 W",
        "12 pc",
        "1,040.00",
        "10%",
        "13%",
        "11,232.00",
        "25.65",
        "11,257.65",
        "1,463.49",
        "12,721.14",
        "CNY Twelve thousand seven hundred twenty-one and 14/100 only",
        "Net 30 days",
        "Call before delivery.",
        "Prepared",
        "Li Man",
        "Approved",
        "Huachen Precision Ltd.",
        "华辰精密有限公司",
        "91320594MA1X2Y3Z45",
        "Page 1 of 1",
    ):
        assert part in shown, part
    assert "DRAFT" not in shown


def test_papers_in_chinese(books: Books) -> None:
    """T-01, UX 6.9: Chinese names, address and units, RMB in capitals."""
    order = books.sell(books.hengtuo, TODAY, (books.motor, "2", "8850"))
    shown = text("order-confirmation", order, "zh-hans")
    for part in ("伺服电机 750W", "2 个", "苏州市金鸡湖大道88号", "人民币贰万零壹元整", "20,001.00", "无锡恒拓自动化"):
        assert part in shown, part
    assert "Servo motor" not in shown


def test_delivery_note_has_no_prices(books: Books) -> None:
    """T-01: the goods, the orders they come from and who signs; no amount, cost or tax anywhere."""
    books.buy(TODAY, (books.motor, "20", "612.34"))
    order = books.sell(books.acme, TODAY, (books.motor, "12", "1040"), customer_reference="PO-1")
    delivery = books.deliver(order, TODAY)
    shown = text("delivery-note", delivery)
    for part in ("Delivery note", delivery.number, order.number, "PO-1", "SV-750W", "12 pc", "Warehouse", "Received"):
        assert part in shown, part
    assert not re.search(r"1,?040|612|12,480|CNY|Tax \d|\d\.\d\d", shown)


def test_invoice_keeps_the_party_of_its_posting(books: Books) -> None:
    """G-25: an invoice prints the name it was posted with, and our bank account."""
    books.buy(TODAY, (books.motor, "20", "600"))
    order = books.sell(books.acme, TODAY, (books.motor, "12", "1040"))
    books.deliver(order, TODAY)
    invoice = books.invoice(order, TODAY)
    books.acme.name = "Renamed Inc."
    books.acme.save()
    shown = text("invoice", invoice)
    for part in ("Invoice", invoice.number, "Acme Ltd.", order.number, "14,102.40", "6217 0000 1111 2222"):
        assert part in shown, part
    assert "Renamed" not in shown


def test_credit_note_is_negative(books: Books) -> None:
    """G-04, UX 7.7: the reversal of an invoice prints as a credit note with a real minus, words included."""
    books.buy(TODAY, (books.motor, "20", "600"))
    order = books.sell(books.acme, TODAY, (books.motor, "1", "100"))
    books.deliver(order, TODAY)
    invoice = books.invoice(order, TODAY)
    credit = reverse_invoice(invoice, by=books.boss, date=TODAY)
    shown = text("invoice", credit)
    for part in ("Credit note", invoice.number, credit.number, "−113.00", "Minus one hundred thirteen and 00/100"):
        assert part in shown, part
    assert "6217" not in shown
    assert "REVERSED" in text("invoice", invoice)


def test_purchase_order(books: Books) -> None:
    """T-01: the supplier, where to deliver, and what."""
    order = books.buy(
        TODAY,
        (books.motor, "5", "600"),
        receive=False,
        warehouse=books.north,
        required_date=TODAY + dt.timedelta(days=9),
    )
    shown = text("purchase-order", order)
    for part in (
        "Purchase order",
        order.number,
        "Shanghai Motor Works",
        "Wang Wei",
        "North warehouse",
        "1 North Rd",
        "3,390.00",
        (TODAY + dt.timedelta(days=9)).isoformat(),
    ):
        assert part in shown, part


def test_drafts_are_marked(books: Books) -> None:
    """T-01, G-01: a draft has no number and says on every page that it is one."""
    draft = books.draft(books.acme, TODAY, *[(books.motor, "1", "1")] * 60)
    shown = pages("order-confirmation", draft)
    assert len(shown) > 1
    assert all("DRAFT" in page for page in shown)


def test_prices_that_include_tax(books: Books) -> None:
    """G-15: where prices include tax the lines add up to the total, and the heads say so."""
    order = books.draft(books.acme, TODAY, (books.motor, "1", "113"), prices_include_tax=True)
    shown = text("order-confirmation", order)
    for part in ("Unit price incl. tax", "Amount incl. tax (CNY)", "113.00", "100.00", "13.00"):
        assert part in shown, part
    data = get("order-confirmation").build(order, "en")
    assert data["rows"][0]["amount"] == "113.00"


def test_foreign_currency(books: Books) -> None:
    """UX 7.7: the currency of the document stands in the heads and before the words."""
    order = books.sell(books.acme, TODAY, (books.motor, "1", "10"), currency=books.usd, rate=Decimal("7.1"))
    shown = text("order-confirmation", order)
    assert "Amount (USD)" in shown
    assert "USD Eleven and 30/100 only" in shown


def test_a_description_somebody_wrote_stays(books: Books) -> None:
    """T-01: the product's name follows the language, an own description does not."""
    order = books.sell(books.acme, TODAY, (books.motor, "1", "10"), (books.cable, "1", "1"))
    line = order.lines.get(position=2)
    line.description = "Kabel, blau"
    line.save()
    for language, name in (("en", "Servo motor 750 W"), ("zh-hans", "伺服电机 750W")):
        shown = text("order-confirmation", order, language)
        assert name in shown
        assert "Kabel, blau" in shown


def test_entered_text_is_printed_literally(books: Books) -> None:
    """S-08: names, notes and references are never executed."""
    CompanyProfile.objects.filter(pk=1).update(name=HOSTILE, bank_name=HOSTILE)
    books.acme.name = HOSTILE
    books.acme.address = HOSTILE
    books.acme.save()
    books.motor.name_en = HOSTILE
    books.motor.save()
    order = books.sell(
        books.acme, TODAY, (books.motor, "1", "10"), note=f"{HOSTILE}\n{HOSTILE}", customer_reference=HOSTILE
    )
    assert squeezed(text("order-confirmation", order)).count(squeezed(HOSTILE)) >= 6


def test_statements_do_not_grow_with_lines(books: Books) -> None:
    """STYLE 22: a paper of 40 lines reads as many statements as one of 2."""
    counts = set()
    for size in (2, 40):
        order = books.sell(books.acme, TODAY, *[(books.motor, "1", "1")] * size)
        fresh = type(order).objects.get(pk=order.pk)
        with CaptureQueriesContext(connection) as queries:
            get("order-confirmation").build(fresh, "en")
        counts.add(len(queries))
    assert len(counts) == 1


def test_every_document_offers_its_paper(books: Books) -> None:
    """UX 6.9: papers are found by the model; preview and PDF have the same pages."""
    order = books.draft(books.acme, TODAY, (books.motor, "1", "1"))
    (paper,) = prints_for(order)
    assert paper.name == "order-confirmation"
    assert [p.name for m in ("delivery", "invoice", "purchaseorder") for p in prints_for(f"erp.{m}")] == [
        "delivery-note",
        "invoice",
        "purchase-order",
    ]
    assert len(print_pages(paper, order, "en")) == len(pages("order-confirmation", order))


def test_language_of_the_partner(books: Books) -> None:
    """T-01: Chinese in China or under a Chinese name, English elsewhere."""
    assert partner_language(books.hengtuo) == "zh-hans"
    assert partner_language(books.acme) == "en"
    assert partner_language(books.maker) == "zh-hans"
    books.hengtuo.country = ""
    assert partner_language(books.hengtuo) == "zh-hans"
    books.hengtuo.country = "Germany"
    assert partner_language(books.hengtuo) == "en"
