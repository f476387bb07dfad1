"""How people work together: rooms, meetings, tasks, and the documents that everybody reads."""

from __future__ import annotations

import datetime as dt

from django.core.files.base import ContentFile
from django.utils import timezone

from erp.setup.demo.world import World
from oa.documents.models import Folder, LibraryDocument
from oa.documents.services import add_document, note_read, publish_document, require_reading, submit_document
from oa.organisation.models import User
from oa.tasks.models import Meeting, Room, Task
from oa.tasks.services.meetings import confirm_meeting, invite_meeting, save_meeting, seat
from oa.tasks.services.tasks import add_steps, save_task, start_task

ROOMS = (("三楼会议室 3F", 12, "三楼"), ("洽谈室 Lounge", 6, "一楼"), ("培训教室 Training", 40, "二楼"))
# title, who calls it, days from today, hour, minutes, guests, room
MEETINGS = (
    ("销售周例会", "manager", 0, 9, 60, ("sales", "sales2"), 0), ("交期协调会", "warehouse", 0, 14, 45, ("buyer", "sales"), 1),
    ("月度经营分析", "admin", 2, 10, 90, ("manager", "chief", "buyer"), 0), ("新员工培训", "hr", 3, 13, 120, ("sales2", "accountant"), 2),
)  # fmt: skip
# title, who does it, who gave it, due in days, steps
TASKS = (
    ("提交12月华东区销售预测", "sales", "manager", 2, "整理商机\n核对在手订单\n提交经理"), ("联系逾期客户对账", "sales2", "chief", -1, ""),
    ("整理第四季度供应商评价", "buyer", "admin", 6, "交期\n质量\n价格"), ("盘点前清理待处理货位", "warehouse", "admin", 4, ""),
    ("准备年终盘点方案", "manager", "admin", 1, ""), ("更新员工通讯录", "hr", "hr", 0, ""),
)  # fmt: skip
DOCUMENTS = (
    ("差旅费报销制度.md", "# 差旅费报销制度\n\n一、出差须提前一天申请。\n\n二、返回后七天内报销，附发票原件。\n"),
    ("仓库安全操作规程.md", "# 仓库安全操作规程\n\n1. 叉车须持证操作。\n2. 货架每层限重 800 公斤。\n"),
    ("销售折扣权限.txt", "销售工程师折扣上限 5%，销售经理 10%，更高折扣由总经理审批。\n"),
)

TO_READ = DOCUMENTS[1][0]


def work_together(world: World) -> None:
    """Meetings of this week, tasks with and without steps, three documents for everybody."""
    rooms = [Room.objects.create(name=name, seats=seats, place=place) for name, seats, place in ROOMS]
    for title, who, days, hour, minutes, guests, room in MEETINGS:
        start = timezone.make_aware(dt.datetime.combine(world.today + dt.timedelta(days=days), dt.time(hour)))
        meeting = Meeting(title=title, starts_at=start, ends_at=start + dt.timedelta(minutes=minutes))
        caller = _person(who)
        meeting = world.let(caller, save_meeting, meeting)
        meeting = world.let(caller, seat, meeting, [_person(guest) for guest in guests], [rooms[room]])
        meeting = world.let(caller, invite_meeting, meeting)
        world.let(caller, confirm_meeting, meeting)
    for title, who, giver, days, steps in TASKS:
        task = Task(title=title, owner=_person(who), due_on=world.today + dt.timedelta(days=days))
        task = world.let(_person(giver), save_task, task)
        if steps:
            world.let(_person(who), add_steps, task, steps)
            world.let(_person(who), start_task, task)
    _documents(world)


def _documents(world: World) -> None:
    admin, folder = _person("admin"), Folder.objects.get(parent=None, space="company")
    for name, text in DOCUMENTS:
        document = world.let(admin, add_document, folder, ContentFile(text.encode(), name))
        if folder.needs_review:
            document = world.let(admin, submit_document, document)
        document = world.let(admin, publish_document, document)
        if name == TO_READ:
            _to_be_read(world, document)


def _to_be_read(world: World, document: LibraryDocument) -> None:
    """Everybody confirms within two weeks to know it; one has, one looked at it."""
    given = {"to_everyone": True, "must_confirm": True, "read_by": world.today + dt.timedelta(days=14)}
    world.let(_person("admin"), require_reading, document, given)
    for reader, confirmed in (("warehouse", True), ("manager", False)):
        world.let(_person(reader), note_read, document, 1, device="desk", confirmed=confirmed)


def _person(username: str) -> User:
    """As stored, with the rights that were given meanwhile."""
    return User.objects.get(username=username)
