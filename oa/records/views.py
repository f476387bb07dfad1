"""Files, comments, notifications and jobs of the person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import content_disposition_header, urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from kit.pages.actions import Action
from kit.pages.resources import Resource, registry, resource_of
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.values.errors import BusinessError
from oa.organisation.models.people import NoticeMails
from oa.organisation.zones import zone_of
from oa.records.attachments import downloads, remove_attachment, store_attachments
from oa.records.audit import note
from oa.records.comments import add_comment
from oa.records.idempotency import once
from oa.records.jobs import cancel_job
from oa.records.models import Attachment, AuditAction, Job, Notification
from oa.records.notifications import as_seen_by, choose_mails


def _record(request: HttpRequest, slug: str, key: str) -> tuple[Resource, Any]:
    resource = registry.get(slug)
    if resource is None:
        raise Http404
    try:
        return resource, resource.get(request.user, key)
    except (ObjectDoesNotExist, ValueError):
        raise Http404 from None


def _file(request: HttpRequest, key: str) -> tuple[Attachment, Resource, Any]:
    """A file with the record it belongs to, if the person may see that."""
    row = get_object_or_404(Attachment, key=key)
    model = row.content_type.model_class()
    resource = resource_of(model) if model else None
    obj = resource.queryset(request.user).filter(pk=row.object_id).first() if resource else None
    if resource is None or obj is None:
        raise Http404
    return row, resource, obj


@require_safe
def download_view(request: HttpRequest, key: str) -> FileResponse:
    """A file, if the person may see the record it belongs to; always a download, never shown (S-10, S-11)."""
    row, _resource, obj = _file(request, key)
    watched = downloads.get(obj._meta.label_lower)
    if watched is not None:
        if not watched(obj, request.user):
            raise Http404
        note(request, AuditAction.DOWNLOAD, row.name, obj)
    response = FileResponse(row.file.open("rb"), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(True, row.name) or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox"
    return response


@require_POST
def attach_view(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Add files to a record the person may see; all of them or none."""
    resource, obj = _record(request, slug, key)

    def effect() -> None:
        store_attachments(obj, request.FILES.getlist("files"), by=request.user)

    try:
        once(request.POST.get("submit_id", ""), request.user, f"attach.{slug}.{obj.pk}", effect)
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, resource.url_for(obj))


@require_POST
def remove_view(request: HttpRequest, key: str) -> HttpResponse:
    """Delete a file of a record the person may see."""
    row, resource, obj = _file(request, key)

    def effect() -> str:
        remove_attachment(row, obj, by=request.user)
        note(request, AuditAction.REMOVE, row.name, obj)
        return row.name

    try:
        once(request.POST.get("submit_id", ""), request.user, f"remove.{row.key}", effect)
        messages.success(request, _("%s was deleted.") % row)
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, resource.url_for(obj))


@require_POST
def comment_view(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Write a note on a record; files may come with it."""
    resource, obj = _record(request, slug, key)
    if not request.user.has_perm("oa.add_comment"):
        raise PermissionDenied

    def effect() -> None:
        with transaction.atomic():
            if request.POST.get("text", "").strip() or not request.FILES:
                add_comment(obj, request.POST.get("text", ""), by=request.user)
            store_attachments(obj, request.FILES.getlist("files"), by=request.user)

    try:
        once(request.POST.get("submit_id", ""), request.user, f"comment.{slug}.{obj.pk}", effect)
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, resource.url_for(obj))


def notifications_view(request: HttpRequest) -> HttpResponse:
    """My notifications; POST marks all as read."""
    mine = Notification.objects.filter(user=request.user)
    if request.method == "POST" and "unread" in request.GET:
        read_at = parse_datetime(request.GET["unread"])
        if read_at is not None and read_at.tzinfo is not None:
            mine.filter(read_at=read_at).update(read_at=None)
        return go(request, request.path)
    if request.method == "POST":
        now = timezone.now()
        if mine.filter(read_at=None).update(read_at=now):
            undo = f"{request.path}?{urlencode({'unread': now.isoformat()})}"
            messages.success(request, _("Marked as read."), extra_tags=undo)
        return go(request, request.path)
    chosen = Action(_("Notification settings"), reverse("notification-settings"), icon="settings", name="settings")
    head = Head(title=_("Notifications"), actions=[chosen])
    rows = as_seen_by(request.user, mine[:100])
    return fragment_or_page(request, "oa/notifications.html", {"head": head, "rows": rows})


class NoticeForm(forms.Form):
    """How a person wants notifications by mail."""

    notice_mails = forms.ChoiceField(
        label=gettext_lazy("Notifications by mail"),
        choices=lambda: [(value, capfirst(label)) for value, label in NoticeMails.choices],
        widget=forms.RadioSelect,
    )
    digest_at = forms.TimeField(
        label=gettext_lazy("Time of the daily mail"),
        widget=forms.TimeInput(attrs={"type": "time", "class": "w-140"}, format="%H:%M"),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"notice_mails": user.notice_mails, "digest_at": user.digest_at}, **kwargs)
        self.fields["digest_at"].help_text = _("On the clocks of %s.") % zone_of(user)
        self.fields["notice_mails"].help_text = _("Only what you have not read by then, and may see.")


def notification_settings_view(request: HttpRequest) -> HttpResponse:
    """Whether and when notifications reach me by mail (rule X-12)."""
    user: Any = request.user
    form = NoticeForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        choose_mails(user, form.cleaned_data["notice_mails"], form.cleaned_data["digest_at"])
        messages.success(request, _("Your choice was saved."))
        return go(request, request.path)
    head = Head(title=_("Notification settings"), crumbs=[(_("Notifications"), reverse("notifications"))])
    context = {"head": head, "form": form, "address": user.email}
    return fragment_or_page(request, "oa/notification_settings.html", context, 422 if request.method == "POST" else 200)


@require_safe
def job_view(request: HttpRequest, key: str) -> HttpResponse:
    """Progress of a job; htmx polls the card until it ends."""
    job = get_object_or_404(Job, key=key, owner=request.user)
    context = {"head": Head(title=job.title), "job": job, "running": job.state in ("waiting", "running")}
    return fragment_or_page(
        request, "oa/parts/job.html" if request.headers.get("HX-Request") else "oa/job.html", context
    )


@require_POST
def cancel_job_view(request: HttpRequest, key: str) -> HttpResponse:
    """Stop a job that waits or runs, for the person who started it."""
    job = get_object_or_404(Job, key=key, owner=request.user)
    try:
        cancel_job(job, by=request.user)
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, reverse("job", args=[job.key]))


@require_safe
def job_file_view(request: HttpRequest, key: str) -> FileResponse:
    """The file a job made, for the person who started it."""
    job = get_object_or_404(Job, key=key, owner=request.user)
    if not job.file:
        raise Http404
    response = FileResponse(job.file.open("rb"), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = (
        content_disposition_header(True, str(job.file.name).rsplit("/", 1)[-1]) or "attachment"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
