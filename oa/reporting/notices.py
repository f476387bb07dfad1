"""Notifications by mail (rule X-12): what waits for a person goes out as one mail, once, and only what they may see.

A notification carries the moment at which it is due by mail. The mail is stored in the outbox and the mark is taken
off in one transaction, so that a sender that dies leaves both or neither.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from oa.organisation.models import CompanyProfile, User
from oa.organisation.models.people import NoticeMails
from oa.records.models import Notification
from oa.records.notifications import visible_to
from oa.reporting.mails import AsReadBy, company_name, html_language
from oa.reporting.outbox import OutgoingMail, kick, store_mail

ROWS = 50  # in one mail; the page of notifications holds all

logger = logging.getLogger(__name__)


def mail_notifications(now: dt.datetime | None = None) -> int:
    """Mail what is due to everybody for whom something is; returns the number of mails."""
    now = now or timezone.now()
    due = Notification.objects.filter(mail_due__lte=now).order_by("user").values_list("user", flat=True).distinct()
    made = 0
    for key in list(due):
        try:
            made += _mail_to(key, now)
        except Exception:
            # One person's mail that cannot be made must not keep the others' from going out.
            logger.exception("notifications of person %s were not mailed", key)
    return made


@transaction.atomic
def _mail_to(key: int, now: dt.datetime) -> bool:
    """One mail with everything that is due for a person, if there is anything to say; whoever comes second goes on."""
    user = User.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=key).first()
    if user is None:
        return False
    due = list(Notification.objects.filter(user=user, mail_due__lte=now).order_by("-pk"))
    Notification.objects.filter(pk__in=[row.pk for row in due]).update(mail_due=None)
    if not user.is_active or not user.email or user.notice_mails == NoticeMails.NONE:
        return False
    rows = visible_to(user, [row for row in due if row.read_at is None])
    if not rows:
        return False
    with AsReadBy(user):
        stored = store_mail(_mail(user, rows))
    kick()
    return stored


def _mail(user: User, rows: list[Notification]) -> OutgoingMail:
    company = company_name(CompanyProfile.current())
    base = settings.SANHE_URL
    title = rows[0].text if len(rows) == 1 else ngettext("%s notification", "%s notifications", len(rows)) % len(rows)
    context = {
        "title": title,
        "rows": [(row, f"{base}{row.url}" if row.url else "") for row in rows[:ROWS]],
        "more": max(len(rows) - ROWS, 0),
        "company": company,
        "language": html_language(),
        "url": base + reverse("notifications"),
        "settings_url": base + reverse("notification-settings"),
        "daily": user.notice_mails == NoticeMails.DIGEST,
    }
    return OutgoingMail(
        key=f"notices:{user.pk}:{rows[-1].pk}-{rows[0].pk}",
        user=user,
        subject=f"{title} · {company}",
        text=render_to_string("mail/notices.txt", context),
        html=render_to_string("mail/notices.html", context),
    )
