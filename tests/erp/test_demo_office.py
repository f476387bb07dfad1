"""The large office of the demo: what was promised, as the engine would have made it, and clean for `verify`."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F
from django.db.models.functions import TruncMonth
from django.utils import timezone
from pghistory.core import event_models

from erp.setup.demo import big
from erp.setup.demo.stories import FLOWS, STORIES
from oa.announcements.models import Announcement, AnnouncementReceipt
from oa.approvals import services
from oa.approvals.contents import contents_of
from oa.approvals.forecast import forecast
from oa.approvals.models import ApprovalAction, ApprovalRequest, ApprovalTask, FormRequest
from oa.approvals.registry import approvables
from oa.organisation.lines import chain_of
from oa.organisation.models import Department, PersonnelChange, User
from oa.records.models import Notification
from tests.invariants import assert_books

STAFF, REQUESTS, RECEIPTS = 60, 300, 500
PUBLISHED, SMALL = 9, 30  # whole announcements make the receipts; those of the small demo come on top
pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("company")]


class _Undo(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The demo with a large office, made once for all tests of this module by the command; what it printed."""
    out = io.StringIO()
    with django_db_blocker.unblock():
        try:
            with transaction.atomic():
                call_command("demo", orders=30, seed=1, staff=STAFF, requests=REQUESTS, receipts=RECEIPTS, stdout=out)
                yield out.getvalue()
                raise _Undo
        except _Undo:
            pass


def bulk() -> Any:
    """Requests that no command made: told again of others."""
    return ApprovalRequest.objects.filter(kind__startswith="form:", flow_version__number=2)


def test_every_invariant_holds() -> None:
    """I-27, I-28, I-29, I-34, I-65 to I-67 and all others, and every constraint of the database."""
    connection.check_constraints()
    assert_books()


def test_it_has_the_promised_size(company: str) -> None:
    """And the command tells it."""
    assert User.objects.count() == STAFF
    assert ApprovalRequest.objects.count() == REQUESTS
    assert AnnouncementReceipt.objects.count() == PUBLISHED * STAFF + SMALL
    for line in (f"{STAFF} people in ", f"{REQUESTS} requests", f"{PUBLISHED} more announcements"):
        assert line in company


def test_numbers_follow_the_people() -> None:
    """5,000 people make 200,000 requests and get 500,000 receipts in 400 departments."""
    assert big.Size.of(5_000, None, None) == big.Size(5_000, 200_000, 500_000)
    assert big.Size.of(5_000, 7, 0) == big.Size(5_000, 7, 0)


def test_departments_are_a_tree_of_four_levels_with_heads_who_lead_them() -> None:
    root = Department.objects.get(code="HQ")
    teams = Department.objects.filter(parent__parent__parent=root)
    assert teams.count() > 1 and not Department.objects.filter(parent__in=teams).exists()
    made = Department.objects.filter(code__regex="^(MFG|RND)")
    assert set(made.values_list("head__department", flat=True)) == set(made.values_list("pk", flat=True))
    member = User.objects.filter(department__in=teams, groups__role__code="employee").first()
    line = chain_of(member)
    assert [boss.pk for boss in line] == [
        member.department.head_id, member.department.parent.head_id, member.department.parent.parent.head_id, root.head_id
    ]  # fmt: skip
    assert line[0] == member.manager


def test_people_have_names_posts_roles_and_a_beginning() -> None:
    new = User.objects.filter(groups__role__code__in=("employee", "department-head"))
    assert new.count() == STAFF - 10
    assert not new.exclude(name__regex=r"^[A-Z][a-z]+ [A-Z][a-z]+ [\u4e00-\u9fff]{2,3}$").exists()
    assert not new.filter(position=None).exists() and not new.filter(manager=None).exists()
    assert not new.filter(pinyin="").exists()
    assert PersonnelChange.objects.filter(kind="joining", on=F("person__joined_on")).count() == STAFF - 10


def test_requests_stand_in_every_state_and_at_every_stage() -> None:
    """Of all shipped forms, by the versions in force."""
    states = Counter(bulk().values_list("state", flat=True))
    assert set(states) == {"approved", "rejected", "withdrawn", "cancelled", "returned", "running"}
    assert states["approved"] > REQUESTS / 2
    assert set(bulk().values_list("kind", flat=True)) == {f"form:{code}" for code in FLOWS}
    assert set(bulk().values_list("flow_version__state", flat=True)) == {"published"}
    asked = ApprovalTask.objects.filter(state="running", request__in=bulk(), node__isnull=False)
    assert set(asked.values_list("node__stage", flat=True)) == {1, 2, 3, 4}
    assert ApprovalTask.objects.filter(state="running", role="revise").exists()


def test_a_request_is_what_its_document_says() -> None:
    """X-08, I-28: facts, content, title and hashes are those the engine would read today."""
    requests = list(bulk().select_related("applicant"))
    assert len(requests) > len(STORIES)
    for request in requests:
        document = FormRequest.objects.select_related("form").get(pk=request.object_id)
        found = contents_of(approvables.get(request.kind), document, request.applicant, request.department_id)
        assert (found.facts_hash, found.content_hash) == (request.facts_hash, request.content_hash)
        assert (found.amount, document.title) == (request.amount, request.title)
        assert (document.owner, document.department_id) == (request.applicant, request.department_id)


