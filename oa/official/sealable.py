"""Whether a record may be sealed yet; higher sections register the rule of their documents here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.pages.resources import registry, resource_of
from kit.values.keys import is_key
from oa.official.models import OutgoingDocument
from oa.official.models.states import SIGNED

# Model label -> what stands in the way of sealing a record, in words; empty when nothing does.
sealable: dict[str, Callable[[Any], str]] = {}


def about(record: Any) -> str:
    """How an address names a record."""
    resource = resource_of(record)
    return f"{resource.slug}:{record.pk}" if resource is not None else ""


def seen_record(text: str, user: Any) -> Any:
    """The record that `about` names, None when `user` sees none, or its kind is not sealed."""
    slug, _colon, key = text.partition(":")
    resource = registry.get(slug)
    if resource is None or not is_key(key) or resource.meta.label_lower not in sealable:
        return None
    if not resource.may(user, "view"):
        return None
    return resource.queryset(user).filter(pk=int(key)).first()


def hindrance(record: Any) -> str:
    """Why `record` may not be sealed yet, in words."""
    rule = sealable.get(record._meta.label_lower) if record is not None else None
    return rule(record) if rule is not None else ""


def _signed(document: OutgoingDocument) -> str:
    from django.utils.translation import gettext as _

    return "" if document.state in SIGNED else _("%s is not signed yet.") % document.open_title


sealable["oa.outgoingdocument"] = _signed
