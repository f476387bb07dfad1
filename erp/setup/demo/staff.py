"""The people of a large company: a tree of divisions, departments and teams with heads, managers and roles."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

import pghistory
from django.contrib.auth.models import Group, Permission
from django.db import connection

from erp.setup.demo.people import MAIL_DOMAIN
from erp.setup.demo.world import World
from kit.rules.permissions import OWN, SUBTREE
from oa.organisation.models import Department, PersonnelChange, Position, Role, User
from oa.records.bulk import bulk_set
from oa.roles import MEMBER, WRITER
from oa.setup import granted_by

LEAST_STAFF = 30
A_DIVISION, A_DEPARTMENT = 40, 9  # how many departments of any level go under one

# code, English, Chinese, what its people are
DIVISIONS = (
    ("MFG", "Manufacturing", "制造", "OP"), ("RND", "Research", "研发", "EN"), ("QA", "Quality", "质量", "EN"),
    ("LOG", "Logistics", "物流", "CL"), ("SRV", "Service", "服务", "EN"), ("PE", "Process engineering", "工艺", "EN"),
    ("PLAN", "Planning", "计划", "CL"), ("ADM", "Administration", "行政", "CL"), ("IT", "Information", "信息", "EN"),
    ("EXP", "Export", "外贸", "CL"),
)  # fmt: skip
POSITIONS = (
    ("DIR", "Director 总监"), ("DM", "Department manager 部门经理"), ("TL", "Team leader 班组长"), ("OP", "Operator 技工"),
    ("EN", "Engineer 工程师"), ("CL", "Officer 专员"),
)  # fmt: skip
# code, English, Chinese, scope, rights
ROLES = (
    ("employee", "Employee", "员工", OWN, MEMBER),
    ("department-head", "Department head", "部门负责人", SUBTREE, f"{MEMBER} {WRITER}"),
)
SURNAMES = (
    "Wang 王|Li 李|Zhang 张|Liu 刘|Chen 陈|Yang 杨|Huang 黄|Zhao 赵|Wu 吴|Zhou 周|Xu 徐|Sun 孙|Ma 马|Zhu 朱|Hu 胡|Guo 郭|He 何|"
    "Lin 林|Gao 高|Luo 罗|Zheng 郑|Liang 梁|Xie 谢|Song 宋|Tang 唐|Han 韩|Feng 冯|Deng 邓|Cao 曹|Peng 彭|Zeng 曾|Xiao 肖|Tian 田|"
    "Dong 董|Pan 潘|Yuan 袁|Cai 蔡|Jiang 蒋|Yu 余|Du 杜|Ye 叶|Cheng 程|Wei 魏|Su 苏|Lu 吕|Ding 丁|Shen 沈|Ren 任|Yao 姚|Lu 卢"
)
GIVEN = (
    "Min 敏|Jing 静|Li 丽|Qiang 强|Lei 磊|Jun 军|Yang 洋|Yong 勇|Yan 艳|Jie 杰|Juan 娟|Tao 涛|Ming 明|Chao 超|Xia 霞|Ping 平|Gang 刚|"
    "Fang 芳|Hui 慧|Hua 华|Bo 波|Ning 宁|Xin 欣|Yu 宇|Hao 浩|Kai 凯|Jian 健|Ying 颖|Lan 兰|Wen 文|Bin 斌|Xue 雪|Mei 梅|Feng 峰|"
    "Long 龙|Fei 飞|Lin 琳|Dan 丹|Ting 婷|Shan 珊|Yi 怡|Zhen 珍|Hong 红|Wei 伟|Xiu 秀|Guo 国|Zhi 志|Jia 佳|Xiao 晓|Chun 春"
)


class Namer:
    """Names as people have them; user names are theirs in Latin letters, with a number where one is taken."""

    def __init__(self, world: World) -> None:
        self.dice = world.dice
        self.taken = Counter(User.objects.values_list("username", flat=True))
        self.surnames, self.given = ([part.split() for part in names.split("|")] for names in (SURNAMES, GIVEN))

    def person(self, **columns: object) -> User:
        """Somebody new, not stored yet."""
        latin, chinese = self.dice.choice(self.surnames)
        first, character = self.dice.choice(self.given)
        if self.dice.random() < 0.6:
            more, other = self.dice.choice(self.given)
            first, character = first + more.lower(), character + other
        username = f"{latin}.{first}".lower()
        self.taken[username] += 1
        if self.taken[username] > 1:
            username += str(self.taken[username])
        return User(
            username=username, name=f"{latin} {first} {chinese}{character}", email=username + MAIL_DOMAIN,
            phone=f"13{self.dice.randint(0, 9)} {self.dice.randint(1000, 9999)} {self.dice.randint(1000, 9999)}",
            extension=str(self.dice.randint(2000, 8999)), **columns,
        )  # fmt: skip


def employ(world: World, staff: int, password: str) -> None:
    """Departments in four levels and people in them until `staff` work here, all with one `password` hash."""
    hr, before = world.people["hr"], User.objects.count()
    with pghistory.context(user=hr.pk):
        namer = Namer(world)
        positions = {
            row.code: row for row in Position.objects.bulk_create(Position(code=c, name=n) for c, n in POSITIONS)
        }
        levels = _departments(max(6, staff * 2 // 25 - Department.objects.count()))
        above: dict[int, User] = {levels[0][0].parent_id: world.people["admin"]}
        heads: list[User] = []
        for level, title in zip(levels, ("DIR", "DM", "TL"), strict=True):
            made = [
                namer.person(
                    department=row, position=positions[title], manager=above[row.parent_id], password=password,
                    joined_on=_joined(world),
                )
                for row in level
            ]  # fmt: skip
            heads += User.objects.bulk_create(made)
            for department, head in zip(level, made, strict=True):
                department.head = above[department.pk] = head
            bulk_set(level, ["head"])
        teams = levels[-1]
        members = [
            namer.person(
                department=team, position=positions[_craft(team)], manager=team.head, password=password,
                joined_on=_joined(world),
            )
            for place in range(staff - before - len(heads))
            for team in (teams[place % len(teams)],)
        ]  # fmt: skip
        User.objects.bulk_create(members)
        _roles(heads, members)
        _joinings([*heads, *members], hr)
    with connection.cursor() as cursor:  # what was planned for ten people would be slow for thousands
        cursor.execute("ANALYZE oa_user, oa_department, oa_user_groups")


def _departments(wanted: int) -> Sequence[list[Department]]:
    """Divisions below the root, departments below them, teams below those: `wanted` in all."""
    root = Department.objects.get(code="HQ")
    few = min(len(DIVISIONS), max(1, wanted // A_DIVISION))
    divisions = Department.objects.bulk_create(
        Department(code=code, name=f"{name} division {chinese}中心", parent=root)
        for code, name, chinese, _craft in DIVISIONS[:few]
    )
    middle = max(few, wanted // A_DEPARTMENT)
    departments = Department.objects.bulk_create(
        Department(code=f"{code}-{number}", name=f"{name} {number} {chinese}{number}部", parent=divisions[place % few])
        for place in range(middle)
        for code, name, chinese, _craft in (DIVISIONS[place % few],)
        for number in (place // few + 1,)
    )
    teams = Department.objects.bulk_create(
        Department(
            code=f"{above.code}-{number}",
            name=f"{_words(above)[0]}, team {number} {_words(above)[1]}{number}组",
            parent=above,
        )
        for place in range(wanted - few - middle)
        for above, number in ((departments[place % middle], place // middle + 1),)
    )
    return divisions, departments, teams


def _words(department: Department) -> tuple[str, str]:
    """The English and the Chinese name."""
    english, _space, chinese = department.name.rpartition(" ")
    return english, chinese


def _craft(team: Department) -> str:
    """What the people of a team are, by its division."""
    return next(craft for code, _name, _chinese, craft in DIVISIONS if code == team.code.split("-")[0])


def _joined(world: World) -> dt.date:
    return world.ago(world.dice.randint(400, 4_000))


def _roles(heads: Iterable[User], members: Iterable[User]) -> None:
    """Employees work with the office; heads see what is below them and write announcements to their people."""
    groups = []
    rights = list(Permission.objects.filter(content_type__app_label="oa"))
    for code, name, chinese, scope, patterns in ROLES:
        group = Group.objects.create(name=name)
        Role.objects.create(group=group, code=code, name_zh=chinese, scope=scope)
        group.permissions.add(*(right for right in rights if granted_by(patterns, right.codename)))
        groups.append(group)
    employee, head = groups
    rows = [(user, head) for user in heads] + [(user, employee) for user in members]
    given = User.groups.through
    given.objects.bulk_create(given(user_id=user.pk, group_id=group.pk) for user, group in rows)


def _joinings(people: Iterable[User], hr: User) -> None:
    kind = PersonnelChange.Kind.JOINING
    PersonnelChange.objects.bulk_create(
        PersonnelChange(
            person=user, kind=kind, on=user.joined_on, department=user.department, position=user.position, created_by=hr
        )
        for user in people
    )  # fmt: skip
