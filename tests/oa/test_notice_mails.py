"""Notifications by mail: at once, once a day or not at all, each once, only what may be seen (rules X-12, G-21)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.customers.models import Customer
from oa.approvals import services
from oa.organisation.models import User
from oa.records.models import Notification
from oa.records.notifications import choose_mails, notify
from oa.reporting import outbox, tasks
from oa.reporting.models import OutboxMail
from oa.reporting.notices import mail_notifications
from tests import approving
from tests import factories as make
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def person(mails: str, name: str = "", **columns: Any) -> User:
    return make.make_user(name, "sales", notice_mails=mails, **columns)


def sent() -> list[Any]:
    """Make and send what is due; returns all mails that went out."""
    tasks.mail_notifications()
    outbox.send_mails()
    return list(mail.outbox)


def due_everywhere() -> None:
    """As if the time of every daily mail had come."""
    Notification.objects.filter(mail_due__isnull=False).update(mail_due=timezone.now() - dt.timedelta(minutes=1))


def parts(message: Any) -> tuple[str, str]:
    """Text and HTML of a mail."""
    return str(message.body), str(message.alternatives[0][0])


def test_a_mail_at_once_leads_over_the_login_to_the_request() -> None:
    """X-12: subject, text and HTML name the request; its link leads to the login and from there to the request."""
    boss, a = approving.people("boss", "a")
    choose_mails(a, "each")
    found = approving.request(approving.flow(approving.step(1, User.objects.get(pk=a.pk))), boss)
    (message,) = sent()
    assert message.to == ["a@example.com"] and found.title in message.subject
    links = [re.search(r"https?://[^\s\"]+(/approvals/[^\s\"]+)", part) for part in parts(message)]
    (url,) = {link[1] for link in links if link}
    assert all(links) and url == f"/approvals/requests/{found.pk}/"
    browser = Client()
    login = browser.get(url)
    assert login.status_code == 302 and login.url.endswith(f"?next={url}")
    page = browser.get(login.url).content.decode()
    assert f'name="next" value="{url}"' in page
    there = browser.post("/login/", {"username": "a", "password": "sanhe-test-pass", "next": url}, follow=True)
    assert there.redirect_chain[-1][0] == url and found.title in there.content.decode()
    assert "/act/" not in message.body  # no decision by a link of a mail


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [("en", "2 notifications", "All notifications"), ("zh-hans", "2", "http")],
)
def test_the_daily_mail_collects_in_the_language_of_the_person(language: str, subject: str, words: str) -> None:
    """X-12: one mail at the person's time with everything since; nothing before, nothing twice."""
    lin = person("digest", "lin", language=language)
    make.company(name="Sanhe Ltd", name_zh="三合公司")
    notify([lin], "first", url="/todo/")
    notify([lin], "second", url="/notifications/")
    assert not sent()
    due_everywhere()
    (message,) = sent()
    text, html = parts(message)
    assert subject in message.subject and words in text
    assert ("三合公司" if language == "zh-hans" else "Sanhe Ltd") in message.subject
    assert all(word in part for part in (text, html) for word in ("first", "second"))
    assert f'lang="{"zh-CN" if language == "zh-hans" else "en"}"' in html
    due_everywhere()
    assert len(sent()) == 1 and not Notification.objects.filter(mail_due__isnull=False).exists()


def test_the_daily_mail_is_due_at_the_hour_of_the_person() -> None:
    """X-12: half past eight in the company's zone unless somebody chose another time or lives elsewhere."""
    plain, abroad = person("digest", "plain"), person("digest", "abroad", time_zone="Europe/Berlin")
    late = choose_mails(person("none", "late"), "digest", dt.time(17, 45))
    notify([plain, abroad, late], "hello")
    due = {row.user_id: row.mail_due for row in Notification.objects.all()}
    assert due[plain.pk].astimezone(SHANGHAI).time() == dt.time(8, 30)
    assert due[abroad.pk].astimezone(ZoneInfo("Europe/Berlin")).time() == dt.time(8, 30)
    assert due[late.pk].astimezone(SHANGHAI).time() == dt.time(17, 45)
    assert all(timezone.now() < moment <= timezone.now() + dt.timedelta(hours=25) for moment in due.values())


