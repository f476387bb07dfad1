"""Model fields that fix the digits of money, prices, quantities and rates once for all tables (rule G-13)."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class FixedDecimalField(models.DecimalField):
    """A `numeric` column whose digits belong to its kind and not to its use."""

    digits: tuple[int, int] = (18, 2)
    shown = 0  # decimals that are written even where they are zeros

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", self.digits[0])
        kwargs.setdefault("decimal_places", self.digits[1])
        super().__init__(*args, **kwargs)


class MoneyField(FixedDecimalField):
    """An amount in base or document currency: numeric(18,2)."""

    shown = 2


class PriceField(FixedDecimalField):
    """A unit price or unit cost: numeric(18,6)."""

    digits = (18, 6)
    shown = 2


class RateField(FixedDecimalField):
    """An exchange rate or conversion factor: numeric(18,8)."""

    digits = (18, 8)


class QuantityField(FixedDecimalField):
    """A quantity: numeric(18,4)."""

    digits = (18, 4)


class FractionField(FixedDecimalField):
    """A fraction of one (0.13 = 13 %): numeric(9,6)."""

    digits = (9, 6)


class PercentField(FixedDecimalField):
    """A percentage as people type it (13 = 13 %): numeric(9,4)."""

    digits = (9, 4)


class ToleranceField(FixedDecimalField):
    """How far from what was agreed is accepted, in percent: numeric(5,2). NULL says nothing at this place."""

    digits = (5, 2)
    default_validators = [MinValueValidator(0), MaxValueValidator(100)]


def tolerable(field: str, name: str) -> models.CheckConstraint:
    """A tolerance lies between 0 and 100 percent, or says nothing."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__gte": 0, f"{field}__lte": 100}) | models.Q(**{field: None}),
        name=name,
        violation_error_message=_("The tolerance lies between 0 and 100 %."),
    )


def in_order(first: str, last: str, name: str) -> models.CheckConstraint:
    """A period that ends before it starts is refused; both ends may be open."""
    return models.CheckConstraint(
        condition=models.Q(**{last: None}) | models.Q(**{first: None}) | models.Q(**{f"{last}__gte": models.F(first)}),
        name=name,
        violation_error_message=_("The end lies before the start."),
    )
