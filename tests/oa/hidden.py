"""An office with one person of every shipped role outside, and what the people of another department have among them.

Every text of that carries `COMMON` and the word of its kind, so that one search would find all of it and a leak tells
what it is.
"""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.utils import timezone

from oa.announcements import services as announcements
from oa.approvals import services as approvals
from oa.documents import services as documents
from oa.documents.models import Favourite, LibraryDocument
from oa.organisation.models import Department, User
from oa.records.attachments import store_attachment
from oa.records.comments import add_comment
from oa.roles import SHIPPED
from oa.tasks.models import Attendee, Booking, ChecklistItem, Decision, Meeting, Room, Task, TaskNeed, TaskSeries
from oa.tasks.services.meetings import seat
from tests import approving
from tests import factories as make
from tests.oa import announcing, library, signing
from tests.oa.world import WATCHED

COMMON = "Zilpzalp"
WORDS = {
    "document": "Blauspecht",
    "approval": "Rohrdommel",
    "announcement": "Wiedehopf",
    "task": "Kiebitz",
    "meeting": "Kernbeisser",
}
ROLES = [role.code for role in SHIPPED]
# Whom their right lets see what is not private, wherever it belongs (roles.py): everybody else sees nothing.
SEES = {
    "administrator": {"document", "approval", "announcement"},
    "auditor": {"announcement"},
    "hr": {"announcement"},
}
STAFF = ("administrator", "auditor", "hr")  # who has something to do in the back office
PDF = b"%PDF-1.7\n%%EOF\n"


def office() -> SimpleNamespace:
    """The people, and one thing of each kind that those outside have themselves."""
    o = SimpleNamespace(boss=make.make_user("boss"), root=Department.objects.get(code="HQ"), outside={})
    o.east = Department.objects.create(code="EAST", name="East", parent=o.root)
    o.west = Department.objects.create(code="WEST", name="West", parent=o.root)
    for code in ROLES:
        o.outside[code] = make.make_user(f"out-{code}", code, department=o.east, is_staff=code in STAFF, language="en")
    o.author, o.asked, o.chief, o.stripped, o.moved = (
        make.make_user(name, "sales", department=o.west, language="en")
        for name in ("author", "asked", "chief", "stripped", "moved")
    )
    o.form = approving.form("SECRET")
    o.flow = approving.flow(approving.step(1, o.asked), approving.step(2, o.chief), of=o.form, admin=o.boss)
    o.room = Room.objects.create(name="Room 1")
    o.open = library.folder("Open")
    library.let(o.open, o.east, "manage")
    o.plan = library.document(o.open, f"{WATCHED} plan.txt", f"{WATCHED} text", by=o.boss)
    o.news = announcing.published(o.boss, f"{WATCHED} news", to_departments=[o.east])
    o.own = {code: _own(o, user) for code, user in o.outside.items()}
    return o


def _own(o: SimpleNamespace, user: User) -> SimpleNamespace:
    s = SimpleNamespace(
        task=Task.objects.create(title=f"{WATCHED} task", owner=user, due_on=make.today(), private=True)
    )
    s.meeting = _meeting(user, f"{WATCHED} meeting")
    s.request = approving.request(o.flow, user, amount="5", reason=f"{WATCHED} reason")
    return s


def _meeting(owner: User, text: str, *people: User, rooms: Any = ()) -> Meeting:
    start = timezone.now() + dt.timedelta(hours=1)
    made = Meeting.objects.create(
        title=text, agenda=text, place=text, minutes=text, private=True, owner=owner, created_by=owner,
        starts_at=start, ends_at=start + dt.timedelta(hours=1),
    )  # fmt: skip
    seat(made, [owner, *people], list(rooms), by=None)
    Meeting.objects.filter(pk=made.pk).update(state="invited")
    Booking.objects.filter(meeting=made).update(taken=True)
    return made


def _talk(o: SimpleNamespace, record: Any, word: str) -> None:
    """A note that names everybody, and a file."""
    names = " ".join(f"@{user.username}" for user in o.outside.values())
    add_comment(record, f"{COMMON} {word} {names} @stripped @moved", by=o.author)
    store_attachment(record, ContentFile(PDF + f"{COMMON} {word}".encode(), f"{COMMON} {word}.pdf"), by=o.author)


