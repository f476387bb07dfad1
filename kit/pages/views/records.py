"""Record pages: header, steps, figures, overview, tabs, panels, timeline; and the commands of a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import DatabaseError, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from kit.pages import panels as registered
from kit.pages.actions import Action, Command
from kit.pages.bulk import actions_of
from kit.pages.columns import Cell, cell, resolve, telling
from kit.pages.formats import moment
from kit.pages.forms import ReasonForm
from kit.pages.hooks import hooks
from kit.pages.panels import Figure, Panel
from kit.pages.resources import Resource, name_of, registry, resource_of, url_of
from kit.pages.views.around import around
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.panels import counted, panel_context
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.keys import is_key

TIMELINE = 20
KINDS = {"notes": gettext_lazy("Notes"), "documents": gettext_lazy("Documents"), "changes": gettext_lazy("Changes")}


@dataclass(frozen=True)
class Fact:
    """A label with its value on the overview."""

    label: Any
    cell: Cell


@dataclass(frozen=True)
class Step:
    """One step of the life cycle."""

    label: Any
    state: str  # done, now, later


def find(request: HttpRequest, resource: Resource, key: str) -> Any:
    """The record, or 404 as if it did not exist when the person may not see it."""
    try:
        return resource.get(request.user, key)
    except (ObjectDoesNotExist, ValueError):
        raise Http404(key) from None


@require_safe
def record_view(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """The page of one record; `?panel=` answers one panel alone, `?tab=` opens a tab."""
    require(request.user, resource, "view")
    obj = find(request, resource, key)
    shown = registered.panels_for(resource.meta.label_lower, request.user)
    tabs = [p for p in shown if p.where == "tab"]
    wanted = request.GET.get("panel", "")
    if wanted == "timeline":
        told = {"head": Head(title=resource.heading(obj)), **_timeline(resource, obj, request)}
        return fragment_or_page(request, "kit/parts/timeline.html", told)
    if wanted:
        panel = next((p for p in shown if p.name == wanted), None)
        if panel is None:
            raise Http404
        return fragment_or_page(request, "kit/parts/panel.html", panel_context(panel, obj, request, short=False))
    head = record_head(resource, obj, request.user)
    tab = next((p for p in shown if p.name == request.GET.get("tab") and (p.where == "tab" or p.resource)), None)
    context = {
        "resource": resource,
        "object": obj,
        "object_key": resource.key_of(obj),
        "head": head,
        "around": around(request, resource, obj, head),
        "steps": steps(resource, obj),
        "flow": registered.flow_of(resource.meta.label_lower, obj, request.user),
        "figures": figures(resource, obj, request.user),
        "tabs": counted(tabs, obj, request.user),
        "tab": tab,
        "tab_panel": panel_context(tab, obj, request, short=False) if tab else None,
    }
    if tab is None:
        context |= _overview(resource, obj, request, shown)
        if context["lines"] is not None:
            head.total = context["lines"].computed.live_total
    return fragment_or_page(request, resource.template or "kit/record.html", context)


def _overview(resource: Resource, obj: Any, request: HttpRequest, shown: Sequence[Panel]) -> dict[str, Any]:
    return {
        "composer_template": hooks.composer,
        "groups": overview(resource, obj, request.user),
        "grid": resource.lines,
        "lines": resource.lines.table(obj, request.user) if resource.lines else None,
        "side": [panel_context(p, obj, request) for p in shown if p.where == "side"],
        "main": [panel_context(p, obj, request) for p in shown if p.where == "main"],
        "left": [panel_context(p, obj, request) for p in shown if p.where == "left"],
        **_timeline(resource, obj, request),
    }


def _timeline(resource: Resource, obj: Any, request: HttpRequest) -> dict[str, Any]:
    """The entries of one kind or all, the newest first, and how to see more."""
    more = request.GET.get("more", "")
    limit = TIMELINE * min(int(more) if is_key(more) and int(more) else 1, 50)
    kind = request.GET.get("events", "")
    events = registered.timeline(resource.meta.label_lower, obj, request.user, limit, kind if kind in KINDS else "")
    kinds = [("", _("All activity")), *((name, label) for name, label in KINDS.items())]
    return {
        "events": events,
        "more_events": len(events) >= limit,
        "next_more": limit // TIMELINE + 1,
        "event_kind": kind,
        "event_kinds": kinds,
        "resource": resource,
        "object": obj,
    }


def saved_since(resource: Resource, obj: Any, user: Any, opened: str) -> dict[str, Any]:
    """The version of a record that is stored now, and who saved what after version `opened` (rule G-19)."""
    stored: Any = resource.model._default_manager.get(pk=obj.pk)
    version: Any = getattr(stored, "version", "")
    saves = version - int(opened) if is_key(opened) and version != "" else 1
    told = registered.timeline(resource.meta.label_lower, stored, user, TIMELINE, "changes")
    others = [event for event in told if event.more][: max(1, saves)]
    return {"version": version, "others": [(event.who, moment(event.at), event.more) for event in others]}


def record_head(resource: Resource, obj: Any, user: Any) -> Head:
    """Title, badge and actions; the server decides what comes next."""
    title = resource.heading(obj)
    return Head(
        title=title,
        crumbs=crumbs(resource, (title, "")),
        badge=resource.badge(obj),
        tags=resource.subtitle(obj),
        actions=record_actions(resource, obj, user),
        numeric=resource.states is not None,
    )


def record_actions(resource: Resource, obj: Any, user: Any) -> list[Action]:
    """Links and commands of a record page; at most one is primary."""
    made = [_action(resource, obj, command) for command in resource.commands_for(obj, user)]
    if resource.editable(obj, user):
        made.insert(0, Action(_("Edit"), resource.url_for(obj, "edit"), icon="pencil", key="e", name="edit"))
    if resource.not_copied is not None and resource.may(user, "add") and resource.lines.copyable(obj):
        url = f"{resource.url('new')}?copy={resource.key_of(obj)}"
        made.append(Action(_("Copy"), url, icon="copy", menu=True, name="copy"))
    made += _archiving(resource, obj, user)
    for source in (*registered.actions[resource.meta.label_lower], *registered.actions[registered.ANY]):
        made += source(obj, user)
    if resource.fields and resource.deletable(obj, user):
        made.append(
            Action(
                _("Delete"),
                resource.url_for(obj, "delete"),
                icon="trash-2",
                danger=True,
                post=True,
                menu=True,
                confirm=_("Delete %s?") % obj,
                name="delete",
            )
        )
    first = next((a for a in made if a.primary), None)
    return [a if a is first or not a.primary else _plain(a) for a in made]


def _archiving(resource: Resource, obj: Any, user: Any) -> list[Action]:
    """Archive a record, or take it back into use: no question, the toast takes it back (UX 7.5)."""
    name = "archive" if getattr(obj, "active", False) else "activate"
    query = urlencode({"action": name, "ids": obj.pk, "record": resource.key_of(obj)})
    return [
        Action(one.label, f"{resource.url('bulk')}?{query}", icon=one.icon, post=True, menu=True, name=name)
        for one in actions_of(resource, user)
        if one.name == name and resource.editable(obj, user)
    ]


def _plain(action: Action) -> Action:
    return Action(**{**action.__dict__, "primary": False})


def _action(resource: Resource, obj: Any, command: Command) -> Action:
    return Action(
        command.label,
        resource.url_for(obj, "do", command.name),
        icon=command.icon,
        primary=command.primary,
        danger=command.danger,
        post=not command.fields,
        dialog=bool(command.fields),
        confirm=command.confirm,
        menu=command.menu,
        key="Ctrl+Enter" if command.primary else "",
        name=command.name,
    )


def steps(resource: Resource, obj: Any) -> list[Step]:
    """The row of steps; empty for side states, which the badge tells."""
    states = resource.states
    if states is None or not states[obj.state].step:
        return []
    row = [s for s in states.states if s.step]
    now = [s.name for s in row].index(obj.state)
    last = now == len(row) - 1
    return [
        Step(s.label, "done" if i < now or (i == now and last) else "now" if i == now else "later")
        for i, s in enumerate(row)
    ]


def figures(resource: Resource, obj: Any, user: Any) -> list[Figure]:
    """Own and registered key figures."""
    made = list(resource.figures(obj, user))
    for source in registered.figures[resource.meta.label_lower]:
        made += source(obj, user)
    return made


def overview(resource: Resource, obj: Any, user: Any) -> list[tuple[Any, list[Fact]]]:
    """Label and value groups; empty values are left away."""
    sections = resource.sections or (("", tuple(resource.fields)),)
    said = [(label, [n for n in names if _says(resource, obj, n)]) for label, names in sections]
    said[-1][1].extend(name for name in resource.extra_fields if _says(resource, obj, name))
    groups = [
        (label, [f for name in names if (f := fact(resource, obj, name, user)).cell.text]) for label, names in said
    ]
    return [(label, facts) for label, facts in groups if facts]


def _says(resource: Resource, obj: Any, name: str) -> bool:
    """Whether a value tells the reader anything: a rate of 1 and a first revision do not."""
    if name in resource.form_only:
        return False
    return name not in resource.quiet or getattr(obj, name) != resource.quiet[name]


def fact(resource: Resource, obj: Any, name: str, user: Any) -> Fact:
    """One field of the record as label and formatted value, linked where it has a page; of a set what `user` sees."""
    column = resolve(resource.model, name)
    field = resource.meta.get_field(name)
    told = telling.get(f"{resource.meta.label_lower}.{name}")
    value: Any = told(obj) if told is not None else getattr(obj, name)
    label = resource.labels.get(name, column.label)
    if field.many_to_many:
        return Fact(label, cell(column, ", ".join(name_of(v) for v in narrowed(value.all(), user))))
    if isinstance(value, models.Model):
        href = url_of(value) if resource_of(value) is not None else ""
        return Fact(label, cell(column, str(value), href))
    return Fact(label, cell(column, value))


def narrowed(rows: Any, user: Any) -> Any:
    """`rows` as far as `user` may see them."""
    return rows.visible_to(user) if hasattr(rows, "visible_to") else rows


# ---- commands ----


def command_view(request: HttpRequest, resource: Resource, key: str, name: str) -> HttpResponse:
    """Run a command of a record (POST), or ask for what it needs (GET)."""
    require(request.user, resource, "view")
    obj = find(request, resource, key)
    command = next((c for c in resource.commands_for(obj, request.user) if c.name == name), None)
    if command is None:
        return _not_now(request, resource, obj, name)
    initial = {"date": business_day(), **resource.offered(obj, name)}
    form = ReasonForm(request.POST or None, names=command.fields, initial=initial) if command.fields else None
    if request.method != "POST" or (form is not None and not form.is_valid()):
        return _ask(request, resource, obj, command, form)
    fields = form.cleaned_data if form is not None else {}
    try:
        result, _repeat = hooks.once(
            request.POST.get("submit_id", ""),
            request.user,
            f"{resource.slug}.{name}.{obj.pk}",
            lambda: command.run(obj, by=request.user, **fields),
        )
    except BusinessError as error:
        if form is not None:
            for problem in error:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
            return _ask(request, resource, obj, command, form)
        return refused(request, resource, obj, error)
    return _after(request, resource, obj, command, result)


def _not_now(request: HttpRequest, resource: Resource, obj: Any, name: str) -> HttpResponse:
    """A known command that the state does not allow any more is information, an unknown one 404, no right 403."""
    known = {c.name: c.permission for c in (*resource.commands, *registered.commands[resource.meta.label_lower])}
    if resource.states is not None:
        known |= {t.name: "" for t in resource.states.transitions if not t.internal}
    if name not in known:
        raise Http404
    if resource.states is not None and name in resource.run:
        try:
            resource.states.check(name, obj)
        except BusinessError as error:
            return refused(request, resource, obj, error)
    raise PermissionDenied


def _ask(request: HttpRequest, resource: Resource, obj: Any, command: Command, form: Any) -> HttpResponse:
    context = {
        "resource": resource,
        "object": obj,
        "command": command,
        "form": form,
        "head": Head(title=command.label, crumbs=crumbs(resource, (str(obj), resource.url_for(obj)))),
        "url": resource.url_for(obj, "do", command.name),
    }
    target = request.headers.get("HX-Target")
    template = "kit/parts/ask.html" if target == "dialog" else "kit/ask.html"
    return fragment_or_page(request, template, context, status=422 if request.method == "POST" else 200)


def refused(request: HttpRequest, resource: Resource, obj: Any, error: BusinessError) -> HttpResponse:
    """Back to the record with what stands in the way; nothing was changed."""
    messages.error(request, "\n".join(dict.fromkeys(str(problem.message) for problem in error)))
    return go(request, resource.url_for(obj))


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect a page, or tell htmx to load one."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _after(request: HttpRequest, resource: Resource, obj: Any, command: Command, result: Any) -> HttpResponse:
    warning = getattr(result, "warning", "")
    if warning:
        messages.warning(request, warning)
    target = result if command.goto != "self" and isinstance(result, models.Model) else obj
    if command.goto == "self" and isinstance(result, type(obj)) and result.pk == obj.pk:
        target = result
    where = resource_for(target) or resource
    messages.success(request, f"{command.label}: {target}")
    return go(request, where.url_for(target, "edit" if command.goto == "edit" else "record"))


def resource_for(obj: Any) -> Resource | None:
    """The resource whose fixed conditions fit `obj` (receipts and payments share a model)."""
    fitting = [
        r
        for r in registry.values()
        if isinstance(obj, r.model) and all(getattr(obj, n, None) == v for n, v in r.default_filters.items())
    ]
    return fitting[0] if fitting else None


def delete_view(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """Delete a draft or an unused master; used ones are archived instead (rule G-24)."""
    require(request.user, resource, "delete")
    obj = find(request, resource, key)
    if not resource.deletable(obj, request.user):
        raise PermissionDenied
    if request.method != "POST":
        return go(request, resource.url_for(obj))
    name = f"{resource.slug}.delete.{obj.pk}"
    try:
        hooks.once(request.POST.get("submit_id", ""), request.user, name, lambda: hooks.delete(obj))
    except (models.ProtectedError, models.RestrictedError):
        messages.error(request, _("%s is in use and cannot be deleted. Archive it instead.") % obj)
        return go(request, resource.url_for(obj))
    except DatabaseError:
        messages.error(request, _("%s cannot be deleted.") % obj)
        return go(request, resource.url_for(obj))
    messages.success(request, _("%s was deleted.") % obj)
    return go(request, resource.url())
