"""S-07: hostile names and values in every parameter of every page: never an error of the server, never other rows."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings as project
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kit.exchange import reports
from kit.pages.forms import form_class
from kit.pages.resources import Resource, registry
from tests.security.addresses import PUBLIC, addresses
from tests.security.asking import Asking
from tests.security.company import OWN, Company

pytestmark = [pytest.mark.slow]

VALUES = (
    "%00", "%ED%A0%80", "%EF%BF%BF", "%C2%B2", "%D9%A3", "x%22)%3B--", "'%20OR%201%3D1--", "%25%25%25%5C", "-password",
    "pk__gt", "9" * 30, "-1", "1e400", "NaN", "0000-00-00", "99999-12-31", "..%2F..%2Fetc%2Fpasswd", "%7B%7B7*7%7D%7D",
    "a" * 10_000, "9" * 5000, "(" * 200, "%E2%80%AE%0D%0AX-Evil%3A%201", "%F0%9F%94%A5" * 50, "&&&&", "true", "null",
)  # fmt: skip
NAMES = (
    "_connector=OR", "_negated=1", "owner__password__startswith=a", "password=x", "x%22)%3B--=1", "pk__in=1", "id=1",
    "sort=-password", "sort=owner__password", "sort=%3F", "created_by__is_superuser=1", "__class__=1",
    "order_by=password", "fields=password", "columns=owner__password", "owner__groups__permissions=1",
    "owner__groups=1", "customer__owner=1", "lines=1", "logentry=1", "salesorder=1",
)  # fmt: skip
ROUNDS = 3  # 26 values, stepping by 5 and 7: each parameter meets others in each place
# Whole numbers, which kit/pages/lists.py reads by itself.
COUNTED = {"page", "size"}


def parameters() -> list[str]:
    """Every name that any page reads from its address, found in the sources."""
    found = set[str]()
    for app in ("kit", "oa", "crm", "erp"):
        for file in (Path(project.BASE_DIR) / app).rglob("*.py"):
            found.update(re.findall(r"""(?:GET|params|query)(?:\.get(?:list)?\(|\[)["'](\w+)["']""", file.read_text()))
    return sorted(found)


def filters_of(resource: Resource) -> list[str]:
    """The parameters of a list, its picker, its record and its form."""
    own = [
        part for name in resource.filters for part in (name, f"{name}_text", f"{name}_from", f"{name}_to", f"{name}_is")
    ]
    return [*own, "any", "q", "sort", "page", "size", "view", "more", "events", "tab", "panel", *resource.fields]


def query(names: Sequence[str], start: int) -> str:
    """Each parameter with another value, beginning somewhere else in each round."""
    given = [(name, VALUES[(start + 7 * place) % len(VALUES)]) for place, name in enumerate(names)]
    return "&".join(f"{n}={v}" for n, v in given if n not in COUNTED or v not in ("%C2%B2", "9" * 5000))


@pytest.fixture
def asking(c: Company) -> Asking:
    """Somebody who may do everything, so that everything is reached."""
    made = Asking(c.boss)
    made.ask("get", "/")
    return made


def test_no_value_breaks_a_list_an_export_a_picker_a_record_or_a_form(asking: Asking, c: Company) -> None:
    """S-07: every parameter of every resource, in several rounds of values; the list answers NUL with 400."""
    failed, asked = [], 0
    for number, resource in enumerate(registry.values()):
        row = c.row(resource, OWN)
        for turn in range(ROUNDS):
            given = query(filters_of(resource), number + 5 * turn).replace("%00", "%01")
            urls = [f"{resource.url()}?{given}", f"/ui/pick/{resource.slug}/?{given}"]
            if turn < 2:
                urls += [f"{resource.url_for(row)}?{given}", f"{resource.url('export')}?format=csv&{given}"]
                urls += [f"{resource.url('new')}?{given}&copy=%C2%B2"] if resource.fields else []
            for url in urls:
                asked += 1
                answer = asking.ask("get", url, hx_request="true", hx_target="list")
                if answer.status >= 500:
                    failed.append((resource.slug, url.partition("?")[0], turn))
        assert asking.ask("get", f"{resource.url()}?q=%00").status == 400
    assert failed == []
    assert asked > 1000


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


def test_no_value_breaks_any_other_page(asking: Asking) -> None:
    """S-07: every page without a key, with every parameter that any page reads."""
    names, failed = parameters(), []
    assert {"q", "page", "open", "copy"} <= set(names)
    found = [a for a in addresses() if a.resource is None and not a.keyed and a.admin is None]
    urls = [a.filled("", "")[0] for a in found if a.route not in PUBLIC]
    urls += [f"/reports/{name}/" for name in sorted(reports._reports)]
    for number, url in enumerate(dict.fromkeys(urls)):
        for turn in range(ROUNDS):
            answer = asking.ask("get", f"{url}?{query(names, number + 5 * turn).replace('%00', '%01')}")
            if answer.status >= 500:
                failed.append((url, number, turn))
    assert failed == []


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


def test_no_key_breaks_an_address(asking: Asking, quick: None) -> None:
    """S-07: hostile text where a key stands answers as a record that is not there."""
    failed = []
    keys = ("%00", "%C2%B2", "~%C2%B2", "d-%C2%B2", "~" + "9" * 30, "d-" + "9" * 5000, "9" * 19, "'", "%ED%A0%80")
    for resource in registry.values():
        for key in keys:
            for page in ("", "edit/") if resource.fields else ("",):
                answer = asking.ask("get", f"/{resource.path}/{key}/{page}")
                if answer.status not in (400, 403, 404):
                    failed.append((resource.slug, key[:20], page, answer.status))
    assert failed == []


TYPED = ("a" * 10_000, "9" * 5000, "\u00b2", "\x01\x7f\ufffe", "-1e400", "'", "%(x)s{}")


def test_no_typed_text_breaks_a_form(asking: Asking, c: Company) -> None:
    """S-07: every field of every form with every text; NUL is refused before anything is read."""
    failed = []
    for resource in registry.values():
        if not resource.fields or not resource.can_create:
            continue
        fields = form_class(resource).base_fields
        names = [part for name in fields for part in (name, f"{name}_text", f"{name}_add_text")]
        if resource.lines is not None:
            prefix = resource.lines.prefix
            names += [f"{prefix}-0-{column.name}{end}" for column in resource.lines.columns for end in ("", "_text")]
            names += [f"{prefix}-\u00b2-note", f"{prefix}-0-id", "document"]
        for turn in range(3):
            data = {name: TYPED[(place + turn) % len(TYPED)] for place, name in enumerate([*names, "version"])}
            entering = {
                "paste": json.dumps([TYPED, TYPED[::-1]]),
                "at": "0",
                "column": TYPED[turn],
                "code": TYPED[turn],
            }
            pages = ("compute", "paste", "scan") if resource.lines is not None else ()
            for url in (resource.url("new"), *(resource.url(page) for page in pages)):
                answer = asking.ask("post", url, {**data, **entering, "submit_id": str(uuid.uuid4())})
                if answer.status >= 500:
                    failed.append((url, turn))
            if pages:  # the same texts in a row that is not in view
                row = {
                    column.name: TYPED[(place + turn) % len(TYPED)]
                    for place, column in enumerate(resource.lines.columns)
                }
                packed = {
                    f"{resource.lines.prefix}-0-packed": json.dumps(
                        row | {f"{name}_text": t for name, t in row.items()}
                    )
                }
                for url in (resource.url("new"), resource.url("compute"), resource.url("paste")):
                    if asking.ask("post", url, {**packed, **entering, "submit_id": str(uuid.uuid4())}).status >= 500:
                        failed.append((url, turn, "packed"))
                if asking.ask("get", f"{resource.url('choose')}?{urlencode({'q': TYPED[turn]})}").status >= 500:
                    failed.append((resource.url("choose"), turn))
        assert asking.ask("post", resource.url("new"), {"name": "a\0b"}).status == 400
    assert failed == []
