"""Documents of the library in approval by a flow: what is decided about, and what approval means (X-06 to X-08).

Where a flow is in force and asks somebody, a version is published through it only. Elsewhere the folder says whether
publishing needs a second person.
"""

from __future__ import annotations

from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.values.errors import BusinessError
from oa.approvals.conditions import CHOICE, FLAG, RECORD, Fact
from oa.approvals.contents import departments_up
from oa.approvals.registry import Approvable, approvables
from oa.documents.models import KIND, LIBRARY_STATES, Folder, LibraryDocument, Space
from oa.documents.models.rights import EDIT
from oa.documents.places import chain
from oa.documents.services.life import publish_approved
from oa.documents.services.rights import free_for, require, written
from oa.organisation.models import Department
from oa.records.audiences import AUDIENCE, chosen_in, describe


def facts(document: LibraryDocument) -> dict[str, Any]:
    """What conditions may ask of a document; a folder stands for those below it, too."""
    version = document.current
    return {
        "folder": [str(key) for key, _counts in chain(document.folder)],
        "department": departments_up(document.folder.department_id),
        "space": document.folder.space,
        "owner": "" if document.owner_id is None else str(document.owner_id),
        "required_reading": "yes" if document.required_reading else "",
        "minor": "yes" if version is not None and version.minor else "",
    }


def content(document: LibraryDocument) -> dict[str, Any]:
    """The newest version by its hash, what stands about it, and who has to read it."""
    version = document.current
    made = {name: str(getattr(document, name)) for name in ("title", "folder_id", "review_on", "retain_until", "note")}
    if version is not None:
        made |= {"version": str(version.number), "file": version.name, "sha256": version.sha256}
    if document.required_reading:
        chosen = chosen_in(document)
        readers = {name: sorted(row.pk for row in chosen[name]) for name in AUDIENCE if name != "to_everyone"}
        settings = {name: str(getattr(document, name)) for name in ("to_everyone", "must_confirm", "read_by")}
        return {**made, "readers": {**readers, **settings}}
    return made


def summary(document: LibraryDocument) -> list[tuple[Any, Any]]:
    """What an approver reads, as long as it is to be decided; the pages themselves are behind the link."""
    version = document.current
    if document.state != "approving" or version is None:
        return []
    size = filesizeformat(version.size)
    return [
        (_("folder"), document.folder),
        (_("Version"), f"v{version.number}" + (f" · {_('minor change')}" if version.minor else "")),
        (_("File"), f"{version.name} · {size}"),
        (_("What is new"), version.comment),
        (_("Author"), version.author),
        (_("Must be read by"), describe(document) if document.required_reading else ""),
    ]


def lock(document: LibraryDocument) -> None:
    """No other version and no other name while the run lasts."""
    document.state = LIBRARY_STATES.check("lock", document).target
    document.submitted_by = None
    written(document, "state", "submitted_by")


def unlock(document: LibraryDocument) -> None:
    """Back to who writes it; what was published before stays valid."""
    document.state = LIBRARY_STATES.check("unlock", document).target
    written(document, "state")


def effect(document: LibraryDocument, by: Any) -> None:
    """The newest version becomes the valid one, and whoever has to read it is asked."""
    publish_approved(document, by)


def check(document: LibraryDocument, by: Any) -> None:
    """Submitted by whoever may edit in the folder, and while nobody works on it."""
    if document.deleted_at is not None:
        raise BusinessError(_("%s was deleted meanwhile.") % document)
    require(by, document.folder, EDIT)
    free_for(document, None)
    if document.state == "review":
        raise BusinessError(_("Send it back first: it waits for a review."))


def _folders() -> list[tuple[str, str]]:
    """Folders of the company and of departments; what lies below one counts as in it."""
    rows = Folder.objects.filter(deleted_at=None).exclude(space=Space.PERSONAL)
    return [(str(pk), name) for pk, name in rows.order_by("space", "name").values_list("pk", "name")]


def _departments() -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in Department.objects.all()]


approvables.register(
    Approvable(
        kind=KIND,
        label=gettext_lazy("Library document"),
        model=LibraryDocument,
        fields=(
            Fact("folder", gettext_lazy("folder"), RECORD, _folders),
            Fact("department", gettext_lazy("department"), RECORD, _departments, department=True),
            Fact("space", gettext_lazy("space"), CHOICE, lambda: Space.choices),
            Fact("owner", gettext_lazy("owner"), RECORD, person=True),
            Fact("required_reading", gettext_lazy("required reading"), FLAG),
            Fact("minor", pgettext_lazy("version", "minor change"), FLAG),
        ),
        facts=facts,
        content=content,
        lock=lock,
        unlock=unlock,
        effect=effect,
        summary=summary,
        check=check,
    )
)
