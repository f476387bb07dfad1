"""From an approved text to its readers, and what the clock does: publish, end, archive, remind (rules N-01, N-03).

Every step locks or conditions its rows, so that a killed worker or a doubled task leaves one effect.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.announcements.models import STATES, Announcement, AnnouncementEdition, AnnouncementReceipt
from oa.records import receipts
from oa.records.bulk import locked
from oa.records.jobs import start_job
from oa.records.models import Job
from oa.records.timers import each_step

JOB = "publish-announcement"
READER_URL, WRITER_URL = "/news/{key}/", "/office/announcements/{key}/"
NEWS, REMINDER = gettext_lazy("New: {title}"), gettext_lazy("Please read: {title}")
ARCHIVED_AFTER = dt.timedelta(days=30)  # after its end; until then it stands among the ended ones

Progress = Callable[[int, int], None]


def release(announcement: Announcement, *, owner: Any) -> None:
    """Begin the publication of what is scheduled, unless its time is still to come: then the timer does."""
    if announcement.starts_at is None or announcement.starts_at <= timezone.now():
        _start(announcement, owner)


def _start(announcement: Announcement, owner: Any) -> None:
    start_job(JOB, _("Publish: %s") % announcement.title, {"announcement": announcement.pk}, owner)


def state_of_reading(announcement: Announcement) -> dict[str, int]:
    """How many recipients there are, how many have read and confirmed (one statement)."""
    return receipts.current(AnnouncementReceipt, announcement).aggregate(
        all=Count("pk"),
        read=Count("pk", filter=Q(first_read_at__isnull=False)),
        confirmed=Count("pk", filter=Q(confirmed_at__isnull=False)),
    )


def _silent(done: int, total: int) -> None:
    pass


@transaction.atomic
def appear(key: int, *, progress: Progress = _silent, now: dt.datetime | None = None) -> int | None:
    """Publish announcement `key`: its receipts and messages. None when that is done, or not to be done (yet)."""
    due = Announcement.objects.filter(_due(now or timezone.now()), pk=key)
    if not due.exists():
        return None
    announcement = locked(Announcement.objects.all(), key)
    now = now or timezone.now()
    if announcement.state != "scheduled" or (announcement.starts_at and announcement.starts_at > now):
        return None  # somebody else was faster, or it was taken back
    announcement.state = STATES.check("appear", announcement).target
    announcement.published_at, announcement.version = now, announcement.version + 1
    announcement.save()
    AnnouncementEdition.objects.create(
        announcement=announcement,
        number=announcement.edition,
        title=announcement.title,
        body=announcement.body,
        by=announcement.owner,
        at=now,
    )
    progress(1, 3)
    made = receipts.deliver(AnnouncementReceipt, [key], now)
    progress(2, 3)
    receipts.tell(receipts.current(AnnouncementReceipt, announcement), NEWS, READER_URL, at=now)
    progress(3, 3)
    return made


def _due(now: dt.datetime) -> Q:
    return Q(state="scheduled") & (Q(starts_at=None) | Q(starts_at__lte=now))


@transaction.atomic
def publish_approved(key: int) -> Announcement:
    """What a flow approved is published in the transaction of the last decision, or waits for its time (rule X-07)."""
    announcement = locked(Announcement.objects.all(), key)
    now = timezone.now()
    if announcement.expires_at and announcement.expires_at <= now:
        raise BusinessError(_("%s has ended before it could be published. Return it to its author.") % announcement)
    announcement.state = STATES.check("agree", announcement).target
    announcement.version += 1
    announcement.save()
    if announcement.starts_at is None or announcement.starts_at <= now:
        appear(key)
    return announcement


def begin_due() -> int:
    """Start the publication of what is due and in nobody's hands."""
    open_jobs = Job.objects.filter(kind=JOB, state__in=["waiting", "running"]).values_list("params", flat=True)
    busy = [params.get("announcement") for params in open_jobs]
    due = Announcement.objects.filter(_due(timezone.now())).exclude(pk__in=busy).select_related("owner")
    found = list(due.order_by("pk"))
    for announcement in found:
        with transaction.atomic(), translation.override(announcement.owner.language or translation.get_language()):
            _start(announcement, announcement.owner)
    return len(found)


def end_due() -> int:
    """Announcements whose end has come expire; a month later they are archived. Returns how many expired."""
    now = timezone.now()
    old = Announcement.objects.filter(state="expired", expires_at__lte=now - ARCHIVED_AFTER)
    old.update(state="archived", version=F("version") + 1, updated_at=now)
    ended = Announcement.objects.filter(state="published", expires_at__lte=now)
    return ended.update(state="expired", version=F("version") + 1, updated_at=now)


@transaction.atomic
def deliver_later() -> int:
    """People who joined an audience after the publication receive it, where that is wished (rule N-01)."""
    open_ones = Announcement.objects.filter(state="published", include_later=True)
    keys = list(open_ones.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    now = timezone.now()
    made = receipts.deliver(AnnouncementReceipt, keys, now)
    if made:
        late = receipts.current(AnnouncementReceipt).filter(record__in=keys, delivered_at=now)
        receipts.tell(late, NEWS, READER_URL, at=now)
    return made


def remind_due() -> int:
    """Remind by itself whoever has not read or confirmed, as often as each announcement says (rule N-03)."""
    rows = Announcement.objects.filter(state="published", remind_every__isnull=False)
    keys = list(rows.values_list("pk", flat=True))
    return receipts.remind(AnnouncementReceipt, keys, REMINDER, READER_URL, by_itself=True) if keys else 0


def keep_time() -> dict[str, int]:
    """Everything that the clock does to announcements; returns how many of each."""
    return each_step(begun=begin_due, ended=end_due, later=deliver_later, reminded=remind_due)