def test_no_mail_for_who_wants_none_has_no_address_or_left() -> None:
    """X-12: they are told in the program only, also when they leave or change their mind before the mail is made."""
    none, lost, left, changed = (
        person("none", "none"), person("each", "lost"), person("each", "left"), person("each", "changed")
    )  # fmt: skip
    User.objects.filter(pk=lost.pk).update(email="")
    notify([none, User.objects.get(pk=lost.pk), left, changed], "hello")
    left.is_active = False
    left.save()
    choose_mails(changed, "none")
    assert not sent() and not OutboxMail.objects.exists() and Notification.objects.count() == 4
    assert not Notification.objects.filter(mail_due__isnull=False).exists()


def test_what_may_not_be_seen_any_more_is_left_out() -> None:
    """G-21: the customer went to a colleague before the mail was made; the deleted record is left out as well."""
    ann, bob = person("digest", "ann"), person("none", "bob")
    mine, gone = (make.make_customer(f"Secret {n}", code=f"C{n}", owner=ann) for n in (1, 2))
    kept = make.make_customer("Kept", code="C3", owner=ann)
    for customer in (mine, gone, kept):
        notify([ann], f"Look at {customer.name}", record=customer)
    Customer.objects.filter(pk=mine.pk).update(owner=bob)
    Customer.objects.filter(pk=gone.pk).delete()
    due_everywhere()
    (message,) = sent()
    assert "Kept" in message.body and "Secret" not in str(message.message())


def test_what_was_read_meanwhile_needs_no_mail() -> None:
    """X-12: the daily mail is no repetition of what somebody has seen."""
    ann = person("digest", "ann")
    notify([ann], "old news")
    client_of(ann).post("/notifications/")
    due_everywhere()
    assert not sent()


def test_a_sender_that_dies_before_the_end_loses_and_doubles_nothing() -> None:
    """I-38: mail and mark are one transaction; taken back together, and made again once."""
    ann = person("each", "ann")
    notify([ann], "hello")
    with pytest.raises(RuntimeError), transaction.atomic():
        assert mail_notifications() == 1 and OutboxMail.objects.count() == 1
        raise RuntimeError("the lights went out")
    assert not OutboxMail.objects.exists()
    assert len(sent()) == 1 and len(sent()) == 1


def test_the_number_of_statements_does_not_grow_with_the_notifications() -> None:
    """Done means 4: 2 notifications take as many statements as 40."""
    counts = []
    for name, many in (("few", 2), ("many", 40)):
        user = person("each", name)
        customer = make.make_customer(code=name, owner=user)
        for number in range(many):
            notify([user], f"{number}", record=customer)
        with CaptureQueriesContext(connection) as queries:
            assert mail_notifications() == 1
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_everybody_chooses_on_their_own_page() -> None:
    """X-12: the page is in the menu of the person; what waits follows the choice; others are not touched."""
    ann, bob = person("digest", "ann"), person("digest", "bob")
    notify([ann, bob], "hello")
    client = client_of(ann)
    page = client.get("/notifications/settings/").content.decode()
    assert 'name="notice_mails"' in page and 'value="08:30"' in page and "Asia/Shanghai" in page
    assert "/notifications/settings/" in client.get("/").content.decode()
    assert client.post("/notifications/settings/", {"notice_mails": "often", "digest_at": "9:00"}).status_code == 422
    assert client.post("/notifications/settings/", {"notice_mails": "each", "digest_at": "09:00"}).status_code == 302
    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (ann.notice_mails, ann.digest_at, bob.notice_mails) == ("each", dt.time(9), "digest")
    assert [message.to for message in sent()] == [[ann.email]]


def test_what_was_decided_meanwhile_is_not_asked_for_by_mail() -> None:
    """X-12: neither the mail nor the bell asks who decided, who need not decide any more, or who handed it over."""
    boss, a, b, c, d = approving.people("boss", "a", "b", "c", "d")
    flow = approving.flow(approving.step(1, a, b), approving.step(2, c))
    request = approving.request(flow, boss)
    services.approve(approving.task(request, a), by=a)
    services.transfer(approving.task(request, c), d, by=c)
    unread = Notification.objects.filter(read_at=None, text__contains="asks for your approval")
    assert {row.user for row in unread} == {d}
    due_everywhere()
    assert [message.to for message in sent()] == [[d.email]]
