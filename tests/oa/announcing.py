"""Announcements for tests, made by the commands that people use."""

from __future__ import annotations

import itertools
from typing import Any

from oa.announcements import publishing, services
from oa.announcements.models import Announcement, AnnouncementCategory, AnnouncementReceipt
from oa.organisation.models import User
from oa.records.audiences import AUDIENCE
from tests import factories as make

_numbers = itertools.count(1)


def written(
    by: User, title: str = "", body: str = "All hands.", category: str = "notice", **given: Any
) -> Announcement:
    """A draft of `by`; sets of the audience by name."""
    title = title or f"News {next(_numbers)}"
    sets = {name: given.pop(name) for name in AUDIENCE if name in given and name != "to_everyone"}
    kind = AnnouncementCategory.objects.get(code=category)
    row = services.save_announcement(Announcement(title=title, body=body, category=kind, **given), by=by)
    for name, chosen in sets.items():
        getattr(row, name).set(chosen)
    return row


def published(by: User, title: str = "", **given: Any) -> Announcement:
    """A published announcement."""
    row = services.publish(written(by, title, **given), by=by)
    publishing.appear(row.pk)
    row.refresh_from_db()
    return row


def readers(announcement: Announcement) -> set[str]:
    """User names of who has a receipt for the present text."""
    rows = AnnouncementReceipt.objects.filter(record=announcement, superseded_at=None)
    return set(rows.values_list("user__username", flat=True))


def living(what: str) -> Any:
    """An example row for the walk over all pages."""
    author = make.make_user()
    if what == "draft":
        return written(author, to_everyone=True)
    row = published(author, to_people=[author])
    return row if what == "news" else getattr(row, what).get()
