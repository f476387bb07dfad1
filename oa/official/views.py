"""Pages of official documents that differ from others: a step with its opinion, and the comparison of two texts."""

from __future__ import annotations

import difflib
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kit.pages.actions import Action
from kit.pages.hooks import hooks
from kit.pages.resources import registry
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find, go
from kit.values.errors import BusinessError
from oa.official.forms import StepForm
from oa.official.models import OutgoingText
from oa.official.services.turns import Hands, permission_of
from oa.official.steps import Step, offered, steps_of

SLUGS = {"outgoing": "outgoingdocument", "incoming": "incomingdocument"}


def step_view(request: HttpRequest, side: str, key: str, verb: str) -> HttpResponse:
    """Ask for the opinion and who acts next (GET), then do the step (POST)."""
    if side not in SLUGS:
        raise Http404
    resource = registry[SLUGS[side]]
    require(request.user, resource, "view")
    document = find(request, resource, key)
    step = steps_of(document).get(verb)
    if step is None:
        raise Http404
    if not request.user.has_perm(permission_of(document, verb)):
        raise PermissionDenied
    url = resource.url_for(document)
    form = StepForm(request.POST or None, step=step, verb=verb, user=request.user)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and _run(request, side, document, verb, step, form):
            return go(request, url)
    elif verb not in offered(document, request.user):
        messages.info(request, _("%s does not wait for you.") % document)
        return go(request, url)
    label = document.STATES.transition(verb).label
    trail = crumbs(resource, (str(document), url), (label, ""))
    head = Head(title=label, crumbs=trail, actions=[Action(_("Cancel"), url, name="cancel")])
    context = {"head": head, "form": form, "object": document, "submit_id": head.submit_id, "version": ""}
    return fragment_or_page(request, "kit/form.html", context, status)


def _run(request: HttpRequest, side: str, document: Any, verb: str, step: Step, form: StepForm) -> bool:
    """Do the step once; what was refused stands at the fields it names."""
    given = form.cleaned_data
    hands = Hands(
        tuple(given.get("people") or ()), given.get("department"), tuple(given.get("more") or ()),
        bool(given.get("serial")),
    )  # fmt: skip
    more = {"stamp": given.get("stamp")} if step.stamp else {}

    def effect() -> Any:
        return step.run(document, by=request.user, text=given.get("text", ""), hands=hands, **more)

    try:
        hooks.once(request.POST.get("submit_id", ""), request.user, f"official.{side}.{verb}.{document.pk}", effect)
    except BusinessError as error:
        for problem in error:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    messages.success(request, f"{document.STATES.transition(verb).label}: {document.title}")
    return True


@require_safe
def compare_view(request: HttpRequest, key: int) -> HttpResponse:
    """Two texts of a document, line by line (N-12)."""
    resource = registry["outgoingdocument"]
    require(request.user, resource, "view")
    document = find(request, resource, str(key))
    rows = OutgoingText.objects.visible_to(request.user).filter(outgoing=document)
    texts = {row.number: row for row in rows.select_related("by")}
    if not texts:
        raise Http404
    newest = max(texts)
    first = texts[_chosen(request, "a", max(newest - 1, min(texts)), texts)]
    second = texts[_chosen(request, "b", newest, texts)]
    url = resource.url_for(document)
    context = {
        "head": Head(title=_("Compare versions"), crumbs=crumbs(resource, (str(document), url), (_("Versions"), ""))),
        "numbers": sorted(texts),
        "first": first,
        "second": second,
        "lines": differences(f"{first.title}\n{first.body}", f"{second.title}\n{second.body}"),
    }
    return fragment_or_page(request, "oa/official/compare.html", context)


def _chosen(request: HttpRequest, name: str, default: int, texts: dict[int, Any]) -> int:
    typed = request.GET.get(name, "")
    number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else default
    return number if number in texts else default


def differences(old: str, new: str) -> list[tuple[str, str]]:
    """The lines of two texts: what stayed, went and came."""
    marks = {"- ": "del", "+ ": "ins", "  ": "same"}
    found = difflib.ndiff(old.splitlines(), new.splitlines())
    return [(marks[line[:2]], line[2:]) for line in found if line[:2] in marks]
