"""Panels of record pages: lists of other resources, narrowed to the record, and templates of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, QueryDict

from kit.pages.counting import CountOf, few_text
from kit.pages.lists import ListState, narrowed_state
from kit.pages.panels import Panel, panels
from kit.pages.resources import registry


def counted(tabs: Sequence[Panel], obj: Any, user: Any) -> list[tuple[Panel, str]]:
    """Tabs with the number of their rows, all counted in one statement and none beyond a hundred."""
    columns = {}
    for i, panel in enumerate(tabs):
        if panel.resource:
            rows = registry[panel.resource].queryset(user).filter(**fixed_rows(panel, obj))
            columns[f"n{i}"] = CountOf(rows)
    found = type(obj)._default_manager.filter(pk=obj.pk).values(**columns).first() if columns else {}
    return [(panel, few_text((found or {}).get(f"n{i}"))) for i, panel in enumerate(tabs)]


def panel_context(panel: Panel | None, obj: Any, request: HttpRequest, *, short: bool = True) -> dict[str, Any]:
    """What the panel template needs: a list, or the panel's own context."""
    if panel is None:
        return {}
    made: dict[str, Any] = {"panel": panel, "object": obj}
    if panel.resource:
        resource = registry[panel.resource]
        fixed = fixed_rows(panel, obj)
        if short:
            made["all_url"] = f"{resource.url()}?{panel.query}" if panel.query else f"?tab={_whole(panel, obj).name}"
            made["list"] = narrowed_state(resource, request.user, fixed, panel.columns, 5, panel.query)
        else:
            params = QueryDict(request.GET.urlencode(), mutable=True)
            for name in ("panel", "tab"):
                params.pop(name, None)
            made["list"] = ListState(resource, request.user, params, fixed, resource.columns_named(panel.columns))
        made["resource"] = resource
        if panel.create and resource.may(request.user, "add"):
            made["create_url"] = f"{resource.url('new')}?{panel.by}={obj.pk}"
    elif panel.context is not None:
        made |= panel.context(obj, request.user)
    return made


def _whole(panel: Panel, obj: Any) -> Panel:
    """The tab that lists the same rows with all their columns; without one the panel itself, as a tab."""
    tabs = [p for p in panels[obj._meta.label_lower] if p.where == "tab" and not p.columns]
    return next((p for p in tabs if (p.resource, p.by, p.filters) == (panel.resource, panel.by, panel.filters)), panel)


def fixed_rows(panel: Panel, obj: Any) -> dict[str, Any]:
    """The conditions of a list panel; callables are asked now."""
    fixed = {name: value() if callable(value) else value for name, value in panel.filters}
    if panel.by and panel.distinct:
        model = registry[panel.resource].model
        return {**fixed, "pk__in": model._default_manager.filter(**{panel.by: obj}).values("pk")}
    return {**fixed, panel.by: obj} if panel.by else fixed
