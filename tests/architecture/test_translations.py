"""Extraction and checking of texts without GNU gettext."""

from __future__ import annotations

import gettext
import io
import re

import pytest

from config import catalogue

PYTHON = """
from django.utils.translation import gettext as _, ngettext, pgettext
_("Order")
ngettext("%(n)s day", "%(n)s days", 2)
pgettext("month", "May")
_("adjacent " "parts")
f"{_('Paid')}: {_('spliced %s') % 1}"
"""
TEMPLATE = """{% load i18n %}{% trans "Customer" %}{% blocktranslate count n=2 %}{{ n }} line{% plural %}{{ n }} lines
{% endblocktranslate %}{% translate "May" context "verb" %}"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small tree of sources."""
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    (tmp_path / "oa" / "migrations").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    (tmp_path / "oa" / "a.py").write_text(PYTHON)
    (tmp_path / "oa" / "migrations" / "x.py").write_text('_("not for people")')
    (tmp_path / "templates" / "a.html").write_text(TEMPLATE)
    return tmp_path


def keys(found):
    return {catalogue.key(message) for message in found if message.id}


def test_extracts_python_and_templates(project):
    assert keys(catalogue.extracted()) == {
        ("Order", None),
        ("%(n)s day", None),
        ("May", "month"),
        ("adjacent parts", None),
        ("Paid", None),
        ("spliced %s", None),
        ("Customer", None),
        ("%(n)s line", None),
        ("May", "verb"),
    }


def translated(project, path):
    """A complete catalogue, written and read back."""
    complete = catalogue.merged(catalogue.read(path), catalogue.extracted())
    for message in complete:
        if message.id:
            message.string = ("%(n)s 天",) if message.pluralizable else f"译{message.id}"
    catalogue.write(path, complete)
    return catalogue.read(path)


def test_keeps_translations_and_drops_what_is_gone(project):
    path = project / "django.po"
    old = translated(project, path)
    (project / "oa" / "a.py").write_text(PYTHON.replace('_("Order")', '_("Invoice")'))
    new = catalogue.merged(old, catalogue.extracted())
    texts = {catalogue.key(message): message.string for message in new if message.id}
    assert texts[("Customer", None)] == "译Customer" and texts[("Invoice", None)] == ""
    assert ("Order", None) not in texts
    assert texts[("May", "verb")] == texts[("May", "month")] == "译May"
    assert catalogue.problems(old, catalogue.extracted()) == [
        "no longer used: 'Order'  (oa/a.py)",
        "not extracted: 'Invoice'  (oa/a.py)",
    ]


def test_file_is_stable_and_names_no_lines(project):
    path = project / "django.po"
    translated(project, path)
    before = path.read_text()
    (project / "oa" / "a.py").write_text("\n\n\n" + PYTHON)
    assert catalogue.write(path, catalogue.merged(catalogue.read(path), catalogue.extracted())) is False
    assert path.read_text() == before
    assert "#: oa/a.py\n" in before and "Date" not in before


def test_finds_missing_fuzzy_and_wrong_placeholders(project):
    path = project / "django.po"
    old = translated(project, path)
    for message in old:
        if message.id == "Order":
            message.flags.add("fuzzy")
        if message.id == "Customer":
            message.string = ""
        if message.pluralizable and message.id[0].endswith("day"):
            message.string = ("%(m)s 天",)
    lines = catalogue.problems(old, catalogue.extracted())
    assert sum(line.startswith("fuzzy: 'Order'") for line in lines) == 1
    assert sum(line.startswith("missing: 'Customer'") for line in lines) == 1
    assert len(lines) == 3 and any("%(n)s day" in line for line in lines)


def test_compiled_catalogue_works(project):
    path = project / "django.po"
    translated(project, path)
    compiled = gettext.GNUTranslations(io.BytesIO(catalogue.compile_mo(path).read_bytes()))
    assert compiled.gettext("Order") == "译Order"
    assert compiled.pgettext("month", "May") == "译May"
    assert compiled.ngettext("%(n)s day", "%(n)s days", 5) == "%(n)s 天"


def test_every_name_of_a_translating_function_is_extracted():
    """A function imported under another name would hide its texts from the catalogue."""
    pattern = re.compile(r"^from django\.utils\.translation import (.+)$", re.M)
    for path in catalogue.files():
        for names in pattern.findall(path.read_text(encoding="utf-8")) if path.suffix == ".py" else ():
            for name in names.strip("()").split(","):
                function, _as, alias = name.strip().partition(" as ")
                if "gettext" in function:
                    assert (alias or function) in catalogue.KEYWORDS, path
