"""Folders of the document library and who may do what in them."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from oa.documents.models.rights import VALID, VIEW, folders_with, in_words
from oa.organisation.models import Department, Position, Role
from oa.records.models import Record

DEEPEST = 20  # folders within each other

# Two people may move two folders into each other at the same moment: moves wait for each other.
_TREE = f"""
    IF TG_OP = 'UPDATE' THEN
        PERFORM pg_advisory_xact_lock(hashtext('oa_folder'));
    END IF;
    IF NEW.parent_id IS NOT NULL THEN
        IF EXISTS (
            WITH RECURSIVE up AS (
                SELECT id, parent_id FROM oa_folder WHERE id = NEW.parent_id
                UNION SELECT f.id, f.parent_id FROM oa_folder f JOIN up ON f.id = up.parent_id)
            SELECT 1 FROM up HAVING bool_or(id = NEW.id) OR count(*) >= {DEEPEST}
        ) THEN
            RAISE EXCEPTION 'A folder lies in itself or too deep.' USING ERRCODE = '23514';
        END IF;
        IF NOT EXISTS (
            SELECT 1 FROM oa_folder p WHERE p.id = NEW.parent_id AND p.space = NEW.space
               AND p.owner_id IS NOT DISTINCT FROM NEW.owner_id
               AND p.department_id IS NOT DISTINCT FROM NEW.department_id
        ) THEN
            RAISE EXCEPTION 'A folder lies in another space than the folder above.' USING ERRCODE = '23514';
        END IF;
    END IF;
    RETURN NEW;
"""


class Space(models.TextChoices):
    COMPANY = "company", _("company")
    DEPARTMENT = "department", _("department")
    PERSONAL = "personal", pgettext_lazy("folder", "personal")


class FolderQuerySet(VisibleQuerySet):
    """Folders are seen by whoever has a right in them; those in the bin by nobody."""

    def visible_to(self, user: Any) -> Self:
        """The folders `user` may look into."""
        return self.allowing(user, VIEW)

    def allowing(self, user: Any, right: int) -> Self:
        """The folders in which `user` has `right`."""
        if user.data_scope(self.model) is None:
            return self.none()
        return self.filter(pk__in=folders_with(user, right))


@tracked()
class Folder(Record):
    """A folder in the tree of the company, of a department or of a person; below it everything is of the same."""

    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("folder above")
    )
    name = models.CharField(_("name"), max_length=120)
    space = models.CharField(_("space"), max_length=10, choices=Space, default=Space.COMPANY, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("owner")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("department")
    )
    inherits = models.BooleanField(_("takes rights from above"), default=True, editable=False)
    needs_review = models.BooleanField(
        _("publishing needs a second person"),
        default=False,
        help_text=_("Readers see published versions only, and nobody publishes what they wrote."),
    )
    deleted_at = models.DateTimeField(_("deleted at"), null=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = FolderQuerySet.as_manager()

    class Meta:
        verbose_name = _("folder")
        verbose_name_plural = _("folders")
        ordering = ["name", "id"]
        permissions = [("administer_folder", "Can administer all folders")]
        indexes = [models.Index(fields=["parent"], name="folder_parent", condition=Q(deleted_at=None))]
        constraints = [
            models.UniqueConstraint(
                "parent",
                Lower("name"),
                condition=Q(deleted_at=None, parent__isnull=False),
                name="folder_name",
                violation_error_message=_("There is a folder of this name already."),
            ),
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(deleted_at=None, parent=None, space="company"),
                name="folder_company_name",
                violation_error_message=_("There is a folder of this name already."),
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(parent=None, space="personal"), name="folder_of_person"
            ),
            models.UniqueConstraint(
                fields=["department"], condition=Q(parent=None, space="department"), name="folder_of_department"
            ),
            models.CheckConstraint(
                condition=Q(space="company", owner=None, department=None)
                | Q(space="department", owner=None, department__isnull=False)
                | Q(space="personal", owner__isnull=False, department=None),
                name="folder_space",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="tree",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("parent_id", "space", "owner_id", "department_id"),
                func=_TREE,
            ),
            pgtrigger.Protect(
                name="bin_first", operation=pgtrigger.Delete, condition=pgtrigger.Q(old__deleted_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Audience(models.TextChoices):
    EVERYONE = "everyone", _("everyone")
    DEPARTMENT = "department", _("department and below")
    ROLE = "role", _("role")
    POSITION = "position", _("position")
    PERSON = "person", _("person")


class GrantQuerySet(VisibleQuerySet):
    """Grants are read by whoever may look into their folder."""

    def visible_to(self, user: Any) -> Self:
        """The grants on folders `user` may look into."""
        if user.data_scope(Folder) is None:
            return self.none()
        return self.filter(folder__in=folders_with(user, VIEW))


def _only(audience: str, column: str = "") -> Q:
    """The one column that an audience fills."""
    columns = ("department", "role", "position", "user")
    return Q(audience=audience, **{f"{name}__isnull": name != column for name in columns})


@tracked()
class FolderGrant(models.Model):
    """What somebody may do in a folder, and in those below that take rights from above."""

    folder = models.ForeignKey(Folder, models.CASCADE, related_name="grants", verbose_name=_("folder"))
    audience = models.CharField(_("who"), max_length=10, choices=Audience)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("role"))
    position = models.ForeignKey(
        Position, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("position")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    rights = models.PositiveSmallIntegerField(_("rights"), default=VIEW)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("folder permission")
        verbose_name_plural = _("folder permissions")
        ordering = ["folder", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["folder", "audience", "department", "role", "position", "user"],
                nulls_distinct=False,
                name="foldergrant_unique",
            ),
            models.CheckConstraint(
                condition=_only("everyone")
                | _only("department", "department")
                | _only("role", "role")
                | _only("position", "position")
                | _only("person", "user"),
                name="foldergrant_audience",
            ),
            models.CheckConstraint(condition=Q(rights__in=VALID), name="foldergrant_rights"),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {in_words(self.rights)}"

    @property
    def who(self) -> Any:
        """Whom it is given to."""
        if self.audience == Audience.EVERYONE:
            return Audience.EVERYONE.label
        return self.department or self.role or self.position or self.user
