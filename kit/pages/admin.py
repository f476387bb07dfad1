"""Bases of the back office: records with history and data scope, and tables that nobody edits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pghistory.core
from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth import get_user_model
from django.core.paginator import Page
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kit.pages.hooks import hooks

UNTOLD = ("version", "updated_at", "search", "pinyin")  # columns whose change says nothing to people
PER_PAGE = 100


def visible(queryset: models.QuerySet[Any], user: Any) -> models.QuerySet[Any]:
    """`queryset` narrowed to what `user` may see, where the model knows about visibility (rule G-21)."""
    narrow = getattr(queryset, "visible_to", None)
    return narrow(user) if narrow else queryset


@dataclass(frozen=True)
class Change:
    """One line of the history page, in the terms of Django's template."""

    action_time: Any
    user: Any
    message: str

    def get_change_message(self) -> str:
        """What was changed."""
        return self.message


class HistoryAdmin(admin.ModelAdmin):
    """Shows the history that the database triggers keep, whichever way a change came (rule G-20)."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's history page, fed with the event rows of the record."""
        record = self.get_object(request, object_id)
        tables = pghistory.core.event_models(tracks_model=self.model)
        if tables and record is not None and self.has_view_or_change_permission(request, record):
            page, numbers = self._changes(request, record, tables[0])
            extra_context = {
                "action_list": page,
                "page_range": numbers,
                "pagination_required": page.paginator.count > PER_PAGE,
                **(extra_context or {}),
            }
        return super().history_view(request, object_id, extra_context)

    def _changes(self, request: HttpRequest, record: models.Model, events: Any) -> tuple[Page, Iterable[Any]]:
        """The asked page of the record's changes, newest first; `events` is the history model."""
        rows = events.objects.filter(pgh_obj_id=record.pk).select_related("pgh_context").order_by("-pgh_id")
        paginator = self.get_paginator(request, rows, PER_PAGE)
        page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
        newer = page.start_index() - 2  # the event before the page, whose row is what came of the first one
        later = rows[newer] if newer >= 0 else record
        page.object_list = list(_told(later, list(page.object_list)))
        return page, list(paginator.get_elided_page_range(page.number))


def _told(later: models.Model, events: list[Any]) -> Iterator[Change]:
    """Changes in words: each event holds the row as it was before, `later` is what came of it."""
    keys = {(event.pgh_context.metadata or {}).get("user") for event in events if event.pgh_context}
    people = {user.pk: user for user in get_user_model()._default_manager.filter(pk__in=keys - {None})}
    for event in events:
        actor = (event.pgh_context.metadata or {}).get("user") if event.pgh_context else None
        text = _("deleted") if event.pgh_label == "deleted" else "; ".join(_differences(event, later))
        yield Change(timezone.localtime(event.pgh_created_at), people.get(actor, ""), text)
        later = event


def _differences(before: Any, after: Any) -> Iterator[str]:
    for field in before._meta.fields:
        if field.name.startswith("pgh_") or field.name in UNTOLD:
            continue
        old, new = getattr(before, field.attname), getattr(after, field.attname, None)
        if old != new:
            yield f"{capfirst(field.verbose_name)}: {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    return "–" if value in (None, "") else str(value)[:200]


class RecordAdmin(HistoryAdmin):
    """A master or a setting: searched, edited, with pickers for foreign keys that show visible rows only."""

    list_per_page = PER_PAGE
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows the user may see."""
        return visible(super().get_queryset(request), request.user)

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Every relation to a model whose admin can search."""
        fields = [*self.opts.fields, *self.opts.many_to_many]
        return [field.name for field in fields if field.editable and self._searchable(field)]

    def _searchable(self, field: Any) -> bool:
        target = field.remote_field and self.admin_site._registry.get(field.remote_field.model)
        return bool(target and target.search_fields)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A picker that neither shows nor accepts rows the user may not see."""
        kwargs["queryset"] = visible(db_field.remote_field.model._default_manager.all(), request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """As for foreign keys."""
        kwargs["queryset"] = visible(db_field.remote_field.model._default_manager.all(), request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stamp the author, and raise the version so that open pages notice (rule G-19)."""
        if change and hasattr(obj, "version"):
            obj.version += 1
        elif not change and hasattr(obj, "created_by_id"):
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """With what hangs on the record, as the pages delete it."""
        hooks.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """One after the other, as above."""
        for obj in queryset:
            hooks.delete(obj)


class ReadOnly:
    """Nothing is added, changed or deleted here: services and pages do that."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, RecordAdmin):
    """A ledger or a document."""


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    """The lines of a document or entry, with their relations in one query."""

    extra = 0
    can_delete = False
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Lines with what their columns name."""
        related = [field.name for field in self.opts.fields if isinstance(field, models.ForeignKey)]
        return super().get_queryset(request).select_related(*related)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the document may see its lines."""
        owner = self.parent_model._meta
        return bool(request.user.has_perm(f"{owner.app_label}.view_{owner.model_name}"))
