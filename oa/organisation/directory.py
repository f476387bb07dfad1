"""The directory: who works where and how to reach them, for everybody in the company (UX 6.22)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.expressions import Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kit.pages import nav
from kit.pages.actions import Action
from kit.pages.resources import by_model
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from oa.organisation.lines import chains_of
from oa.organisation.models import Department, Post, User
from oa.organisation.moves import MOVES

ROWS = 24
SEARCHED = ("name", "pinyin", "username", "email", "phone", "extension")


@dataclass
class Node:
    """A department in the tree."""

    key: int
    code: str
    name: str
    parent: int | None
    children: list[Node] = field(default_factory=list)


class Tree:
    """All active departments, read once."""

    def __init__(self) -> None:
        rows = Department.objects.filter(active=True).order_by("code").values_list("pk", "code", "name", "parent_id")
        self.nodes = {key: Node(key, code, name, parent) for key, code, name, parent in rows}
        self.roots = [node for node in self.nodes.values() if node.parent not in self.nodes]
        for node in self.nodes.values():
            if node.parent in self.nodes:
                self.nodes[node.parent].children.append(node)

    def called(self, code: str) -> Node | None:
        """The department with `code`."""
        return next((node for node in self.nodes.values() if node.code == code), None)

    def path(self, key: int | None) -> list[Node]:
        """The department and what is above it, from the top."""
        found: list[Node] = []
        while key in self.nodes and len(found) <= len(self.nodes):
            found.insert(0, self.nodes[key])
            key = self.nodes[key].parent
        return found

    def below(self, node: Node) -> Iterator[Node]:
        """The department and all below it."""
        yield node
        for child in node.children:
            yield from self.below(child)

    def opened(self, chosen: Node | None) -> Iterator[tuple[Node, int]]:
        """What the tree shows with its depth: the top levels, and the way to the chosen department with its own."""
        way = {node.key for node in self.path(chosen.key)} if chosen else set()
        yield from self._opened(self.roots, 0, way)

    def _opened(self, nodes: list[Node], depth: int, way: set[int]) -> Iterator[tuple[Node, int]]:
        for node in nodes:
            yield node, depth
            if depth == 0 or node.key in way:
                yield from self._opened(node.children, depth + 1, way)


@dataclass(frozen=True)
class Card:
    """One person as the directory shows them."""

    person: User
    url: str
    posts: list[tuple[str, str]]  # position, department with its path
    managers: list[User]


def found(text: str, keys: list[int] | None) -> QuerySet[User]:
    """Active people who match what was typed, in departments `keys` by a main or further post; by name or pinyin."""
    rows = User.objects.filter(is_active=True)
    for word in text.split():
        rows = rows.filter(_any(word))
    if keys is not None:
        further = Post.objects.filter(department__in=keys).values("user")
        rows = rows.filter(Q(department__in=keys) | Q(pk__in=further))
    shown = NullIf(F("pinyin"), Value(""), output_field=TextField())
    return rows.order_by(Coalesce(shown, Lower("name"), output_field=TextField()), "username")


def _any(word: str) -> Q:
    condition = Q()
    for name in SEARCHED:
        condition |= Q(**{f"{name}__icontains": word})
    return condition


def cards(page: Page[User], tree: Tree) -> list[Card]:
    """The people of a page with posts and managers, in as many statements for one as for all."""
    people = list(page.object_list)
    posts: dict[int, list[User | Post]] = {person.pk: [person] for person in people}
    for post in Post.objects.filter(user__in=people).select_related("position"):
        posts[post.user_id].append(post)
    lines = chains_of(person.pk for person in people)
    resource = by_model[User]
    return [
        Card(
            person,
            resource.url_for(person),
            [_post(row, tree) for row in posts[person.pk] if row.department_id or row.position_id],
            lines.get(person.pk, [])[:4],
        )
        for person in people
    ]


def _post(row: User | Post, tree: Tree) -> tuple[str, str]:
    path = " / ".join(node.name for node in tree.path(row.department_id)[1:] or tree.path(row.department_id))
    return str(row.position or ""), path


@require_safe
def directory_view(request: HttpRequest) -> HttpResponse:
    """Search by name, pinyin, initials, phone or mail; departments as a tree, a select on the phone."""
    tree = Tree()
    chosen = tree.called(request.GET.get("department", ""))
    text = request.GET.get("q", "").strip()
    rows = found(text, [node.key for node in tree.below(chosen)] if chosen else None)
    page = Paginator(rows.select_related("position"), ROWS).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "head": Head(title=_("Directory"), crumbs=_crumbs(), actions=_actions(request.user)),
        "cards": cards(page, tree),
        "page": page,
        "shown": list(tree.opened(chosen)),
        "all": [(node, len(tree.path(node.key)) - 1) for root in tree.roots for node in tree.below(root)],
        "chosen": chosen,
        "text": text,
        "may_open": request.user.has_perm("oa.view_user"),
    }
    target = request.headers.get("HX-Target")
    return fragment_or_page(request, "oa/parts/directory.html" if target == "list" else "oa/directory.html", context)


def _crumbs() -> list[tuple[Any, str]]:
    group = nav.tree.groups["office"]
    return [(group.label, ""), (_("Directory"), "")]


def _actions(user: Any) -> list[Action]:
    if not (user.has_perm(MOVES) and user.has_perm("oa.add_user")):
        return []
    return [Action(_("Add person"), reverse("user-new"), icon="user-plus", primary=True, name="join")]
