"""Nothing of a foreign customer comes out anywhere, and nothing goes in (rules G-21, S-02 to S-05, drill F-28).

The crawl enumerates resources, panels, reports and admin pages by itself: a new one is covered without a line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from kit.exchange import reports
from kit.pages import panels
from kit.pages.resources import registry
from oa.organisation.models import User
from tests.oa.world import CANARY, WATCHED, client_of, pages_of, world
from tests.refusals import whole_state

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

READERS = ("ann", "mia", "nosy")
CHANGING = re.compile(
    r'nonce-[^\']*|nonce="[^"]*"|name="(?:csrfmiddlewaretoken|submit_id)" value="[^"]*"|"X-CSRFToken": ?"[^"]*"'
)


@pytest.fixture
def w(db: Any) -> SimpleNamespace:
    return world()


def text_of(answer: HttpResponse) -> str:
    """The body without what differs from request to request."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    return CHANGING.sub("", f"{content.decode('utf-8', 'replace')} {headers}")


def asked(text: str) -> str:
    """The body without what the person typed into it."""
    return re.sub(
        rf'(?:value|data-label)="{CANARY}"|q={CANARY}|Search: {CANARY}|Zaunk%C3%B6nig|“{CANARY}”|: {CANARY}', "", text
    )


def record_pages(resource: Any, user: User) -> Iterator[str]:
    """The pages of every record a person may see, with all tabs, panels and timelines."""
    shown = panels.panels_for(resource.meta.label_lower, user)
    for row in resource.queryset(user).order_by("-pk")[:1]:
        url = resource.url_for(row)
        yield from (url, f"{url}?panel=timeline&more=9")
        yield from (f"{url}?panel={panel.name}" for panel in shown)
        if resource.fields and resource.editable(row, user):
            yield resource.url_for(row, "edit")


@pytest.mark.parametrize("who", READERS)
def test_no_page_list_search_picker_panel_or_export_shows_the_other_side(who: str, w: SimpleNamespace) -> None:
    """S-04, F-28: the canary is in no answer, the own word is in many, and reading changed nothing.

    But the audit trail, which tells who exported (G-20), and when the session was used last (S-16).
    """
    user = getattr(w, who)
    client = client_of(user)
    client.get("/")
    before, own, leaks, failed = whole_state(), 0, [], []
    urls = ["/?cards=all", "/notifications/", "/ui/counters/", f"/search/?q={CANARY}", "/search/?q=FOR-1", "/reports/"]
    for resource in registry.values():
        urls += pages_of(resource, user, w)
        if resource.may(user, "view") and who != "mia":  # her pages are those of Ann, with more rows in them
            urls += record_pages(resource, user)
    for url in urls:
        try:
            with transaction.atomic():
                answer = client.get(url)
        except Exception as error:
            failed.append((url, repr(error)[:300]))
            continue
        body = asked(text_of(answer))
        if CANARY in body:
            leaks.append((url, re.findall(rf".{{90}}{CANARY}.{{40}}", body)[:1]))
        own += WATCHED in body
    assert leaks == [] and failed == []
    assert own > 20
    assert {name for name, value in whole_state().items() if value != before[name]} <= {
        "oa_auditentry",
        "oa_loginsession",
    }


@pytest.mark.parametrize("who", READERS)
def test_no_report_tells_of_the_other_side(who: str, w: SimpleNamespace) -> None:
    """S-04: every report, however it is grouped or asked, in every format that can be read as text."""
    user = getattr(w, who)
    client = client_of(user)
    own, seen = 0, reports.all_for(user)
    for report in seen:
        choices = [f"{p.name}={value}" for p in report.params for value, _label in p.choices]
        models = [f"{p.name}={code}" for p in report.params if p.kind == "model" for code in ("FOR-1", "bob", "VALVE")]
        for query in ["", *choices, *models]:
            for kind in ("json",) if query else ("", "csv", "json"):
                body = asked(text_of(client.get(f"/reports/{report.name}/?date_from=2020-01-01&{query}&format={kind}")))
                assert CANARY not in body, (report.name, query, kind)
                own += WATCHED in body
    assert own and len(seen) >= 2


