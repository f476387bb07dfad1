"""Who is asked at a step: the who-rules and what follows where they find nobody, the applicant or one person again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals.models import FlowStep, FlowVersion
from oa.approvals.models.flows import NodeKind, OnEmpty, OnRepeat, OnSelf, Who
from oa.approvals.registry import Approvable
from oa.organisation.lines import chain_of, head_of, heads_above, holders, manager_of
from oa.organisation.models import User

REPEATED = "repeat-pass"  # the note where a person passes who has approved before


@dataclass(frozen=True)
class Situation:
    """What the rules of a step look at. `earlier`: who approved at passed steps, in order; `before`: at the last one.

    `choices`: step key (text) -> keys of the people the applicant chose.
    """

    version: FlowVersion
    approvable: Approvable
    applicant: User
    department_id: int | None
    facts: dict[str, Any]
    choices: dict[str, list[int]]
    earlier: Sequence[int] = ()
    before: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Asked:
    """The people a step asks, in order. `passed` of them approve by rule; `note` says what the engine did itself.

    `verdict`: approve or reject where nobody is found and the flow says so; `open`: the applicant, or who approves
    before, has still to choose.
    """

    people: list[User] = field(default_factory=list)
    passed: frozenset[int] = frozenset()
    note: str = ""
    verdict: str = ""
    open: bool = False


def asked(step: FlowStep, here: Situation) -> Asked:
    """Whom `step` asks in this situation."""
    found = _unique(_candidates(step, here))
    if step.kind == NodeKind.CC:
        return Asked(found)
    notes = []
    if step.who != Who.APPLICANT and here.applicant.pk in _keys(found) and here.version.on_self != OnSelf.ALLOW:
        found, note = _without_applicant(found, here)
        if not found and here.version.on_self == OnSelf.SKIP:
            return Asked(note=note, verdict=OnEmpty.APPROVE)
        notes.append(note)
    passed: frozenset[int] = frozenset()
    if step.kind == NodeKind.APPROVE and set(_keys(found)) & set(here.earlier):
        found, passed, note = _repeated(found, here)
        notes.append(note)
    if not found:
        return _nobody(step, here)
    return Asked(found, passed, next((note for note in notes if note), ""))


def drawn(found: Asked) -> Asked:
    """One of the people at random, rather one who has not approved before."""
    fresh = [user for user in found.people if user.pk not in found.passed] or found.people
    one = [secrets.choice(fresh)] if fresh else []
    return replace(found, people=one, passed=found.passed & frozenset(_keys(one)))


def _candidates(step: FlowStep, here: Situation) -> list[User]:
    if step.who == Who.PEOPLE:
        return [person for row in step.named.all() if (person := row.user.in_office) is not None]
    if step.who == Who.ROLE:
        return list(User.objects.filter(is_active=True, groups__role=step.role_id).order_by("username").distinct())
    if step.who == Who.MEMBERS:
        belongs = Q(department=step.department_id) | Q(posts__department=step.department_id)
        return list(User.objects.filter(belongs, is_active=True).order_by("username").distinct())
    if step.who == Who.POSITION:
        return holders(step.position_id or 0, step.department_id)
    if step.who == Who.MANAGER:
        return _one(manager_of(here.applicant))
    if step.who in (Who.CHOICE, Who.PREVIOUS):
        return _active(here.choices.get(str(step.pk), []))
    if step.who == Who.FIELD:
        return _from_field(step, here)
    if step.who == Who.APPLICANT:
        return [here.applicant] if here.applicant.is_active else []
    return _heads(step, here)


def _heads(step: FlowStep, here: Situation) -> list[User]:
    """The head, the one n levels above, or the chain of at most n; an applicant who heads a department is left out."""
    if step.who == Who.HEAD:
        return _one(head_of(here.department_id))
    line = heads_above(here.department_id)
    if step.who == Who.CHAIN:
        above = [head for head in line if head.pk != here.applicant.pk]
        return above[: step.levels] if step.levels else above
    return line[step.levels : step.levels + 1] if step.levels else []


def _from_field(step: FlowStep, here: Situation) -> list[User]:
    fact = here.approvable.known.get(step.field)
    value = here.facts.get(step.field)
    key = value[0] if isinstance(value, list) and value else value
    if fact is None or not key:
        return []
    return _one(head_of(int(key))) if fact.department else _active([int(key)])


def _without_applicant(found: list[User], here: Situation) -> tuple[list[User], str]:
    """Rule X-11: the applicant is left out, or the next head above stands in."""
    rest = [user for user in found if user.pk != here.applicant.pk]
    if here.version.on_self == OnSelf.SKIP:
        return rest, "self-skip"
    known = {here.applicant.pk, *_keys(rest)}
    stand_in = next((head for head in chain_of(here.applicant) if head.pk not in known), None)
    return _put_in(found, here.applicant.pk, stand_in), "self-head"


def _repeated(found: list[User], here: Situation) -> tuple[list[User], frozenset[int], str]:
    """Rule X-11: people who approved an earlier step already, as the flow says."""
    again, rule = set(_keys(found)) & set(here.earlier), here.version.on_repeat
    if rule == OnRepeat.ASK:
        return found, frozenset(), ""
    if rule != OnRepeat.OTHER:
        passed = again if rule == OnRepeat.PASS else again & here.before
        return found, frozenset(passed), REPEATED if passed else ""
    for key in again:
        person = next(user for user in found if user.pk == key)
        taken = {here.applicant.pk, *here.earlier, *_keys(found)}
        stand_in = next((head for head in chain_of(person) if head.pk not in taken), None)
        found = _put_in(found, key, stand_in)
    return found, frozenset(), "repeat-other"


def _put_in(people: list[User], key: int, other: User | None) -> list[User]:
    """`people` with `other`, or nobody, in the place of `key`."""
    made = [other if user.pk == key else user for user in people]
    return [user for user in made if user is not None]


def _nobody(step: FlowStep, here: Situation) -> Asked:
    """What the flow does where a step finds nobody."""
    rule = here.version.on_empty
    if step.who in (Who.CHOICE, Who.PREVIOUS) and str(step.pk) not in here.choices:
        return Asked(_one(last_resort(here)), note="empty-admin", open=True)
    if rule in (OnEmpty.APPROVE, OnEmpty.REJECT):
        return Asked(note=f"empty-{rule}", verdict=rule)
    if rule == OnEmpty.PERSON:
        named = here.version.fallback.in_office if here.version.fallback is not None else None
        taken = {here.applicant.pk, *(here.earlier if here.version.on_repeat == OnRepeat.OTHER else ())}
        if named is not None and named.pk not in taken:
            return Asked([named], note="empty-person")
    return Asked(_one(last_resort(here)), note="empty-admin")


def last_resort(here: Situation) -> User | None:
    """Who decides where nobody else can: the flow's administrator, else whoever oversees approvals, not the applicant.

    Where one person must not decide twice, people who decided already come last.
    """
    overseers = User.objects.filter(
        Q(is_superuser=True)
        | Q(groups__permissions__codename="manage_approvalrequest", groups__permissions__content_type__app_label="oa"),
        is_active=True,
    ).exclude(pk=here.applicant.pk)
    admin = here.version.flow.admin.in_office
    found = [admin] if admin is not None and admin.pk != here.applicant.pk else []
    found += list(overseers.order_by("username").distinct()[:50])
    return next((user for user in found if user.pk not in here.earlier), None) or next(iter(found), None)


def reviser(here: Situation) -> User:
    """Who changes what was returned: the applicant, or who took over from an applicant that has left (rule I-34)."""
    found = here.applicant.in_office or last_resort(here)
    if found is None:
        raise BusinessError(_("Nobody but the applicant can decide. Ask your administrator."))
    return found


def _active(keys: Iterable[int]) -> list[User]:
    keys = list(keys)
    by_key = User.objects.filter(pk__in=keys, is_active=True).in_bulk() if keys else {}
    return [by_key[key] for key in keys if key in by_key]


def _one(user: User | None) -> list[User]:
    return [user] if user is not None else []


def _keys(people: Iterable[User]) -> list[int]:
    return [user.pk for user in people]


def _unique(people: Iterable[User]) -> list[User]:
    return list({user.pk: user for user in people}.values())
