"""The state of a list: rows, filters, sorting, pages, count, totals. Pages, panels and exports share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.db import models
from django.db.models import QuerySet, Sum
from django.http import QueryDict
from django.utils.translation import gettext as _

from kit.pages.columns import Cell, Column, cell, field_of, resolve, titled
from kit.pages.counting import CountOf, counted, few_text
from kit.pages.filters import Chip, active_params, bound_filters, chips, is_chosen
from kit.pages.hooks import hooks
from kit.pages.keyset import beyond
from kit.pages.memory import ANCHORS, PLACE, Memory, SavedList
from kit.pages.resources import Resource, address_key
from kit.pages.rowparts import Header, Row, Tab, Turn
from kit.values.keys import is_key

COUNT_LIMIT = 10_000
SIZES = (25, 50, 100, 200)


@dataclass
class ListState:
    """One list as a person sees it. `fixed` conditions come from the page around a panel.

    All names in the URL are looked up in the declaration; anything else is ignored.
    """

    resource: Resource
    user: Any
    params: QueryDict
    fixed: dict[str, Any] = field(default_factory=dict)
    columns: Sequence[Column] = ()
    limit: int = 0  # rows of a side panel; 0: a full list with pages
    remembered: bool = False  # whether it is the list page itself, where views and columns of the person hold
    memory: Memory = field(default_factory=Memory)
    saved: SavedList | None = None

    def __post_init__(self) -> None:
        if self.remembered and hooks.lists is not None:
            self.memory = hooks.lists.recall(self.user, self.resource.slug)
            self._recall()
        self.columns = self.columns or self.resource.all_columns

    def _recall(self) -> None:
        """Take up the view that the address names, else the one the list opens with."""
        bare = not set(self.params) - {*PLACE, "size"}
        key = self.params.get("saved") or (str(self.memory.opens or "") if bare else "")
        self.saved = self.memory.view(key)
        if self.saved is not None and bare:
            whole = QueryDict(self.saved.query, mutable=True)
            whole["saved"] = key
            for name in ("page", "size", *ANCHORS):
                if name in self.params:
                    whole.setlist(name, self.params.getlist(name))
            self.params = whole
        self.columns = self._chosen(self.saved.columns if self.saved is not None else self.memory.columns)

    def _chosen(self, names: Sequence[str]) -> list[Column]:
        """The columns of these names; the first one of the list, which leads to the record, always stays there."""
        first = self.resource.all_columns[0]
        chosen = [self.offered[name] for name in names if name in self.offered and name != first.name]
        return [first, *chosen] if chosen else []

    @cached_property
    def offered(self) -> dict[str, Column]:
        """Every column a person may choose, by name: those of the list, then fields of the record."""
        resource = self.resource
        found = {column.name: column for column in resource.all_columns}
        for name in (*resource.fields, *resource.extra_fields):
            kept = field_of(resource.model, name)
            structured = kept is None or kept.many_to_many or isinstance(kept, models.JSONField | models.FileField)
            if not structured and name not in resource.not_exported:
                found.setdefault(name, resolve(resource.model, Column(name, resource.labels.get(name, ""))))
        return found

    @property
    def chosen(self) -> list[str]:
        """Names of the columns after the first, where the person chose them; empty: as shipped."""
        names = [column.name for column in self.columns]
        return names[1:] if names != [column.name for column in self.resource.all_columns] else []

    @property
    def opens_other(self) -> bool:
        """Whether the view in hand is not the one that the list opens with."""
        return self.saved is not None and self.saved.key != self.memory.opens

    @cached_property
    def columns_url(self) -> str:
        """Where columns are chosen, with the list as it is."""
        return f"{self.resource.url('columns')}?{self.filter_query}"

    @cached_property
    def views_url(self) -> str:
        """Where the list as it is becomes a view."""
        return f"{self.resource.url('views')}?{self.filter_query}"

    @cached_property
    def unkept(self) -> bool:
        """Whether something narrows the list that no view keeps yet."""
        return self.changed if self.saved is not None else bool(self.text or self.chips)

    @cached_property
    def changed(self) -> bool:
        """Whether the list shows something else than the view in hand."""
        return self.saved is not None and self.saved.differs(self.params)

    # ---- rows ----

    @cached_property
    def known(self) -> QuerySet[Any]:
        """All rows that the list may ever show."""
        rows = self.resource.list_queryset(self.user)
        return rows.filter(**self.fixed) if self.fixed else rows

    @cached_property
    def filterset(self) -> Any:
        """The filters with what is chosen; None where nothing is, since they take a third of the time of a list."""
        if not is_chosen(self.resource, self.params):
            return None
        return bound_filters(self.resource, self.params, self.known, self.user)

    @cached_property
    def rows(self) -> QuerySet[Any]:
        """All matching rows in order: what a list shows, an export writes and totals add up."""
        rows = self.known
        if self.filterset is not None and self.filterset.form.is_valid():
            rows = self.filterset.qs
        if self.text:
            rows = self.resource.search(rows, self.text)
        view = self.params.get("view", "")
        states = self.resource.states
        names = {f.name for f in self.resource.meta.fields}
        if view == "mine" and "owner" in names:
            rows = rows.filter(owner=self.user)
        elif view in self.resource.views:
            rows = rows.filter(self.resource.views[view][1])
        elif states is not None and view in {s.name for s in states.states}:
            rows = rows.filter(state=view)
        elif view == "archived" and "active" in names:
            rows = rows.filter(active=False)
        return rows.order_by(*self.ordering)

    @property
    def text(self) -> str:
        return self.params.get("q", "").strip()

    @cached_property
    def ordering(self) -> list[str]:
        """Ordering by the chosen column, always made unique by the key."""
        name = self.params.get("sort", "")
        sign, plain = ("-", name[1:]) if name.startswith("-") else ("", name)
        column = next((c for c in self.columns if c.name == plain), None)
        if column is not None:
            return [f"{sign}{column.shown}", f"{sign}pk"]
        order = list(self.resource.ordering or self.resource.meta.ordering)
        last = order[-1].lstrip("-") if order else ""
        return order if last in {"id", "pk"} else [*order, "-pk" if order and order[0].startswith("-") else "pk"]

    @cached_property
    def size(self) -> int:
        given = self.params.get("size", "")
        return int(given) if given in map(str, SIZES) else SIZES[0]

    @cached_property
    def page(self) -> int:
        given = self.params.get("page", "")
        number = int(given) if is_key(given) else 1
        return min(max(number, 1), COUNT_LIMIT // self.size)

    @cached_property
    def anchor(self) -> tuple[str, int] | None:
        """The row that the page stands at, instead of a number of pages: how, and its key."""
        given = next(((name, str(self.params[name])) for name in ANCHORS if self.params.get(name)), ("", ""))
        return (given[0], int(given[1])) if is_key(given[1]) else None

    @cached_property
    def _fetched(self) -> list[tuple[Any, ...]]:
        """The rows of the page and one more, which tells that the list goes on (before them, when read backwards)."""
        if self.limit:
            return self._few[0]
        size = self.size
        if self.anchor is not None:
            how, pk = self.anchor
            back = how == "before"
            rows = beyond(self.rows, self.known, pk, back=back, within=how == "at")
            found = self._read(rows[: size + 1], back)
            return found[size - 1 :: -1] + found[size:] if back else found
        start = (self.page - 1) * size
        return self._read(self.rows[start : start + size + 1])

    @cached_property
    def _few(self) -> tuple[list[tuple[Any, ...]], int]:
        """The rows of a side panel and how many there are, as far as they are counted; one statement."""
        found = self._read(self.rows[: self.limit + 1], more=[CountOf(self.rows)])
        return [row[:-1] for row in found], found[0][-1] if found else 0

    def _read(self, page: QuerySet[Any], back: bool = False, more: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a page with all they show; before, they are found in an index that has what this takes."""
        rows = self.known.filter(pk__in=page.values("pk")).order_by(*self.ordering)
        paths = ["pk", self.resource.key_field, *(column.value for column in self.columns)]
        return list((rows.reverse() if back else rows).values_list(*paths, *more))

    @cached_property
    def body(self) -> list[Row]:
        """The formatted rows of this page."""
        pattern = self.resource.url("record", "0key0")
        if self.remembered:
            pattern += f"?list={quote(self.params.urlencode())}"
        made = []
        state, first = self._draft_at
        for pk, key, *values in self._fetched[: self.limit or self.size]:
            name = key or f"d-{pk}"
            url = pattern.replace("0key0", _quoted(address_key(str(name), pk)))
            if state >= 0 and values[state] == first:
                values = [None if c.kind == "progress" else v for c, v in zip(self.columns, values, strict=True)]
            cells = [
                cell(c, v, url if i == 0 else "") for i, (c, v) in enumerate(zip(self.columns, values, strict=True))
            ]
            if not cells[0].text:
                cells[0] = Cell(_("Draft"), cells[0].column, url)
            made.append(Row(str(name), url, titled(cells), pk))
        return made

    @property
    def _draft_at(self) -> tuple[int, str]:
        """Where the state stands and which one is the first: nothing can have progressed in it."""
        states = self.resource.states
        places = [i for i, column in enumerate(self.columns) if column.path == "state"]
        return (places[0], states.initial) if states is not None and places else (-1, "")

    @property
    def has_next(self) -> bool:
        """Whether rows follow; who came back from rows knows them."""
        return self._more or (self.anchor is not None and self.anchor[0] == "before")

    @property
    def _more(self) -> bool:
        return len(self._fetched) > (self.limit or self.size)

    @cached_property
    def count(self) -> int:
        """Matching rows, counted up to the limit."""
        if self.limit:
            return self._few[1]
        if not self.has_next and self.page == 1 and self.anchor is None:
            return len(self._fetched)
        return counted(self.rows, COUNT_LIMIT)

    @property
    def count_text(self) -> str:
        if self.limit:
            return few_text(self.count) or "0"
        return f"{COUNT_LIMIT:,}+" if self.count > COUNT_LIMIT else f"{self.count:,}"

    @property
    def range_text(self) -> str:
        """`1–25 / 186`."""
        if not self.body:
            return "0"
        if self.anchor is not None:
            return f"{len(self.body):,} / {self.count_text}"
        first = (self.page - 1) * self.size + 1
        return f"{first:,}–{first + len(self.body) - 1:,} / {self.count_text}"

    @cached_property
    def pages(self) -> list[Turn]:
        """Pages around the present one."""
        last = -(-min(self.count, COUNT_LIMIT) // self.size)
        return self._turns("page", [n for n in range(1, last + 1) if n in {1, last} or abs(n - self.page) <= 2])

    @property
    def sizes(self) -> list[Turn]:
        """How many rows a page can have."""
        return self._turns("size", SIZES)

    def _turns(self, name: str, numbers: Sequence[int]) -> list[Turn]:
        left, present = active_params(self.params, ("page", name, *ANCHORS)), getattr(self, name)
        return [Turn(n, f"{left}&{name}={n}".lstrip("&"), n == present) for n in numbers]

    @cached_property
    def headers(self) -> list[Header]:
        name = self.params.get("sort", "")
        left = active_params(self.params, ("sort", "page", *ANCHORS))
        made = []
        for column in self.columns:
            state = "asc" if name == column.name else "desc" if name == f"-{column.name}" else ""
            target = f"-{column.name}" if state == "asc" else column.name
            made.append(Header(column, state, f"sort={target}&{left}" if left else f"sort={target}"))
        return made

    @cached_property
    def chips(self) -> list[Chip]:
        return chips(self.filterset, self.params) if self.filterset is not None else []

    @cached_property
    def tabs(self) -> list[Tab]:
        """Shipped views: all, mine, those of the resource, one per state, archived."""
        names = {f.name for f in self.resource.meta.fields}
        made: list[tuple[str, Any]] = [("", _("All"))]
        if "owner" in names:
            made.append(("mine", _("Mine")))
        made += [(name, label) for name, (label, _rows) in self.resource.views.items()]
        if self.resource.states is not None:
            made += [(s.name, s.label) for s in self.resource.states.states]
        elif "active" in names:
            made.append(("archived", _("Archived")))
        kept = self.saved is not None  # its filters are no part of what is shipped
        left = "" if kept else active_params(self.params, ("view", "page", *ANCHORS))
        view = self.params.get("view", "")
        tabs = [Tab(label, f"view={key}&{left}".rstrip("&"), not kept and key == view) for key, label in made]
        return [*tabs, *(Tab(saved.name, f"saved={saved.key}", saved == self.saved) for saved in self.memory.views)]

    @cached_property
    def totals(self) -> list[Cell | None]:
        """Sums of all matching rows under the columns that have one; one statement, none beyond the limit."""
        summed = [c for c in self.columns if c.total]
        if not summed or not self.body or self.count > COUNT_LIMIT:
            return []
        sums = self.rows.order_by().aggregate(**{f"t{i}": Sum(c.shown) for i, c in enumerate(summed)})
        values = {c.path: sums[f"t{i}"] for i, c in enumerate(summed)}
        return [cell(c, values[c.path]) if c.path in values else None for c in self.columns]

    @property
    def page_totals(self) -> list[Cell | None]:
        """Sums of the rows on this page."""
        if not self.totals:
            return []
        made: list[Cell | None] = []
        for i, column in enumerate(self.columns):
            values = [row[i + 2] for row in self._fetched[: self.size]]
            made.append(cell(column, sum(v for v in values if v is not None)) if column.total else None)
        return made

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list: decides which empty state is shown."""
        return bool(self.text or self.chips or self.params.get("view"))

    def query(self, **changes: Any) -> str:
        """The query string with some parameters changed, and without those that become None."""
        left = self.params.copy()
        for name in ANCHORS:
            left.pop(name, None)
        for name, value in changes.items():
            left.pop(name, None)
            if value is not None:
                left[name] = value
        return left.urlencode()

    @cached_property
    def previous_query(self) -> str:
        if self.anchor is not None:
            first = self.anchor[0] == "before" and not self._more
            return "" if first or not self.body else self._around(before=self.body[0].pk)
        return self.query(page=self.page - 1) if self.page > 1 else ""

    @cached_property
    def next_query(self) -> str:
        if self.has_next and (self.anchor is not None or (self.page + 1) * self.size > COUNT_LIMIT):
            return self._around(after=self.body[-1].pk) if self.body else ""
        return self.query(page=self.page + 1) if self.has_next else ""

    def _around(self, **anchor: int) -> str:
        """The query string of the page at another row."""
        left = active_params(self.params, ("page", *ANCHORS))
        return "&".join(part for part in (left, *(f"{how}={pk}" for how, pk in anchor.items())) if part)

    @cached_property
    def filter_query(self) -> str:
        """The query string of exports: the same rows and order, all pages."""
        return active_params(self.params, ("page", "size", *ANCHORS))


def _quoted(key: Any) -> str:
    return quote(str(key), safe="~@!$&'()*+,;=:-._")


def narrowed_state(
    resource: Resource, user: Any, fixed: dict[str, Any], columns: Sequence[str], limit: int, query: str = ""
) -> ListState:
    """The state of a panel: fixed rows, chosen columns, its own `query` and no parameters of the page around it."""
    return ListState(resource, user, QueryDict(query), fixed, resource.columns_named(columns), limit)
