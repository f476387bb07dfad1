"""Previews and downloads, share links, the bin, reminders, uses (spec office 5.8.2; threats S-10, S-11)."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from kit.exchange.limited import Refused
from kit.exchange.previews import draw
from kit.rules.days import business_day
from oa.documents import reminders, services
from oa.documents.models import (
    DocumentVersion,
    Folder,
    LibraryDocument,
    ShareLink,
    ShareRight,
)
from oa.documents.models.rights import VIEW
from oa.records.comments import add_comment
from oa.records.models import AuditEntry, Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.hostile import UPLOADS
from tests.oa.library import client_of, company, document, file, folder, fresh, let, pdf
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def c() -> SimpleNamespace:
    """A folder in which Ann edits, Bob views and Eve manages."""
    made = company()
    made.top = folder("top")
    let(made.top, made.ann, "edit")
    let(made.top, made.bob, "view")
    let(made.top, made.eve, "manage")
    return made


def photo(kind: str = "JPEG", size: tuple[int, int] = (3000, 2000), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind, **options)
    return out.getvalue()


# ---- preview and download ----


def test_pictures_are_encoded_again_within_bounds(c: SimpleNamespace) -> None:
    """S-10: never the original bytes: no comment, no place, nothing behind the picture; at most as large as a page."""
    given = photo(comment=b"<script>evil()</script>") + b"<script>more()</script>"
    doc = document(c.top, "photo.jpg", given, by=c.ann)
    answer = client_of(c.bob).get(reverse("docs-page", args=[doc.current.key, 1]))
    assert answer.status_code == 200 and answer["Content-Type"] == "image/jpeg"
    assert b"script" not in answer.content
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (1000, 667) and not shown.info.get("comment")
    for header, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; sandbox"),
        ("Cache-Control", "private, no-store"),
    ):
        assert answer[header] == value


def test_pages_of_a_pdf_are_drawn(c: SimpleNamespace) -> None:
    """5.8.2: page by page as pictures; a page that is not there is missing; scripts of the file do nothing."""
    doc = document(c.top, "paper.pdf", pdf("one", "two", script="app.alert('x')"), by=c.ann)
    client = client_of(c.bob)
    for page in (1, 2):
        answer = client.get(reverse("docs-page", args=[doc.current.key, page]))
        with Image.open(io.BytesIO(answer.content)) as shown:
            assert shown.format == "PNG" and max(shown.size) <= 1414
    assert client.get(reverse("docs-page", args=[doc.current.key, 3])).status_code == 404
    assert "1 / 2" in client.get(reverse("docs-preview", args=[doc.current.key])).content.decode()


@pytest.mark.parametrize("name", ["huge.png", "broken.pdf"])
def test_what_cannot_be_drawn_ends_its_child(name: str) -> None:
    """F-20: a giant picture and a broken document are refused there."""
    content = next(upload for upload in UPLOADS if upload.name == name).make()
    with pytest.raises(Refused):
        draw(io.BytesIO(content), name[-3:], 1, (100, 100))


def test_texts_are_shown_escaped(c: SimpleNamespace) -> None:
    """S-10: a page of markup in a text file is read, not run."""
    doc = document(c.top, "page.txt", "<script>evil()</script>", by=c.ann)
    page = client_of(c.bob).get(reverse("librarydocument-record", args=[f"d-{doc.pk}"])).content.decode()
    assert "&lt;script&gt;evil()" in page and "<script>evil" not in page


def test_who_may_only_view_gets_no_file_and_no_print(c: SimpleNamespace) -> None:
    """S-10, S-11: view, download and print are three rights; downloads and prints stand in the audit trail (G-20)."""
    doc = document(c.top, "paper.pdf", pdf("one"), by=c.ann)
    urls = [reverse(name, args=[doc.current.key]) for name in ("docs-download", "docs-print")]
    assert [client_of(c.bob).get(url).status_code for url in urls] == [404, 404]
    assert client_of(c.bob).get(reverse("docs-page", args=[doc.current.key, 1])).status_code == 200
    assert not AuditEntry.objects.exists()
    assert [client_of(c.eve).get(url).status_code for url in urls] == [200, 200]
    trail = AuditEntry.objects.order_by("pk").values_list("user__username", "action", "what", "object_id")
    assert list(trail) == [
        ("eve", "export", "paper.pdf v1 (paper.pdf)", doc.pk),
        ("eve", "print", "paper.pdf v1", doc.pk),
    ]


# ---- share links ----


def shared(
    c: SimpleNamespace, rights: int = ShareRight.DOWNLOAD, days: int = 7
) -> tuple[LibraryDocument, ShareLink, str]:
    hidden = folder("hidden")
    let(hidden, c.ann, "edit")
    doc = document(hidden, "paper.pdf", pdf("one"), by=c.ann)
    link, token = services.share_document(doc, rights, days, by=c.ann)
    return doc, link, token


def urls_of(token: str) -> list[str]:
    return [
        reverse("docs-shared", args=[token]),
        reverse("docs-shared-page", args=[token, 1]),
        reverse("docs-shared-file", args=[token]),
    ]


def answers(c: SimpleNamespace, token: str) -> list[int]:
    client = client_of(fresh(c.bob))
    return [client.get(url).status_code for url in urls_of(token)]


def test_a_link_opens_one_document_to_colleagues(c: SimpleNamespace) -> None:
    """S-11: 256 random bits of which only a digest is stored; a login is needed; no other address opens by it."""
    doc, link, token = shared(c)
    assert len(token) >= 43 and token not in str(ShareLink.objects.values().get(pk=link.pk))
    assert answers(c, token) == [200, 200, 200]
    from django.test import Client

    assert Client().get(urls_of(token)[0]).status_code == 302
    assert client_of(c.bob).get(reverse("docs-download", args=[doc.current.key])).status_code == 404
    assert client_of(c.bob).get(reverse("librarydocument-record", args=[f"d-{doc.pk}"])).status_code == 404


def test_a_link_to_view_gives_no_file(c: SimpleNamespace) -> None:
    """S-11: a link gives what it says, and the file of another link stays closed."""
    _doc, _link, token = shared(c, ShareRight.VIEW)
    assert answers(c, token) == [200, 200, 404]


@pytest.mark.parametrize("token", ["shared", "null", "None", "undefined", "0", "%00", " ", "A" * 43])
def test_made_up_secrets_open_nothing(token: str, c: SimpleNamespace) -> None:
    """S-11: tokens that other systems stumbled over."""
    shared(c)
    assert answers(c, token) == [404, 404, 404]


def test_a_link_dies_with_what_it_stands_on(c: SimpleNamespace) -> None:
    """S-11: with its day, its end by hand, the sharer's right, the sharer's account, and in the bin."""
    doc, link, token = shared(c)
    hidden = doc.folder

    def dead(undo: Any = None) -> None:
        assert answers(c, token) == [404, 404, 404]
        if undo:
            undo()
            assert answers(c, token) == [200, 200, 200]

    grant = hidden.grants.get()
    type(grant).objects.filter(pk=grant.pk).update(rights=VIEW)
    dead(lambda: type(grant).objects.filter(pk=grant.pk).update(rights=grant.rights))
    type(c.ann).objects.filter(pk=c.ann.pk).update(is_active=False)
    dead(lambda: type(c.ann).objects.filter(pk=c.ann.pk).update(is_active=True))
    services.bin_document(doc, by=c.ann)
    dead(lambda: services.restore_document(fresh(doc), by=c.ann))
    hidden.deleted_at = timezone.now()
    hidden.save()
    dead(lambda: Folder.objects.filter(pk=hidden.pk).update(deleted_at=None))
    past = timezone.now() - dt.timedelta(days=8)
    ShareLink.objects.filter(pk=link.pk).update(created_at=past, expires_at=past + dt.timedelta(days=7))
    dead()
    ShareLink.objects.filter(pk=link.pk).update(expires_at=timezone.now() + dt.timedelta(days=1))
    services.revoke_share(fresh(link), by=c.ann)
    dead()


def test_links_are_made_and_ended_by_who_may(c: SimpleNamespace) -> None:
    """S-11: who edits makes them, for at most 90 days; the maker or a manager ends them."""
    doc = document(c.top, by=c.ann)
    with refused("do not suffice"):
        services.share_document(doc, ShareRight.VIEW, 7, by=c.bob)
    for rights, days in ((31, 7), (ShareRight.VIEW, 0), (ShareRight.VIEW, 91)):
        with refused("link"):
            services.share_document(doc, rights, days, by=c.ann)
    link, _token = services.share_document(doc, ShareRight.VIEW, 90, by=c.ann)
    with refused("ends this link"):
        services.revoke_share(link, by=c.bob)
    services.revoke_share(link, by=c.eve)
    with pytest.raises(IntegrityError), transaction.atomic():
        ShareLink.objects.filter(pk=link.pk).update(expires_at=link.created_at)


def test_the_page_shows_a_new_link_once(c: SimpleNamespace) -> None:
    """S-11: the secret stands on one page and nowhere else; the same form sent again makes no second link."""
    doc = document(c.top, by=c.ann)
    client, url = client_of(c.ann), reverse("docs-share", args=[f"d-{doc.pk}"])
    form = {"submit_id": "0b0e1c3e-5a3f-4a57-9f5e-8f6c1f0f8a11", "rights": "1", "days": "7"}
    page = client.post(url, form, follow=True).content.decode()
    token = page.split("/docs/shared/")[1].split("/")[0]
    assert answers(c, token)[:1] == [200]
    assert token not in client.post(url, form, follow=True).content.decode() and ShareLink.objects.count() == 1


# ---- the recycle bin ----


def test_what_is_deleted_lies_in_the_bin(c: SimpleNamespace) -> None:
    """5.8.2: gone for everybody, restored by who edits there, under another name where its own is taken."""
    doc = document(c.top, by=c.ann)
    services.bin_document(doc, by=c.ann)
    assert not LibraryDocument.objects.visible_to(c.ann).filter(pk=doc.pk).exists()
    assert client_of(c.bob).get("/docs/bin/").content.decode().count("plan.txt") == 0
    assert "plan.txt" in client_of(c.ann).get("/docs/bin/").content.decode()
    document(c.top, by=c.ann)
    url = reverse("docs-bin-action", args=["document", doc.pk, "restore"])
    assert client_of(c.bob).post(url).status_code == 404
    assert client_of(c.ann).post(url).status_code == 302
    assert fresh(doc).deleted_at is None and fresh(doc).title == f"plan.txt ({doc.pk})"


def test_a_folder_goes_with_everything_in_it(c: SimpleNamespace) -> None:
    """5.8.2: and comes back so; what must be kept or is being written keeps its folder."""
    inner = folder("inner", folder("outer", c.top))
    outer = inner.parent
    doc = document(inner, by=c.ann)
    services.check_out(doc, by=c.ann)
    with refused("checked out by Ann"):
        services.bin_folder(outer, by=c.eve)
    services.cancel_check_out(doc, by=c.ann)
    LibraryDocument.objects.filter(pk=doc.pk).update(retain_until=business_day())
    for run in (lambda: services.bin_folder(outer, by=c.eve), lambda: services.bin_document(doc, by=c.ann)):
        with refused("must be kept until"):
            run()
    LibraryDocument.objects.filter(pk=doc.pk).update(retain_until=None)
    with refused("do not suffice"):
        services.bin_folder(outer, by=c.ann)
    services.bin_folder(outer, by=c.eve)
    assert not LibraryDocument.objects.visible_to(c.ann).exists()
    assert not Folder.objects.visible_to(c.ann).filter(pk__in=[outer.pk, inner.pk]).exists()
    services.restore_folder(outer, by=c.eve)
    assert LibraryDocument.objects.visible_to(c.ann).get() == doc
    mine = services.personal_folder(c.ann)
    with refused("stays"):
        services.bin_folder(mine, by=c.ann)


def test_the_bin_is_emptied_in_time(c: SimpleNamespace, django_capture_on_commit_callbacks: Any) -> None:
    """5.8.2, I-33: after the days of the setting, rows, notes and files; nothing earlier, nothing that must be kept."""
    inner = folder("inner", folder("outer", c.top))
    let(inner, c.bob)
    old, inside, kept, young = (
        document(place, f"{n}.txt", by=c.ann) for n, place in enumerate((c.top, inner, c.top, c.top))
    )
    services.check_in(old, file(content="v2"), by=c.ann)
    add_comment(old, "x", by=c.ann)
    for doc in (old, kept, young):
        services.bin_document(doc, by=c.ann)
    services.bin_folder(inner.parent, by=c.eve)
    long_ago = timezone.now() - dt.timedelta(days=31)
    LibraryDocument.objects.filter(pk__in=[old.pk, kept.pk]).update(deleted_at=long_ago)
    LibraryDocument.objects.filter(pk=kept.pk).update(retain_until="2099-01-01")
    Folder.objects.filter(pk=inner.parent_id).update(deleted_at=long_ago)
    paths = list(DocumentVersion.objects.filter(document__in=[old, inside]).values_list("file", flat=True))
    storage = DocumentVersion._meta.get_field("file").storage
    with django_capture_on_commit_callbacks(execute=True):
        assert services.purge_bins() == 4  # two documents, two folders
    left = LibraryDocument.objects.filter(folder__in=[c.top]).values_list("pk", flat=True)
    assert set(left) == {kept.pk, young.pk} and not LibraryDocument.objects.filter(pk=inside.pk).exists()
    assert not Folder.objects.filter(pk__in=[inner.pk, inner.parent_id]).exists()
    assert len(paths) == 3 and not any(storage.exists(path) for path in paths)
    assert services.purge_bins() == 0
    assert_books(["I-33", "I-68", "I-70"])


def test_only_a_manager_deletes_for_good(c: SimpleNamespace, django_capture_on_commit_callbacks: Any) -> None:
    """5.8.2: who edits restores, who manages purges."""
    doc = services.bin_document(document(c.top, by=c.ann), by=c.ann)
    with refused("do not suffice"):
        services.purge_document(doc, by=c.ann)
    with django_capture_on_commit_callbacks(execute=True):
        services.purge_document(doc, by=c.eve)
    assert not LibraryDocument.objects.filter(pk=doc.pk).exists()
    assert_books(["I-33"])


# ---- at hand, reminders, uses ----


def test_favourites_and_recent_documents_are_ones_own(c: SimpleNamespace) -> None:
    """5.8.2: looking changes no row; what is closed since is not shown."""
    cache.delete(f"docs:recent:{c.bob.pk}")
    doc, other = document(c.top, "first.txt", by=c.ann), document(c.top, "second.txt", by=c.ann)
    client = client_of(c.bob)
    for row in (doc, other, doc):
        client.get(reverse("librarydocument-record", args=[f"d-{row.pk}"]))
    page = client.get("/docs/recent/").content.decode()
    assert 0 < page.index("first.txt") < page.index("second.txt")
    url = reverse("docs-favourite", args=[f"d-{doc.pk}"])
    client.post(url, {"wanted": "1"})
    client.post(url, {"wanted": "1"})
    assert "first.txt" in client.get("/docs/favourites/").content.decode()
    assert "first.txt" not in client_of(c.ann).get("/docs/favourites/").content.decode()
    c.top.grants.filter(user=c.bob).delete()
    for address in ("/docs/", "/docs/recent/", "/docs/favourites/"):
        assert "first.txt" not in client.get(address).content.decode()


def test_owners_are_reminded_once_of_each_date(c: SimpleNamespace) -> None:
    """5.8.2: before the review date, again when it is moved; and when the time of keeping is over."""
    today = business_day()
    near, far, kept = (document(c.top, f"{n}.txt", by=c.ann) for n in range(3))
    LibraryDocument.objects.filter(pk=near.pk).update(review_on=today + dt.timedelta(days=14))
    LibraryDocument.objects.filter(pk=far.pk).update(review_on=today + dt.timedelta(days=15))
    LibraryDocument.objects.filter(pk=kept.pk).update(retain_until=today - dt.timedelta(days=1))
    assert (reminders.remind_owners(), reminders.remind_owners()) == (2, 0)
    told = list(Notification.objects.filter(user=c.ann).order_by("pk").values_list("text", flat=True))
    assert told[0].startswith("Review 0.txt by") and "2.txt had to be kept until" in told[1]
    LibraryDocument.objects.filter(pk=near.pk).update(review_on=today)
    assert reminders.remind_owners() == 1
    listed = client_of(c.ann).get(reverse("librarydocument-list") + "?view=kept").content.decode()
    assert "2.txt" in listed and "0.txt" not in listed


def test_a_document_tells_the_records_it_belongs_to(c: SimpleNamespace) -> None:
    """UX 6.22: by the address of a page; only what the person may see is taken and shown."""
    mine, foreign = make.make_customer("Goldammer", owner=c.ann), make.make_customer("Zaunkönig", owner=c.bob)
    doc = document(c.top, by=c.ann)
    client, url = client_of(c.ann), reverse("docs-use", args=[f"d-{doc.pk}"])
    for customer in (mine, foreign):
        client.post(url, {"address": f"http://testserver/crm/customers/{customer.code}/?tab=x"})
    client.post(url, {"address": "/docs/nowhere/"})
    assert [use.object_id for use in doc.uses.all()] == [mine.pk]
    services.use_document(doc, foreign, by=None)
    page = client.get(reverse("librarydocument-record", args=[f"d-{doc.pk}"])).content.decode()
    assert "Goldammer" in page and "Zaunkönig" not in page
    client.post(reverse("docs-forget-use", args=[f"d-{doc.pk}", doc.uses.get(object_id=mine.pk).pk]))
    assert doc.uses.count() == 1


def test_ones_own_folder_is_made_by_the_first_upload(c: SimpleNamespace) -> None:
    """F-28: looking makes nothing; the first file does."""
    client = client_of(c.bob)
    assert client.get("/docs/mine/").status_code == 200 and not Folder.objects.filter(owner=c.bob).exists()
    client.post("/docs/mine/upload/", {"files": file("mine.txt", "mine")})
    assert LibraryDocument.objects.get().folder.owner == c.bob
    assert "mine.txt" in client.get("/docs/mine/", follow=True).content.decode()
    assert "mine.txt" not in client_of(c.sam).get("/docs/").content.decode()
