"""The navigation tree: groups, and links that sections and resources add to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language


@dataclass(frozen=True)
class Link:
    """An entry: `permission` is a full codename, a callable of the user, or empty for everybody."""

    label: Any
    url_name: str
    order: int = 100
    permission: str | Callable[[Any], bool] = ""
    icon: str = ""
    args: tuple[str, ...] = ()
    group: str = ""  # of entries of the "New" menu, which follow the order of the tree
    go: str = ""  # letter that leads there after G
    counter: str = ""  # name of the number beside it, which comes after the page

    def allowed(self, user: Any) -> bool:
        """Whether `user` may see it."""
        if callable(self.permission):
            return bool(self.permission(user))
        return not self.permission or bool(user.has_perm(self.permission))

    @cached_property
    def url(self) -> str:
        """Where it leads."""
        return reverse(self.url_name, args=self.args)

    @cached_property
    def words(self) -> dict[str | None, str]:
        """What it is called, by language: every page has a hundred of them."""
        return {}

    @property
    def text(self) -> str:
        """The label in the language of the page."""
        return self.words.get(language := get_language()) or self.words.setdefault(language, str(self.label))


@dataclass
class Group:
    """A group of the tree, opened by a click."""

    key: str
    label: Any
    icon: str
    order: int
    section: Any = ""


@dataclass
class Tree:
    """All entries of the shell."""

    groups: dict[str, Group] = field(default_factory=dict)
    links: dict[str, list[Link]] = field(default_factory=lambda: defaultdict(list))
    top: list[Link] = field(default_factory=list)
    foot: list[Link] = field(default_factory=list)
    create: list[tuple[Link, str]] = field(default_factory=list)  # link, key in the menu
    phone: list[Link] = field(default_factory=list)

    def group(self, key: str, label: Any, icon: str, order: int, section: Any = "") -> Group:
        """Declare a group once."""
        return self.groups.setdefault(key, Group(key, label, icon, order, section))

    def add(self, key: str, link: Link) -> None:
        """Add a link to a group, which may be declared later."""
        self.links[key].append(link)


tree = Tree()


def build(user: Any, path: str) -> dict[str, Any]:
    """The tree as `user` may see it on the page `path`."""
    flat = {name: _items(getattr(tree, name), user, path) for name in ("top", "foot", "phone")}
    return {
        "nav": _groups(user, path),
        "nav_top": flat["top"],
        "nav_foot": flat["foot"],
        "nav_phone": flat["phone"],
        "create": _create(user)[:10],
    }


def _groups(user: Any, path: str) -> list[dict[str, Any]]:
    """The groups that hold something for `user`; the first of a section carries its heading."""
    groups, section = [], None
    for group in sorted(tree.groups.values(), key=lambda g: g.order):
        items = _items(tree.links[group.key], user, path)
        if not items:
            continue
        heading = str(group.section) if group.section != section else ""
        section = group.section
        opened = any(item["current"] for item in items)
        groups.append(
            {"label": str(group.label), "icon": group.icon, "items": items, "section": heading, "open": opened}
        )
    return groups


def _items(links: list[Link], user: Any, path: str) -> list[dict[str, Any]]:
    items = [_item(link, path) for link in sorted(links, key=lambda li: li.order) if link.allowed(user)]
    _mark(items, path)
    return items


def _create(user: Any) -> list[dict[str, Any]]:
    """The "New" menu, in the order of the tree."""
    places = {key: place for place, key in enumerate(sorted(tree.groups, key=lambda key: tree.groups[key].order))}
    entries = sorted(tree.create, key=lambda entry: (places.get(entry[0].group, len(places)), entry[0].order))
    return [
        {"label": link.text, "url": link.url, "key": key, "icon": link.icon}
        for link, key in entries
        if link.allowed(user)
    ]


def _item(link: Link, path: str) -> dict[str, Any]:
    return {
        "label": link.text,
        "url": link.url,
        "icon": link.icon,
        "go": link.go,
        "counter": link.counter,
        "current": False,
    }


def _mark(items: list[dict[str, Any]], path: str) -> None:
    """The entry with the longest matching address is the current one."""
    hits = [item for item in items if path == item["url"] or (item["url"] != "/" and path.startswith(item["url"]))]
    if hits:
        max(hits, key=lambda item: len(item["url"]))["current"] = True
