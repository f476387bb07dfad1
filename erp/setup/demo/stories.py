"""What people ask for in a large company, how it is decided, and the flows that decide it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from erp.setup.demo.world import World
from oa.approvals.models import Flow, FlowStep, FlowStepPerson, RequestForm
from oa.approvals.services.flows import draft_of, publish

DEAR, VERY_DEAR = 5_000, 50_000


def _above(amount: int) -> list[list[dict[str, str]]]:
    return [[{"field": "amount", "op": ">", "value": str(amount)}]]


MANAGER = ({"stage": 1, "name": "直接上级审批", "who": "manager", "hours": 72}, ())
LADDER = (
    MANAGER,
    ({"stage": 2, "name": "上级部门负责人审批", "who": "above", "levels": 1, "conditions": _above(DEAR)}, ()),
    ({"stage": 3, "name": "财务审批", "who": "people", "conditions": _above(DEAR)}, ("chief", "accountant")),
    ({"stage": 4, "name": "总经理审批", "who": "people", "conditions": _above(VERY_DEAR)}, ("admin",)),
)
# Steps of each shipped form, with the people they name.
FLOWS: dict[str, tuple[tuple[dict[str, Any], tuple[str, ...]], ...]] = {
    "TRIP": LADDER,
    "BUY": LADDER,
    "OUT": (MANAGER,),
    "OVERTIME": (MANAGER, ({"stage": 2, "name": "抄送人事", "kind": "cc", "who": "people"}, ("hr",))),
    "CAR": (MANAGER, ({"stage": 2, "name": "派车", "kind": "handle", "who": "people"}, ("warehouse",))),
}


@dataclass(frozen=True)
class Story:
    """A request of a form and what became of it; `weight` of all requests go like that.

    `deeds`: what happened in turn: a(pproved), r(ejected), b(ack to the applicant), w(ithdrawn), c(ancelled).
    """

    form: str
    deeds: str
    weight: float
    amounts: tuple[int, int] = (0, 0)


CHEAP, MIDDLE, HIGH = (80, DEAR), (DEAR + 100, VERY_DEAR), (VERY_DEAR + 100, 180_000)
STORIES: tuple[Story, ...] = (
    *(Story("OUT", deeds, weight) for deeds, weight in (("a", 24), ("", 1.1), ("r", 0.8), ("w", 1), ("b", 0.2))),
    *(Story("OVERTIME", deeds, weight) for deeds, weight in (("a", 20), ("", 0.9), ("r", 1), ("w", 0.5))),
    *(Story("CAR", deeds, weight) for deeds, weight in (("aa", 9), ("", 0.4), ("a", 0.3), ("r", 0.5), ("c", 0.1))),
    *(Story("TRIP", deeds, weight, CHEAP) for deeds, weight in (("a", 15), ("", 0.6), ("r", 0.6), ("w", 0.4), ("b", 0.2))),
    *(Story("TRIP", deeds, weight, MIDDLE) for deeds, weight in (("aaa", 6), ("", 0.3), ("a", 0.3), ("aa", 0.3), ("ar", 0.3))),
    *(Story("BUY", deeds, weight, CHEAP) for deeds, weight in (("a", 7), ("", 0.4), ("r", 0.5), ("b", 0.1))),
    *(Story("BUY", deeds, weight, MIDDLE) for deeds, weight in (("aaa", 5), ("a", 0.3), ("aa", 0.3), ("aar", 0.3), ("aab", 0.1))),
    *(Story("BUY", deeds, weight, HIGH) for deeds, weight in (("aaaa", 1.2), ("aaa", 0.2), ("aaar", 0.1))),
)  # fmt: skip

PLACES = "苏州|上海|宁波|无锡|深圳|东莞|佛山|青岛|杭州|常州|南京|合肥|武汉|成都|西安|天津"
FIRMS = "明锐精密|恒川电机|德力传动|锐进导轨|合优联轴器|中驰伺服|金泰轴承|讯联线缆|立信气动|海拓包装"
WHY: dict[str, tuple[str, ...]] = {
    "TRIP": ("客户现场调试", "供应商质量审核", "年度客户回访", "新项目启动会", "展会布展", "设备验收"),
    "OUT": ("拜访客户", "送样品", "税务局办事", "银行办理业务", "参加培训", "取检测报告"),
    "OVERTIME": ("月末结账", "赶交期", "设备抢修", "系统切换", "盘点", "新品试制"),
    "CAR": ("接待客户", "供应商现场审核", "送急件", "员工体检", "展会运输"),
    "BUY": ("旧设备到期更换", "新员工入职", "产线扩建", "安全库存不足", "研发试制"),
}
GOODS = "办公椅 10 把|笔记本电脑 2 台|手动液压叉车 1 台|劳保手套 200 副|游标卡尺 5 把|货架 4 组|投影仪 1 台|工控机 3 台|刀具一批"


def _filled(field: str, form: str, day: dt.date, amount: str, dice: Random) -> str:
    """What somebody fills into one field of a shipped form, as text."""

    def one_of(words: str) -> str:
        return dice.choice(words.split("|"))

    made: dict[str, Callable[[], str]] = {
        "place": lambda: f"{one_of(PLACES)} {one_of(FIRMS)}",
        "destination": lambda: f"{one_of(PLACES)} {one_of(FIRMS)}",
        "from_day": lambda: str(day), "to_day": lambda: str(day + dt.timedelta(days=2)),
        "needed_on": lambda: str(day + dt.timedelta(days=14)),
        "from_time": lambda: f"{day} {dice.randint(8, 12):02}:00", "to_time": lambda: f"{day} {dice.randint(13, 20)}:30",
        "amount": lambda: amount, "hours": lambda: str(dice.randint(1, 6)), "people": lambda: str(dice.randint(1, 5)),
        "reward": lambda: dice.choice(("调休 Time off", "加班费 Pay")), "what": lambda: one_of(GOODS),
        "purpose": lambda: dice.choice(WHY[form]),
    }  # fmt: skip
    return made[field]() if field in made else ""


def fill_in(form: RequestForm, story: Story, day: dt.date, dice: Random) -> dict[str, str]:
    """The values of a request that was made on `day`."""
    amount = f"{dice.randint(story.amounts[0] * 100, story.amounts[1] * 100) / 100:.2f}"
    then = day + dt.timedelta(days=dice.randint(1, 6))
    return {field["name"]: _filled(field["name"], form.code, then, amount, dice) for field in form.fields}


def put_into_force(world: World) -> None:
    """The flows of a large company, as new versions of those of the small one."""
    admin = world.people["admin"]
    for code, steps in FLOWS.items():
        version = draft_of(Flow.objects.get(code=code), by=admin)
        version.steps.all().delete()
        for columns, named in steps:
            step = FlowStep.objects.create(flow_version=version, **columns)
            FlowStepPerson.objects.bulk_create(
                FlowStepPerson(step=step, user=world.people[username]) for username in named
            )
        world.let(admin, publish, version)
