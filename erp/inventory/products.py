"""Commands on products and their groups."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from erp.inventory.models import Product, ProductGroup
from kit.values.errors import BusinessError, Problem
from oa.records.commands import command


@command
def save_product(product: Product, *, by: Any) -> Product:
    """Store a product; refused where its stock would stay behind on another inventory account (rule V-14)."""
    _store(product, by)
    return product


@command
def save_product_group(group: ProductGroup, *, by: Any) -> ProductGroup:
    """Store a group; refused where stock of its products would stay behind on another account (rule V-14)."""
    _store(group, by)
    return group


def _store(record: Product | ProductGroup, by: Any) -> None:
    """Look once more in the transaction that stores: goods may have come since the form was checked."""
    if not record.pk:
        record.created_by = by
    try:
        record.clean()
    except ValidationError as error:
        found = [(name, text) for name, texts in error.message_dict.items() for text in texts]
        raise BusinessError(problems=[Problem(text, name) for name, text in found]) from None
    record.save()
