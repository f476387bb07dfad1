"""Closed folders, foreign approvals, announcements for others, private tasks: they leak nowhere (G-21, S-02 to S-05).

A crawl over every address the program has, by one person of every shipped role. What is new is crawled without a line
here; `test_the_crawl_finds_leaks` shows that it would be found out.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import typst
import xlsxwriter
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from config import urls
from oa.announcements import publishing
from oa.announcements import tasks as announcement_tasks
from oa.announcements.models import Announcement, AnnouncementReceipt
from oa.documents import tasks as document_tasks
from oa.documents.models import LibraryDocument
from oa.organisation.models import User
from oa.records.models import Notification
from oa.tasks import tasks as task_tasks
from oa.tasks.models import Meeting, Task
from tests.oa.crawling import Crawl, Pool, keyed_addresses, put_far, without_keys
from tests.oa.hidden import COMMON, ROLES, SEES, WORDS, entangle, leave_it, office, secrets
from tests.oa.world import WATCHED

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

BLIND = ["sales", "accountant"]  # they see nothing of it, with the narrowest scope and with the widest


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """As quick as can be, and with everything that a view says."""
    return HttpResponse(str(exception), status=403)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same without it: the page shows nothing of that."""
    return HttpResponse("", status=404)


def leaky_list(request: HttpRequest) -> HttpResponse:
    """Forgets who asks."""
    return HttpResponse(", ".join(Task.objects.values_list("title", flat=True)))


