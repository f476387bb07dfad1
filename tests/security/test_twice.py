"""F-02, G-19, I-31: a form that is sent twice has its effect once, whichever form it is.

Every address that takes anything is sent what its own page holds, with a key, and then the very same again; nothing is
listed here. `test_a_form_without_memory_is_found` shows that a new one that forgets is found.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django import forms
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from config import urls
from kit.pages.pickmany import PickManyField
from kit.pages.resources import registry
from kit.pages.widgets import PickerField
from oa.organisation.models import Department, User
from oa.tasks.models import Task
from tests.oa.world import client_of
from tests.security.addresses import Address, addresses, handler403, handler404, identifiers, keys_of
from tests.security.asking import BESIDE, Watch
from tests.security.company import OWN, Company, own_by
from tests.security.pages import Fields, form_of, posted, read

__all__ = ["handler403", "handler404"]  # a table of addresses needs them
pytestmark = [pytest.mark.slow]

# What belongs to the login and not to the books: ending sessions, a code that counts for one login, the language.
SKIPPED = r"(logout|login|password|access|confirm|backoffice|ui/language|favicon|healthz|calendar/feed)"
# A draft is kept as often as it is sent.
KEPT = {*BESIDE, "oa_idempotencykey", "oa_formdraft", "set"}  # ON CONFLICT … DO UPDATE SET

# Reviewed: its answer shows a secret that is stored nowhere, so a second answer has to show another one.
AGAIN = {"/calendar/subscribe/"}


def forgets(request: HttpRequest) -> HttpResponse:
    """Makes a task each time it is asked."""
    if request.method == "POST":
        Task.objects.create(title="again", owner=request.user)  # type: ignore[misc]
    return HttpResponse("<form><input name=submit_id></form>")


urlpatterns: list[Any] = [path("leaky/twice/", forgets), *urls.urlpatterns]


@dataclass
class Sent:
    """What sending everything twice showed."""

    effects: list[str] = field(default_factory=list)
    doubled: list[tuple[str, list[str]]] = field(default_factory=list)
    differing: list[tuple[str, str, str]] = field(default_factory=list)


def state_of(tables: set[str]) -> set[tuple[str, str]]:
    """(table, digest of its rows)."""
    parts = [f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t" for name in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return set(cursor.fetchall())


def places(c: Company, found: list[Address]) -> Iterator[tuple[Address, str]]:
    """Every address with an own row in it."""
    for address in found:
        if re.match(SKIPPED, address.route):
            continue
        key, _missing = keys_of(c, address, OWN)
        key = key if address.resource is not None else key.lstrip("~")
        ids = identifiers(OWN)[:3] if any(kind == "UUIDConverter" for _name, kind in address.arguments) else [""]
        yield from ((address, url) for uid in ids for url in address.filled(key, uid))


def written(client: Client, url: str) -> Fields:
    """The form of a page as it stands, and for a new record what the form of an old one holds."""
    answer = client.get(url)
    html = answer.content.decode() if answer.headers.get("Content-Type", "").startswith("text/html") else ""
    stored = [(action, fields) for action, fields in read(html).forms if "submit_id" in fields]
    own = [fields for action, fields in stored if action in ("", url)]
    return max(own, key=len, default={})


def value_for(wanted: forms.Field, name: str, user: User) -> dict[str, Any]:
    """Something that a field takes."""
    if isinstance(wanted, PickerField | PickManyField):
        row = wanted.resource.pick_queryset(user, {}).order_by("-pk").first()
        return {} if row is None else posted(wanted, name, wanted.resource, row)
    if isinstance(wanted, forms.ChoiceField | forms.ModelChoiceField):
        return {name: next((str(key) for key, _label in wanted.choices if str(key)), "")}
    if isinstance(wanted, forms.DateTimeField | forms.DateField):
        moment = "%Y-%m-%dT%H:%M" if isinstance(wanted, forms.DateTimeField) else "%Y-%m-%d"
        return {name: timezone.localtime().strftime(moment)}
    return {name: "1" if isinstance(wanted, forms.DecimalField | forms.IntegerField) else f"x{uuid.uuid4().hex[:6]}"}


def completed(answer: Any, data: dict[str, Any], user: User) -> dict[str, Any]:
    """The same with something in every field that the form complains about."""
    form = (answer.context or {}).get("form")
    more: dict[str, Any] = {}
    for name in getattr(form, "errors", {}):
        if name in getattr(form, "fields", {}):
            more |= value_for(form.fields[name], name, user)
    return {**data, **more}


class Twice:
    """A person who is impatient."""

    def __init__(self, c: Company) -> None:
        self.c, self.client, self.sent = c, client_of(c.boss), Sent()
        self.client.raise_request_exception = False
        self.client.get("/")

    def send(self, found: list[Address]) -> Sent:
        """All of them."""
        for address, url in places(self.c, found):
            with transaction.atomic():
                self.two(address, url)
                transaction.set_rollback(True)
        return self.sent

    def data(self, address: Address, url: str) -> dict[str, Any]:
        """What stands on the page, with a key of its own."""
        fields = written(self.client, url)
        if address.page == "new" and address.resource is not None:
            row = self.c.row(address.resource, OWN)
            page = self.client.get(address.resource.url_for(row, "edit")) if row is not None else None
            old = form_of(page.content.decode()) if page is not None and page.status_code == 200 else {}
            fields = {**fields, **{name: value for name, value in old.items() if name in fields and value != [""]}}
        return {**fields, "submit_id": str(uuid.uuid4())}

    def post(self, url: str, data: dict[str, Any]) -> tuple[Any, set[str]]:
        """An answer, and the tables that were written for it."""
        watch = Watch()
        with connection.execute_wrapper(watch):
            answer = self.client.post(url, data)
        return answer, watch.wrote - KEPT

    def two(self, address: Address, url: str) -> None:
        """The same form twice: as little as is taken, else what stands on the page, else what it asks for."""
        data: dict[str, Any] = {"submit_id": str(uuid.uuid4())}
        answer, wrote = self.post(url, data)
        if answer.status_code in (403, 404, 405):
            return
        if answer.status_code >= 400 or not wrote:
            data = self.data(address, url)
            answer, wrote = self.post(url, data)
        if answer.status_code == 422:
            data = completed(answer, data, self.c.boss)
            answer, wrote = self.post(url, data)
        if answer.status_code >= 400 or not wrote:
            return
        self.sent.effects.append(url)
        with transaction.atomic():
            again, wrote = self.post(url, data)
            transaction.set_rollback(True)
        if wrote:
            before = state_of(wrote)
            self.post(url, data)
            if changed := before ^ state_of(wrote):
                self.sent.doubled.append((url, sorted({name for name, _digest in changed})))
        first, second = (a.headers.get("Location", "") for a in (answer, again))
        if (answer.status_code, first) != (again.status_code, second):
            self.sent.differing.append((url, f"{answer.status_code} {first}", f"{again.status_code} {second}"))


def test_every_form_sent_twice_has_its_effect_once(c: Company, quick: None) -> None:
    """G-19: the second answer leads where the first one led, and nothing was written for it."""
    own_by(c.boss)
    sent = Twice(c).send(addresses())
    assert {url for url, _tables in sent.doubled} == AGAIN
    assert sent.differing == []
    assert len(sent.effects) > 150, sent.effects
    assert len({url.split("/")[2] for url in sent.effects}) > 40


def test_a_form_without_memory_is_found(c: Company, settings: Any) -> None:
    """Negative control: a page that makes something each time, named nowhere but in the table of addresses."""
    settings.ROOT_URLCONF = __name__
    assert Department.objects.exists() and registry
    sent = Twice(c).send([a for a in addresses(__name__) if a.route.startswith("leaky/")])
    assert [(url, "oa_task" in tables) for url, tables in sent.doubled] == [("/leaky/twice/", True)]
