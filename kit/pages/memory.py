"""What people keep of a list: views with filters, order and columns (UX 6.2). Whoever stores it lends it to the kit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.http import QueryDict

ANCHORS = ("after", "before", "at")  # a page that begins behind, before or at the row of a key
# Where somebody is in a list and what for, which is no part of a view.
PLACE = ("page", "saved", "format", "full", "what", *ANCHORS)


@dataclass(frozen=True)
class SavedList:
    """A kept view as one person sees it: `mine` may be changed, `share` says who else has it."""

    key: int
    name: str
    query: str
    columns: Sequence[str]
    mine: bool
    share: str

    def differs(self, params: QueryDict) -> bool:
        """Whether the list shows something else than was kept."""
        return normal(params) != normal(QueryDict(self.query))


@dataclass(frozen=True)
class Memory:
    """All that a person kept of a list: views, columns outside of views, and the view that opens by itself."""

    views: Sequence[SavedList] = ()
    columns: Sequence[str] = ()
    opens: int | None = None

    def view(self, key: str) -> SavedList | None:
        """The view of a key in an address."""
        return next((view for view in self.views if str(view.key) == key), None)


class ListMemory(Protocol):
    """Where views are kept. `page` is the slug of a resource."""

    def recall(self, user: Any, page: str) -> Memory: ...

    def keep_columns(self, user: Any, page: str, columns: Sequence[str], view: SavedList | None) -> None: ...

    def keep_view(self, user: Any, page: str, view: SavedList | None, **kept: Any) -> int: ...

    def drop_view(self, user: Any, page: str, view: SavedList) -> None: ...

    def open_with(self, user: Any, page: str, view: SavedList | None) -> None: ...

    def shares(self, user: Any) -> Sequence[tuple[str, Any]]: ...


def normal(params: QueryDict) -> list[tuple[str, list[str]]]:
    """Parameters that make a view, in one order and without those that say nothing."""
    lists = ((name, [value for value in values if value]) for name, values in params.lists() if name not in PLACE)
    return sorted((name, values) for name, values in lists if values)


def whole_query(params: QueryDict) -> str:
    """The query string that a view keeps."""
    kept = QueryDict(mutable=True)
    for name, values in normal(params):
        kept.setlist(name, values)
    return kept.urlencode()