def test_the_back_office_shows_the_same_rows_as_the_pages(w: SimpleNamespace) -> None:
    """G-21: who is let into the back office sees no more there than outside."""
    client = client_of(w.nosy)
    seen = 0
    for model, page in admin.site._registry.items():
        meta = model._meta
        base = f"admin:{meta.app_label}_{meta.model_name}"
        answer = client.get(reverse(f"{base}_changelist"))
        assert answer.status_code in (200, 403), model
        if answer.status_code == 403:
            continue
        seen += 1
        assert CANARY not in text_of(answer), model
        keys = list(model._default_manager.values_list("pk", flat=True)[:200])
        for key in keys:
            for view in ("change", "history"):
                body = text_of(client.get(reverse(f"{base}_{view}", args=[key])))
                assert CANARY not in body, (model, view, key, page)
    assert seen > 5


def test_a_foreign_record_answers_exactly_like_a_missing_one(w: SimpleNamespace) -> None:
    """S-02: the same status and the same body for every verb and every page of a record."""
    for who in ("ann", "nosy"):
        client = client_of(getattr(w, who))
        for name in ("customer", "contact", "address", "contract", "plan", "order", "draft", "delivery", "invoice"):
            row = getattr(w.foreign, name)
            resource = next(r for r in registry.values() if r.model is type(row) and not r.default_filters)
            key, missing = resource.key_of(row), "d-999999" if resource.states else "999999"
            _same(client, "get", resource.url("record", key), resource.url("record", missing))
            if who == "ann":  # Nosy may do everything, so that it is the scope that refuses
                continue
            for verb, view in (("get", "edit"), ("post", "edit"), ("get", "print"), ("post", "delete")):
                _same(client, verb, resource.url(view, key), resource.url(view, missing))
            for command in ("confirm", "cancel", "sign", "post", "reverse", "deliver"):
                _same(client, "post", resource.url("do", key, command), resource.url("do", missing, command))
            for view in ("attach", "comment"):
                pair = [reverse(view, args=[resource.slug, k]) for k in (key, missing)]
                _same(client, "post", *pair)
        pair = [reverse("log-followup", args=[k]) for k in (w.foreign.customer.code, "999999")]
        _same(client, "post", *pair)


def _same(client: Any, verb: str, url: str, other: str) -> None:
    here, there = getattr(client, verb)(url), getattr(client, verb)(other)
    assert here.status_code == there.status_code and here.status_code in (403, 404, 405), (verb, url, here.status_code)
    assert text_of(here).replace(url, "?") == text_of(there).replace(other, "?"), (verb, url)


def test_files_jobs_and_mails_of_others_are_missing(w: SimpleNamespace) -> None:
    """S-11: a download asks for the record behind it at that moment; jobs belong to who started them."""
    for who in READERS:
        client = client_of(getattr(w, who))
        urls = [
            reverse("attachment", args=[w.foreign.file.key]),
            reverse("job", args=[w.foreign.job.key]),
            reverse("job-file", args=[w.foreign.job.key]),
        ]
        assert {client.get(url).status_code for url in urls} == {404}, who
    assert client_of(w.ann).get(reverse("attachment", args=[w.mine.file.key])).status_code == 200
    w.mine.customer.owner = w.bob
    w.mine.customer.department = w.west
    w.mine.customer.save()
    assert client_of(w.ann).get(reverse("attachment", args=[w.mine.file.key])).status_code == 404


def test_nobody_is_told_of_a_record_they_may_not_see(w: SimpleNamespace) -> None:
    """G-21: the boss mentioned all three on both customers; each was told of their own one only."""
    told = {who: list(getattr(w, who).notifications.values_list("text", flat=True)) for who in ("ann", "bob", "nosy")}
    assert not any(CANARY in text for text in told["ann"] + told["nosy"])
    assert any("mentioned you" in text and CANARY in text for text in told["bob"])
    assert any("mentioned you" in text and WATCHED in text for text in told["ann"])
