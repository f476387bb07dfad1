"""Pages of approvals that are not the kit's: inbox, submitting, deeds, batch, filling in forms."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from kit.pages.actions import Action
from kit.pages.resources import name_of, url_of
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.rules.permissions import may
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.approvals import batch, deeds, services
from oa.approvals.choosing import to_choose
from oa.approvals.contents import contents_of, document_of
from oa.approvals.forecast import Path, choice_field, forecast
from oa.approvals.forms import DeedForm, FilledForm, SubmitForm
from oa.approvals.inbox import request_url
from oa.approvals.models import ApprovalRequest, ApprovalTask, FlowVersion, FormRequest, RequestForm
from oa.approvals.registry import approvables
from oa.approvals.services.forms import save_request
from oa.approvals.services.submission import version_in_force
from oa.approvals.signing import lacks_one
from oa.records.idempotency import once

SIGNED = ("approve", "reject", "return")  # deeds for which a step may need a signature


def act_view(request: HttpRequest, key: int, verb: str) -> HttpResponse:
    """Ask what a verb needs (GET), then run it (POST); refusals come back at the form."""
    found = get_object_or_404(ApprovalRequest.objects.visible_to(request.user), pk=key)
    if verb not in deeds.LABELS:
        raise Http404
    task = _task_of(request, found)
    form = _deed_form(request, found, verb, task)
    if request.method != "POST":
        return _ask(request, found, verb, form, 200)
    if form.fields and not form.is_valid() and not _quick(request, verb):
        return _ask(request, found, verb, form, 422)
    given: Any = {}
    if form.is_valid():
        given = form.texts() if isinstance(form, FilledForm) else form.cleaned_data
    try:
        once(
            request.POST.get("submit_id", ""),
            request.user,
            f"approval.{verb}.{key}",
            lambda: deeds.perform(verb, found, task, given, by=request.user, seen=_seen(request)),
        )
    except BusinessError as error:
        if form.fields and not _quick(request, verb):
            for problem in error:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
            return _ask(request, found, verb, form, 422)
        messages.error(request, str(error))
        return go(request, _next_url(request, found))
    messages.success(request, f"{deeds.LABELS[verb]()}: {found}")
    return go(request, _next_url(request, found))


def _deed_form(request: HttpRequest, found: ApprovalRequest, verb: str, task: ApprovalTask | None) -> Any:
    """What a verb asks for: a few words, or the fields of the document that the step may change."""
    data = request.POST or None
    if verb == "edit" and task is not None:
        document: Any = document_of(found)
        fields = deeds.editable_fields(found, task)
        return FilledForm(data, fields=fields, user=request.user, initial=document.values)
    stages = deeds.returnable(task) if verb == "return" and task is not None else ()
    tasks = deeds.reassignable(found, request.user) if verb == "reassign" else ()
    steps = to_choose(task) if verb == "approve" and task is not None else ()
    return DeedForm(data, verb=verb, user=request.user, stages=stages, tasks=tasks, steps=steps, chosen=found.choices)


def _seen(request: HttpRequest) -> str:
    """The hash of the content on the page that the person came from: in its buttons, else in the dialog (X-08)."""
    return request.GET.get("seen") or request.POST.get("seen", "")


def _quick(request: HttpRequest, verb: str) -> bool:
    """A button of a list that approves at once, without a form."""
    return verb == "approve" and "opinion" not in request.POST


def _task_of(request: HttpRequest, found: ApprovalRequest) -> ApprovalTask | None:
    key = request.GET.get("task", "")
    rows = found.tasks.select_related("node__step", "user", "request__applicant")
    return rows.filter(pk=key).first() if is_key(key) else deeds.task_in_hand(found, request.user)


def _next_url(request: HttpRequest, found: ApprovalRequest) -> str:
    """Back to the list a verdict was given in, where the next one waits, else the request."""
    came = request.POST.get("back", "")
    return came if came in (reverse("todo"), reverse("desk")) else request_url(found)


def _ask(request: HttpRequest, found: ApprovalRequest, verb: str, form: Any, status: int) -> HttpResponse:
    label = deeds.LABELS[verb]()
    head = Head(title=label, crumbs=[(str(found), request_url(found))])
    command = Action(label, "", danger=verb in ("reject", "cancel"))
    url = request.get_full_path()
    context = {"head": head, "form": form, "command": command, "object": found, "url": url, "seen": found.content_hash}
    task = _task_of(request, found)
    context["unsigned"] = verb in SIGNED and task is not None and lacks_one(task, request.user)
    template = (
        "oa/approvals/ask_dialog.html" if request.headers.get("HX-Target") == "dialog" else "oa/approvals/ask.html"
    )
    return fragment_or_page(request, template, context, status)


@require_POST
def batch_view(request: HttpRequest) -> HttpResponse:
    """Approve the ticked rows, each on its own; the page tells what came of each (rule X-12)."""
    results = batch.approve_many(batch.ticked(request.POST.getlist("ids")), by=request.user)
    done = sum(1 for result in results if not result.problem)
    text = ngettext("%s request approved.", "%s requests approved.", done) % done
    head = Head(title=_("Approve together"), note=text, crumbs=[(_("To do"), reverse("todo"))])
    return fragment_or_page(request, "oa/approvals/batch.html", {"head": head, "results": results})


# ---- submitting ----


def submit_view(request: HttpRequest, kind: str, key: int) -> HttpResponse:
    """The path with names, approvers to choose and copies; POST submits (rule X-09)."""
    try:
        approvable = approvables.get(kind)
    except LookupError:
        raise Http404 from None
    document = get_object_or_404(_visible(approvable.model, request.user), pk=key)
    if not may(request.user, "change", approvable.model):
        raise PermissionDenied
    version, page = version_in_force(kind), approvable.url(document)
    if version is None:
        messages.error(request, _("There is no approval flow in force for this."))
        return go(request, page)
    path = _path(request, version, approvable, document)
    form = SubmitForm(request.POST or None, path=path, user=request.user)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                found, _repeat = once(
                    request.POST.get("submit_id", ""),
                    request.user,
                    f"approval.submit.{kind}.{key}",
                    lambda: _submit(request, kind, document, path, form.cleaned_data),
                )
                messages.success(request, _("Submitted: %s") % found)
                return go(request, page)
            except BusinessError as error:
                for problem in error:
                    form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    head = Head(title=_("Submit for approval"), crumbs=[(name_of(document), page)])
    context = {"head": head, "form": form, "path": path, "document": document, "back": page}
    return fragment_or_page(request, "oa/approvals/submit.html", context, status)


def _visible(model: Any, user: Any) -> Any:
    return model._default_manager.visible_to(user)


def _path(request: HttpRequest, version: FlowVersion, approvable: Any, document: Any) -> Path:
    user: Any = request.user
    found = contents_of(approvable, document, user, user.department_id)
    return forecast(version, approvable, found.facts, user, user.department_id)


def _submit(request: HttpRequest, kind: str, document: Any, path: Path, given: dict[str, Any]) -> ApprovalRequest:
    user: Any = request.user
    choices = {step.pk: [person.pk for person in given[choice_field(step)]] for step in path.to_choose}
    return services.submit(
        document,
        kind=kind,
        by=user,
        choices=choices,
        copies=given["copies"],
        urgent=given["urgent"],
        note=given["note"],
    )


# ---- requests of user-defined forms ----


@require_safe
def start_view(request: HttpRequest) -> HttpResponse:
    """The forms a person can start a request with."""
    if not request.user.has_perm("oa.add_formrequest"):
        raise PermissionDenied
    rows = RequestForm.objects.visible_to(request.user).filter(active=True)
    head = Head(title=_("Start a request"), crumbs=[(_("Approvals"), "")])
    return fragment_or_page(request, "oa/approvals/start.html", {"head": head, "forms": rows})


def fill_view(request: HttpRequest, code: str = "", key: int = 0) -> HttpResponse:
    """Fill in a new request of the form `code`, or change the draft `key`."""
    document = get_object_or_404(FormRequest.objects.visible_to(request.user), pk=key) if key else None
    right = "oa.change_formrequest" if key else "oa.add_formrequest"
    if not request.user.has_perm(right) or (document is not None and document.owner_id != request.user.pk):
        raise PermissionDenied
    of = document.form if document is not None else get_object_or_404(RequestForm, code=code, active=True)
    if document is not None and document.state != "draft":
        messages.info(request, _("%s can no longer be edited.") % document)
        return go(request, url_of(document))
    filled = _initial(of, document)
    form = FilledForm(request.POST or None, fields=of.fields, user=request.user, initial=filled)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _save_filled(request, of, document, form)
            except BusinessError as error:
                for problem in error:
                    form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    title = str(document) if document is not None else str(of)
    head = Head(title=title, crumbs=[(_("Start a request"), reverse("approval-start"))])
    version = request.POST.get("version", "") or getattr(document, "version", "")
    context = {"head": head, "form": form, "definition": of, "document": document, "version": version,
               "back": url_of(document) if document is not None else reverse("approval-start")}  # fmt: skip
    return fragment_or_page(request, "oa/approvals/fill.html", context, status)


def _initial(of: RequestForm, document: FormRequest | None) -> dict[str, Any]:
    if document is None:
        return {}
    return {field["name"]: document.values.get(field["name"], "") for field in of.fields}


def _save_filled(request: HttpRequest, of: RequestForm, document: FormRequest | None, form: FilledForm) -> HttpResponse:
    version = request.POST.get("version", "")

    def effect() -> FormRequest:
        return save_request(
            document or FormRequest(form=of),
            form.texts(),
            by=request.user,
            version=int(version) if document is not None and is_key(version) else None,
        )

    saved, _repeat = once(request.POST.get("submit_id", ""), request.user, f"formrequest.save.{of.pk}", effect)
    if request.POST.get("then") == "submit" and version_in_force(of.kind) is not None:
        return go(request, reverse("approval-submit", args=(of.kind, saved.pk)))
    messages.success(request, _("%s was saved.") % saved)
    return go(request, url_of(saved))
