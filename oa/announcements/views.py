"""The reader's pages of announcements, and the form of a new version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kit.pages.actions import Action
from kit.pages.formats import moment
from kit.pages.hooks import hooks
from kit.pages.lists import ListState
from kit.pages.resources import by_model, registry
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find, go
from kit.values.errors import BusinessError
from oa.announcements import services
from oa.announcements.forms import AmendForm
from oa.announcements.markup import render
from oa.announcements.models import READABLE, Announcement, AnnouncementReceipt
from oa.records.models import Attachment, Comment
from oa.records.receipts import current, device_of

COMMENTS = 100


@require_GET
def news_view(request: HttpRequest) -> HttpResponse:
    """What I may read: pinned first, unread bold, searched within what I may see only (rule N-06)."""
    news = by_model[Announcement]
    require(request.user, news, "view")
    state = ListState(news, request.user, request.GET)
    head = Head(title=news.title_plural)
    if registry["announcement"].may(request.user, "add"):
        url = registry["announcement"].url("new")
        head.actions = [Action(_("New %s") % news.title, url, icon="plus", primary=True, key="c", name="new")]
    return fragment_or_page(request, "oa/announcements/news.html", {"head": head, "list": state, "resource": news})


@require_GET
def read_view(request: HttpRequest, key: int) -> HttpResponse:
    """One announcement as its readers see it. Opening it writes nothing; the displayed text reports itself (N-02)."""
    news = by_model[Announcement]
    require(request.user, news, "view")
    announcement = find(request, news, str(key))
    if announcement.state == "withdrawn":
        return go(request, registry["announcement"].url_for(announcement))
    receipt = current(AnnouncementReceipt, announcement).filter(user=request.user.pk).first()
    managing = registry["announcement"].queryset(request.user).filter(pk=announcement.pk).exists()
    kind = ContentType.objects.get_for_model(Announcement)
    on_record: dict[str, Any] = {"content_type": kind, "object_id": announcement.pk}
    head = Head(title=announcement.title, crumbs=crumbs(news, (announcement.title, "")), tags=[announcement.category])
    if announcement.state != "published":
        head.badge = announcement.get_state_display(), Announcement.STATES[announcement.state].tone
    if managing:
        url = registry["announcement"].url_for(announcement)
        head.actions = [Action(_("Readers and versions"), url, icon="users", name="manage")]
    readable = announcement.state in READABLE
    context = {
        "head": head,
        "resource": news,
        "object": announcement,
        "object_key": announcement.pk,
        "body": render(announcement.body),
        "receipt": receipt,
        "to_report": receipt is not None and readable,
        "to_confirm": announcement.must_confirm and receipt is not None and receipt.confirmed_at is None and readable,
        "files": Attachment.objects.filter(**on_record).order_by("pk"),
        "comments": _comments(announcement, on_record),
        "may_comment": announcement.comments_open and readable and request.user.has_perm("oa.add_comment"),
        "watermark": f"{request.user} · {request.user.username}" if announcement.watermark else "",
        "when": moment(announcement.published_at),
    }
    return fragment_or_page(request, "oa/announcements/read.html", context)


def _comments(announcement: Announcement, on_record: dict[str, Any]) -> Any:
    """What was said since the publication; notes from before are for those who prepared it."""
    rows = Comment.objects.filter(**on_record, created_at__gte=announcement.published_at or announcement.created_at)
    return rows.select_related("owner").order_by("-pk")[:COMMENTS]


def _mine(request: HttpRequest, key: int) -> Announcement:
    """The announcement, if it is published and `request.user` may read it; else 404."""
    news = by_model[Announcement]
    require(request.user, news, "view")
    announcement: Announcement = find(request, news, str(key))
    if announcement.state not in READABLE:
        raise Http404
    return announcement


@require_POST
def seen_view(request: HttpRequest, key: int) -> HttpResponse:
    """The text came into view, or a person without JavaScript says so: that is reading (rule N-02)."""
    announcement = _mine(request, key)
    if not services.seen(announcement, by=request.user, device=device_of(request.headers.get("User-Agent", ""))):
        raise Http404
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return go(request, reverse("news-record", args=[key]))


@require_POST
def confirm_view(request: HttpRequest, key: int) -> HttpResponse:
    """I have read it and say so."""
    announcement = _mine(request, key)
    device = device_of(request.headers.get("User-Agent", ""))
    try:
        if not services.confirm(announcement, by=request.user, device=device):
            raise Http404
        messages.success(request, _("Confirmed."))
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, reverse("news-record", args=[key]))


def amend_view(request: HttpRequest, key: int) -> HttpResponse:
    """The form of a new version (rule N-04)."""
    managed = registry["announcement"]
    require(request.user, managed, "change")
    announcement = find(request, managed, str(key))
    if not services.may_manage(announcement, request.user):
        raise PermissionDenied
    url = managed.url_for(announcement)
    given = {"title": announcement.title, "body": announcement.body}
    form = AmendForm(request.POST or None, request.FILES or None, initial=given)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("title", "body", "note")}
        values |= {"major": form.cleaned_data["kind"] == "major", "files": request.FILES.getlist("more_files")}

        def effect() -> Any:
            return services.amend(announcement, by=request.user, **values)

        try:
            hooks.once(request.POST.get("submit_id", ""), request.user, f"announcement.amend.{announcement.pk}", effect)
            messages.success(request, _("%s was saved.") % announcement)
            return go(request, url)
        except BusinessError as error:
            for problem in error:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    elif request.method != "POST" and announcement.state != "published":
        messages.info(request, _("%s can no longer be edited.") % announcement)
        return go(request, url)
    trail = crumbs(managed, (str(announcement), url), (_("Amend"), ""))
    head = Head(title=announcement.title, crumbs=trail, actions=[Action(_("Cancel"), url, name="cancel")])
    context = {"head": head, "form": form, "object": announcement, "submit_id": head.submit_id, "version": ""}
    return fragment_or_page(request, "kit/form.html", context, 422 if request.method == "POST" else 200)
