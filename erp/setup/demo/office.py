"""What the accountants and the office do besides: vouchers, a stock count, closed months, subscriptions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from erp.business.reports import DailyBusiness
from erp.finance.models import Account, Journal, Period, Voucher
from erp.finance.services import close_period, post_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import AdjustmentReason, StockAdjustment, StockLevel
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from erp.setup.demo.world import World
from oa.reporting.models import ReportSchedule
from oa.reporting.services import subscribe

KEEP_OPEN = 70  # days: months that ended earlier are closed

# memo, debit account, credit account, amount; every month
MONTHLY = (
    ("计提工资", "5602", "2211", "186500"), ("支付工资", "2211", "100201", "186500"), ("支付房租水电", "5602", "100201", "42800"),
    ("销售差旅费", "5601", "1001", "9650"),
)  # fmt: skip


def plan_office(world: World) -> None:
    """Capital on the first day, the same vouchers every month, one stock count in autumn."""
    world.on(world.start, lambda day: _voucher(world, day, "股东投入资本", "100201", "3001", "8000000"), urgency=0)
    world.on(world.start, lambda day: _voucher(world, day, "提取备用金", "1001", "100201", "150000"), urgency=0)
    day = (world.start.replace(day=1) + dt.timedelta(days=40)).replace(day=28)
    while day <= world.today:
        for memo, debit, credit, amount in MONTHLY:
            world.on(day, lambda then, row=(memo, debit, credit, amount): _voucher(world, then, *row), urgency=8)
        day = (day + dt.timedelta(days=10)).replace(day=28)
    world.on(world.working(world.ago(45)), lambda then: _count(world, then), urgency=8)


def _voucher(world: World, day: dt.date, memo: str, debit: str, credit: str, amount: str) -> None:
    accounts = Account.objects.in_bulk([debit, credit], field_name="code")
    lines = [
        EntryInput(accounts[debit], debit=Decimal(amount)),
        EntryInput(accounts[credit], credit=Decimal(amount)),
    ]
    voucher = Voucher(journal=Journal.objects.get(code="GEN"), date=day, memo=memo)
    voucher = world.let(world.people["accountant"], save_voucher, voucher, lines)
    world.let(world.people["chief"], post_voucher, voucher)


def _count(world: World, day: dt.date) -> None:
    """A few bearings are missing, a coupling too many is found."""
    lines = [
        AdjustmentInput(world.products[code], Decimal(difference))
        for code, difference in (("BR-6204", -3), ("CB-PWR-5", -1), ("CP-D25", 1))
        if StockLevel.objects.get(product=world.products[code]).on_hand > 5
    ]
    if lines:
        count = StockAdjustment(warehouse=world.warehouse, reason=AdjustmentReason.COUNT, date=day)
        count = world.let(world.people["admin"], save_adjustment, count, lines)
        world.let(world.people["admin"], post_adjustment, count)


def finish_office(world: World) -> None:
    """Close the months that are long over; subscribe those who want to know every morning."""
    for period in (
        Period.objects.filter(end__lt=world.ago(KEEP_OPEN), entries__isnull=False).distinct().order_by("start")
    ):
        world.let(world.people["chief"], close_period, period)
    for schedule in ReportSchedule.objects.filter(report=DailyBusiness.name):
        for username in ("manager", "admin"):
            subscribe(schedule, by=type(world.people[username]).objects.get(username=username))
