"""What commands of the library ask before they act."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.documents.models import Folder, LibraryDocument
from oa.documents.models.rights import EDIT, EVERYTHING, rights_in
from oa.organisation.models import User
from oa.records.bulk import locked

# People whom a right reaches: by the lists from the folder up to the first one that stops inheriting, and those
# who keep all rights whatever the lists say.
_PEOPLE = """
WITH RECURSIVE chain AS (
    SELECT id, parent_id, inherits, owner_id, department_id FROM oa_folder WHERE id = %(folder)s
    UNION SELECT f.id, f.parent_id, f.inherits, f.owner_id, f.department_id
      FROM oa_folder f JOIN chain c ON f.id = c.parent_id AND c.inherits
), given AS (
    SELECT g.* FROM oa_foldergrant g JOIN chain c ON c.id = g.folder_id WHERE g.rights & %(right)s = %(right)s
), units AS (
    SELECT department_id AS id FROM given WHERE department_id IS NOT NULL
    UNION SELECT d.id FROM oa_department d JOIN units u ON d.parent_id = u.id
)
SELECT u.id FROM oa_user u
 WHERE u.is_active AND (
       EXISTS (SELECT 1 FROM given WHERE audience = 'everyone' OR user_id = u.id)
    OR u.department_id IN (SELECT id FROM units)
    OR u.position_id IN (SELECT position_id FROM given)
    OR EXISTS (SELECT 1 FROM oa_post p WHERE p.user_id = u.id
                AND (p.department_id IN (SELECT id FROM units) OR p.position_id IN (SELECT position_id FROM given)))
    OR EXISTS (SELECT 1 FROM oa_user_groups m JOIN given g ON g.role_id = m.group_id WHERE m.user_id = u.id)
    OR u.id IN (SELECT owner_id FROM chain)
    OR u.id IN (SELECT d.head_id FROM chain c JOIN oa_department d ON d.id = c.department_id))
"""


def rights_of(by: Any, folder: int) -> int:
    """What `by` may do in a folder; None stands for the system, which may do everything."""
    return EVERYTHING if by is None else rights_in(by, [folder]).get(folder, 0)


def require(by: Any, folder: Folder, right: int) -> None:
    """Refuse unless `by` has `right` in the folder."""
    if rights_of(by, folder.pk) & right != right:
        raise BusinessError(_("Your rights in the folder “%s” do not suffice for this.") % folder)


def people_with(folder: Folder, right: int) -> list[User]:
    """The people who have `right` in a folder by its lists or by their place; administrators are not counted."""
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"folder": folder.pk, "right": right})
        keys = [key for (key,) in cursor.fetchall()]
    return list(User.objects.filter(pk__in=keys).order_by("username"))


def held(document: LibraryDocument, by: Any, right: int = EDIT) -> LibraryDocument:
    """The document, locked until the transaction ends, if it is not in the bin and `by` has `right` on it.

    Its versions are read after the lock and not joined to it: whoever waits for it would get the row as it is
    now, with the versions of before.
    """
    try:
        row = locked(LibraryDocument.objects.filter(deleted_at=None), document.pk)
    except LibraryDocument.DoesNotExist:
        raise BusinessError(_("%s was deleted meanwhile.") % document) from None
    require(by, row.folder, right)
    return row


def free_for(document: LibraryDocument, by: Any) -> None:
    """Refuse while somebody else has the document checked out."""
    holder = document.checked_out_by
    if holder is not None and (by is None or holder.pk != by.pk):
        raise BusinessError(_("%(document)s is checked out by %(holder)s.") % {"document": document, "holder": holder})


def written(document: LibraryDocument, *fields: str) -> LibraryDocument:
    """Store the changed `fields` of a document with a new version of its row."""
    document.version += 1
    document.save(update_fields=[*fields, "version", "updated_at"])
    return document


def active(people: Iterable[Any], by: Any) -> list[Any]:
    """Whom to tell: everybody of `people` but the one who acts."""
    return [person for person in people if person is not None and (by is None or person.pk != by.pk)]
