"""How claims get into the books: filled in by whoever keeps them. Without books nothing can be posted or paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from kit.values.money import ONE
from oa.organisation.models import CompanyProfile


@dataclass(frozen=True)
class Books:
    """`currencies()`: decimals of every currency in use by code. `rate(code, date)`: base currency per unit.

    `post(claim, lines, by)` books a claim with its lines and returns the day it was booked on; `reverse(claim, day,
    by)` takes that back; both in the caller's transaction, with the claim locked.
    """

    currencies: Callable[[], Mapping[str, int]]
    rate: Callable[[str, dt.date], Decimal]
    post: Callable[[Any, Any, Any], dt.date]
    reverse: Callable[[Any, dt.date, Any], None]


_books: list[Books] = []


def register(books: Books) -> None:
    """Lend the claims the books they are posted in."""
    _books[:] = [books]


def ready() -> bool:
    """Whether there are books."""
    return bool(_books)


def books() -> Books:
    """The books; refused in words when there are none."""
    if not _books:
        raise BusinessError(_("There are no books: claims cannot be posted or paid in this installation."))
    return _books[0]


def base_code() -> str:
    """The currency that claims are paid in."""
    return CompanyProfile.current().base_currency


def currencies() -> Mapping[str, int]:
    """Decimals of the currencies a line may be in; without books only that of the company."""
    return _books[0].currencies() if _books else {base_code(): 2}


def rate_on(code: str, base: str, date: dt.date) -> Decimal:
    """Base currency per unit of `code` on `date`; refused where nobody keeps a rate."""
    return ONE if code == base else books().rate(code, date)
