"""What commands of the library ask before they act."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.documents.models import Folder, LibraryDocument
from oa.documents.models.rights import EDIT, EVERYTHING, VIEW, rights_in
from oa.organisation.models import User
from oa.records.bulk import locked

# People whom a right reaches: by the lists from the folder up to the first one that stops inheriting, and those
# who keep all rights whatever the lists say.
_PEOPLE = """
WITH RECURSIVE chain AS (
    SELECT id AS origin, id, parent_id, inherits, owner_id, department_id FROM oa_folder WHERE id IN ({folders})
    UNION SELECT c.origin, f.id, f.parent_id, f.inherits, f.owner_id, f.department_id
      FROM oa_folder f JOIN chain c ON f.id = c.parent_id AND c.inherits
), given AS (
    SELECT c.origin, g.* FROM oa_foldergrant g JOIN chain c ON c.id = g.folder_id WHERE g.rights & {right} = {right}
), units AS (
    SELECT origin, department_id AS id FROM given WHERE department_id IS NOT NULL
    UNION SELECT u.origin, d.id FROM oa_department d JOIN units u ON d.parent_id = u.id
), people AS (
    SELECT origin, u.id AS user_id FROM given g JOIN oa_user u ON g.audience = 'everyone' OR g.user_id = u.id
    UNION SELECT origin, u.id FROM units d JOIN oa_user u ON u.department_id = d.id
    UNION SELECT origin, u.id FROM given g JOIN oa_user u ON u.position_id = g.position_id
    UNION SELECT origin, p.user_id FROM units d JOIN oa_post p ON p.department_id = d.id
    UNION SELECT origin, p.user_id FROM given g JOIN oa_post p ON p.position_id = g.position_id
    UNION SELECT origin, m.user_id FROM given g JOIN oa_user_groups m ON m.group_id = g.role_id
    UNION SELECT origin, owner_id FROM chain WHERE owner_id IS NOT NULL
    UNION SELECT origin, d.head_id FROM chain c JOIN oa_department d ON d.id = c.department_id
)
SELECT p.origin, u.id AS user_id FROM people p JOIN oa_user u ON u.id = p.user_id AND u.is_active
"""
# Documents with who sees their published version: not in the bin, in no folder of it, and administrators, too.
_SEERS = """
WITH RECURSIVE up AS (
    SELECT d.id AS record_id, f.id, f.parent_id, f.deleted_at FROM oa_librarydocument d
      JOIN oa_folder f ON f.id = d.folder_id WHERE d.id IN ({keys})
    UNION ALL SELECT u.record_id, f.id, f.parent_id, f.deleted_at FROM up u JOIN oa_folder f ON f.id = u.parent_id
), there AS (
    SELECT d.id, d.folder_id, f.owner_id IS NULL OR NOT o.is_active AS administered FROM oa_librarydocument d
      JOIN oa_folder f ON f.id = d.folder_id LEFT JOIN oa_user o ON o.id = f.owner_id
     WHERE d.id IN ({keys}) AND d.deleted_at IS NULL AND d.published_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM up u WHERE u.record_id = d.id AND u.deleted_at IS NOT NULL)
)
SELECT t.id AS record_id, p.user_id FROM there t JOIN ({people}) p ON p.origin = t.folder_id
UNION SELECT t.id, u.id FROM there t JOIN oa_user u ON t.administered AND u.is_active AND (
    u.is_superuser OR EXISTS (
        SELECT 1 FROM oa_user_groups g JOIN auth_group_permissions x ON x.group_id = g.group_id
          JOIN auth_permission a ON a.id = x.permission_id JOIN django_content_type c ON c.id = a.content_type_id
         WHERE g.user_id = u.id AND c.app_label = 'oa' AND a.codename = 'administer_folder'))
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
        cursor.execute(_PEOPLE.format(folders=int(folder.pk), right=int(right)))
        keys = [key for _origin, key in cursor.fetchall()]
    return list(User.objects.filter(pk__in=keys).order_by("username"))


def seers_sql(keys: Iterable[int]) -> str:
    """The SELECT of (record_id, user_id): who sees the published versions of the documents `keys`.

    It has no parameters, so that it can stand in other statements: keys are whole numbers.
    """
    chosen = ", ".join(str(int(key)) for key in keys) or "NULL"
    folders = f"SELECT folder_id FROM oa_librarydocument WHERE id IN ({chosen})"
    return _SEERS.format(keys=chosen, people=_PEOPLE.format(folders=folders, right=VIEW))


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