def secrets(o: SimpleNamespace) -> None:
    """What the west has among itself; `stripped` and `moved` take part in all of it."""
    _document(o, f"{COMMON} {WORDS['document']}")
    _approval(o, f"{COMMON} {WORDS['approval']}")
    _announcement(o, f"{COMMON} {WORDS['announcement']}")
    _task(o, f"{COMMON} {WORDS['task']}")
    text = f"{COMMON} {WORDS['meeting']}"
    o.meeting = _meeting(o.author, text, o.stripped, o.moved)
    Decision.objects.create(meeting=o.meeting, position=1, text=text)
    _talk(o, o.meeting, text)


def _document(o: SimpleNamespace, text: str) -> None:
    o.closed = library.folder(f"{text} folder", created_by=o.author)
    library.let(o.closed, o.author, "manage")
    o.grants = [library.let(o.closed, user, "manage") for user in (o.stripped, o.moved)]
    below = library.folder(f"{text} below", o.open, inherits=False, created_by=o.author)
    library.let(below, o.author, "manage")
    o.document, second, binned = (
        library.document(place, f"{text} {name}.txt", f"{text} inside", by=o.author)
        for place, name in ((o.closed, "plan"), (below, "second"), (o.closed, "binned"))
    )
    LibraryDocument.objects.filter(pk=o.document.pk).update(note=text, review_on=make.today())
    documents.check_in(o.document, library.file("new.txt", f"{text} again"), by=o.author, comment=text)
    documents.bin_document(binned, by=o.author)
    for row in (o.document, second):
        _talk(o, row, text)
    for user in (o.stripped, o.moved):
        Favourite.objects.create(user=user, document=o.document)
    _link, o.token = documents.share_document(o.document, 1, 9, by=o.moved)


def _approval(o: SimpleNamespace, text: str) -> None:
    given = {"amount": "987654", "reason": f"{text} reason"}
    o.request = approving.request(o.flow, o.author, copies=[o.stripped], **given)
    signing.keep(o.asked)
    approvals.approve(approving.task(o.request, o.asked), by=o.asked, text=f"{text} opinion")
    back = approving.request(o.flow, o.author, **given)
    approvals.send_back(approving.task(back, o.asked), by=o.asked, stage=0, text=f"{text} why")
    draft = approving.draft(o.flow, o.author, **given)
    for row in (o.request, approving.document(o.request), draft):
        _talk(o, row, text)


def _announcement(o: SimpleNamespace, text: str) -> None:
    o.news_of_west = announcing.published(o.boss, text, body=f"{text} body", to_departments=[o.west], must_confirm=True)
    later = timezone.now() + dt.timedelta(days=1)
    planned = announcing.written(o.boss, f"{text} planned", body=text, to_departments=[o.west], starts_at=later)
    o.planned = announcements.publish(planned, by=o.boss)
    announcing.written(o.boss, f"{text} draft", body=text, to_departments=[o.west])
    o.withdrawn = announcing.published(o.boss, f"{text} withdrawn", body=text, to_departments=[o.west])
    _talk(o, o.news_of_west, text)
    announcements.amend(o.news_of_west, by=o.boss, title=text, body=f"{text} amended", major=False, note=text)


def _task(o: SimpleNamespace, text: str) -> None:
    head = {"owner": o.author, "created_by": o.author, "private": True}
    o.task = Task.objects.create(title=text, description=text, labels=text, due_on=make.today(), **head)
    o.task.participants.add(o.stripped, o.moved)
    ChecklistItem.objects.create(task=o.task, position=1, text=f"{text} step")
    TaskSeries.objects.create(title=text, description=text, checklist=text, every="day", **head)
    _talk(o, o.task, text)


def entangle(o: SimpleNamespace) -> None:
    """What people outside have themselves leads to what they must not see."""
    kind = ContentType.objects.get_for_model(o.document)
    for own in o.own.values():
        Task.objects.filter(pk=own.task.pk).update(parent=o.task, content_type=kind, object_id=o.document.pk)
        TaskNeed.objects.create(task=own.task, needs=o.task)
        documents.use_document(o.document, own.task, by=None)
    LibraryDocument.objects.filter(pk=o.plan.pk).update(superseded_by=o.document)


def leave_it(o: SimpleNamespace) -> None:
    """`stripped` loses every role; `moved` goes east, out of the task, the meeting and the folder."""
    o.stripped.groups.clear()
    for grant in o.grants:
        grant.delete()
    o.task.participants.clear()
    Attendee.objects.filter(meeting=o.meeting).exclude(user=o.author).delete()
    User.objects.filter(pk=o.moved.pk).update(department=o.east)
    announcements.withdraw(o.withdrawn, by=o.boss, reason="wrong")