def leaky_workbook(request: HttpRequest) -> HttpResponse:
    """Forgets who asks, in a packed file."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        book.add_worksheet().write_column(0, 0, list(Task.objects.values_list("title", flat=True)))
    return HttpResponse(made.getvalue(), content_type="application/octet-stream")


def leaky_paper(request: HttpRequest) -> HttpResponse:
    """Forgets who asks, on paper."""
    text = "\n\n".join(Task.objects.values_list("title", flat=True))
    return HttpResponse(typst.compile(text.encode()), content_type="application/pdf")


def leaky_count(request: HttpRequest) -> HttpResponse:
    """Names nothing, but counts what is not to be seen."""
    return HttpResponse(str(Task.objects.count()))


def leaky_task(request: HttpRequest, key: int) -> HttpResponse:
    """Tells that there is something."""
    if not Task.objects.filter(pk=key).exists():
        raise Http404
    raise PermissionDenied


PLAIN = {"list": leaky_list, "workbook": leaky_workbook, "paper": leaky_paper, "count": leaky_count}
LEAKY = [*(path(f"leaky/{name}/", view) for name, view in PLAIN.items()), path("leaky/<int:key>/", leaky_task)]
urlpatterns: list[Any] = [*urls.urlpatterns, *LEAKY]


@pytest.fixture
def o(db: Any, settings: Any) -> Iterator[SimpleNamespace]:
    """The office before anything is hidden in it."""
    settings.ROOT_URLCONF = __name__
    logging.disable(logging.CRITICAL)  # every refusal is a line with its traceback
    made = office()
    put_far()
    yield made
    logging.disable(logging.NOTSET)


def crawl(o: SimpleNamespace, user: User) -> Crawl:
    return Crawl(user, Pool.of_far_rows(code=[o.form.code, o.flow.code], kind=[o.flow.kind, "leave"]))


def leaks(pages: dict[str, str], hidden: set[str], *, leaky: bool = False) -> list[tuple[str, str]]:
    """(address, what stands there) for every answer with one of the hidden words, and answers that failed."""
    words = [WORDS[kind].lower() for kind in sorted(hidden)]
    pages = {url: text for url, text in pages.items() if url.startswith("/leaky/") == leaky}
    failed = [(url, text[:300]) for url, text in pages.items() if text.startswith("5")]
    for url, text in pages.items():
        lower = text.lower()
        if places := [place for word in words if (place := lower.find(word)) >= 0]:
            failed.append((url, text[max(0, min(places) - 60) : min(places) + 40]))
    return failed


def visible(o: SimpleNamespace, user: User) -> set[str]:
    """The kinds of which a person may see something, as the rule of the records has it."""
    rows = {
        "document": o.document, "approval": o.request, "announcement": o.news_of_west, "task": o.task,
        "meeting": o.meeting,
    }  # fmt: skip
    return {kind for kind, row in rows.items() if type(row).objects.visible_to(user).filter(pk=row.pk).exists()}


@pytest.mark.parametrize("role", ROLES)
def test_no_page_of_the_program_tells_outsiders_what_is_hidden(role: str, o: SimpleNamespace) -> None:
    """G-21, S-04: lists, searches, pickers, records, panels, exports, calendars, inbox, desk, back office.

    What people have themselves leads to what they must not see: parts of a task, documents on a record, mentions.
    """
    secrets(o)
    entangle(o)
    user = o.outside[role]
    assert visible(o, user) == SEES.get(role, set())
    pages = crawl(o, user).pages(word=COMMON, all_apps=role == "chief-accountant")
    assert leaks(pages, set(WORDS) - SEES.get(role, set())) == []
    assert sum(WATCHED in text for text in pages.values()) > 15
    assert {"/", "/todo/", "/calendar/", "/docs/", "/news/", "/org/directory/", "/notifications/"} <= set(pages)


@pytest.mark.parametrize("role", BLIND)
def test_what_is_hidden_answers_like_what_is_not_there(role: str, o: SimpleNamespace) -> None:
    """S-02, S-03: every address with a key, for reading and for writing: status, headers and body alike."""
    secrets(o)
    found = differing(o, role)
    assert [pair for pair in found if not pair[1].startswith("/leaky/")] == []
    assert {pair[1] for pair in found} == {"/leaky/7310001/"}


def differing(o: SimpleNamespace, role: str) -> list[tuple[str, str, str, str]]:
    """(verb, address, answer for a hidden key, answer for nobody's) where these differ."""
    asking, answers, found = crawl(o, o.outside[role]), dict[tuple[str, str], str](), []
    pairs = list(keyed_addresses(asking.pool))
    assert len(pairs) > 200
    for verb in ("get", "post"):
        for there, nowhere in pairs:
            if (verb, nowhere) not in answers:
                answers[verb, nowhere] = without_keys(asking.ask(nowhere, verb))
            text = without_keys(asking.ask(there, verb))
            if text != answers[verb, nowhere]:
                found.append((verb, there, text[:200], answers[verb, nowhere][:200]))
    return found


@pytest.mark.parametrize("role", ["sales-manager"])
def test_nothing_counts_or_differs_because_of_what_is_hidden(role: str, o: SimpleNamespace) -> None:
    """S-04: pages before and after are the same to the letter, so no counter, total or place in a list knows of it."""
    user = o.outside[role]
    Crawl(user, Pool([], [], [], [])).ask(f"/docs/files/d-{o.plan.pk}/")  # what was read last stands on the pages
    before = Crawl(user, Pool([], [], [], [])).pages()
    secrets(o)
    after = Crawl(user, Pool([], [], [], [])).pages()
    changed = [url for url, text in before.items() if after[url] != text]
    assert [url for url in changed if not url.startswith("/leaky/")] == []
    assert "/leaky/count/" in changed and len(before) > 150


def test_the_crawl_finds_leaks(o: SimpleNamespace) -> None:
    """Negative control: a view that forgets who asks is found without being named anywhere but in the addresses."""
    secrets(o)
    pages = crawl(o, o.outside["sales"]).pages(within="leaky/")
    assert {url for url, _text in leaks(pages, {"task"}, leaky=True)} >= {
        "/leaky/list/",
        "/leaky/workbook/",
        "/leaky/paper/",
    }
    assert "/leaky/count/" in pages and not leaks(pages, {"meeting"}, leaky=True)


# ---- who could see it when it was written ----


@pytest.mark.parametrize("who", ["stripped", "moved"])
def test_what_one_could_see_once_is_gone_from_every_page(who: str, o: SimpleNamespace) -> None:
    """G-21, S-11: roles taken away, folder closed, out of task and meeting, text withdrawn: also from old messages."""
    secrets(o)
    person = getattr(o, who)
    assert visible(o, person) >= {"document", "announcement", "task", "meeting"}
    told = {text for (text,) in person.notifications.values_list("text") if COMMON in text}
    assert len(told) >= 4
    leave_it(o)
    person = User.objects.get(pk=person.pk)
    left = visible(o, person)
    assert left == (set() if who == "stripped" else {"announcement"})  # recipients keep what was sent to them
    pages = crawl(o, person).pages(word=COMMON)
    assert leaks(pages, set(WORDS) - left - ({"approval"} if who == "moved" else set())) == []
    assert f"{WORDS['announcement']} withdrawn" not in "".join(pages.values())
    asking = crawl(o, person)
    assert asking.ask(f"/docs/shared/{o.token}/")[:3] == "404"  # its maker may not open the document any more


def test_what_the_clock_tells_it_tells_those_who_may_see_it_then(o: SimpleNamespace) -> None:
    """G-21: between the making and the telling people lost rights, folders were closed, texts withdrawn."""
    secrets(o)
    Announcement.objects.filter(state="published").update(remind_every=1, remind_most=3)
    AnnouncementReceipt.objects.update(reminded_at=timezone.now() - dt.timedelta(hours=2))
    Announcement.objects.filter(pk=o.planned.pk).update(starts_at=timezone.now() - dt.timedelta(minutes=1))
    Meeting.objects.filter(pk=o.meeting.pk).update(reminders="2h", remind_at=timezone.now())
    Task.objects.filter(pk=o.task.pk).update(reminders="1w", remind_at=timezone.now())
    LibraryDocument.objects.filter(pk=o.document.pk).update(owner=o.moved)
    leave_it(o)
    Notification.objects.all().delete()
    for tell in (announcement_tasks.keep_time, task_tasks.sweep, document_tasks.remind):
        tell()
    publishing.appear(o.planned.pk)  # the job that the clock has begun
    told = {
        name: " ".join(Notification.objects.filter(user=user).values_list("text", flat=True))
        for name, user in [("author", o.author), ("stripped", o.stripped), ("moved", o.moved), *o.outside.items()]
    }
    assert all(word in told["author"] for kind, word in WORDS.items() if kind in ("announcement", "task", "meeting"))
    assert f"New: {COMMON} {WORDS['announcement']} planned" in told["author"]
    assert [name for name, text in told.items() if COMMON in text] == ["author", "moved"]
    assert set(re.findall("|".join(WORDS.values()), told["moved"])) == {WORDS["announcement"]}
    assert "planned" not in told["moved"] and "withdrawn" not in told["author"] + told["moved"]
