"""Papers: what people entered is data, both languages, pages that hold together (S-08, T-01, UX 6.9)."""

from __future__ import annotations

import io
import re
import threading
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pypdf
import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from PIL import Image

from kit.exchange import printing
from kit.exchange.printing import Print, allowed_prints, picture, prints_for, render_pdf, render_svg_pages
from kit.values.errors import BusinessError

HOSTILE = [
    "{{7*7}}",
    "{% load %}",
    "{{settings.SECRET_KEY}}",
    "{x.__class__}",
    "%(x)s",
    '#panic("x")',
    "#sys.inputs",
    '#read("common.typ")',
    "*bold* _thin_ `code`",
    "$ x^2 $",
    "<label> @ref",
    "= Heading",
    "\\ // comment /* */",
    '"quoted" \\u{41}',
    "https://example.com/<b>",
    "]#[",
    "《零》，。",
    "<script>alert(1)</script>",
]


def text_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def paper(count: int = 3, **changes: Any) -> dict[str, Any]:
    """The data of a document with `count` lines of 100.00 each."""
    data: dict[str, Any] = {
        "lang": "en",
        "title": "Invoice",
        "subtitle": "",
        "number": "IV-1",
        "printed": "",
        "watermark": "",
        "page_label": "Page {n} of {total}",
        "company": {"name": "Huachen Ltd.", "other_name": "华辰有限公司", "logo": None, "lines": ["Suzhou", ""]},
        "parties": [{"label": "Bill to", "name": "Hengtuo", "lines": ["Wuxi"]}],
        "facts": [["Number", "IV-1"], ["Date", "2026-11-23"]],
        "columns": [
            {"label": "#", "width": 8, "align": "right"},
            {"label": "Description", "width": "1fr", "align": "left"},
            {"label": "Amount", "width": 27, "align": "right"},
        ],
        "rows": [{"cells": [str(i + 1), f"Line-{i + 1}-end", "100.00"], "amount": "100.00"} for i in range(count)],
        "totals": [
            {"label": "Net", "value": "1.00", "strong": False},
            {"label": "Grand total", "value": "GT", "strong": True},
        ],
        "words": {"label": "In words", "text": "one"},
        "subtotal_label": "Page subtotal",
        "terms": [{"label": "Note", "lines": ["first", "second"]}],
        "signatures": [{"label": "Prepared", "name": "Li Man"}, {"label": "Received", "name": ""}],
    }
    return data | changes


def test_entered_text_comes_out_literally() -> None:
    """S-08: no text field is executed, in any part of a document."""
    company = {"name": HOSTILE[5], "other_name": HOSTILE[0], "logo": None, "lines": HOSTILE}
    data = paper(
        title=HOSTILE[0],
        number=HOSTILE[1],
        company=company,
        subtitle=HOSTILE[4],
        watermark=HOSTILE[0],
        parties=[{"label": HOSTILE[9], "name": HOSTILE[5], "lines": HOSTILE}],
        facts=[[text, text] for text in HOSTILE],
        rows=[{"cells": ["1", text, text], "amount": "0"} for text in HOSTILE],
        words={"label": HOSTILE[2], "text": HOSTILE[3]},
        terms=[{"label": HOSTILE[11], "lines": HOSTILE}],
        signatures=[{"label": text, "name": text} for text in HOSTILE[:4]],
        subtotal_label=HOSTILE[6],
    )
    text = squeezed("".join(text_of(render_pdf("document.typ", data))))
    for entered in HOSTILE:
        assert text.count(squeezed(entered)) >= 4, entered


def test_both_languages_on_one_paper() -> None:
    """T-01: Chinese and English text is set with a font of our own and can be copied out of the PDF."""
    text = text_of(
        render_pdf("document.typ", paper(lang="zh-hans", title="发货单", page_label="第 {n} 页 / 共 {total} 页"))
    )[0]
    for part in ("发货单", "华辰有限公司", "Huachen Ltd.", "Hengtuo", "2026-11-23"):
        assert part in text
    assert "第1页/共1页" in squeezed(text)


@pytest.mark.parametrize("count", [0, 1, 2, *range(26, 36), 90])
def test_pages_hold_together(count: int) -> None:
    """T-01: heads on every page with lines, page n of N, totals never alone, every line exactly once, in order."""
    pages = text_of(render_pdf("document.typ", paper(count)))
    assert [int(n) for page in pages for n in re.findall(r"Line-(\d+)-end", page)] == list(range(1, count + 1))
    assert [page.count("Grand total") for page in pages].count(1) == 1
    for number, page in enumerate(pages, 1):
        lines = re.findall(r"Line-\d+-end", page)
        assert f"Page {number} of {len(pages)}" in page
        assert page.count("Description") == (1 if lines or not count else 0)
        if "Grand total" in page and count:
            assert lines, "the totals stand alone on a page"


def test_page_subtotals_add_up() -> None:
    """UX 6.9: every page of several carries the sum of its own lines; one page alone carries none."""
    pages = text_of(render_pdf("document.typ", paper(90)))
    assert len(pages) > 2
    found = [Decimal(re.search(r"Page subtotal\s*([\d,.]+)", page)[1].replace(",", "")) for page in pages]
    assert found == [100 * len(re.findall(r"Line-\d+-end", page)) for page in pages]
    assert sum(found) == 9000
    assert "Page subtotal" not in text_of(render_pdf("document.typ", paper(3)))[0]


