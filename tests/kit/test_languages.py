"""A page speaks the language of the person who opens it, whoever opened it first.

Rules: UX D9 (one language at a time); forms, lists and filters are declared once and live as long as the process.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from config import catalogue
from config.management.commands.translations import FILE
from erp.finance.models import PaymentTerms, Supplier
from kit.exchange import reports
from kit.pages.resources import registry
from oa.organisation.models import Role, User
from tests.living import living_rows

pytestmark = pytest.mark.django_db

NAMING = {"label", "th", "dt", "button", "legend", "option"}  # elements whose words are ours, not data
ATTRIBUTES = {"placeholder", "aria-label"}


class Words(HTMLParser):
    """The words of labels, headings of tables, buttons and hints."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.found |= {value.strip() for name, value in attrs if name in ATTRIBUTES and value}

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if NAMING & set(self.open):
            self.found.add(data.strip())


def words(page: str) -> set[str]:
    parser = Words()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def english() -> set[str]:
    """Every text of the program that reads otherwise in Chinese."""
    found = set()
    for message in catalogue.read(FILE):
        text, _context = catalogue.key(message)
        translated = message.string[0] if isinstance(message.string, (tuple, list)) else message.string
        if text and text != translated:
            found |= {text, text[:1].upper() + text[1:]}
    return found - {"English"}  # languages are called by their own names


@pytest.fixture
def admin() -> User:
    user = User.objects.create(username="two-languages", name="Two")
    user.groups.add(Role.objects.get(code="administrator").group)
    return user


def opened(client: Client, user: User, url: str, language: str) -> str:
    User.objects.filter(pk=user.pk).update(language=language)
    with translation.override(None):
        answer = client.get(url)
    assert answer.status_code in (200, 422), url
    return answer.content.decode()


@pytest.mark.parametrize("slug", sorted(registry))
def test_pages_follow_the_language_of_each_person(slug: str, admin: User, english: set[str]) -> None:
    """The list, the record, both forms and the import, in English first and then in Chinese."""
    resource = registry[slug]
    client = Client()
    client.force_login(admin, backend="oa.organisation.auth.NameOrMailBackend")
    row = living_rows(resource, 1)[0]
    urls = [resource.url(), resource.url_for(row)]
    urls += [resource.url("new")] if resource.fields and resource.may(admin, "add") else []
    urls += [resource.url_for(row, "edit")] if resource.fields and resource.editable(row, admin) else []
    for url in urls:
        first = words(opened(client, admin, url, "en"))
        second = words(opened(client, admin, url, "zh-hans"))
        assert sorted(second & english) == [], url
        assert first - second, url


@pytest.mark.parametrize("name", sorted(report.name for report in reports._reports.values()))
def test_reports_follow_the_language_of_each_person(name: str, admin: User, english: set[str]) -> None:
    """Parameters and columns."""
    client = Client()
    client.force_login(admin, backend="oa.organisation.auth.NameOrMailBackend")
    first = words(opened(client, admin, f"/reports/{name}/", "en"))
    second = words(opened(client, admin, f"/reports/{name}/", "zh-hans"))
    assert sorted(second & english) == []
    assert first - second


def test_lists_and_their_exports_name_related_records_in_the_language_of_the_reader(admin: User) -> None:
    """D9: data keep their own bilingual names; an empty Chinese name is not shown."""
    client = Client()
    client.force_login(admin, backend="oa.organisation.auth.NameOrMailBackend")
    terms = PaymentTerms.objects.create(code="D5", name="Five days", name_zh="五天")
    other = PaymentTerms.objects.create(code="D6", name="Six days")
    for code, given in (("S-1", terms), ("S-2", other)):
        Supplier.objects.create(code=code, name=code, payment_terms=given)
    urls = ("/purchasing/suppliers/", "/purchasing/suppliers/export/?format=csv")
    for url in urls:
        chinese = opened(client, admin, url, "zh-hans")
        assert "五天" in chinese and "Five days" not in chinese and "Six days" in chinese, url
        english = opened(client, admin, url, "en")
        assert "五天" not in english and "Five days" in english, url
