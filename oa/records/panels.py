"""What every record page has: its files, comments and changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Value
from django.urls import reverse
from django.utils.translation import gettext as _

from kit.exchange.printing import prints_for
from kit.exchange.views import print_actions
from kit.pages import panels
from kit.pages.actions import Action
from kit.pages.hooks import hooks
from kit.pages.panels import ANY, Event
from oa.records import importjobs
from oa.records.attachments import removable
from oa.records.audit import note
from oa.records.changes import changes_of, factors_of, rights_of
from oa.records.deletion import delete_record
from oa.records.drafts import StoredDrafts
from oa.records.idempotency import earlier, once
from oa.records.listviews import StoredLists
from oa.records.models import Attachment, AuditAction, AuditEntry, Comment
from oa.records.shell import counters, shell_values

NOTE = "note"
WRITTEN: dict[str, Callable[[], tuple[str, str]]] = {  # text and icon
    NOTE: lambda: (_("wrote"), "message-square"),
    AuditAction.PRINT: lambda: (_("printed it"), "printer"),
    AuditAction.REMOVE: lambda: (_("deleted a file"), "trash-2"),
}


def written(obj: Any, user: Any, limit: int) -> Sequence[Event]:
    """Notes on a record, who printed it and who deleted a file of it, the newest of each, in one statement."""
    record = {"content_type": ContentType.objects.get_for_model(obj), "object_id": obj.pk}
    shown = [AuditAction.REMOVE, *([AuditAction.PRINT] if prints_for(type(obj)) else ())]
    notes = Comment.objects.filter(**record).values_list("created_at", "owner__name", "text", Value(NOTE))
    trail = AuditEntry.objects.filter(**record, action__in=shown).values_list("at", "user__name", "what", "action")
    return [
        Event(at, who, *WRITTEN[how](), body=body, kind="notes" if how == NOTE else "changes")
        for at, who, body, how in notes[:limit].union(trail[:limit], all=True)
    ]


def files(obj: Any, user: Any, limit: int) -> Sequence[Event]:
    """Files of a record."""
    kind = ContentType.objects.get_for_model(obj)
    rows = Attachment.objects.filter(content_type=kind, object_id=obj.pk).select_related("owner")[:limit]
    mine = removable(rows, obj, user)
    return [
        Event(
            row.created_at,
            str(row.owner or ""),
            _("added a file"),
            "paperclip",
            kind="notes",
            files=[(row.name, reverse("attachment", args=[row.key]))],
            actions=[_removal(row)] if row in mine else (),
        )
        for row in rows
    ]


def _removal(row: Attachment) -> Action:
    return Action(
        _("Delete"),
        reverse("attachment-delete", args=[row.key]),
        icon="trash-2",
        danger=True,
        post=True,
        confirm=_("Delete the file “%s”?") % row,
        name="delete-file",
    )


def changes(obj: Any, user: Any, limit: int) -> Sequence[Event]:
    """Who changed what, from the history tables."""
    return changes_of(obj, limit)


def roles(person: Any, user: Any, limit: int) -> Sequence[Event]:
    """Which roles a person was given, and by whom."""
    return rights_of(apps.get_model("oa", "UserRoleHistory").objects.filter(user=person.pk), "group__role", limit)


def factors(person: Any, user: Any, limit: int) -> Sequence[Event]:
    """When second factors of a person were set up and taken away, and by whom."""
    history, kinds = apps.get_model("oa", "SecondFactorHistory"), (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return factors_of(history.objects.filter(user=person.pk, type__in=kinds), limit)


def rights(role: Any, user: Any, limit: int) -> Sequence[Event]:
    """Which rights a person gave to a role, or took from it; those it was shipped with tell nothing."""
    given = apps.get_model("oa", "RoleRightHistory").objects.filter(group=role.pk, pgh_context__isnull=False)
    return rights_of(given, "permission__content_type", limit)


panels.events[ANY] += [written, files, changes]
panels.events["oa.user"] += [roles, factors]
panels.events["oa.role"].append(rights)
panels.actions[ANY].append(print_actions)
hooks.once, hooks.earlier = once, earlier
hooks.start_job = importjobs.start
hooks.delete = delete_record
hooks.note = note
hooks.lists = StoredLists()
hooks.drafts = StoredDrafts()
hooks.composer = "oa/parts/comment.html"
hooks.shell.append(shell_values)
hooks.counters.append(counters)
