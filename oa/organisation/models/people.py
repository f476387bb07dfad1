"""Departments, positions, roles and users."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AbstractUser, Group, Permission, UserManager
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, models
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat, JSONObject, Lower
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.models import TreeNode
from tree_queries.query import TreeQuerySet

from kit.rules.history import tracked
from kit.rules.permissions import ALL, DEPARTMENT, OWN, SUBTREE, VisibleQuerySet
from kit.rules.prepared import Prepared
from kit.rules.search import PinyinField
from oa.organisation.models.circles import no_circle
from oa.organisation.models.company import check_zone
from oa.organisation.models.duties import DutyConflict

WIDTH = {OWN: 0, DEPARTMENT: 1, SUBTREE: 2, ALL: 3}

_BELOW = """
WITH RECURSIVE below AS (
    SELECT id FROM oa_department
     WHERE id = %(department)s OR id IN (SELECT department_id FROM oa_post WHERE user_id = %(user)s)
    UNION SELECT d.id FROM oa_department d JOIN below b ON d.parent_id = b.id
)
SELECT id FROM below
"""


class Scope(models.TextChoices):
    OWN = OWN, _("own records")
    DEPARTMENT = DEPARTMENT, _("own department")
    SUBTREE = SUBTREE, _("own department and below")
    ALL = ALL, _("all records")


class NoticeMails(models.TextChoices):
    NONE = "none", _("no mail")
    EACH = "each", _("a mail at once")
    DIGEST = "digest", _("one mail a day")


class DepartmentQuerySet(VisibleQuerySet, TreeQuerySet):
    pass


@tracked()
class Department(TreeNode):
    """A department in the tree of the company; it goes alone: what stands below it is moved or deleted first."""

    parent = TreeNodeForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent department")
    )
    code = models.CharField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("name"), max_length=100)
    head = models.ForeignKey(
        "oa.User", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("head")
    )
    active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects: Any = DepartmentQuerySet.as_manager(with_tree_fields=False)  # type: ignore[call-arg]

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering = ["code"]
        triggers = [no_circle("oa_department", "parent_id", "A department cannot lie below itself.")]

    def __str__(self) -> str:
        return self.name


@tracked()
class Position(models.Model):
    """A post that people hold, such as sales engineer."""

    code = models.CharField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("name"), max_length=100)
    active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


@tracked()
class Role(models.Model):
    """A group of permissions together with the data scope in which they hold."""

    group = models.OneToOneField(Group, models.CASCADE, primary_key=True, related_name="role")
    code = models.CharField(_("code"), max_length=40, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=100, blank=True)
    scope = models.CharField(_("data scope"), max_length=10, choices=Scope, default=Scope.OWN)
    second_factor = models.BooleanField(
        _("requires two-factor login"),
        default=False,
        help_text=_("Whoever has this role sets up a second factor before anything else."),
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["code"]

    def __str__(self) -> str:
        chinese = (get_language() or "").startswith("zh") and self.name_zh
        return chinese or self.group.name

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """A role goes with its group and rights, and only while nobody has it."""
        if self.group.user_set.exists():
            raise models.ProtectedError(str(self), set(self.group.user_set.all()[:1]))
        return self.group.delete()


class PeopleQuerySet(VisibleQuerySet):
    """People are named everywhere, so whoever is logged in may find every colleague."""


class PeopleManager(UserManager.from_queryset(PeopleQuerySet)):
    pass


def grants_of(user: Any) -> QuerySet[Any]:
    """`{"scope": …, "names": [permissions]}` for each scope: an administrator has hundreds of them on every page."""
    name = Concat("content_type__app_label", Value("."), "codename")
    rows = Permission.objects.filter(group__user=user).order_by().values("group__role__scope")
    return rows.annotate(of=JSONObject(scope="group__role__scope", names=ArrayAgg(name))).values_list("of", flat=True)


_granted = Prepared(grants_of, user=-7_310_001)


def widest(grants: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Permission -> the widest scope that comes with it, of what `grants_of` gives."""
    by_scope = sorted(((of["scope"] or OWN, of["names"]) for of in grants), key=lambda one: WIDTH[one[0]])
    return {name: scope for scope, names in by_scope for name in names}


