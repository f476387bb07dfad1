"""A crawl over every address that the program has, found in its own table of addresses: nothing is listed here.

Rows that a person must not see are made with keys from `FAR` on, in every table of the office, so that one set of keys
fits every address of every section, and a key that is nobody's looks the same.
"""

from __future__ import annotations

import io
import itertools
import re
import uuid
import zipfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pypdfium2
from django.apps import apps
from django.contrib.messages import get_messages
from django.db import connection, models, transaction
from django.test import Client
from django.urls import Resolver404, URLPattern, get_resolver, resolve

from kit.exchange import reports
from kit.pages.resources import Resource, registry
from oa.approvals import deeds
from oa.organisation.models import User
from tests.oa.world import client_of

FAR = 7_310_001
NOBODYS = 7_399_999
OFFICE = "oa"
MOST_ALIKE = 2  # pages of a kind that are visited because others link to them
# Where a link shows nothing that the plain address does not: fewer rows of an export, no rows at all.
WHOLE = ("export", "columns", "views")
# Besides what ends the crawl: what tells of the crawl itself, like the sessions one is logged in with.
UNSAFE = re.compile(
    r"^(logout|login|password|access|favicon|healthz|ui/language|ui/preferences|backoffice/(log|jsi18n))"
)
CHANGING = re.compile(
    r"""nonce-[^']*|nonce="[^"]*"|name="(?:csrfmiddlewaretoken|submit_id|opened)"\svalue="[^"]*"|\d\d:\d\d(:\d\d)?"""
    r"""|<div\sclass="paper">[\s\S]*?</svg>"""  # drawn letters, the moment of printing among them
    r"""|"X-CSRFToken":\s?"[^"]*"|DTSTAMP:\S+|csrftoken=\S+|\s*Set-Cookie:\ssessionid=.*|in\s\d+\smin|expires=[^;]*|messages=\S+""",
    re.VERBOSE,
)
AROUND = re.compile(r"\?list=[^&]*$")  # the list a record is opened from: the same record without it
LINK = re.compile(r"""(?:href|hx-get|src|action)="(/[^"#]*)""")


def put_far() -> None:
    """From here on rows of the office get far keys, the same ones in every table; as long as the transaction lasts."""
    with connection.cursor() as cursor:
        for model in _office_models():
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [model._meta.db_table, model._meta.pk.column])
            (sequence,) = cursor.fetchone()
            if sequence:
                cursor.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {FAR}")


def _office_models() -> list[type[models.Model]]:
    managed = apps.get_app_config(OFFICE).get_models(include_auto_created=True)
    return [model for model in managed if model._meta.managed and isinstance(model._meta.pk, models.AutoField)]


def far_rows() -> Iterator[models.Model]:
    """Every row that was made since."""
    for model in _office_models():
        yield from model._base_manager.filter(pk__gte=FAR)


@dataclass
class Pool:
    """What can stand in addresses for rows that a person must not see."""

    keys: list[str]
    uuids: list[str]
    slugs: list[str]
    fields: list[str]
    words: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of_far_rows(cls, **words: list[str]) -> Pool:
        """Keys, codes and identifiers of all far rows, and the names of fields that point to such rows."""
        keys, uuids, kinds = {str(FAR), str(FAR + 1)}, set[str](), set[type[models.Model]]()
        for row in far_rows():
            kinds.add(type(row))
            for column in row._meta.concrete_fields:
                value = getattr(row, column.attname)
                if isinstance(column, models.UUIDField) and value:
                    uuids.add(str(value))
                elif column.name in ("code", "number") and isinstance(value, str) and value:
                    keys.add(str(value))
        slugs = [slug for slug, resource in registry.items() if resource.model in kinds]
        names = {
            f.name for model in apps.get_models() for f in model._meta.get_fields()
            if f.is_relation and f.related_model in kinds and not f.auto_created
        }  # fmt: skip
        return cls(sorted(keys), sorted(uuids), slugs, sorted(names), words)

    def values(self, pattern: URLPattern, name: str, kind: str) -> list[tuple[str, str]]:
        """(somebody's, nobody's) for an argument of an address."""
        resource = _resource(pattern)
        if kind == "UUIDConverter":
            return [(value, str(uuid.UUID(int=7))) for value in self.uuids]
        if name in ("key", "object_id"):
            mine = resource is None or resource.slug in self.slugs
            numeric = kind == "IntConverter" or name == "object_id"
            return [(k, str(NOBODYS)) for k in self.keys if mine and (not numeric or k.isdigit())]
        if kind == "IntConverter":
            return [(str(FAR), str(NOBODYS)), ("1", "1")]
        known = self.words.get(name) or _words(name, pattern) or (self.slugs if name == "slug" else [])
        return [(word, word) for word in known or ["x"]]


