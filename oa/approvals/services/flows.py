"""Flows as data: drafts, putting a version into force, replacing people in them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError, Problem
from oa.approvals.conditions import checked
from oa.approvals.models import Flow, FlowStep, FlowStepPerson, FlowVersion
from oa.approvals.models.flows import NodeKind, OnEmpty, OnReject, Who
from oa.approvals.registry import Approvable, approvables
from oa.records.bulk import locked
from oa.records.commands import command

_SETTINGS = ("on_empty", "fallback", "on_self", "on_repeat", "resubmit", "withdraw")


@transaction.atomic
def draft_of(flow: Flow, *, by: Any) -> FlowVersion:
    """The draft of a flow: the one there is, else a copy of the version in force, else an empty one."""
    locked(Flow.objects.all(), flow.pk)
    draft = flow.versions.filter(state="draft").first()
    if draft is not None:
        return draft
    source = flow.versions.filter(state="published").first()
    settings = {name: getattr(source, name) for name in _SETTINGS} if source is not None else {}
    draft = FlowVersion.objects.create(flow=flow, created_by=by, **settings)
    if source is not None:
        copy_steps(source, draft)
    return draft


def copy_steps(source: FlowVersion, target: FlowVersion) -> list[FlowStep]:
    """The steps of one version in another, with the people they name (four statements)."""
    old = list(source.steps.order_by("stage", "pk").prefetch_related("named"))
    columns = [f for f in FlowStep._meta.concrete_fields if f.name not in ("id", "flow_version")]
    steps = FlowStep.objects.bulk_create(
        [FlowStep(flow_version=target, **{f.attname: getattr(step, f.attname) for f in columns}) for step in old]
    )
    FlowStepPerson.objects.bulk_create(
        [
            FlowStepPerson(step=made, user_id=row.user_id)
            for step, made in zip(old, steps, strict=True)
            for row in step.named.all()
        ]
    )
    return steps


@command
def publish(version: FlowVersion, *, by: Any) -> FlowVersion:
    """Put a draft into force in place of the present version; running requests stay on theirs.

    Raises BusinessError naming everything that would leave a request without somebody to decide.
    """
    flow = locked(Flow.objects.all(), version.flow_id)
    version = locked(FlowVersion.objects.select_related("flow__admin"), version.pk)
    FlowVersion.STATES.check("publish", version)
    approvable = approvables.get(flow.kind)
    problems = problems_of(version, approvable)
    if problems:
        raise BusinessError(problems=[Problem(text) for text in problems])
    FlowVersion.objects.filter(flow=flow, state="published").update(state="superseded")
    last = flow.versions.order_by("-number").exclude(number=None).first()
    version.number = (last.number or 0) + 1 if last is not None else 1
    version.state, version.published_at, version.published_by = "published", timezone.now(), by
    version.version += 1
    version.save()
    return version


def problems_of(version: FlowVersion, approvable: Approvable) -> list[str]:
    """What keeps a draft from being put into force, in words."""
    found = []
    steps = list(version.steps.prefetch_related("named__user"))
    if not any(step.kind == NodeKind.APPROVE for step in steps):
        found.append(_("There is no step at which somebody approves."))
    if not version.flow.admin.is_active:
        found.append(_("%s, the administrator of the flow, does not work here any more.") % version.flow.admin)
    if version.on_empty == OnEmpty.PERSON and (version.fallback is None or not version.fallback.is_active):
        found.append(_("Name the person who is asked where nobody is found."))
    stages = {step.stage for step in steps}
    for step in steps:
        texts = (*_problems_of_step(step, approvable, stages), *_unnamed(step, steps))
        found += [f"{step.name}: {text}" for text in texts]
    return found


def _unnamed(step: FlowStep, steps: list[FlowStep]) -> list[str]:
    """A step for which nobody before it can name who decides."""
    decided = any(other.stage < step.stage and other.kind != NodeKind.CC for other in steps)
    if step.who != Who.PREVIOUS or (decided and step.kind != NodeKind.CC):
        return []
    return [_("nobody decides right before it who could choose.")]


def _problems_of_step(step: FlowStep, approvable: Approvable, stages: set[int]) -> list[str]:
    found = []
    if step.who == Who.PEOPLE and not any(row.user.is_active for row in step.named.all()):
        found.append(_("name at least one person who works here."))
    fact = approvable.known.get(step.field)
    if step.who == Who.FIELD and (fact is None or not (fact.person or fact.department)):
        found.append(_("the field does not hold a person or department."))
    if step.on_reject == OnReject.STAGE and step.reject_to not in stages:
        found.append(_("there is no stage %s to return to.") % step.reject_to)
    unknown = set(step.editable) - {name for name, _label in approvable.editable}
    if unknown:
        found.append(_("%s cannot be changed during the approval.") % ", ".join(sorted(unknown)))
    try:
        checked(step.conditions, approvable.known)
    except BusinessError as error:
        found.append(str(error))
    return found


@transaction.atomic
def save_step(step: FlowStep, *, by: Any) -> FlowStep:
    """Store a step of a draft; a version in force is not changed (5.9.1)."""
    version = locked(FlowVersion.objects.all(), step.flow_version_id)
    if version.state != "draft":
        raise BusinessError(_("This version is in force; make a new one to change it."))
    step.save()
    return step
