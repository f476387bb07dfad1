"""Many workers at the same announcement: it is published once (rule N-01)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from oa.announcements import services
from oa.announcements.models import AnnouncementEdition, AnnouncementReceipt
from oa.organisation.models import User
from oa.records import jobs
from oa.records.models import Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.announcing import written

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY, NEWS, READERS = 8, 3, 40


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Announcements that are due, to forty people and their author."""
    monkeypatch.setattr(jobs, "send_job", lambda key: None)
    boss = make.make_user("boss")
    User.objects.bulk_create(User(username=f"reader{n}", is_superuser=True) for n in range(READERS))
    return [services.publish(written(boss, to_everyone=True), by=boss).pk for _ in range(NEWS)]


def test_an_announcement_is_published_once(crowd: Any, keys: list[int]) -> None:
    """N-01: eight workers that publish the same ones at the same moment."""
    outcomes = crowd.run("publish_news", [{"keys": keys, "pause": 0.02}] * EVERYBODY)
    assert sum(outcomes, Counter()) == Counter(ok=NEWS * EVERYBODY, published=NEWS)
    assert AnnouncementEdition.objects.count() == NEWS
    assert AnnouncementReceipt.objects.count() == Notification.objects.count() == NEWS * (READERS + 1)
    assert_books({"I-65", "I-66", "I-67"})


def test_without_the_lock_several_workers_begin(crowd: Any, keys: list[int]) -> None:
    """The control: all read that it is due, and only the guards of the tables stop the others."""
    outcomes = crowd.run("publish_news", [{"keys": keys, "pause": 0.2}] * EVERYBODY, control=True)
    assert sum(outcomes, Counter())["RestrictViolation"] > 0