def _resource(pattern: URLPattern) -> Resource | None:
    return getattr(pattern.callback, "keywords", {}).get("resource")


def _words(name: str, pattern: URLPattern) -> list[str]:
    """Words that stand in addresses beside keys."""
    resource = _resource(pattern)
    if name == "name" and resource is not None:
        return sorted({*resource.run, *(c.name for c in resource.commands), "nothing"})
    found = {
        "verb": list(deeds.LABELS),
        "name": list(reports._reports) if "report" in str(pattern.pattern) else ["start", "finish"],
        "action": ["restore", "purge", "take", "inherit", "break"],
        "what": ["document", "folder"],
    }
    return found.get(name, [])


@cache
def walk(root: str) -> tuple[tuple[str, URLPattern], ...]:
    """(route, pattern) of everything in a table of addresses."""

    def steps(parts: Sequence[Any], before: str) -> Iterator[tuple[str, URLPattern]]:
        for part in parts:
            route = before + str(part.pattern).lstrip("^")
            if isinstance(part, URLPattern):
                yield route, part
            else:
                yield from steps(part.url_patterns, route)

    return tuple(steps(get_resolver(root).url_patterns, ""))


def patterns() -> list[tuple[str, URLPattern]]:
    """(route, pattern) of everything that has an address now."""
    from django.conf import settings

    found = walk(settings.ROOT_URLCONF)
    return [(route, p) for route, p in found if not UNSAFE.match(route) and "(?P" not in route]


def plain_addresses() -> list[str]:
    """Addresses without arguments."""
    return [f"/{route}" for route, _pattern in patterns() if "<" not in route and not route.endswith("$")]


def keyed_addresses(pool: Pool) -> Iterator[tuple[str, str]]:
    """(address of something foreign, the same of nothing) for every address with arguments."""
    for route, pattern in patterns():
        converters = pattern.pattern.converters or {}
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        if not names:
            continue
        choices = [pool.values(pattern, name, type(converters.get(name)).__name__) for name in names]
        for chosen in itertools.product(*choices):
            pairs = []
            for side in (0, 1):
                values = iter(value[side] for value in chosen)
                pairs.append("/" + re.sub(r"<[^>]+>", lambda _m, values=values: next(values), route))
            if pairs[0] != pairs[1] and _of_the_office(pairs[0]):
                yield pairs[0], pairs[1]


