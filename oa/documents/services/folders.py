"""Commands of folders: make, move, who may do what, into the bin and back."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.documents.models import Audience, Folder, FolderGrant, LibraryDocument, Space
from oa.documents.models.rights import ADMINISTER, DOWNLOAD, EDIT, MANAGE, PRINT, VIEW, complete
from oa.documents.services.rights import require
from oa.organisation.models import Department
from oa.records.bulk import locked
from oa.records.commands import command

BELOW = """
WITH RECURSIVE below AS (
    SELECT id FROM oa_folder WHERE id = %s UNION SELECT f.id FROM oa_folder f JOIN below b ON f.parent_id = b.id
) SELECT id FROM below
"""
# Breaking keeps who could look in: the lists above become the folder's own.
_COPY = """
WITH RECURSIVE chain AS (
    SELECT id, parent_id, inherits FROM oa_folder WHERE id = %(folder)s
    UNION SELECT f.id, f.parent_id, f.inherits FROM oa_folder f JOIN chain c ON f.id = c.parent_id AND c.inherits
)
INSERT INTO oa_foldergrant (folder_id, audience, department_id, role_id, position_id, user_id, rights)
SELECT %(folder)s, audience, department_id, role_id, position_id, user_id, bit_or(rights)
  FROM oa_foldergrant WHERE folder_id IN (SELECT id FROM chain)
 GROUP BY audience, department_id, role_id, position_id, user_id
ON CONFLICT ON CONSTRAINT foldergrant_unique DO UPDATE SET rights = EXCLUDED.rights
"""


def below(folder: Folder) -> list[int]:
    """Keys of a folder and of all below it."""
    with connection.cursor() as cursor:
        cursor.execute(BELOW, [folder.pk])
        return [key for (key,) in cursor.fetchall()]


@command
def save_folder(folder: Folder, *, by: Any) -> Folder:
    """Store a new folder, or a changed one; a new one of the company only by whoever administers the library."""
    before = Folder.objects.filter(deleted_at=None).get(pk=folder.pk) if folder.pk else None
    above = folder.parent
    if before is not None:
        require(by, before, MANAGE)
    if above is not None and (before is None or before.parent_id != above.pk):
        require(by, above, EDIT)
    elif above is None and (before is None or before.parent_id is not None):
        _administers(by)
    if above is not None:
        _fit(folder, above, before)
    elif before is not None and before.parent_id is not None:
        _fit(folder, None, before)
    folder.name = folder.name.strip()
    folder.save()
    return folder


def _administers(by: Any) -> None:
    if by is not None and not by.has_perm(ADMINISTER):
        raise BusinessError(
            _("Choose the folder above; only an administrator makes folders of the company."), field="parent"
        )


def _fit(folder: Folder, above: Folder | None, before: Folder | None) -> None:
    """A new folder is of the space of the one above; an old one stays in its space and out of itself."""
    place = (above.space, above.owner_id, above.department_id) if above is not None else (Space.COMPANY, None, None)
    if before is None:
        folder.space, folder.owner_id, folder.department_id = place
        return
    if (before.space, before.owner_id, before.department_id) != place:
        raise BusinessError(
            _("A folder stays with its company, department or person. Move its documents."), field="parent"
        )
    if above is not None and above.pk in below(before):
        raise BusinessError(_("A folder cannot lie in itself."), field="parent")


@transaction.atomic
def personal_folder(person: Any) -> Folder:
    """The person's own folder, made when it is first needed."""
    found = Folder.objects.filter(owner=person, parent=None).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Folder.objects.create(name=str(person)[:120], space=Space.PERSONAL, owner=person, created_by=person)
    except IntegrityError:  # the same person in another window
        return Folder.objects.get(owner=person, parent=None)


@transaction.atomic
def department_folder(department: Department, *, by: Any) -> Folder:
    """The folder of a department: its people read and write, its head manages. By its head or an administrator."""
    if by is not None and by.pk != department.head_id and not by.has_perm(ADMINISTER):
        raise BusinessError(_("Only the head of %s or an administrator makes its folder.") % department)
    found = Folder.objects.filter(department=department, parent=None).first()
    if found is not None:
        return found
    made = Folder.objects.create(
        name=department.name[:120], space=Space.DEPARTMENT, department=department, created_by=by
    )
    rights = complete(VIEW | DOWNLOAD | PRINT | EDIT)
    FolderGrant.objects.create(folder=made, audience=Audience.DEPARTMENT, department=department, rights=rights)
    return made


@command
def give(folder: Folder, audience: str, who: Any, rights: int, *, by: Any) -> FolderGrant:
    """Let somebody do something in a folder; what they had there before is replaced."""
    folder = locked(Folder.objects.filter(deleted_at=None), folder.pk)
    require(by, folder, MANAGE)
    column = {"person": "user"}.get(audience, audience)
    columns = {} if audience == Audience.EVERYONE else {column: who}
    if columns and who is None:
        raise BusinessError(_("Say who."), field=audience)
    rest = {name: None for name in ("department", "role", "position", "user") if name not in columns}
    grant, _made = FolderGrant.objects.update_or_create(
        folder=folder, audience=audience, **columns, **rest, defaults={"rights": complete(rights)}
    )
    return grant


@command
def take(grant: FolderGrant, *, by: Any) -> None:
    """Take a permission away again."""
    folder = locked(Folder.objects.filter(deleted_at=None), grant.folder_id)
    require(by, folder, MANAGE)
    FolderGrant.objects.filter(pk=grant.pk).delete()


@command
def set_inherits(folder: Folder, inherits: bool, *, by: Any) -> Folder:
    """Stop taking rights from above, keeping those of this moment as an own list; or take them again."""
    folder = locked(Folder.objects.filter(deleted_at=None), folder.pk)
    require(by, folder, MANAGE)
    if folder.parent_id is None or folder.inherits == inherits:
        return folder
    if not inherits:
        with connection.cursor() as cursor:
            cursor.execute(_COPY, {"folder": folder.pk})
    folder.inherits = inherits
    folder.version += 1
    folder.save(update_fields=["inherits", "version", "updated_at"])
    return folder


@command
def bin_folder(folder: Folder, *, by: Any) -> Folder:
    """Put a folder with everything in it into the recycle bin."""
    folder = locked(Folder.objects.filter(deleted_at=None), folder.pk)
    require(by, folder, MANAGE)
    if folder.parent_id is None and folder.space != Space.COMPANY:
        raise BusinessError(_("The folder of a person or a department stays."))
    inside = LibraryDocument.objects.filter(folder__in=below(folder), deleted_at=None)
    kept = inside.filter(retain_until__gte=business_day()).first()
    if kept is not None:
        raise BusinessError(
            _("%(document)s must be kept until %(day)s.") % {"document": kept, "day": kept.retain_until}
        )
    waiting = inside.filter(state="approving").first()
    if waiting is not None:
        raise BusinessError(_("%s is in approval and stays as it is until it is decided.") % waiting)
    busy = inside.filter(checked_out_by__isnull=False).select_related("checked_out_by").first()
    if busy is not None:
        raise BusinessError(
            _("%(document)s is checked out by %(holder)s.") % {"document": busy, "holder": busy.checked_out_by}
        )
    folder.deleted_at, folder.deleted_by = timezone.now(), by
    folder.save(update_fields=["deleted_at", "deleted_by", "updated_at"])
    return folder
