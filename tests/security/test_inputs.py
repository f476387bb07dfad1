"""S-07: names of the ORM in the addresses of lists, pickers and the back office change nothing."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kit.pages.resources import registry
from tests.security.addresses import addresses
from tests.security.asking import Asking
from tests.security.company import Company

pytestmark = [pytest.mark.slow]

NAMES = (
    "_connector=OR", "_negated=1", "owner__password__startswith=a", "password=x", "x%22)%3B--=1", "pk__in=1", "id=1",
    "sort=-password", "sort=owner__password", "sort=%3F", "created_by__is_superuser=1", "__class__=1",
    "order_by=password", "fields=password", "columns=owner__password", "owner__groups__permissions=1",
    "owner__groups=1", "customer__owner=1", "lines=1", "logentry=1", "salesorder=1",
)  # fmt: skip


@pytest.fixture
def asking(c: Company) -> Asking:
    """Somebody who may do everything, so that everything is reached."""
    made = Asking(c.boss)
    made.ask("get", "/")
    return made


def test_no_name_of_the_orm_changes_what_a_list_shows(asking: Asking) -> None:
    """S-07: names that are not declared are ignored: the same rows by the same number of statements."""
    hostile, shown = "&".join(NAMES), 0
    for resource in registry.values():
        for url in (f"{resource.url()}?size=200", f"/ui/pick/{resource.slug}/?x=1"):
            texts, counts = [], []
            for given in (url, url, f"{url}&{hostile}"):
                with CaptureQueriesContext(connection) as statements:
                    answer = asking.ask("get", given, hx_request="true", hx_target="list")
                counts.append(sum("SAVEPOINT" not in s["sql"] for s in statements))
                texts.append(re.findall(r'(?:data-key|data-value|href)="(/[^"?]*|\d+)"', answer.text))
            shown += len(texts[0])
            assert texts[1] == texts[2], (url, answer.status)
            assert counts[1] == counts[2], url
    assert shown > 200


def test_no_value_breaks_the_back_office(asking: Asking) -> None:
    """S-07: names and values in the lists of the back office: refused or ignored."""
    failed = []
    for address in addresses():
        if not (address.pattern.name or "").endswith("changelist"):
            continue
        url = address.filled("", "")[0]
        for given in ("q=%C2%B2&p=%C2%B2&o=%C2%B2", "password__startswith=a&_connector=OR", "id__in=x&o=-1.99"):
            answer = asking.ask("get", f"{url}?{given}")
            if answer.status >= 500:
                failed.append((url, given))
    assert failed == []