def text_of(answer: Any) -> str:
    """Status, headers and body without what differs from request to request; folded calendar lines in one."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    body = unpacked(content).replace("\r\n ", "")
    return CHANGING.sub("", f"{answer.status_code} {body} {headers} {answer.cookies.output()}").rstrip()


def unpacked(content: bytes) -> str:
    """What a file says: the words on the pages of a PDF, everything in a workbook, any other as it is."""
    if content.startswith(b"%PDF"):
        with suppress(pypdfium2.PdfiumError):  # an upload that only begins like one
            return "\n".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content))
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return "\n".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
    return content.decode("utf-8", "replace")


def without_keys(text: str) -> str:
    """An answer that does not repeat what was asked for."""
    return re.sub(rf"{FAR}|{FAR + 1}|{NOBODYS}|[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}", "?", text)


@dataclass
class Crawl:
    """What one person gets to read."""

    user: User
    pool: Pool
    client: Client = field(init=False)
    answers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = client_of(self.user)
        self.client.raise_request_exception = False
        self.client.get("/")

    def ask(self, url: str, verb: str = "get") -> str:
        """The answer to one request, without lasting effect; with what the next page would say about it."""
        if "/export/" in url and "format=" not in url:
            url += f"{'&' if '?' in url else '?'}format=csv"  # what can be read as text
        with transaction.atomic():
            answer = getattr(self.client, verb)(url, {"submit_id": uuid.uuid4()} if verb == "post" else None)
            text = text_of(answer)
            if verb == "post":
                text += "".join(f"\n{said.tags} {said}" for said in get_messages(answer.wsgi_request))
                self.client.cookies.pop("messages", None)
            transaction.set_rollback(True)
        return text

    def pages(self, *, within: str = "", word: str = "", all_apps: bool = False) -> dict[str, str]:
        """All that can be reached without knowing a foreign key: addresses, searches, and what they link to."""
        picks = registry if all_apps else self.pool.slugs
        starts = [*plain_addresses(), *(f"/ui/pick/{slug}/" for slug in picks)]
        waiting = deque(
            url for url in starts if url.startswith(f"/{within}") and (all_apps or _of_the_office(urlsplit(url).path))
        )
        if not within:
            waiting.append("/?cards=all")  # the desk as it is when everything has been scrolled to
        given, seen = set(waiting), Counter[str]()
        while waiting:
            url = waiting.popleft()
            page = _page(urlsplit(url).path)
            most = 0 if page.endswith(WHOLE) else MOST_ALIKE
            if url in self.answers or (url not in given and seen[page] >= most):
                continue
            seen[page] += url not in given
            text = self.answers[url] = self.ask(url)
            if text[:3] != "200" or not page.startswith(OFFICE):
                continue
            if url in starts:
                asked = self.asked(url, word)
                given.update(asked)
                waiting += asked
            links = (AROUND.sub("", unescape(link)) for link in LINK.findall(text))
            waiting += [link for link in links if link.startswith(f"/{within}") and _of_the_office(urlsplit(link).path)]
        return self.answers

    def asked(self, url: str, word: str) -> list[str]:
        """The same page searched for a word, and with foreign keys for whatever it may read from its address."""
        match = resolve(url)
        resource = getattr(match.func, "keywords", {}).get("resource")
        view = (match.url_name or "").rpartition("-")[2] if resource is not None else ""
        found = [f"{url}?q={word}"] if word and view in ("", "list") else []
        if view == "export":
            return [f"{url}?format=csv&full=1"]
        if url.startswith("/backoffice/"):
            return found if url.count("/") == 4 else []
        if view in ("", "new") and (match.url_name != "pick" or match.kwargs["slug"] in self.pool.slugs):
            names = (*self.pool.fields, "open", "page", "key")
            found.append(f"{url}?" + "&".join(f"{name}={FAR}" for name in dict.fromkeys(names)))
        return found


@cache
def _page(path: str) -> str:
    """What kind of page an address shows: `oa`, a view, what it is of, and its name."""
    match = resolve(path)
    view: Any = match.func
    app = OFFICE if _of_the_office(path) else "other"
    return f"{app} {match.route} {getattr(view, 'keywords', '')} {match.url_name}"


@cache
def _of_the_office(path: str) -> bool:
    """Whether a page is one of oa: of its views or of a resource of it."""
    try:
        match = resolve(path)
    except Resolver404:
        return False
    if UNSAFE.match(path.lstrip("/")):
        return False
    view: Any = match.func
    resource = getattr(view, "keywords", {}).get("resource")
    if resource is not None:
        return resource.meta.app_label == OFFICE
    admin_of = getattr(view, "model_admin", None)
    if admin_of is not None:
        return admin_of.model._meta.app_label == OFFICE
    return not view.__module__.startswith(("crm.", "erp.", "django."))
