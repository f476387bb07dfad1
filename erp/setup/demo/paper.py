"""Leave, expense claims and advances, official documents and seals: one of each in most of its states."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from erp.finance.expense_payments import pay_employees
from erp.finance.models import ExpenseAccount
from erp.finance.models.accounts import Account
from erp.setup.demo.world import World
from oa.expenses import services as expenses
from oa.expenses.models import Advance, ExpenseBudget, ExpenseClaim, ExpenseLimit, ExpenseType
from oa.expenses.services import LineInput
from oa.leave.models import LeaveRequest, LeaveType, WorkCalendar
from oa.leave.reading import calendars_between
from oa.leave.services.calendars import enter_holidays
from oa.leave.services.requests import approve_leave, reject_leave, save_leave, submit_leave
from oa.leave.services.yearly import grant_year
from oa.official.models import DocumentClass, IncomingDocument, OutgoingDocument, Seal, SealRequest, UnitWord
from oa.official.services import incoming, outgoing, receiving, seals, writing
from oa.official.services.turns import Hands
from oa.organisation.models import Department, Position, User

# who, type, days from today, how many days, reason, substitute, decided by (a minus: refused)
LEAVE = (
    ("sales", "PERSONAL", -20, 2, "家中有事", "sales2", "manager"), ("warehouse", "SICK", -6, 1, "感冒发烧", "buyer", "admin"),
    ("accountant", "ANNUAL", 6, 3, "回老家探亲", "chief", "chief"), ("sales2", "PERSONAL", 3, 1, "办理证件", "sales", ""),
    ("buyer", "ANNUAL", 12, 5, "旅行", "warehouse", ""), ("hr", "PERSONAL", 9, 1, "私事", "", "-admin"),
)  # fmt: skip
# title, who, lines (type, days ago, amount, tax, invoice, what), how far: its last step
CLAIMS = (
    ("苏州—深圳客户拜访", "sales2", (
        ("transport", 21, "1286.00", "106.18", "26442000000091837465", "高铁往返"), ("lodging", 20, "880.00", "49.81", "26442000000018273645", "住宿 2 晚"),
        ("taxi", 20, "143.50", "0", "", "市内打车"),
    ), "paid"),
    ("宁波供应商审核", "buyer", (
        ("transport", 9, "412.00", "34.02", "26332000000055667788", "自驾过路费与油费"), ("entertainment", 9, "356.00", "0", "26332000000055660011", "工作餐"),
    ), "posted"),
    ("十一月办公用品", "hr", (("office", 4, "689.40", "79.31", "26320500000000112233", "打印纸与硒鼓"),), "audited"),
    ("上海展会差旅", "sales", (
        ("transport", 3, "158.00", "13.05", "26310000000077889900", "高铁往返"), ("lodging", 3, "520.00", "29.43", "26310000000077889911", "住宿 1 晚"),
    ), "submitted"),
    ("客户来访接待", "manager", (("entertainment", 1, "968.00", "0", "26320500000000998877", "晚餐"),), "draft"),
)  # fmt: skip


def push_paper(world: World) -> None:
    """Everything happens through the commands that people use."""
    _leave(world)
    _claims(world)
    _official(world)
    _seals(world)


def _leave(world: World) -> None:
    year = world.today.year
    world.let(_person("hr"), enter_holidays, WorkCalendar.objects.get(standard=True))
    for number in (year - 1, year, year + 1):
        grant_year(number, until=world.today + dt.timedelta(days=40))
    for who, kind, offset, length, reason, substitute, decided in LEAVE:
        person = _person(who)
        first = first_day(person, world.today + dt.timedelta(days=offset), length)
        request = LeaveRequest(
            type=LeaveType.objects.get(code=kind), first_day=first, last_day=first + dt.timedelta(days=length - 1),
            reason=reason, substitute=_person(substitute) if substitute else None,
        )  # fmt: skip
        request = world.let(person, submit_leave, world.let(person, save_leave, request))
        if decided.startswith("-"):
            world.let(_person(decided[1:]), reject_leave, request, "当天有招聘面试")
        elif decided:
            world.let(_person(decided), approve_leave, request)


def _claims(world: World) -> None:
    types = {row.code: row for row in ExpenseType.objects.all()}
    costs = {"entertainment": "5601", "office": "5602", "other": "5602", "training": "5602", "phone": "5602"}
    accounts = Account.objects.in_bulk({"5601", "5602"}, field_name="code")
    ExpenseAccount.objects.bulk_create(
        ExpenseAccount(type=row, account=accounts[costs.get(code, "5601")]) for code, row in types.items()
    )
    ExpenseLimit.objects.create(type=types["lodging"], position=Position.objects.get(code="SE"), amount=450)
    ExpenseBudget.objects.create(
        department=Department.objects.get(code="SALES"), year=world.today.year, amount=Decimal(60_000)
    )
    _advance(world)
    for title, who, lines, state in CLAIMS:
        rows = [
            LineInput(
                type=types[kind], date=world.ago(ago), amount=Decimal(amount), tax=Decimal(tax), invoice=invoice,
                description=what, days=Decimal(2 if kind == "lodging" and "2 晚" in what else 1),
                excess_reason="展会期间酒店涨价" if kind == "lodging" else "",
            )
            for kind, ago, amount, tax, invoice, what in lines
        ]  # fmt: skip
        _claim(world, title, who, rows, state)


def _advance(world: World) -> None:
    person = _person("sales")
    row = Advance(title="上海展会备用金", amount=Decimal(2000), due_on=world.today + dt.timedelta(days=20))
    row = world.let(person, expenses.submit_advance, world.let(person, expenses.save_advance, row))
    row = world.let(_person("chief"), expenses.approve_advance, row)
    world.let(_person("chief"), pay_employees, [], [row.pk], world.banks["CNY"])


def _claim(world: World, title: str, who: str, lines: list[LineInput], state: str) -> None:
    person, chief, accountant = _person(who), _person("chief"), _person("accountant")
    claim = world.let(person, expenses.save_claim, ExpenseClaim(title=title), lines)
    steps: dict[str, Any] = {
        "submitted": lambda row: world.let(person, expenses.submit_claim, row),
        "approved": lambda row: world.let(chief, expenses.approve_claim, row),
        "audited": lambda row: world.let(accountant, expenses.audit_claim, row),
        "posted": lambda row: world.let(accountant, expenses.post_claim, row),
        "paid": lambda row: world.let(chief, pay_employees, [row.pk], [], world.banks["CNY"]),
    }
    for name, step in steps.items():
        if state == "draft":
            return
        claim = step(claim)
        if name == state:
            return


def _official(world: World) -> None:
    manager, admin, hr = _person("manager"), _person("admin"), _person("hr")
    Seal.objects.bulk_create([
        Seal(code="CO", name="公司公章 Company seal", kind="company", keeper=hr, place="人事部保险柜"),
        Seal(code="CT", name="合同专用章 Contract seal", kind="contract", keeper=_person("chief"), place="财务部"),
    ])  # fmt: skip
    word = UnitWord.objects.order_by("pk").first()
    for title, body, last in (
        ("关于2027年元旦放假安排的通知", "各部门：\n\n2027年1月1日放假一天。请各部门提前安排好值班与发货工作。\n", "distributed"),
        ("关于调整差旅住宿标准的通知", "各部门：\n\n自下月起，销售工程师住宿标准调整为每晚450元。\n", "signed"),
        ("关于申请园区技改补贴的请示", "园区管委会：\n\n我公司拟申请2026年度技术改造补贴，现将有关材料报送。\n", "checking"),
    ):  # fmt: skip
        kind = DocumentClass.objects.get(code="request" if "请示" in title else "notice")
        row = OutgoingDocument(title=title, body=body, document_class=kind, unit_word=word)
        row = world.let(manager, writing.save_outgoing, row)
        row.to_departments.set(Department.objects.filter(code__in=["SALES", "FIN", "STOCK", "PUR"]))
        row = world.let(manager, outgoing.submit, row, hands=Hands(people=(_person("chief"),)))
        if last == "checking":
            continue
        row = world.let(_person("chief"), outgoing.check, row, text="已核", hands=Hands(more=(admin,)))
        row = world.let(admin, outgoing.sign, row, text="同意印发", hands=Hands(people=(hr,)))
        if last == "signed":
            continue
        row = world.let(hr, outgoing.format_document, row, hands=Hands(people=(hr,)))
        stamp = Seal.objects.get(code="CO")
        row = world.let(hr, outgoing.seal, row, hands=Hands(people=(hr,)), stamp=stamp)
        row = world.let(hr, outgoing.distribute, row)
        for who in ("sales", "accountant"):
            world.let(_person(who), receiving.receive, row)
    letter = IncomingDocument(
        title="关于开展安全生产专项检查的函", sender="苏州工业园区应急管理局", sender_number="苏园应急函〔2026〕118号",
        document_class=DocumentClass.objects.get(code="letter"), urgency="urgent", body="请于本周内报送自查情况。",
    )  # fmt: skip
    letter = world.let(hr, writing.save_incoming, letter)
    letter = world.let(hr, incoming.propose, letter, text="拟请仓储部办理", hands=Hands(people=(admin,)))
    hands = Hands(people=(_person("warehouse"),), more=(manager,))
    world.let(admin, incoming.instruct, letter, text="请仓储部牵头自查", hands=hands)


def _seals(world: World) -> None:
    for title, who, state in (("年度框架协议（三份）", "sales", "used"), ("招标授权书", "sales2", "submitted")):
        seal = Seal.objects.get(code="CT")
        person = _person(who)
        row = SealRequest(title=title, seal=seal, copies=3 if "三份" in title else 1, note="客户要求")
        row = world.let(person, seals.submit, world.let(person, seals.save_request, row))
        if state == "used":
            row = world.let(_person("manager"), seals.approve, row)
            world.let(_person("chief"), seals.use, row)


def first_day(person: User, day: dt.date, length: int) -> dt.date:
    """The first day from `day` on that `person` works, from which `length` days end within the same year."""
    plan = calendars_between(day, day + dt.timedelta(days=60)).plan(person.pk, person.department_id)
    while not plan(day).works or (day + dt.timedelta(days=length - 1)).year != day.year:
        day += dt.timedelta(days=1)
    return day


def _person(username: str) -> User:
    """As stored, with the rights that were given meanwhile."""
    return User.objects.get(username=username)
