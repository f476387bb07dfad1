"""What a person typed into a form and did not save yet (UX 6.5.9). Whoever stores it lends it to the kit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from django.http import QueryDict


@dataclass(frozen=True)
class Draft:
    """The fields of a form as they were typed, and when."""

    data: QueryDict
    at: dt.datetime


class DraftMemory(Protocol):
    """Where drafts are kept, one for each person and form."""

    def recall(self, user: Any, form: str) -> Draft | None: ...

    def keep(self, user: Any, form: str, data: QueryDict) -> bool: ...

    def drop(self, user: Any, form: str) -> None: ...