def test_those_were_asked_whom_the_flow_asks() -> None:
    """X-01, X-11: at every step that was entered, the people of the forecast, and nobody else."""
    for request in bulk().select_related("applicant", "flow_version__flow__admin"):
        path = forecast(
            request.flow_version, approvables.get(request.kind), request.facts, request.applicant, request.department_id
        )
        planned = {step.step.pk: {user.pk for user in step.asked.people} for step in path.needed}
        for node in request.nodes.exclude(kind="cc").prefetch_related("tasks"):
            assert {task.user_id for task in node.tasks.all()} == planned[node.step_id], request.pk
        if request.state == "approved":
            assert set(request.nodes.values_list("step_id", flat=True)) == set(planned)


def test_time_goes_forward_and_lies_in_the_past() -> None:
    """A submission comes first, a decision after the task began, nothing is late or still to come."""
    now = timezone.now()
    for request in bulk().prefetch_related("actions"):
        moments = [action.at for action in sorted(request.actions.all(), key=lambda action: action.pk)]
        assert moments == sorted(moments) and moments[-1] < now
        assert request.submitted_at <= moments[0] and request.decided_at in (None, moments[-1])
    tasks = ApprovalTask.objects.filter(request__in=bulk())
    assert not tasks.filter(decided_at__lt=F("started_at")).exists()
    assert not tasks.filter(state="running", remind_at__lt=now).exists()
    for action in ApprovalAction.objects.filter(request__in=bulk()):
        assert action.day == timezone.localdate(action.at, timezone.get_default_timezone())


def test_approved_requests_are_numbered_by_month() -> None:
    months = FormRequest.objects.filter(state="approved").annotate(month=TruncMonth("date")).values("month")
    for row in months.annotate(n=Count("pk")).order_by("month"):
        numbers = FormRequest.objects.filter(number__startswith=f"RQ-{row['month']:%y%m}-").values_list(
            "number", flat=True
        )
        assert sorted(int(number[-4:]) for number in numbers) == list(range(1, row["n"] + 1))


def test_work_goes_on_where_the_story_ends() -> None:
    """A request that was written in bulk is decided by the people it waits for, like any other."""
    request = bulk().filter(state="running", kind="form:BUY", amount__gt=5_000).order_by("-pk")[0]
    while request.state == "running":
        task = request.tasks.filter(state="running").select_related("user")[0]
        request = services.approve(task, by=task.user)
    assert request.state == "approved" and FormRequest.objects.get(pk=request.object_id).number
    assert_books(["I-07", "I-08", "I-27", "I-28", "I-29"])


def test_the_guards_are_in_force_for_what_was_written() -> None:
    """I-27: the database still refuses a verdict on a task that is decided."""
    task = ApprovalTask.objects.filter(request__in=bulk(), state="approved").order_by("-pk")[0]
    twice = {"request": task.request, "task": task, "act": "approve", "by": task.user, "day": timezone.localdate()}
    with pytest.raises(IntegrityError, match="not for this person"), transaction.atomic():
        ApprovalAction.objects.create(**twice)


def test_announcements_were_published_and_most_of_them_read() -> None:
    """By the publishing commands: everybody has a receipt and a message, read messages are those of read texts."""
    rows = Announcement.objects.filter(title__contains="第").order_by("pk")
    assert [row.recipients for row in rows] == [STAFF] * PUBLISHED
    assert {row.decided_by_id is not None for row in rows if row.must_confirm} == {True}
    receipts = AnnouncementReceipt.objects.filter(record__in=rows)
    read = receipts.exclude(first_read_at=None)
    assert 0.75 < read.count() / receipts.count() < 1
    assert receipts.exclude(confirmed_at=None).exists()
    assert not receipts.filter(record__must_confirm=False).exclude(confirmed_at=None).exists()
    assert not read.filter(first_read_at__lt=F("delivered_at")).exists()
    assert not read.filter(last_read_at__gt=timezone.now()).exists()
    told = Notification.objects.filter(content_type__model="announcement", object_id__in=rows.values("pk"))
    about = told.filter(url__startswith="/news/")
    assert about.count() == STAFF * PUBLISHED
    unread = set(about.filter(read_at=None).values_list("user", "object_id"))
    assert unread == set(receipts.filter(first_read_at=None).values_list("user", "record"))


def test_history_names_who_did_it() -> None:
    """G-20: nobody was employed, and nothing announced, by nobody."""
    people = list(User.objects.values_list("pk", flat=True))
    for events in event_models():
        if events._meta.model_name not in {"reportschedulehistory", "rolerighthistory"}:
            assert not events.objects.exclude(pgh_context__metadata__user__in=people).exists(), events


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"requests": 10}, "use --staff"),
        ({"receipts": 10}, "use --staff"),
        ({"staff": 29}, "between 30 and 50,000 people"),
        ({"staff": 50_001}, "between 30 and 50,000 people"),
        ({"staff": 30, "requests": -1}, "not negative"),
    ],
)
def test_silly_sizes_are_refused(given: dict[str, int], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("demo", **given)
