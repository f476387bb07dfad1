"""A year of announcements to everybody, and who has read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from erp.setup.demo.world import World
from oa.announcements import publishing, services
from oa.announcements.models import Announcement, AnnouncementCategory
from oa.organisation.models import User

# what it is about, what it says
TOPICS = (
    ("班车时刻调整", "自下周一起，早班车提前**十分钟**发车。\n\n- 一号线：7:20\n- 二号线：7:35"),
    ("消防演练通知", "本周五下午三点全厂消防演练。\n\n1. 听到警报后走最近的疏散通道\n2. 在集合点点名"),
    ("年度体检安排", "体检分批进行，请按部门名单前往。\n\n- 空腹\n- 携带身份证"),
    ("信息系统维护", "周六 22:00 至次日 2:00 系统维护，期间不能登录。"),
    ("质量月活动", "本月为质量月，欢迎提交改善提案。\n\n优秀提案将在月末表彰。"),
    ("食堂意见征集", "请在本周内填写食堂满意度问卷。"),
    ("安全生产提示", "近期气温较高，请注意用电安全与防暑降温。"),
    ("考勤制度说明", "外出须提前申请，返回后不再补卡。\n\n有疑问请联系人事部。"),
)  # fmt: skip
CONFIRMED = 5  # every fifth asks for a confirmation

# Who has read: all but a few of the old ones, fewer of the last weeks. The die of a person and a text is always the same.
_READ = """
UPDATE oa_announcementreceipt x
   SET first_read_at = d.at, last_read_at = d.at + interval '5 minutes' * (d.die %% 3), read_count = 1 + d.die %% 3,
       device = CASE WHEN d.die %% 10 < 4 THEN 'phone' ELSE 'desk' END,
       confirmed_at = CASE WHEN a.must_confirm AND d.die %% 50 > 0 THEN d.at END
  FROM oa_announcement a, oa_announcementreceipt r, LATERAL (
    SELECT hashtext(concat_ws(':', %(seed)s::text, r.record_id - %(first)s, u.username)) & 65535 AS die
      FROM oa_user u WHERE u.id = r.user_id) h, LATERAL (
    SELECT h.die, r.delivered_at + least(interval '7 days', %(now)s - r.delivered_at) * 0.9 * (h.die / 65536.0) ^ 2 AS at) d
 WHERE x.id = r.id AND a.id = r.record_id AND a.id = ANY(%(keys)s)
   AND h.die %% 1000 < CASE WHEN r.delivered_at < %(now)s - interval '20 days' THEN 970 ELSE 700 END
"""
# The messages about what was read are read as well.
_MESSAGES = """
UPDATE oa_notification n SET read_at = r.first_read_at FROM oa_announcementreceipt r
 WHERE n.content_type_id = %(kind)s AND n.object_id = r.record_id AND n.user_id = r.user_id AND n.read_at IS NULL
   AND r.record_id = ANY(%(keys)s) AND r.first_read_at IS NOT NULL
"""


def circulate(world: World, receipts: int, say: Callable[[str], None]) -> int:
    """Publish to everybody until there are `receipts` receipts, and let people read; returns how many were published."""
    wanted = -(-receipts // User.objects.filter(is_active=True).count())
    now, keys = timezone.now(), []
    for place in range(wanted):
        keys.append(_publish(world, place, now - dt.timedelta(days=360) * (wanted - place) / wanted))
        if not (place + 1) % 20:
            say(f"  {place + 1:,} of {wanted:,} announcements")
    if keys:
        kind = ContentType.objects.get_for_model(Announcement).pk
        told: dict[str, Any] = {
            "keys": keys,
            "first": keys[0],
            "now": now,
            "kind": kind,
            "seed": world.dice.randint(0, 10**6),
        }
        with connection.cursor() as cursor:
            cursor.execute(_READ, told)
            cursor.execute(_MESSAGES, told)
    return len(keys)


def _publish(world: World, place: int, at: dt.datetime) -> int:
    """By the commands that people use, at a moment of the past year."""
    hr, admin = world.people["hr"], world.people["admin"]
    topic, body = TOPICS[place % len(TOPICS)]
    kinds = {row.needs_approval: row for row in AnnouncementCategory.objects.order_by("-pk")}
    confirmed = place % CONFIRMED == CONFIRMED - 1
    news = Announcement(
        title=f"{topic}（第 {place + 1} 号）", body=body, category=kinds[confirmed], to_everyone=True,
        must_confirm=confirmed, created_at=at - dt.timedelta(hours=20),
    )  # fmt: skip
    world.let(hr, services.save_announcement, news)
    if confirmed:
        world.let(hr, services.submit, news)
        world.let(admin, services.approve, news)
    else:
        world.let(hr, services.publish, news)
    world.let(hr, lambda by: publishing.appear(news.pk, now=at))
    return news.pk
