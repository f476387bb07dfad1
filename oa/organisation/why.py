"""Why somebody sees a record or does not: the rule of `visible_to`, step by step in words (rule G-21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kit.rules.permissions import ALL, DEPARTMENT, OWN, SUBTREE, VisibleQuerySet
from oa.organisation.models import Department, Role, User
from oa.organisation.models.people import WIDTH, Scope


@dataclass(frozen=True)
class Step:
    """One thing that was looked at: `ok` says whether it lets the person through, None that it only tells."""

    ok: bool | None
    text: str


@dataclass(frozen=True)
class Explanation:
    """Whether `person` sees `record`, and how that came about."""

    person: User
    record: models.Model
    visible: bool
    steps: list[Step]


def explain(person: User, record: models.Model, *, asker: Any) -> Explanation:
    """Why `person` sees `record` or not. Nothing is told of other records that `asker` may not see.

    `asker` sees `record` itself: the caller has seen to that.
    """
    manager: Any = type(record)._default_manager
    visible = bool(manager.visible_to(person).filter(pk=record.pk).exists())
    return Explanation(person, record, visible, list(_steps(person, record, asker, visible)))


def _steps(person: User, record: models.Model, asker: Any, visible: bool) -> Iterator[Step]:
    rows: Any = type(record)._default_manager.all()
    own_rule = type(rows).visible_to is not VisibleQuerySet.visible_to
    names = {"person": person, "things": capfirst(str(record._meta.verbose_name_plural))}
    if not person.is_active:
        yield Step(False, _("%(person)s does not work here any more and sees nothing.") % names)
        return
    yield Step(None, _("%(person)s works here and can log in.") % names)
    if person.is_superuser:
        yield Step(True, _("%(person)s is a superuser and sees everything.") % names)
    else:
        roles = list(_roles(person, record))
        if not roles:
            yield Step(False, _no_role(person, names))
            return
        for role in roles:
            given = {**names, "role": role, "scope": Scope(role.scope).label}
            yield Step(None, _("The role %(role)s lets %(person)s see: %(things)s, in the scope “%(scope)s”.") % given)
        scope = max((role.scope for role in roles), key=lambda name: WIDTH[name])
        yield from _scope_steps(person, record, asker, scope, rows.scope_paths)
    if own_rule:
        yield Step(
            visible, _("%(things)s have a further rule: they are personal, or follow what they belong to.") % names
        )


def _roles(person: User, record: models.Model) -> Iterator[Role]:
    """Roles that give the view right, the widest scope first."""
    meta = record._meta
    right = Permission.objects.filter(content_type__app_label=meta.app_label, codename=f"view_{meta.model_name}")
    roles = Role.objects.filter(group__user=person, group__permissions__in=right).select_related("group").distinct()
    yield from sorted(roles, key=lambda role: -WIDTH[role.scope])


def _no_role(person: User, names: dict[str, Any]) -> str:
    held = ", ".join(str(role) for role in Role.objects.filter(group__user=person).select_related("group"))
    if not held:
        return _("%(person)s has no role at all.") % names
    text = _("None of the roles of %(person)s (%(roles)s) gives the right to see: %(things)s.")
    return text % {**names, "roles": held}


def _scope_steps(person: User, record: models.Model, asker: Any, scope: str, paths: tuple[str, ...]) -> Iterator[Step]:
    """Where owner and department stand that decide, one step a path, and what is missing."""
    if scope == ALL:
        yield Step(True, _("With this scope all records are seen, whoever owns them."))
        return
    if not paths:
        yield Step(True, _("These records belong to nobody in particular: whoever may see one sees all."))
        return
    keys = {OWN: [], DEPARTMENT: person.own_department_ids, SUBTREE: person.department_ids}[scope]
    if scope != OWN:
        called = ", ".join(map(str, Department.objects.filter(pk__in=keys))) or "—"
        yield Step(None, _("Departments within this scope: %s.") % called)
    hits = []
    for path in paths:
        step = _path_step(person, record, asker, path, set(keys))
        hits.append(step.ok)
        yield step
    if not any(hits):
        missing = _("It would be seen if the person owned it, or by a role with a wider scope.")
        yield Step(False, missing)


def _path_step(person: User, record: models.Model, asker: Any, path: str, keys: set[int]) -> Step:
    """Whether the owner or the department at the end of `path` lets the person through."""
    target: Any = record
    for name in filter(None, path.split("__")):
        target = getattr(target, name, None)
    if target is None:
        return Step(False, _("It has no %s that could let the person through.") % _called(record, path))
    owned, near = target.owner_id == person.pk, target.department_id in keys and target.department_id is not None
    told = _told(target, asker, path)
    if owned:
        return Step(True, _("%(what)s: the owner is this person.") % {"what": told})
    if near:
        return Step(True, _("%(what)s: the department is within the scope.") % {"what": told})
    if path and not _seen(target, asker):
        return Step(False, _("%s belongs to another owner and department. You may not see more of it.") % told)
    facts = {"what": told, "owner": target.owner or _("nobody"), "department": target.department or _("none")}
    return Step(False, _("%(what)s: the owner is %(owner)s, the department %(department)s.") % facts)


def _told(target: models.Model, asker: Any, path: str) -> str:
    """What the record is called: of another record only the kind, unless the asking person sees it."""
    kind = capfirst(str(target._meta.verbose_name))
    return f"{kind} {target}" if not path or _seen(target, asker) else kind


def _seen(target: models.Model, asker: Any) -> bool:
    manager: Any = type(target)._default_manager
    return bool(manager.visible_to(asker).filter(pk=target.pk).exists())


def _called(record: models.Model, path: str) -> str:
    field = record._meta.get_field(path.split("__")[0])
    return str(getattr(field, "verbose_name", field.name))
