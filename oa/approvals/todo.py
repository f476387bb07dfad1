"""The inbox 待办: one queue of everything that waits for a person, and what they sent, were told of and decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from kit.pages import formats
from kit.pages import panels as registered
from kit.pages.hooks import hooks
from kit.pages.nav import Link, tree
from kit.pages.panels import Task
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.rules.days import business_day
from kit.values.keys import is_key
from oa.approvals import inbox
from oa.approvals.deeds import deeds
from oa.approvals.models import ApprovalRequest, ApprovalTask
from oa.approvals.showing import shown
from oa.approvals.track import path_of

PAGE, MOST = 25, 100


@require_safe
def todo_view(request: HttpRequest) -> HttpResponse:
    """Tabs over one list; the approval that is open beside it is decided without leaving the page (UX 6.12)."""
    user: Any = request.user
    tab = request.GET.get("tab", "me")
    source = _TABS.get(tab, _for_me)
    text, kind = request.GET.get("q", "").strip().lower(), request.GET.get("kind", "")
    rows = source(user) if source is _for_me or user.has_perm("oa.view_approvalrequest") else []
    kinds, capped = sorted({str(row.kind) for row in rows}), len(rows) == MOST
    if text:
        rows = [row for row in rows if text in f"{row.title} {row.facts}".lower()]
    if kind:
        rows = [row for row in rows if str(row.kind) == kind]
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    here = list(page.object_list)
    context = {
        "head": Head(title=_("To do"), note=formats.prose_day(business_day())),
        "tabs": _tabs(user),
        "tab": tab if tab in _TABS else "me",
        "page": page,
        "capped": MOST if capped else 0,
        "rows": here,
        "tab_me": source is _for_me,
        "kinds": kinds,
        "kind": kind,
        "text": text,
        "today": business_day(),
        **_beside(request, here),
    }
    return fragment_or_page(request, "oa/approvals/todo.html", context)


def _for_me(user: Any) -> list[Task]:
    return registered.queue(user, MOST)


def _sent(user: Any) -> list[Task]:
    return [_request_row(found) for found in inbox.sent_by(user)[:MOST]]


def _copied(user: Any) -> list[Task]:
    return [_request_row(copy.request) for copy in inbox.copied_to(user)[:MOST]]


def _done(user: Any) -> list[Task]:
    return [_done_row(task) for task in inbox.decided_by(user)[:MOST]]


_TABS: dict[str, Callable[[Any], list[Task]]] = {"me": _for_me, "sent": _sent, "copied": _copied, "done": _done}


def _tabs(user: Any) -> list[tuple[str, Any, str]]:
    labels = {
        "me": pgettext("inbox", "For me"),
        "sent": _("Sent by me"),
        "copied": _("Copied to me"),
        "done": pgettext("inbox", "Done"),
    }
    return [(name, label, reverse("todo") + (f"?tab={name}" if name != "me" else "")) for name, label in labels.items()]


def _request_row(found: ApprovalRequest) -> Task:
    state = ApprovalRequest.STATES[found.state]
    return Task(state.label, state.tone, found.title, inbox.request_url(found), inbox.facts_line(found))


def _done_row(task: ApprovalTask) -> Task:
    state = ApprovalTask.STATES[task.state]
    return Task(
        state.label, state.tone, task.request.title, inbox.request_url(task.request), inbox.facts_line(task.request)
    )


def _beside(request: HttpRequest, rows: Sequence[Task]) -> dict[str, Any]:
    """What stands beside the list: the row or request that was asked for, else the first approval, if there is one.

    A request is `opened` to be decided there; any other row says what it is and leads on.
    """
    by_url = {row.url: row for row in rows}
    first = next((row.url for row in rows if _request_key(row.url)), "")
    for url in (request.GET.get("open", ""), first):
        row, key = by_url.get(url), _request_key(url)
        found = ApprovalRequest.objects.visible_to(request.user).filter(pk=key).first() if key else None
        if found is not None:
            return {"beside": row or found, "opened": request_context(found, request.user)}
        if row is not None and first:
            return {"beside": row, "opened": None}
    return {"beside": None, "opened": None}


def _request_key(url: str) -> str:
    """Key of the approval request that an address leads to; empty for others."""
    found = re.fullmatch(r".*/approvals/requests/([0-9]+)/", url)
    return found[1] if found is not None and is_key(found[1]) else ""


def request_context(found: ApprovalRequest, user: Any) -> dict[str, Any]:
    """Everything a person decides by: summary, files, path, and what they can do."""
    return {
        "request": found,
        "tone": ApprovalRequest.STATES[found.state].tone,
        "deeds": deeds(found, user),
        "path": path_of(found),
        **shown(found, user),
    }


def counters(user: Any) -> dict[str, int]:
    """What waits for `user`, for the pill in the shell."""
    return {"todo": registered.waiting_number(user)}


tree.top.append(Link(gettext_lazy("To do"), "todo", 15, icon="inbox", go="d", counter="todo"))
hooks.counters.append(counters)
