"""Steps at which the approver before names who decides (5.9.2 "previous approver's choice")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals.conditions import holds
from oa.approvals.engine import Run
from oa.approvals.forecast import choice_field
from oa.approvals.models import ApprovalNode, ApprovalRequest, ApprovalTask, FlowStep
from oa.approvals.models.flows import NodeKind, Who
from oa.approvals.registry import Approvable, approvables
from oa.organisation.models import User


def chosen_after(
    node: ApprovalNode | None, request: ApprovalRequest, steps: Iterable[FlowStep], approvable: Approvable
) -> list[FlowStep]:
    """The steps of the next stage whose people are named by who approves at `node`; `steps` in order of stages."""
    if node is None:
        return []
    later = [
        step
        for step in steps
        if step.stage > node.stage
        and step.kind != NodeKind.CC
        and holds(step.conditions, request.facts, approvable.known)
    ]
    return [step for step in later if step.stage == later[0].stage and step.who == Who.PREVIOUS]


def to_choose(task: ApprovalTask) -> list[FlowStep]:
    """The same for the page of a task, which asks for nothing where no step of the flow is of this kind."""
    request = task.request
    rows = FlowStep.objects.filter(flow_version=request.flow_version_id)
    if task.node is None or not rows.filter(who=Who.PREVIOUS).exists():
        return []
    return chosen_after(task.node, request, rows.order_by("stage", "pk"), approvables.get(request.kind))


def choose(run: Run, node: ApprovalNode | None, choices: Mapping[int, Iterable[int]]) -> None:
    """Keep whom an approver named for the next stage; refused without anybody, or with who may not decide (X-11)."""
    steps = chosen_after(node, run.request, run.steps, run.approvable)
    for step in steps:
        keys = list(dict.fromkeys(choices.get(step.pk, ())))
        if not keys and run.request.choices.get(str(step.pk)):
            continue
        people = User.objects.filter(pk__in=keys, is_active=True).exclude(pk=run.request.applicant_id)
        if not keys or people.count() != len(keys):
            raise BusinessError(
                _("Choose who decides at “%s”: active colleagues, not the applicant.") % step.name,
                field=choice_field(step),
            )
        run.request.choices[str(step.pk)] = keys
    if steps:
        run.request.save(update_fields=["choices"])
