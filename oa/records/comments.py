"""Notes on records."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.records.models import Comment


def add_comment(obj: Any, text: str, *, by: Any) -> Comment:
    """Write a note on a record; its version does not change."""
    if not text.strip():
        raise BusinessError(_("Enter a text."), field="text")
    return Comment.objects.create(
        content_type=ContentType.objects.get_for_model(obj), object_id=obj.pk, text=text.strip(), owner=by
    )
