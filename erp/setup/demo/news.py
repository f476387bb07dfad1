"""What the office announced to everybody: read by some, one of it to be confirmed, one waiting for approval."""

from __future__ import annotations

import datetime as dt

from erp.setup.demo.world import World
from oa.announcements import publishing, services
from oa.announcements.models import Announcement, AnnouncementCategory
from oa.records.comments import add_comment

POLICY = ("差旅费报销制度（12月1日起执行）", "rules", "# 主要变化\n\n1. 出差须提前一天申请\n2. 报销须在返回后**七天内**提交\n\n有疑问请联系人事部。")  # fmt: skip
PRICES = (
    "LM20系列产品价格调整通知",
    "notice",
    "LM20系列自下月起上调**5%**。\n\n- 已签合同不受影响\n- 新报价请使用新价格表",
)
COUNT = (
    "年终盘点期间暂停发货",
    "notice",
    "月末最后两个工作日盘点，**暂停发货**。\n\n- 急单请提前三天与仓库联系\n- 样品同样盘点",
)
HOLIDAY = ("元旦放假安排", "company", "1月1日放假一天，值班表另行通知。")


def announce(world: World) -> None:
    """Three published ones and one that waits, through the commands that people use."""
    hr, admin = world.people["hr"], world.people["admin"]
    policy = _write(world, *POLICY)
    world.let(hr, services.submit, policy)
    world.let(admin, services.approve, policy)
    _appear(world, policy)
    prices, count = _write(world, *PRICES), _write(world, *COUNT, must_confirm=True, remind_every=24, pinned=14)
    for news in (prices, count):
        world.let(hr, services.publish, news)
        _appear(world, news)
    for reader in ("manager", "warehouse"):
        world.let(world.people[reader], services.seen, count, device="desk")
    world.let(world.people["warehouse"], services.confirm, count, device="phone")
    world.let(world.people["manager"], lambda by: add_comment(count, "样品也要盘点吗？", by=by))
    world.let(hr, services.submit, _write(world, *HOLIDAY))


def _appear(world: World, news: Announcement) -> None:
    """What the job does later: for the company that has lived it has been done."""
    world.let(world.people["hr"], lambda by: publishing.appear(news.pk))


def _write(world: World, title: str, category: str, body: str, *, pinned: int = 0, **given: object) -> Announcement:
    kind = AnnouncementCategory.objects.get(code=category)
    until = world.today + dt.timedelta(days=pinned) if pinned else None
    draft = Announcement(title=title, body=body, category=kind, to_everyone=True, pinned_until=until, **given)
    return world.let(world.people["hr"], services.save_announcement, draft)
