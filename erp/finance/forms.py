"""Forms of finance that differ from the kit's."""

from __future__ import annotations

from typing import Any

from erp.finance.models.payments import Direction
from kit.pages.forms import KitForm


class PaymentForm(KitForm):
    """A receipt or payment; the page decides the direction, and the partner is required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        direction = Direction(self.resource.default_filters["direction"])
        self.instance.direction = direction
        self.fields["customer" if direction == Direction.RECEIVE else "supplier"].required = True
