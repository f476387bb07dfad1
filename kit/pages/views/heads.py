"""What stands above every page: crumbs, title, badge, actions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from kit.pages import nav
from kit.pages.actions import Action
from kit.pages.lists import ListState
from kit.pages.resources import Resource


@dataclass
class Head:
    """The page head."""

    title: Any
    crumbs: Sequence[tuple[Any, str]] = ()
    actions: Sequence[Action] = ()
    badge: tuple[Any, str] | None = None  # word, tone
    tags: Sequence[Any] = ()
    note: str = ""
    total: str = ""
    numeric: bool = False
    submit_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def shown(self) -> list[Action]:
        return [action for action in self.actions if not action.menu and not action.create]

    @property
    def secondary(self) -> list[Action]:
        """What has a button on a wide screen and stands in the menu on a phone."""
        return [action for action in self.actions if not action.menu and not action.primary]

    @property
    def creates(self) -> list[Action]:
        return [action for action in self.actions if action.create]

    @property
    def menu(self) -> list[Action]:
        return [action for action in self.actions if action.menu]


def crumbs(resource: Resource, *more: tuple[Any, str]) -> list[tuple[Any, str]]:
    """Group, list, then `more`."""
    group = nav.tree.groups.get(resource.group)
    first: list[tuple[Any, str]] = [(group.label, "")] if group else []
    return [*first, (resource.title_plural, resource.url()), *more]


def list_actions(resource: Resource, user: Any, state: ListState) -> list[Action]:
    """Import, export and new, as far as `user` may."""
    made = []
    if resource.may_import(user):
        made.append(Action(_("Import"), resource.url("import"), icon="download", name="import"))
    made.append(
        Action(
            _("Export"), f"{resource.url('export')}?{state.filter_query}", icon="upload", key="Shift+E", name="export"
        )
    )
    if resource.may(user, "add") and resource.fields:
        label = _("New %s") % resource.title
        made.append(Action(label, resource.url("new"), icon="plus", primary=True, key="c", name="new"))
    return made
