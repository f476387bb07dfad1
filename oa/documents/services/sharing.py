"""Share links, favourites and uses of documents."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.documents.models import DocumentUse, Favourite, LibraryDocument, ShareLink, ShareRight
from oa.documents.models.rights import EDIT, MANAGE, folders_with
from oa.documents.services.rights import held, rights_of
from oa.records.commands import command
from oa.records.notifications import may_see

LONGEST = 90  # days that a link is valid at most
SECRET = 32  # random bytes of a link: 256 bits


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@command
def share_document(document: LibraryDocument, rights: int, days: int, *, by: Any) -> tuple[ShareLink, str]:
    """A link for colleagues, by whoever may edit the document; its secret is told once and never stored."""
    document = held(document, by)
    if rights not in ShareRight.values:
        raise BusinessError(_("Choose what the link allows."), field="rights")
    if not 1 <= days <= LONGEST:
        raise BusinessError(_("A link is valid for 1 to %s days.") % LONGEST, field="days")
    token, now = secrets.token_urlsafe(SECRET), timezone.now()
    link = ShareLink.objects.create(
        document=document,
        digest=_digest(token),
        rights=rights,
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
        created_by=by,
    )
    return link, token


@transaction.atomic
def revoke_share(link: ShareLink, *, by: Any) -> ShareLink:
    """End a link: whoever made it may, and who manages the folder."""
    if by is not None and by.pk != link.created_by_id and not rights_of(by, link.document.folder_id) & MANAGE:
        raise BusinessError(_("Only %s or a manager of the folder ends this link.") % link.created_by)
    link.revoked_at = link.revoked_at or timezone.now()
    link.save(update_fields=["revoked_at"])
    return link


def living_share(token: str) -> ShareLink | None:
    """The link of a secret, if it is valid at this moment.

    It lives no longer than its day, than the right of who made it, than that person's account, and not while
    the document is in the bin (S-11).
    """
    links = ShareLink.objects.filter(
        digest=_digest(token),
        revoked_at=None,
        expires_at__gt=timezone.now(),
        created_by__is_active=True,
        document__deleted_at=None,
    )
    link = links.select_related("created_by", "document__folder", "document__current", "document__published").first()
    if link is None:
        return None
    rows = LibraryDocument.objects.visible_to(link.created_by).filter(
        pk=link.document_id, folder__in=folders_with(link.created_by, EDIT)
    )
    return link if rows.exists() and link.document.readers_version is not None else None


@transaction.atomic
def set_favourite(document: LibraryDocument, wanted: bool, *, by: Any) -> None:
    """Keep a document at hand, or not any more."""
    if wanted:
        Favourite.objects.get_or_create(user=by, document=document)
    else:
        Favourite.objects.filter(user=by, document=document).delete()


@command
def use_document(document: LibraryDocument, record: Model, *, by: Any) -> DocumentUse:
    """Note that a document belongs to a record; `by` must see both."""
    if by is not None and not (may_see(by, document) and may_see(by, record)):
        raise BusinessError(_("There is no such record."), field="address")
    kind = ContentType.objects.get_for_model(record)
    use, _made = DocumentUse.objects.get_or_create(
        document=document, content_type=kind, object_id=record.pk, defaults={"created_by": by}
    )
    return use


@transaction.atomic
def forget_use(use: DocumentUse, *, by: Any) -> None:
    """A document does not belong to a record any more."""
    if by is not None and by.pk != use.created_by_id and not rights_of(by, use.document.folder_id) & EDIT:
        raise BusinessError(_("Your rights in the folder “%s” do not suffice for this.") % use.document.folder)
    use.delete()
