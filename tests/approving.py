"""Small makers of flows and requests for tests; each names only what the test cares about."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import Any

from oa.approvals.models import (
    ApprovalNode,
    ApprovalRequest,
    ApprovalTask,
    Flow,
    FlowStep,
    FlowStepPerson,
    FlowVersion,
    FormRequest,
    Proxy,
    RequestForm,
)
from oa.approvals.services import submit
from oa.approvals.services.flows import publish
from oa.approvals.services.forms import save_request
from oa.organisation.models import Department, User
from tests import factories as make

_numbers = itertools.count(1)

FIELDS = [
    {"name": "amount", "label": "Amount", "label_zh": "金额", "type": "amount"},
    {"name": "reason", "label": "Reason", "label_zh": "事由", "type": "text"},
    {"name": "kind", "label": "Kind", "label_zh": "类别", "type": "choice", "options": ["car", "trip"]},
    {"name": "reviewer", "label": "Reviewer", "label_zh": "审阅人", "type": "person"},
    {"name": "unit", "label": "Unit", "label_zh": "单位", "type": "department"},
    {"name": "overseas", "label": "Overseas", "label_zh": "境外", "type": "flag"},
]


def form(code: str = "") -> RequestForm:
    """A form with a field of each kind that rules can read."""
    code = code or f"F{next(_numbers)}"
    return RequestForm.objects.create(code=code, name=f"Form {code}", fields=FIELDS)


def person(name: str = "", department: Department | None = None, **columns: Any) -> User:
    """Somebody without special rights, who may make requests."""
    name = name or f"p{next(_numbers)}"
    return make.make_user(name, "sales", department=department, **columns)


def people(*names: str) -> list[User]:
    return [person(name) for name in names]


def step(stage: int, *named: User, **columns: Any) -> dict[str, Any]:
    """A step as `flow` takes it: named people, unless `who` says otherwise."""
    columns.setdefault("name", f"Stage {stage}")
    columns.setdefault("who", "people")
    return {"stage": stage, "named": named, **columns}


def flow(*steps: dict[str, Any], of: RequestForm | None = None, kind: str = "", **settings: Any) -> Flow:
    """A flow in force for a new form or for `of`."""
    admin = settings.pop("admin", None) or make.make_user(f"admin{next(_numbers)}")
    kind = kind or (of or form()).kind
    made = Flow.objects.create(code=f"FLOW{next(_numbers)}", name="Flow", kind=kind, admin=admin)
    settings.setdefault("on_repeat", "ask")
    version = FlowVersion.objects.create(flow=made, **settings)
    add_steps(version, steps)
    publish(version, by=None)
    return made


def add_steps(version: FlowVersion, steps: Iterable[dict[str, Any]]) -> list[FlowStep]:
    """Steps of a draft."""
    made = []
    for columns in steps:
        named = columns.pop("named", ())
        row = FlowStep.objects.create(flow_version=version, **columns)
        FlowStepPerson.objects.bulk_create(FlowStepPerson(step=row, user=user) for user in named)
        made.append(row)
    return made


def draft(flow: Flow, by: User, **values: Any) -> FormRequest:
    """A draft made with the form of a flow."""
    of = RequestForm.objects.get(code=flow.kind.removeprefix("form:"))
    given = {name: str(getattr(value, "pk", value)) for name, value in values.items()}
    return save_request(FormRequest(form=of), given, by=by)


def request(flow: Flow, by: User, *, choices: Any = None, copies: Any = (), **values: Any) -> ApprovalRequest:
    """A submitted request."""
    return submit(draft(flow, by, **values), kind=flow.kind, by=by, choices=choices, copies=copies)


def document(found: ApprovalRequest) -> FormRequest:
    """The form request behind a request, as stored."""
    return FormRequest.objects.get(pk=found.object_id)


def task(found: ApprovalRequest, user: User, state: str = "running") -> ApprovalTask:
    """The newest task of `user` in `state`."""
    return ApprovalTask.objects.filter(request=found, user=user, state=state).latest("pk")


def asked(found: ApprovalRequest) -> set[User]:
    """Who can decide now."""
    return {row.user for row in found.tasks.filter(state="running").select_related("user")}


def nodes(found: ApprovalRequest) -> list[tuple[int, str]]:
    """(stage, state) of every node, in order."""
    return list(ApprovalNode.objects.filter(request=found).order_by("pk").values_list("stage", "state"))


def stand_in(principal: User, proxy: User, **columns: Any) -> Proxy:
    """`proxy` decides for `principal` this week."""
    columns.setdefault("since", make.days_ago(1))
    columns.setdefault("until", make.days_ago(-5))
    return Proxy.objects.create(principal=principal, proxy=proxy, **columns)


def late(request: ApprovalRequest, hours: int) -> None:
    """As if the tasks of a request had been asked that long ago."""
    for task in request.tasks.filter(state="running", due_at__isnull=False):
        back = dt.timedelta(hours=hours)
        ApprovalTask.objects.filter(pk=task.pk).update(
            due_at=task.due_at - back, remind_at=task.remind_at and task.remind_at - back
        )
