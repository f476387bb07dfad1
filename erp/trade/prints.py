"""What the papers of sales and purchasing share: letterhead, parties, lines, totals, words, signatures (T-01).

Pure functions from documents to the data of `templates/print/document.typ`, in the language of the partner.
All labels are translated here, so that a paper never mixes languages; what people entered stays as entered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from erp.trade.amounts import shown_amount, totals
from kit.pages.formats import iso_date, money, percent, trimmed
from kit.pages.lines import LineTable
from kit.values.capitals import amount_in_words
from oa.organisation.letterhead import joined, letterhead

CHINA = {"china", "cn", "chn", "prc", "people's republic of china", "中国", "中国大陆", "中华人民共和国"}


def partner_language(partner: Any) -> str:
    """The language a customer or supplier reads: Chinese in China or under a Chinese name, English elsewhere."""
    country = partner.country.strip().lower()
    if country:
        return "zh-hans" if country in CHINA else "en"
    return "zh-hans" if any("\u4e00" <= char <= "\u9fff" for char in partner.name) else "en"


def in_language(build: Callable[[Any], dict[str, Any]]) -> Callable[[Any, str], dict[str, Any]]:
    """A builder of a paper that speaks the language it is asked for."""

    def built(document: Any, language: str) -> dict[str, Any]:
        with translation.override(language):
            return build(document)

    built.__doc__ = build.__doc__
    return built


def paper(document: Any, title: str, **parts: Any) -> dict[str, Any]:
    """The data of a paper: what every document has, and the `parts` of this one."""
    data: dict[str, Any] = {
        "lang": translation.get_language() or "en",
        "title": title,
        "subtitle": "",
        "number": document.number or _("Draft"),
        "printed": "",
        "watermark": watermark(document),
        "page_label": _("Page {n} of {total}"),
        "company": letterhead(),
        "parties": [],
        "facts": [],
        "columns": [],
        "rows": [],
        "totals": [],
        "words": {"label": "", "text": ""},
        "subtotal_label": "",
        "terms": [],
        "signatures": [],
    }
    return data | parts


def watermark(document: Any) -> str:
    """What is written across papers that are not valid (yet, or any more)."""
    marks = {"draft": _("DRAFT"), "cancelled": _("CANCELLED"), "reversed": _("REVERSED")}
    return marks.get(document.state, "")


def party(label: str, name: str, *lines: str) -> dict[str, Any]:
    """A block with an address."""
    return {"label": label, "name": name, "lines": [line for line in lines if line]}


def party_of(label: str, document: Any, partner: Any, *lines: str) -> dict[str, Any]:
    """The partner as copied to an issued document (rule G-25), as it is now on a draft."""
    if not document.party_name:
        document.copy_party(partner)
    return party(label, document.party_name, document.party_address, *lines)


def facts(*pairs: tuple[str, Any]) -> list[list[str]]:
    """Label and value of everything that has a value; dates as ISO."""
    shown = [(label, iso_date(value) if hasattr(value, "isoformat") else str(value or "")) for label, value in pairs]
    return [[label, text] for label, text in shown if text]


def terms(*pairs: tuple[str, str | Sequence[str]]) -> list[dict[str, Any]]:
    """Paragraphs under the totals; empty ones are left out, texts keep their lines."""
    found = []
    for label, text in pairs:
        lines = text.splitlines() if isinstance(text, str) else [line for line in text if line]
        if any(line.strip() for line in lines):
            found.append({"label": label, "lines": lines})
    return found


def signatures(*who: str, prepared: Any = None) -> list[dict[str, str]]:
    """The line at the foot 制单 审核 仓库 客户签收; the first one carries the name of who wrote the document."""
    labels = {
        "prepared": pgettext("signature", "Prepared"),
        "approved": pgettext("signature", "Approved"),
        "warehouse": pgettext("signature", "Warehouse"),
        "received": pgettext("signature", "Received"),
        "supplier": pgettext("signature", "Supplier"),
    }
    return [{"label": labels[key], "name": str(prepared or "") if not i else ""} for i, key in enumerate(who)]


def column(label: str, width: int | str, align: str = "right") -> dict[str, Any]:
    """A column of the table: millimetres, or `1fr` for a share of what is left."""
    return {"label": label, "width": width, "align": align}


def product_name(line: Any) -> str:
    """The name of a line in the language of the paper; a description that somebody wrote stays as written."""
    names = {line.product.name, line.product.name_en, ""}
    return str(line.product.label if line.description in names else line.description)


def quantity(line: Any) -> str:
    """`12 pc`, `12 个`."""
    return f"{trimmed(line.quantity)} {unit_text(line.unit)}"


def unit_text(unit: Any) -> str:
    """A unit after a number: its Chinese name, or its short code."""
    return str(unit) if _chinese() else str(unit.code)


def priced_columns(document: Any, lines: Sequence[Any]) -> list[dict[str, Any]]:
    """Heads of a table with prices; the discount has a column only where there is one."""
    price = _("Unit price incl. tax") if document.prices_include_tax else _("Unit price")
    amount = _("Amount incl. tax") if document.prices_include_tax else _("Amount")
    return [
        column("#", 8),
        column(_("Product"), 25, "left"),
        column(_("Description"), "1fr", "left"),
        column(_("Quantity"), 21),
        column(price, 22),
        *([column(_("Discount"), 15)] if any(line.discount for line in lines) else []),
        column(_("Tax rate"), 15),
        column(f"{amount} ({document.currency.code})", 28),
    ]


def priced_rows(document: Any, lines: Sequence[Any]) -> list[dict[str, Any]]:
    """The lines as texts, each with the amount that page subtotals add up."""
    digits = document.currency.exponent
    discounted = any(line.discount for line in lines)
    rows = []
    for number, line in enumerate(lines, 1):
        amount = shown_amount(document, line)
        cells = [str(number), line.product.code, product_name(line), quantity(line), trimmed(line.price, digits)]
        if discounted:
            cells.append(percent(line.discount) if line.discount else "")
        cells += [percent(line.tax_rate * 100), money(amount, digits)]
        rows.append({"cells": cells, "amount": f"{amount:f}"})
    return rows


def priced_table(document: Any, lines: Sequence[Any]) -> LineTable:
    """The same lines as a table of a page, which numbers them itself."""
    columns = priced_columns(document, lines)[1:]
    rows = [
        [(text, column["align"] == "right", "") for text, column in zip(row["cells"][1:], columns, strict=True)]
        for row in priced_rows(document, lines)
    ]
    return LineTable([(column["label"], column["align"] == "right") for column in columns], rows)


def priced_totals(document: Any, lines: Sequence[Any]) -> list[dict[str, Any]]:
    """Discount, net, tax by rate and total, as stored in the document (rules G-14, G-15)."""
    digits, code, sums = document.currency.exponent, document.currency.code, totals(lines)
    found = []
    if sums.discount:
        label = _("Discount") + (f" {percent(document.discount)}" if document.discount else "")
        found.append({"label": label, "value": money(-sums.discount, digits), "strong": False})
    found.append({"label": _("Net amount"), "value": money(document.net, digits), "strong": False})
    for rate, net, tax in sums.by_rate:
        label = _("Tax %(rate)s of %(net)s") % {"rate": percent(rate * 100), "net": money(net, digits)}
        found.append({"label": label, "value": money(tax, digits), "strong": False})
    label = f"{_('Total incl. tax')} {code}"
    return [*found, {"label": label, "value": money(document.total, digits), "strong": True}]


def words(document: Any) -> dict[str, str]:
    """The total in words, RMB in capitals (UX 6.9)."""
    currency = document.currency
    text = amount_in_words(document.total, currency.code, translation.get_language() or "en", currency.exponent)
    return {"label": _("Amount in words"), "text": text}


def priced_parts(document: Any, lines: Sequence[Any]) -> dict[str, Any]:
    """Table, totals and words of a priced document."""
    return {
        "columns": priced_columns(document, lines),
        "rows": priced_rows(document, lines),
        "totals": priced_totals(document, lines),
        "words": words(document),
        "subtotal_label": _("Page subtotal"),
    }


def lines_of(document: Any, *related: str) -> list[Any]:
    """The lines with all that is printed of them, in one statement."""
    return list(document.lines.select_related("product", "unit", *related).order_by("position", "pk"))


def numbers_of(documents: Iterable[Any]) -> str:
    """The numbers of the documents that lines come from, each once."""
    return joined(dict.fromkeys(document.number for document in documents))


def total_quantity(lines: Sequence[Any]) -> list[dict[str, Any]]:
    """The sum of the quantities where all lines have the same unit."""
    if len({line.unit_id for line in lines}) != 1:
        return []
    pieces = sum((line.quantity for line in lines), Decimal(0))
    return [
        {
            "label": pgettext("quantity", "Total"),
            "value": f"{trimmed(pieces)} {unit_text(lines[0].unit)}",
            "strong": True,
        }
    ]


def _chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")
