"""Notes on records; `@name` tells a colleague (rule G-23)."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.organisation.models import User
from oa.records.deletion import held
from oa.records.models import Comment
from oa.records.notifications import notify

MENTION = re.compile(r"(?<![\w@])@([\w.+-]{1,150})")
MOST_MENTIONS = 20


@transaction.atomic
def add_comment(obj: Model, text: str, *, by: Any) -> Comment:
    """Write a note on a record; its version does not change. Mentioned people who may see it are told."""
    if not text.strip():
        raise BusinessError(_("Enter a text."), field="text")
    if getattr(obj, "notes_closed", False):
        raise BusinessError(_("No notes can be written here."))
    held(obj)
    made = Comment.objects.create(
        content_type=ContentType.objects.get_for_model(obj), object_id=obj.pk, text=text.strip(), owner=by
    )
    notify(
        mentioned(text, by), format_lazy(gettext_lazy("{who} mentioned you: {what}"), who=str(by), what=obj), record=obj
    )
    return made


def mentioned(text: str, by: Any) -> list[User]:
    """The people a text names by `@` and their user name, without the writer."""
    names = {name.rstrip(".-+") for name in MENTION.findall(text)}
    if not names:
        return []
    return list(User.objects.filter(username__in=names, is_active=True).exclude(pk=by.pk)[:MOST_MENTIONS])


def delete_comment(comment: Comment, *, by: Any) -> None:
    """Delete a note: its writer may, and who may delete notes at all."""
    if comment.owner_id != by.pk and not by.has_perm("oa.delete_comment"):
        raise BusinessError(_("Only %s can delete this note.") % comment.owner)
    comment.delete()