@tracked("last_login", "password", "password_given", "theme", "density", "notice_mails", "digest_at")
class User(AbstractUser):
    """A person who logs in, by user name or mail address."""

    name = models.CharField(_("name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    extension = models.CharField(_("extension"), max_length=20, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("department")
    )
    position = models.ForeignKey(
        Position, models.PROTECT, null=True, blank=True, related_name="holders", verbose_name=_("position")
    )
    manager = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=_("manager"),
        help_text=_("Empty: the head of the department."),
    )
    joined_on = models.DateField(_("joined on"), null=True, blank=True)
    left_on = models.DateField(_("left on"), null=True, blank=True, editable=False)
    successor = models.ForeignKey(  # takes over the work of a person who has left
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="+", verbose_name=_("successor")
    )
    language = models.CharField(
        _("language"), max_length=10, blank=True, choices=[("en", "English"), ("zh-hans", "简体中文")]
    )
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    theme = models.CharField(max_length=6, default="system", editable=False)
    density = models.CharField(max_length=11, default="standard", editable=False)
    notice_mails = models.CharField(
        _("notifications by mail"), max_length=6, choices=NoticeMails, default=NoticeMails.DIGEST, editable=False
    )
    digest_at = models.TimeField(_("time of the daily mail"), default=dt.time(8, 30), editable=False)
    # By somebody else, who knows it: the person chooses another one before anything else (ASVS 6.4.1).
    password_given = models.BooleanField(default=False, db_default=False, editable=False)
    pinyin = PinyinField(sources=("name",))
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PeopleManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["username"]
        permissions = [
            ("move_user", "Can let people join, transfer and leave"),
            ("reset_factor_user", "Can reset the second factor of a person"),
        ]
        triggers = [no_circle("oa_user", "manager_id", "Nobody reports to oneself, not over others either.")]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="user_email_unique",
                violation_error_message=_("Another user has this mail address."),
            )
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Who has no name goes by the user name: lists name people by their names."""
        self.name = self.name or self.username
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """What `AbstractUser` checks, and the time zone."""
        super().clean()
        check_zone(self.time_zone)

    def get_full_name(self) -> str:
        return str(self)

    @property
    def initials(self) -> str:
        """Two letters (or the last two characters of a Chinese name) for the avatar."""
        words = str(self).split()
        return "".join(w[0] for w in words[:2]).upper() if len(words) > 1 else str(self)[-2:]

    @cached_property
    def granted(self) -> dict[str, str]:
        """Permissions from roles, `app.codename` -> the widest data scope that comes with it (one statement)."""
        return widest(of for (of,) in _granted.rows(user=self.pk))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether a role grants `perm`; rights are given by roles only, never to a single user or for one record."""
        return self.is_active and (self.is_superuser or (obj is None and perm in self.granted))

    def has_module_perms(self, app_label: str) -> bool:
        """Whether a role grants anything in an app."""
        return self.is_active and (self.is_superuser or app_label in self._granted_apps)

    @cached_property
    def _granted_apps(self) -> set[str]:
        return {name.partition(".")[0] for name in self.granted}

    @cached_property
    def own_department_ids(self) -> list[int]:
        """The department of the main post first, then those of further posts (one statement)."""
        return self.departments_with(Post.objects.filter(user=self.pk).values_list("department_id", flat=True))

    def departments_with(self, further: Iterable[int]) -> list[int]:
        """The department of the main post, if there is one, then those of `further` posts."""
        return list(dict.fromkeys(key for key in (self.department_id, *further) if key is not None))

    @cached_property
    def department_ids(self) -> list[int]:
        """Own departments and all below them (one statement)."""
        with connection.cursor() as cursor:
            cursor.execute(_BELOW, {"user": self.pk, "department": self.department_id})
            return [key for (key,) in cursor.fetchall()]

    @property
    def in_office(self) -> User | None:
        """The person, or who took over from a person that has left; None where nobody did."""
        person, seen = self, set[int]()
        while not person.is_active:
            if person.successor is None or person.pk in seen:
                return None
            seen.add(person.pk)
            person = person.successor
        return person

    @cached_property
    def document_duties(self) -> list[tuple[set[str], set[str]]]:
        """Pairs of sets of rights that nobody uses on the same document (one statement)."""
        rows = DutyConflict.objects.filter(active=True, mode=DutyConflict.Mode.DOCUMENT)
        return [(row.first_set, row.second_set) for row in rows]

    def data_scope(self, model: Any) -> str | None:
        """The scope in which this user sees rows of `model`; None: not at all."""
        if not self.is_active:
            return None
        if self.is_superuser:
            return ALL
        meta = model._meta
        return self.granted.get(f"{meta.app_label}.view_{meta.model_name}")


@tracked()
class Post(models.Model):
    """A further post of a person beside the main one, which stands in `User.department` and `User.position`."""

    user = models.ForeignKey(User, models.CASCADE, related_name="posts", verbose_name=_("person"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="posts", verbose_name=_("department"))
    position = models.ForeignKey(
        Position, models.PROTECT, null=True, blank=True, related_name="posts", verbose_name=_("position")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("further post")
        verbose_name_plural = _("further posts")
        ordering = ["user", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "department", "position"],
                nulls_distinct=False,
                name="post_unique",
                violation_error_message=_("The person has this post already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.department} · {self.position}" if self.position else str(self.department)
