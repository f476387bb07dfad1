"""What the company approves: flows for orders and forms, and requests in every state."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from erp.sales.approving import KIND, needed_for
from erp.sales.models import SalesOrder
from erp.setup.demo.world import World
from oa.approvals import services
from oa.approvals.models import (
    ApprovalRequest,
    ApprovalTask,
    Flow,
    FlowStep,
    FlowStepPerson,
    FlowVersion,
    FormRequest,
    RequestForm,
)
from oa.approvals.services.flows import publish
from oa.approvals.services.forms import save_request
from oa.organisation.models import User

BIG = [[{"field": "amount", "op": ">", "value": "100000"}], [{"field": "discount", "op": ">", "value": "10"}]]
HUGE = [[{"field": "amount", "op": ">", "value": "300000"}]]
DEAR = [[{"field": "amount", "op": ">", "value": "5000"}]]

# form, who asks, values, who decides in turn and how
REQUESTS: tuple[tuple[str, str, dict[str, str], tuple[tuple[str, str, str], ...]], ...] = (
    ("TRIP", "sales", {"place": "苏州", "amount": "1842.50", "purpose": "客户现场调试第二批样件"}, ()),
    ("TRIP", "sales2", {"place": "深圳", "amount": "6380", "purpose": "华南客户年度回访与框架协议续签"}, (("manager", "approve", "同意"),)),
    ("TRIP", "sales", {"place": "无锡", "amount": "960", "purpose": "验收直线模组"}, (("manager", "approve", "早去早回"),)),
    ("BUY", "warehouse", {"what": "手动液压叉车 2 台", "amount": "7600", "purpose": "旧叉车已达报废年限"}, (("admin", "approve", "同意更换"),)),
    ("BUY", "hr", {"what": "办公椅 10 把", "amount": "4200", "purpose": "新员工入职"}, ()),
    ("CAR", "buyer", {"destination": "宁波豪立", "people": "2", "purpose": "供应商现场审核"}, (("admin", "reject", "当天车辆已安排给销售部"),)),
    ("OVERTIME", "accountant", {"hours": "6", "reward": "调休 Time off", "purpose": "月末结账"}, (("chief", "approve", ""),)),
    ("OUT", "sales2", {"place": "佛山", "purpose": "拜访新客户"}, (("manager", "return", "请写清楚客户名称"),)),
)  # fmt: skip


def make_approvals(world: World) -> None:
    """Flows in force, then a handful of requests as they stand today."""
    _flows(world)
    for code, username, values, decisions in REQUESTS:
        _request(world, code, username, values, decisions)
    _orders(world)


def _flows(world: World) -> None:
    manager, admin = world.people["manager"], world.people["admin"]
    _flow(
        world, "ORDER", "Sales orders", "销售订单审批", KIND,
        ({"stage": 1, "name": "销售经理审批", "who": "people", "conditions": BIG, "hours": 24}, [manager]),
        ({"stage": 2, "name": "总经理审批", "who": "people", "conditions": HUGE, "signed": True}, [admin]),
    )  # fmt: skip
    for form in RequestForm.objects.order_by("code"):
        steps: list[tuple[dict[str, Any], list[User]]] = [
            ({"stage": 1, "name": "部门负责人审批", "who": "manager"}, [])
        ]
        if any(field["name"] == "amount" for field in form.fields):
            finance = {"stage": 2, "name": "财务审批", "who": "people", "conditions": DEAR, "how": "any"}
            steps.append((finance, [world.people["chief"]]))
        _flow(world, form.code, form.name, form.name_zh, form.kind, *steps)


def _flow(
    world: World, code: str, name: str, name_zh: str, kind: str, *steps: tuple[dict[str, Any], list[User]]
) -> None:
    admin = world.people["admin"]
    flow = Flow.objects.create(code=code, name=name, name_zh=name_zh, kind=kind, admin=admin, created_by=admin)
    version = FlowVersion.objects.create(flow=flow, on_repeat="consecutive", created_by=admin)
    for columns, named in steps:
        step = FlowStep.objects.create(flow_version=version, **columns)
        FlowStepPerson.objects.bulk_create(FlowStepPerson(step=step, user=user) for user in named)
    world.let(admin, publish, version)


def _request(
    world: World, code: str, username: str, values: dict[str, str], decisions: tuple[tuple[str, str, str], ...]
) -> None:
    form = RequestForm.objects.get(code=code)
    person = User.objects.get(username=username)
    day = world.today + dt.timedelta(days=3)
    moments = {"date": day.isoformat(), "time": f"{day.isoformat()} 09:00"}
    filled = {field["name"]: values.get(field["name"], moments.get(field["type"], "")) for field in form.fields}
    draft = world.let(person, save_request, FormRequest(form=form), filled)
    request = world.let(person, services.submit, draft, kind=form.kind)
    for who, verb, text in decisions:
        task = request.tasks.get(user__username=who, state="running")
        user = User.objects.get(username=who)
        if verb == "approve":
            world.let(user, services.approve, task, text=text)
        elif verb == "reject":
            world.let(user, services.reject, task, text=text)
        else:
            world.let(user, services.send_back, task, stage=0, text=text)
    _long_ago(request, world.dice.randint(2, 40))


def _long_ago(request: ApprovalRequest, hours: int) -> None:
    """It was not all submitted this minute; what happened stays in the history as it was written."""
    then = timezone.now() - dt.timedelta(hours=hours)
    ApprovalRequest.objects.filter(pk=request.pk).update(submitted_at=then)
    ApprovalTask.objects.filter(request=request, state="running").update(started_at=then)


def _orders(world: World) -> None:
    """Two drafts that are large enough go into approval."""
    drafts = SalesOrder.objects.filter(state="draft", owner__username__in=("sales", "sales2")).order_by("-base_total")
    for order in drafts[:3]:
        owner = User.objects.get(pk=order.owner_id)
        if not needed_for(order, owner):
            continue
        world.let(owner, services.submit, order, kind=KIND)
