"""A company of thousands: people, requests and receipts in bulk (`manage.py demo --staff N`).

Everything that has rules is done by the commands that people use, once for every kind of thing; then the database gets
many more of the same, with its guards in force. The same seed makes the same people, requests and readers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import connection, models

from erp.setup.demo.bulletins import circulate
from erp.setup.demo.people import PASSWORD
from erp.setup.demo.requests import TABLES, file_requests
from erp.setup.demo.staff import LEAST_STAFF, employ
from erp.setup.demo.world import World
from oa.announcements.models import AnnouncementReceipt
from oa.approvals.models import ApprovalRequest
from oa.organisation.models import Department, User
from oa.records.models import Notification

MOST_STAFF = 50_000
REQUESTS_EACH, RECEIPTS_EACH = 40, 100  # of every person, where the numbers are not told
GROWN: tuple[type[models.Model], ...] = (User, Department, *TABLES, AnnouncementReceipt, Notification)

__all__ = ["LEAST_STAFF", "MOST_STAFF", "Size", "enlarge", "tidy"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How many people work here, how many requests they made, and how many receipts of announcements there are.

    People and requests include those of the small demo, receipts come on top of its few.
    """

    staff: int
    requests: int
    receipts: int

    @classmethod
    def of(cls, staff: int, requests: int | None, receipts: int | None) -> Size:
        """What is not told follows the number of people."""
        return cls(
            staff,
            staff * REQUESTS_EACH if requests is None else requests,
            staff * RECEIPTS_EACH if receipts is None else receipts,
        )


def enlarge(world: World, size: Size, say: Say) -> None:
    """Let the company of the demo grow to `size`, in the transaction around it."""
    with connection.cursor() as cursor:
        # Each statement answers for its rows; millions of postponed checks would come all at once in the end.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    employ(world, size.staff, make_password(PASSWORD))
    say(f"{User.objects.count():,} people in {Department.objects.count():,} departments")
    file_requests(world, size.requests, say)
    say(f"{ApprovalRequest.objects.count():,} requests")
    announcements = circulate(world, size.receipts, say)
    say(f"{AnnouncementReceipt.objects.count():,} receipts, {announcements:,} more announcements")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def tidy() -> None:
    """What the server does by itself in the following minutes: statistics, and the space of overwritten rows."""
    with connection.cursor() as cursor:
        for model in GROWN:
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")
