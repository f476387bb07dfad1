"""S-08, S-09, S-18, F-28: every page is opened once, in a company whose every text is hostile.

No text runs or is computed, no page fails, and nothing is different afterwards.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from kit.exchange import reports
from oa.records.models import Notification
from oa.reporting.mails import mail_report
from oa.reporting.models import OutboxMail, ReportRun, ReportSchedule
from oa.reporting.notices import mail_notifications
from tests.oa.crawling import unpacked
from tests.oa.world import client_of
from tests.refusals import whole_state
from tests.security.addresses import Address, addresses, identifiers, keys_of
from tests.security.company import OWN, Company, own_by
from tests.security.pages import read
from tests.security.planted import plant

pytestmark = [pytest.mark.slow]

LONG = "\"'><zzx onzz=1>{{7*191}}{x.__class__}{% load %}%(x)s</script>${7*191}"
SKIPPED = r"(backoffice/)?logout"
SOLVED = "1337"  # 7 * 191
# What was taken out is written down (G-20), and when a login was last used.
MAY_CHANGE = {"oa_auditentry", "oa_loginsession"}


def hostile(room: int) -> str:
    """As much of it as fits."""
    return next((text for text in (LONG, LONG[:26], LONG[:9]) if len(text) <= room), "")


@dataclass
class Crawled:
    """What opening every page showed."""

    planted: list[str]
    opened: dict[str, int] = field(default_factory=dict)
    ran: list[tuple[str, str]] = field(default_factory=list)
    solved: list[str] = field(default_factory=list)
    literal: int = 0
    changed: set[str] = field(default_factory=set)

    def note(self, url: str, answer: Any) -> None:
        """Keep what matters of an answer."""
        self.opened[url] = answer.status_code
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text = unpacked(content)
        self.literal += "{{7*191}}" in text
        if re.search(rf"(?<![\d.,]){SOLVED}(?![\d.,])", text) and "{{7*191}}" not in text:
            self.solved.append(url)
        if answer.headers.get("Content-Type", "").startswith("text/html") and outside_text(text):
            bad = [(tag, given) for tag, given in read(text).tags if tag == "zzx" or "onzz" in given]
            if bad:
                self.ran.append((url, text[max(0, text.find("<zzx") - 150) : text.find("<zzx") + 30]))


def outside_text(html: str) -> bool:
    """Whether planted text stands anywhere but in quoted values and between tags; only then a page is taken apart.

    As it was planted it begins with a quote and an angle bracket, so it ends either of them at once.
    """
    return "zzx" in re.sub(r">[^<]*<", "><", re.sub(r'="[^"]*"', "=", html))


def every_page(c: Company) -> Iterator[str]:
    """Every address with a row in it that the person may see."""
    for address in addresses():
        if re.match(SKIPPED, address.route):
            continue
        yield from _filled(c, address)
    yield "/?cards=all"
    yield from (
        f"/reports/{name}/?date_from=2020-01-01&format={kind}"
        for name in sorted(reports._reports)
        for kind in ("", "csv", "pdf")
    )


def _filled(c: Company, address: Address) -> Iterator[str]:
    key, _missing = keys_of(c, address, OWN)
    if address.admin is not None or address.resource is None:
        key = key.lstrip("~")
    ids = identifiers(OWN) if any(kind == "UUIDConverter" for _name, kind in address.arguments) else [""]
    for uid in ids:
        for url in address.filled(key, uid):
            if address.page == "export":
                yield from (f"{url}?format=csv", f"{url}?format=xlsx&full=1")
            elif address.page == "print":
                yield from (url, f"{url}?format=pdf")
            elif address.page == "record":
                yield from (url, f"{url}?panel=timeline")
            else:
                yield url


@pytest.fixture(scope="module")
def crawled(made: Company) -> Iterator[Crawled]:
    """All pages, opened by somebody who may do everything."""
    with transaction.atomic():
        own_by(made.boss)
        found = Crawled(plant(hostile)[0])
        client = client_of(made.boss)
        client.raise_request_exception = False
        client.get("/")
        before = whole_state()
        for url in every_page(made):
            with transaction.atomic():  # a page that fails leaves the others their transaction
                answer = client.get(url)
                transaction.set_rollback(answer.status_code >= 500)
            found.note(url, answer)
        found.changed = {name for name, value in whole_state().items() if value != before[name]}
        yield found
        transaction.set_rollback(True)


def test_every_page_opens_or_is_refused(crawled: Crawled) -> None:
    """S-22: no page fails on what stands in the rows."""
    assert {url: status for url, status in crawled.opened.items() if status >= 500} == {}
    assert sum(status == 200 for status in crawled.opened.values()) > 600
    assert len(crawled.planted) > 150


def test_reading_changes_nothing(crawled: Crawled) -> None:
    """S-18, F-28: a digest of every table is the same before and after, but for the audit trail."""
    assert crawled.changed <= MAY_CHANGE


def test_no_text_becomes_a_tag_or_an_attribute(crawled: Crawled) -> None:
    """S-09: what people typed is text on every page."""
    assert crawled.ran == []
    assert crawled.literal > 150


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<p title="{safe}">{safe}</p>', False),
        ("<p>{raw}</p>", True),
        ('<p title="{raw}">x</p>', True),
        ("<p title={safe}>x</p>", True),
        ("<p {safe}>x</p>", True),
    ],
)
def test_a_page_that_lets_text_out_is_looked_at(page: str, found: bool) -> None:
    """Negative control: raw in a text, raw in a value, a value without quotes, a name of an attribute."""
    for text in (LONG, LONG[:26], LONG[:9]):
        assert outside_text(page.format(raw=text, safe=escape(text))) is found


def test_no_text_is_computed(crawled: Crawled) -> None:
    """S-08: braces and percent signs are text on pages, papers, exports and reports."""
    assert crawled.solved == []


def test_no_text_becomes_a_tag_in_a_mail(crawled: Crawled, made: Company) -> None:
    """S-08, S-09: notifications, and every report that can be scheduled, as they are mailed."""
    now = timezone.now()
    Notification.objects.create(user=made.boss, text=LONG, mail_due=now)
    assert mail_notifications(now + dt.timedelta(seconds=1)) >= 1
    for name in sorted(reports._reports):
        schedule = ReportSchedule.objects.create(title=LONG, report=name)
        run = ReportRun.objects.create(schedule=schedule, starts_on=dt.date(2020, 1, 1), ends_on=now.date())
        mail_report(run, made.boss)
    mails = list(OutboxMail.objects.filter(user=made.boss))
    assert len(mails) > 5
    for mail in mails:
        assert not [tag for tag, given in read(mail.html).tags if tag == "zzx" or "onzz" in given], mail.dedupe
        assert SOLVED not in mail.html + mail.text + mail.subject or "{{7*191}}" in mail.html, mail.dedupe
    assert sum("{{7*191}}" in mail.html and "{{7*191}}" in mail.text for mail in mails) > 3
