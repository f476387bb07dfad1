"""What one may not read leaks nowhere: lists, search, desk, versions, messages, files (rules N-06, G-21)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from oa.announcements import services
from oa.announcements.models import Announcement, AnnouncementEdition
from oa.organisation.models import Department, Role
from oa.records.attachments import store_attachment
from oa.records.comments import add_comment
from tests import factories as make
from tests.oa.announcing import published, written
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

SECRET = "Zaunkönig"


@pytest.fixture
def c() -> SimpleNamespace:
    c = SimpleNamespace(boss=make.make_user("boss", language="en"))
    c.east = Department.objects.create(code="EAST", name="East")
    c.west = Department.objects.create(code="WEST", name="West")
    c.ann = make.make_user("ann", "sales", department=c.east, language="en")
    c.mia = make.make_user("mia", "sales-manager", department=c.east, language="en")
    c.bob = make.make_user("bob", "sales", department=c.west, language="en")
    c.row = published(c.boss, SECRET, body=f"{SECRET} moves", to_departments=[c.west], must_confirm=True)
    add_comment(c.row, f"{SECRET} @ann @mia", by=c.boss)
    c.file = store_attachment(c.row, ContentFile(b"%PDF-1.7\n%%EOF\n", f"{SECRET}.pdf"), by=c.boss)
    services.amend(c.row, by=c.boss, title=SECRET, body=f"{SECRET} stays", major=False, note=SECRET)
    return c


def addresses(c: SimpleNamespace) -> list[str]:
    key, edition = c.row.pk, AnnouncementEdition.objects.order_by("pk").first()
    assert edition is not None
    receipt = c.row.receipts.order_by("pk").first()
    lists = ("news", "office/announcements", "office/announcement-readers", "office/announcement-versions")
    urls = [f"/{name}/{query}" for name in lists for query in ("", f"?q={SECRET}", "export/?format=csv")]
    urls += [f"/ui/pick/{slug}/?q={SECRET}" for slug in ("news", "announcement", "announcementreceipt")]
    urls += [f"/news/{key}/", f"/office/announcements/{key}/", f"/office/announcements/{key}/?panel=timeline"]
    urls += [f"/office/announcement-versions/{edition.pk}/", f"/office/announcement-readers/{receipt.pk}/"]
    return [
        *urls,
        f"/news/~{key}/",
        "/news/" + "".join(chr(0x660 + int(n)) for n in str(key)) + "/",
        "/?cards=all",
        "/notifications/",
        f"/search/?q={SECRET}",
        reverse("attachment", args=[c.file.key]),
    ]


@pytest.mark.parametrize("who", ["ann", "mia"])
def test_nothing_of_a_foreign_announcement_comes_out(who: str, c: SimpleNamespace) -> None:
    """N-06: no text, comment, file, version, reader or message of it, also for who may write announcements."""
    client = client_of(getattr(c, who))
    for url in addresses(c):
        body = client.get(url).content.decode("utf-8", "replace") if "files" not in url else ""
        for typed in (
            f'value="{SECRET}"',
            f'data-label="{SECRET}"',
            f"Search: {SECRET}",
            f"q={SECRET}",
            f"“{SECRET}”",
            "q=Zaunk%C3%B6nig",
        ):
            body = body.replace(typed, "")
        assert SECRET not in body, url
    assert client.get(reverse("attachment", args=[c.file.key])).status_code == 404
    for path in (f"/records/news/{c.row.pk}/comment/", f"/records/announcement/{c.row.pk}/attach/"):
        assert client.post(path, {"text": "hi"}).status_code == 404


def test_readers_find_what_is_for_them_and_not_its_versions(c: SimpleNamespace) -> None:
    """N-04, N-06: the present text by list, desk and search; earlier versions and other readers not."""
    client = client_of(c.bob)
    for url in ("/?cards=all", "/news/", f"/news/?q={SECRET[:4]}", f"/search/?q={SECRET}", "/notifications/"):
        assert SECRET in client.get(url).content.decode(), url
    page = client.get(f"/news/{c.row.pk}/").content.decode()
    assert f"{SECRET} stays" in page and f"{SECRET} moves" not in page
    assert f"{SECRET} moves" not in client.get(f"/news/{c.row.pk}/?panel=timeline").content.decode()
    for url in addresses(c):
        if "/office/" in url:
            assert SECRET not in client.get(url).content.decode().replace(f'value="{SECRET}"', "").replace(
                f"q={SECRET}", ""
            ).replace("q=Zaunk%C3%B6nig", ""), url


def test_auditors_and_authors_see_all_versions(c: SimpleNamespace) -> None:
    """N-04: every text that was ever published."""
    for person in (c.boss, make.make_user("auditor", "auditor")):
        client = client_of(person)
        assert "2 " in client.get(f"/office/announcements/{c.row.pk}/?tab=versions").content.decode()
        first = AnnouncementEdition.objects.get(number=1)
        assert f"{SECRET} moves" in client.get(f"/office/announcement-versions/{first.pk}/").content.decode()


def test_withdrawn_announcements_are_found_by_nobody(c: SimpleNamespace) -> None:
    """N-06: neither readers nor author find it by search; its page is missing for readers, without text for the author."""
    author = make.make_user("carl", "sales-manager", department=c.west)
    row = published(author, f"{SECRET} two", body="Blaumeise", to_departments=[c.west])
    for which in (c.row, row):
        services.withdraw(which, by=which.owner, reason="wrong")
    for person in (c.bob, author, c.boss):
        client = client_of(person)
        for url in (f"/search/?q={SECRET}", f"/news/?q={SECRET}", f"/office/announcements/?q={SECRET}"):
            for headers in ({}, {"HX-Target": "combo"}):  # the page, and what the top bar offers while one types
                assert f"{SECRET} two" not in client.get(url, headers=headers).content.decode(), url
    assert client_of(c.bob).get(f"/news/{row.pk}/").status_code == 404
    page = client_of(author).get(f"/office/announcements/{row.pk}/")
    assert b"wrong" in page.content and b"Blaumeise" not in page.content
    auditor = client_of(make.make_user("auditor", "auditor"))
    assert b"Blaumeise" in auditor.get(f"/office/announcements/{row.pk}/").content


def test_drafts_are_seen_by_author_managers_and_once_submitted_by_approvers(c: SimpleNamespace) -> None:
    """Before the publication nobody of the audience sees anything."""
    hr = make.make_user("hanna", "hr")
    deciding = Group.objects.create(name="Deciding")
    Role.objects.create(group=deciding, code="deciding")
    deciding.permissions.set(Permission.objects.filter(codename__in=["approve_announcement", "view_announcement"]))
    approver = make.make_user("paul", "deciding")
    draft = written(c.mia, category="company", to_departments=[c.east])
    seen = {
        name: Announcement.objects.visible_to(p).filter(pk=draft.pk).exists()
        for name, p in {"mia": c.mia, "hr": hr, "approver": approver, "bob": c.bob}.items()
    }
    assert seen == {"mia": True, "hr": True, "approver": False, "bob": False}
    services.submit(draft, by=c.mia)
    assert Announcement.objects.visible_to(approver).filter(pk=draft.pk).exists()
    assert client_of(c.ann).get(f"/news/{draft.pk}/").status_code == 404


def test_the_desk_shows_the_newest_unread_in_bold_and_pinned_first(c: SimpleNamespace) -> None:
    """The card counts what is unread; the list puts pinned ones on top."""
    top = published(c.boss, "Pinned", to_departments=[c.west], pinned_until=timezone.localdate())
    published(c.boss, "Plain", to_departments=[c.west])
    client = client_of(c.bob)
    services.seen(top, by=c.bob, device="desk")
    desk = client.get("/?card=announcements").content.decode()
    assert 'class="grow ell b6" href="/news/' in desk and ">2</span>" in desk
    page = client.get("/news/").content.decode()
    assert page.index("Pinned") < page.index("Plain") < page.index(SECRET)
    unread = client.get("/news/?view=unread").content.decode()
    assert "Plain" in unread and "Pinned" not in unread.split("<section", 1)[-1]


def test_the_form_offers_and_takes_what_one_may_address(c: SimpleNamespace) -> None:
    """N-01: without the right neither everyone nor roles are offered, and a crafted request is refused in words."""
    form = client_of(c.mia).get("/office/announcements/new/").context["form"]
    assert "to_departments" in form.fields and not {"to_everyone", "to_roles", "to_positions"} & set(form.fields)
    assert "to_everyone" in client_of(c.boss).get("/office/announcements/new/").context["form"].fields
    category = c.row.category_id
    sent = {"category": category, "title": "Hello", "body": "All", "remind_most": 3, "comments_open": "on"}
    for audience, made in (
        ({"to_departments": c.west.pk}, False),
        ({"to_everyone": "on"}, False),
        ({"to_departments": c.east.pk, "starts_at": "2030-05-01T08:30", "expires_at": "2030-05-01T08:00"}, False),
        ({"to_departments": c.east.pk, "starts_at": "2030-05-01T08:30"}, True),
    ):
        answer = client_of(c.mia).post("/office/announcements/new/", {**sent, **audience})
        assert answer.status_code == (302 if made else 422), audience
    row = Announcement.objects.get(owner=c.mia)
    assert (row.department, row.created_by, list(row.to_departments.all())) == (c.east, c.mia, [c.east])
    assert timezone.localtime(row.starts_at).strftime("%H:%M") == "08:30"
    assert client_of(c.ann).get("/office/announcements/new/").status_code == 403
