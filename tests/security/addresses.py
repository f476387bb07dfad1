"""Every address of the program, and what stands in it: a new section needs no line here.

An address that nothing here knows how to fill is a finding by itself, never left out.
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from config import urls
from kit.exchange import reports
from kit.pages import panels
from kit.pages.resources import Resource, registry
from oa.approvals import deeds
from tests.oa.crawling import walk
from tests.security.company import NOBODYS, OTHER, STARTS, Company, tables

urlpatterns = urls.urlpatterns

# Reviewed: whoever has the address may open it. What stands behind a login needs no line anywhere.
PUBLIC = {
    "login/": "the login itself",
    "login/code/": "its second step, for who just gave the password",
    "favicon.ico": "an icon",
    "healthz": "one word for load balancers",
    "ui/language/": "the language of the login page",
    "calendar/feed/<str:secret>.ics": "calendar programs cannot log in: a secret address of 256 bits, stored hashed",
    "backoffice/login/": "Django's login page of the back office",
}
# Reviewed: pages of a person's own things, which open without any right and then show nothing of others.
PERSONAL = {
    "", "logout/", "password/", "notifications/", "notifications/settings/", "signature/", "search/", "ui/counters/",
    "ui/pick/<str:slug>/", "backoffice/logout/", "backoffice/password_change/", "org/directory/", "todo/", "reports/",
    "confirm/", "access/", "access/end/", "access/second-factor/", "access/second-factor/codes/",
    "access/second-factor/off/", "access/keys/new/", "access/keys/remove/",
}  # fmt: skip
# Words that stand in addresses beside keys, by the name of the argument.
WORDS: dict[str, list[str]] = {
    "verb": sorted(deeds.LABELS), "action": ["restore", "purge", "take", "inherit", "break"],
    "what": ["document", "folder"], "kind": ["joining", "leaving", "transfer", "leave", "official.outgoing"],
    "side": ["outgoing", "incoming"], "secret": ["x"], "token": ["x"], "url": ["nothing/"],
    "id": ["1"],
    "app_label": ["oa", "crm", "erp", "auth", "axes", "django_celery_beat"], "content_type_id": ["1"],
}  # fmt: skip
KEYS = {"key", "object_id", "pk"}
POSITIONS = {"page", "number", "position", "link", "use", "stage"}


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """As quick as can be, and with everything that a view says."""
    return HttpResponse(str(exception), status=403)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same without it: the page shows nothing of that."""
    return HttpResponse("", status=404)


@dataclass(frozen=True)
class Address:
    """One entry of the program's own table of addresses."""

    route: str
    pattern: URLPattern

    @cached_property
    def view(self) -> Any:
        """What answers it."""
        return self.pattern.callback

    @cached_property
    def resource(self) -> Resource | None:
        """The resource whose page it is, if the kit made it."""
        return getattr(self.view, "keywords", {}).get("resource")

    @cached_property
    def page(self) -> str:
        """Which page of the resource: list, new, record…"""
        return (self.pattern.name or "").rpartition("-")[2] if self.resource is not None else ""

    @cached_property
    def admin(self) -> Any:
        """The page of the back office behind it, if there is one."""
        return getattr(self.view, "model_admin", None)

    @property
    def arguments(self) -> list[tuple[str, str]]:
        """(name, converter) of what has to be filled in."""
        known = self.pattern.pattern.converters or {}
        names = re.findall(r"<(?:\w+:)?(\w+)>", self.route)
        return [(name, type(known.get(name)).__name__) for name in names]

    @property
    def keyed(self) -> bool:
        """Whether a row stands in it."""
        return any(name in KEYS or kind == "UUIDConverter" for name, kind in self.arguments)

    def filled(self, key: str, uid: str) -> list[str]:
        """The address with this key, once for each word that can stand beside it; nothing if something is unknown."""
        choices = [self._values(name, kind, key, uid) for name, kind in self.arguments]
        made = []
        for chosen in itertools.product(*choices):
            values = iter(chosen)
            route = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", self.route).replace("$", "").replace("\\", "")
            made.append("/" + re.sub(r"<[^>]+>", lambda _m, values=values: next(values), route))
        return made

    def _values(self, name: str, kind: str, key: str, uid: str) -> list[str]:
        if kind == "UUIDConverter":
            return [uid]
        if name in KEYS:
            return [re.sub(r"\D", "", key) if kind == "IntConverter" or name != "key" else key]
        if name in POSITIONS:
            return ["1"]
        if name == "slug":
            return list(registry) if self.keyed is False else ["customer", "task", "meeting", "salesorder"]
        if name == "name":
            return self._names()
        if name == "code":
            return [key]
        return WORDS.get(name, [])

    def _names(self) -> list[str]:
        if self.resource is not None:
            known = {c.name for c in (*self.resource.commands, *panels.commands[self.resource.meta.label_lower])}
            return sorted({*self.resource.run, *known, "nothing"})
        return sorted(reports._reports) if self.route.startswith("reports/") else ["start", "finish"]


def addresses(root: str = __name__) -> list[Address]:
    """Everything that has an address."""
    return [Address(route, pattern) for route, pattern in walk(root)]


def keys_of(company: Company, address: Address, relation: str) -> tuple[str, str]:
    """What stands for a row of this relation in an address: (key, one that nobody has)."""
    resource, start = address.resource, STARTS[relation]
    row = None if resource is None else company.row(resource, relation)
    if resource is not None and row is not None:
        key = resource.key_of(row)
        return key, re.sub(r"^(~|d-|)\d+$", rf"\g<1>{NOBODYS}", key) if re.match(r"(~|d-|)\d+$", key) else "nobody's"
    return f"~{start}", f"~{NOBODYS}"


def identifiers(relation: str = OTHER) -> list[str]:
    """The random identifiers of all rows of a relation."""
    start, found = STARTS[relation], set[str]()
    for model in tables():
        if not isinstance(model._meta.pk, models.AutoField):
            continue
        for column in (f for f in model._meta.concrete_fields if isinstance(f, models.UUIDField)):
            rows = model._base_manager.filter(pk__gte=start, pk__lt=start + 10_000)
            found.update(str(value) for value in rows.values_list(column.attname, flat=True) if value)
    return sorted(found)


NOBODYS_ID = str(uuid.UUID(int=7))


def unfilled(found: list[Address]) -> Iterator[str]:
    """Addresses with an argument of which nothing is known here."""
    for address in found:
        if not address.filled("1", NOBODYS_ID):
            yield address.route
