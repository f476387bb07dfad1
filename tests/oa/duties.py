"""What the clock has to do in an office, due at once, and what must be there when it is done: everything, once.

For tests and drills that kill the processes which do it (F-09, F-11).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from oa.announcements.models import Announcement, AnnouncementEdition, AnnouncementReceipt
from oa.announcements.services import publish
from oa.approvals.models import ApprovalAction, ApprovalRequest, ApprovalTask, FormRequest
from oa.documents.models import LibraryDocument
from oa.organisation.models import Department, User
from oa.records.models import Notification
from oa.reporting import outbox
from oa.reporting.models import MailState, OutboxMail
from oa.tasks.models import Reminder, Task, TaskSeries
from oa.tasks.services.series import save_series
from tests import approving
from tests import factories as make
from tests.oa import library
from tests.oa.announcing import written
from tests.oa.office import make_task
from tests.oa.processes import sent

RULES = ("approve", "chain", "reject", "remind")
QUIET = ("oa-check-books", "oa-forget-old-keys", "oa-empty-bins")
HOUR = dt.timedelta(hours=1)

Pairs = Counter[tuple[int, int | None]]


class Duties:
    """An office whose people have been away while everything came due; more can be added while it is done."""

    def __init__(self, readers: int) -> None:
        self.boss = make.make_user("boss")
        self.author, self.asked, self.chief = approving.people("author", "asked", "chief")
        self.guest = approving.person("guest")
        self.flows = {rule: self._flow(rule) for rule in RULES}
        self.requests: dict[str, list[ApprovalRequest]] = {rule: [] for rule in RULES}
        self.tasks: list[Task] = []
        self.series: list[TaskSeries] = []
        self.deferred: list[Task] = []
        self.documents: list[LibraryDocument] = []
        self.news: list[Announcement] = []
        self.daily: list[User] = []
        self.mails = 0
        self.place = library.folder("Rules")
        library.let(self.place, self.author, "manage")
        self.crowd = Department.objects.create(code="CROWD", name="Crowd")
        made = User.objects.bulk_create(
            User(
                username=f"r{n}",
                name=f"Reader {n}",
                email=f"r{n}@example.com",
                department=self.crowd,
                is_superuser=True,
            )
            for n in range(readers)
        )
        self.readers = sorted(user.pk for user in made)
        User.objects.update(notice_mails="none")
        self.numbers = itertools.count()

    def _flow(self, rule: str) -> Any:
        steps = [approving.step(1, self.asked, hours=8, on_timeout="approve" if rule == "chain" else rule)]
        steps += [approving.step(2, self.chief)] if rule == "chain" else []
        return approving.flow(*steps, admin=self.boss)

    def add_approvals(self, each: int) -> None:
        """So many requests out of time for each rule; what the people were told when they were made is forgotten."""
        for rule, flow in self.flows.items():
            made = [approving.request(flow, self.author, amount="5") for _ in range(each)]
            keys = [request.pk for request in made]
            Notification.objects.filter(user=self.asked, object_id__in=keys, text__startswith="Author asks").delete()
            for request in made:
                approving.late(request, 9)
            self.requests[rule] += made

    def add_tasks(self, reminders: int, few: int) -> None:
        """Tasks to be reminded of, whose moment has passed; series, and tasks that come back today."""
        tomorrow = timezone.localtime() + dt.timedelta(days=1)
        due = {"due_on": tomorrow.date(), "due_at": tomorrow.time(), "reminders": "2d 1h"}
        made = [make_task(self.author, title=f"Count {next(self.numbers)}", **due) for _ in range(reminders)]
        for task in made:
            task.participants.add(self.guest)
        Task.objects.filter(pk__in=[task.pk for task in made]).update(remind_at=timezone.now() - HOUR)
        self.tasks += made
        for _ in range(few):
            series = TaskSeries(
                title=f"Water {next(self.numbers)}", every="day", starts_on=make.today(), owner=self.author
            )
            self.series.append(save_series(series, by=self.author))
        later = [make_task(self.author, title=f"Later {next(self.numbers)}") for _ in range(few)]
        keys = [task.pk for task in later]
        Task.objects.filter(pk__in=keys).update(state="deferred", deferred_until=make.today())
        self.deferred += later

    def add_documents(self, count: int) -> None:
        """Documents to be reviewed today."""
        made = [library.document(self.place, f"rule {next(self.numbers)}.txt", by=self.author) for _ in range(count)]
        LibraryDocument.objects.filter(pk__in=[row.pk for row in made]).update(review_on=make.today())
        self.documents += made

    def add_news(self, count: int) -> None:
        """Announcements for the whole crowd whose hour has come."""
        later = timezone.now() + HOUR
        for _ in range(count):
            text = written(self.boss, f"News {next(self.numbers)}", to_departments=[self.crowd], starts_at=later)
            self.news.append(publish(text, by=self.boss))
        keys = [row.pk for row in self.news[-count:]]
        Announcement.objects.filter(pk__in=keys).update(starts_at=timezone.now() - HOUR)

    def add_mails(self, count: int) -> None:
        """Mails that wait to be sent."""
        for _ in range(count):
            key = f"k{next(self.numbers)}"
            outbox.store_mail(outbox.OutgoingMail(key=key, user=self.author, subject="Report", text="figures"))
        self.mails += count

    def add_digests(self, count: int) -> None:
        """People whose daily mail is due, each with two messages; nobody else wants mails."""
        numbers = [next(self.numbers) for _ in range(count)]
        people = User.objects.bulk_create(
            User(username=f"d{n}", name=f"Daily {n}", email=f"d{n}@example.com", notice_mails="digest") for n in numbers
        )
        self.daily += people
        Notification.objects.bulk_create(
            Notification(user=user, text=f"Waits {n}", mail_due=timezone.now() - HOUR)
            for user in people
            for n in range(2)
        )


def every_second() -> None:
    """The timers come every second instead of every minute or night."""
    second, _made = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    wanted = PeriodicTask.objects.exclude(name__in=QUIET).exclude(name__startswith="report-schedule")
    assert wanted.update(interval=second, crontab=None) >= 7


def decided() -> int:
    """Approvals that the clock has handled."""
    handled = ApprovalAction.objects.filter(act__in=("approve", "reject"), by=None).count()
    return handled + ApprovalAction.objects.filter(data__note="reminded").count()


def done(d: Duties) -> bool:
    """Whether everything that is due has happened, at least once."""
    return (
        decided() >= sum(map(len, d.requests.values()))
        and Reminder.objects.count() >= 2 * len(d.tasks)
        and Task.objects.filter(series__isnull=False).count() >= len(d.series)
        and not Task.objects.filter(state="deferred").exists()
        and not LibraryDocument.objects.filter(review_told=None).exists()
        and not Announcement.objects.exclude(state="published").exists()
        and not Notification.objects.exclude(mail_due=None).exists()
        and not OutboxMail.objects.exclude(state=MailState.SENT).exclude(given_up()).exists()
    )


def given_up() -> Q:
    """Mails that the rule gives up because every sender died at them: five deaths."""
    return Q(state=MailState.FAILED, attempts=outbox.ATTEMPTS, error__startswith="The sender stopped")


def told(text: str) -> Pairs:
    """(person, record) of the messages that begin with `text`."""
    return Counter(Notification.objects.filter(text__startswith=text).values_list("user", "object_id"))


def once_for(people: list[int], records: list[Any]) -> Pairs:
    """Each of the people once for each of the records."""
    return Counter((person, record.pk) for person in people for record in records)


def assert_approvals_once(d: Duties) -> None:
    """One verdict or reminder a request, one effect, everybody told once."""
    acts = Counter(ApprovalAction.objects.filter(by=None).values_list("request", "act", "data__note"))
    assert set(acts.values()) == {1}
    found = {
        rule: set(ApprovalRequest.objects.filter(pk__in=[row.pk for row in rows]).values_list("state", flat=True))
        for rule, rows in d.requests.items()
    }
    assert found == {"approve": {"approved"}, "chain": {"running"}, "reject": {"rejected"}, "remind": {"running"}}
    for rule, state in (("approve", "approved"), ("reject", "draft")):
        forms = FormRequest.objects.filter(pk__in=[row.object_id for row in d.requests[rule]])
        assert set(forms.values_list("state", flat=True)) == {state}
        assert told({"approve": "Approved", "reject": "Rejected"}[rule]) == once_for([d.author.pk], d.requests[rule])
    second = ApprovalTask.objects.filter(user=d.chief, state="running")
    assert Counter(second.values_list("request", flat=True)) == Counter(row.pk for row in d.requests["chain"])
    assert told("Author asks for your approval") == once_for([d.chief.pk], d.requests["chain"])
    assert told("Still waiting") == once_for([d.asked.pk], d.requests["remind"])
    waiting = ApprovalTask.objects.filter(request__in=d.requests["remind"])
    assert set(waiting.values_list("reminders", flat=True)) == {1}


def assert_tasks_once(d: Duties) -> None:
    """Each moment reminds each person once, each day of a series makes one task, each deferred one is back."""
    people = [d.author.pk, d.guest.pk]
    assert told("Reminder") == once_for(people, d.tasks)
    assert Counter(Reminder.objects.values_list("user", "object_id")) == once_for(people, d.tasks)
    made = list(Task.objects.filter(series__isnull=False).order_by("series_id"))
    assert [task.series_id for task in made] == [series.pk for series in d.series]
    assert told("A recurring task is due") == once_for([d.author.pk], made)
    assert set(Task.objects.filter(title__startswith="Later").values_list("state", flat=True)) == {"open"}
    assert told("Review ") == once_for([d.author.pk], d.documents)


def assert_news_once(d: Duties) -> None:
    """Published once, with a receipt and a message for each of the audience."""
    receipts = AnnouncementReceipt.objects.values_list("user", "record")
    assert Counter(receipts) == once_for(d.readers, d.news) == told("New: News")
    editions = AnnouncementEdition.objects.values_list("announcement", flat=True)
    assert Counter(editions) == Counter(row.pk for row in d.news)
    assert set(Announcement.objects.values_list("recipients", "state")) == {(len(d.readers), "published")}


def assert_mails_once(d: Duties, folder: Path, *, kills: int, reports: int = 0) -> int:
    """None is missing, one daily mail each; what went out twice has the same Message-ID, at most once a kill.

    Of what was given up after five deaths nobody knows whether it went out. Returns how many went out twice.
    """
    daily = OutboxMail.objects.filter(user__in=d.daily)
    assert Counter(daily.values_list("user", flat=True)) == Counter(user.pk for user in d.daily)
    went, wanted = Counter(sent(folder)), set(OutboxMail.objects.values_list("message_id", flat=True))
    due = d.mails + len(d.daily) + reports
    lost = set(OutboxMail.objects.filter(given_up()).values_list("message_id", flat=True))
    assert wanted - lost <= set(went) <= wanted and len(wanted) == due
    assert len(lost) <= kills // outbox.ATTEMPTS and went.total() <= due + kills
    return went.total() - len(went)