def test_subtotals_of_negative_lines() -> None:
    """UX 7.7: a credit note shows a real minus."""
    data = paper(60)
    for row in data["rows"]:
        row["amount"] = "-1234.50"
    assert re.search(r"Page subtotal\s*−\d{2},\d{3}\.\d{2}", text_of(render_pdf("document.typ", data))[0])


def test_preview_equals_paper() -> None:
    """UX 6.9: the preview has the pages of the PDF, and nothing in it that a strict policy would refuse."""
    data = paper(60)
    pages = render_svg_pages("document.typ", data)
    assert len(pages) == len(pypdf.PdfReader(io.BytesIO(render_pdf("document.typ", data))).pages)
    for page in pages:
        for element in ElementTree.fromstring(page).iter():  # noqa: S314 - typst's own drawing
            assert not element.tag.endswith(("}script", "}style", "}foreignObject"))
            assert "style" not in element.attrib


def test_the_same_data_give_the_same_bytes() -> None:
    """T-01: a paper printed again is the same file."""
    assert render_pdf("document.typ", paper()) == render_pdf("document.typ", paper())
    assert "/CreationDate" not in (pypdf.PdfReader(io.BytesIO(render_pdf("document.typ", paper()))).metadata or {})


def test_threads_print_their_own_paper() -> None:
    """A compiler serves one thread: papers printed at once do not mix."""
    wrong: list[str] = []

    def work(name: str) -> None:
        for turn in range(5):
            number = f"{name}-{turn}"
            if number not in text_of(render_pdf("document.typ", paper(number=number)))[0]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(f"N{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("name", ["missing.typ", "../base.html", "/etc/passwd", "common.typ/../report.typ", ""])
def test_only_our_templates_are_set(name: str) -> None:
    """S-14: a template is one file of templates/print, never a path."""
    with pytest.raises(BusinessError):
        render_pdf(name, paper())


def test_logo_is_made_small_and_only_a_picture() -> None:
    """S-10: a logo is decoded and written anew; what is no picture is left out."""
    file = io.BytesIO()
    Image.new("RGB", (4000, 3000), "#2450c8").save(file, "JPEG")
    data = picture(ContentFile(file.getvalue(), "logo.jpg"))
    assert data is not None
    assert Image.open(io.BytesIO(bytes(data))).size == (400, 300)
    assert picture(ContentFile(b"%PDF-1.7 no picture", "logo.png")) is None
    assert picture(ContentFile(b"", "logo.png")) is None
    company = paper()["company"] | {"logo": data}
    assert len(pypdf.PdfReader(io.BytesIO(render_pdf("document.typ", paper(company=company)))).pages[0].images) == 1


def test_papers_are_found_by_model_and_by_who_may_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document's page offers the papers registered for its model, to whom they are allowed."""
    monkeypatch.setattr(printing, "_prints", {})
    paper_ = printing.register(Print("note", "auth.group", "Note", lambda document, language: paper()))
    group = Group(name="Staff")
    assert prints_for("auth.Group") == prints_for(group) == [paper_]
    assert prints_for("erp.invoice") == []
    secret = Print("mine", "auth.group", "Mine", paper_.build, allowed=lambda user, group: user == group.name)
    printing.register(secret)
    assert allowed_prints(group, "Staff") == [paper_, secret] and allowed_prints(group, "Ann") == [paper_]
    assert printing.get("note") is paper_
    assert "Hengtuo" in text_of(printing.print_pdf(paper_, None, "en"))[0]
    assert len(printing.print_pages(paper_, None, "en")) == 1
    with pytest.raises(BusinessError):
        printing.get("other")


@pytest.mark.parametrize(("sheet", "width", "height"), [("a5", 210, 148), ("half", 241, 139.7), ("third", 241, 93.1)])
def test_papers_are_set_on_smaller_sheets(sheet: str, width: float, height: float) -> None:
    """UX 6.9: A5 and forms of 241 mm; every line stands on a sheet of that size, the total on the last one."""
    pdf = pypdf.PdfReader(io.BytesIO(render_pdf("document.typ", paper(30, sheet=sheet))))
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in pdf.pages} == {
        (round(width / 25.4 * 72), round(height / 25.4 * 72))
    }
    texts = [page.extract_text() for page in pdf.pages]
    assert [n for text in texts for n in map(int, re.findall(r"Line-(\d+)-end", text))] == list(range(1, 31))
    assert "GT" in texts[-1] and "Page subtotal" in texts[0] and "Prepared" in texts[-1]


def test_forms_of_241_mm_suit_dot_matrix_printers() -> None:
    """UX 6.9: letters of at least 10 pt, and no shades."""
    sizes = set()
    page = pypdf.PdfReader(io.BytesIO(render_pdf("document.typ", paper(sheet="third")))).pages[0]
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: sizes.add(round(size, 1)) if text.strip() else None)
    assert sizes and min(sizes) >= 10
    assert "#f3f5f8" not in render_svg_pages("document.typ", paper(sheet="third"))[0]
    assert "#f3f5f8" in render_svg_pages("document.typ", paper())[0]
