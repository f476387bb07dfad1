"""Pages, shown as dialogs, on which a person keeps views and columns of a list (UX 6.2.1, 6.2.4)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.pages.hooks import hooks
from kit.pages.lists import ListState
from kit.pages.memory import ListMemory, whole_query
from kit.pages.resources import Resource
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import go
from kit.values.errors import BusinessError


class ViewForm(forms.Form):
    """The name of a view, and for whom it is."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    share = forms.ChoiceField(label=pgettext_lazy("view of a list", "For whom"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, shares: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["share"].choices = shares  # type: ignore[attr-defined]
        self.fields["share"].initial = shares[0][0]


def _state(request: HttpRequest, resource: Resource) -> tuple[ListState, ListMemory]:
    """The list as the address of the dialog tells it, and where views are kept."""
    require(request.user, resource, "view")
    if hooks.lists is None:
        raise Http404
    return ListState(resource, request.user, request.GET, remembered=True), hooks.lists


def view_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Keep the list as a view, change or delete one, or open the list with it; `what` says which."""
    state, memory = _state(request, resource)
    what = request.POST.get("what") or request.GET.get("what", "new")
    edited = state.saved if what in ("edit", "drop") else None
    if what in ("edit", "drop") and (edited is None or not edited.mine):
        raise Http404
    if what in ("open", "drop"):
        return _asked(request, resource, state, memory, what)
    initial = {"name": edited.name, "share": edited.share} if edited else {}
    form = ViewForm(request.POST or None, shares=memory.shares(request.user), initial=initial)
    if request.method == "POST" and form.is_valid():
        key = _kept(request.POST.get("submit_id", ""), request.user, resource, state, memory, edited, form)
        if key is not None:
            return go(request, f"{resource.url()}?saved={key}")
    title = _("Change the view") if edited else _("Save as a view")
    told = _("A view keeps filters, search, order and columns. Everybody sees only the rows they may see anyway.")
    return _dialog(request, resource, state, title, {"form": form, "what": what, "told": told, "verb": _("Save view")})


def _asked(request: HttpRequest, resource: Resource, state: ListState, memory: ListMemory, what: str) -> HttpResponse:
    """Delete the view in hand, or open the list with it from now on, when the person has said so."""
    user, page, view = request.user, resource.slug, state.saved
    if what == "drop" and view is not None:
        if request.method == "POST":
            memory.drop_view(user, page, view)
            messages.success(request, _("View “%s” deleted.") % view.name)
            return go(request, f"{resource.url()}?view=")
        told, verb = _("Delete the view “%s”?") % view.name, _("Delete the view")
    else:
        chosen = view if state.opens_other else None
        if request.method == "POST":
            memory.open_with(user, page, chosen)
            return go(request, f"{resource.url()}?{state.filter_query}")
        told = _("The list opens with “%s” from now on.") % chosen.name if chosen else _("The list opens as shipped.")
        verb = _("Open the list with this view") if chosen else _("Open the list as shipped")
    return _dialog(request, resource, state, verb, {"what": what, "told": told, "verb": verb, "danger": what == "drop"})


def _kept(
    submit: str, user: Any, resource: Resource, state: ListState, memory: ListMemory, view: Any, form: ViewForm
) -> int | None:
    """The key of the stored view; None, with errors at the fields, where it is refused."""
    kept = {**form.cleaned_data, "query": whole_query(state.params), "columns": state.chosen}
    name = f"{resource.slug}.view"
    try:
        key, _repeat = hooks.once(submit, user, name, lambda: memory.keep_view(user, resource.slug, view, **kept))
        return int(key)
    except BusinessError as error:
        for problem in error:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    return None


def columns_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Which columns the list shows, and in which order."""
    state, memory = _state(request, resource)
    shown = [column.name for column in state.columns]
    if request.method == "POST":
        names = [] if "reset" in request.POST else _typed(request, state)
        memory.keep_columns(request.user, resource.slug, names, state.saved)
        return go(request, f"{resource.url()}?{state.filter_query}")
    offered = state.offered
    names = [*shown, *(name for name in offered if name not in shown)]
    rows = [(name, capfirst(str(offered[name].label)), name in shown, place) for place, name in enumerate(names[1:], 1)]
    context = {"rows": rows, "first": state.columns[0].heading}
    return _dialog(request, resource, state, _("Columns"), context)


def _typed(request: HttpRequest, state: ListState) -> list[str]:
    """The ticked columns in the order of their places; equal places keep the order of the page."""
    ticked = [name for name in request.POST.getlist("column") if name in state.offered]

    def place(name: str) -> int:
        given = request.POST.get(f"place-{name}", "")
        return int(given) if given.isdecimal() and len(given) < 5 else len(ticked)

    return sorted(ticked, key=place)


def _dialog(
    request: HttpRequest, resource: Resource, state: ListState, title: str, context: dict[str, Any]
) -> HttpResponse:
    dialog = request.headers.get("HX-Target") == "dialog"
    name = "columns" if "rows" in context else "view"
    context |= {
        "url": resource.url("columns" if name == "columns" else "views"),
        "head": Head(title=title, crumbs=crumbs(resource, (title, ""))),
        "resource": resource,
        "query": state.filter_query,
        "back": f"{resource.url()}?{state.filter_query}",
    }
    template = f"kit/parts/list_{name}.html" if dialog else f"kit/list_{name}.html"
    return fragment_or_page(request, template, context, status=422 if request.method == "POST" else 200)
