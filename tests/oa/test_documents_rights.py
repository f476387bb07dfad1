"""Who sees which folders and documents (spec office 5.8.2; rules G-21, S-02)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kit.pages.resources import by_model, registry
from oa.documents import services
from oa.documents.models import Folder, FolderGrant, LibraryDocument
from oa.documents.models.rights import ADMINISTER, DOWNLOAD, EDIT, EVERYTHING, MANAGE, VALID, VIEW, complete, rights_in
from oa.organisation.models import Position, Post, Role, User
from oa.records.models import Notification
from oa.records.notifications import notify
from tests.oa.library import client_of, company, document, folder, fresh, let
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def c() -> SimpleNamespace:
    return company()


def seen(user: User) -> set[str]:
    return set(
        Folder.objects.visible_to(fresh(user))
        .exclude(name__startswith="Company documents")
        .values_list("name", flat=True)
    )


def rights(user: User, place: Folder) -> int:
    return rights_in(fresh(user), [place.pk]).get(place.pk, 0)


def test_rights_imply_others() -> None:
    """5.8.2: who is named may view, who edits may download, who manages may do everything; nothing else is stored."""
    assert complete(0) == VIEW and complete(EDIT) == VIEW | DOWNLOAD | EDIT and complete(MANAGE) == EVERYTHING
    assert all(complete(right) == right for right in VALID)
    place = folder("A")
    for wrong in set(range(33)) - set(VALID):
        with pytest.raises(IntegrityError), transaction.atomic():
            FolderGrant.objects.create(folder=place, audience="everyone", rights=wrong)


def test_each_audience_reaches_its_people(c: SimpleNamespace) -> None:
    """5.8.2: everyone, departments with their subtree, roles, positions (further posts too), people."""
    clerk = Position.objects.create(code="CL", name="Clerk")
    Post.objects.create(user=c.bob, department=c.west, position=clerk)
    let(folder("all"), None)
    let(folder("east"), c.east)
    let(folder("shop"), c.shop)
    let(folder("hr"), Role.objects.get(code="hr"))
    let(folder("clerks"), clerk)
    let(folder("ann"), c.ann)
    folder("nobody")
    assert seen(c.ann) == {"all", "east", "shop", "ann"}
    assert seen(c.bob) == {"all", "clerks"}
    assert seen(c.eve) == {"all", "hr"}
    Post.objects.create(user=c.bob, department=c.shop)
    assert seen(c.bob) == {"all", "clerks", "east", "shop"}


def test_rights_are_inherited_until_a_folder_has_its_own_list(c: SimpleNamespace) -> None:
    """5.8.2: permissions add up downwards; a folder that stops inheriting has only its own list, and so below it."""
    top = folder("top")
    let(top, c.ann, "view")
    mid = folder("mid", top)
    let(mid, c.ann, "edit")
    low = folder("low", mid)
    shut = folder("shut", mid, inherits=False)
    let(shut, c.bob, "download")
    under = folder("under", shut)
    assert [rights(c.ann, place) for place in (top, mid, low, shut, under)] == [
        VIEW, complete(EDIT), complete(EDIT), 0, 0,
    ]  # fmt: skip
    assert [rights(c.bob, place) for place in (top, mid, shut, under)] == [0, 0, VIEW | DOWNLOAD, VIEW | DOWNLOAD]
    assert seen(c.bob) == {"shut", "under"}


def test_owners_heads_and_administrators_keep_their_folders(c: SimpleNamespace) -> None:
    """5.8.2: no list locks everybody out; nobody looks into the folder of a person who works here."""
    mine = services.personal_folder(c.ann)
    assert services.personal_folder(c.ann) == mine
    inner = folder("inner", mine, inherits=False)
    c.east.head = c.eve
    c.east.save()
    office = services.department_folder(c.east, by=c.eve)
    closed = folder("closed", office, inherits=False)
    board = folder("board")
    assert rights(c.ann, inner) == rights(c.eve, closed) == rights(c.sam, board) == EVERYTHING
    assert rights(c.ann, office) == complete(EDIT | 4 | DOWNLOAD) and rights(c.ann, closed) == 0  # of the shop, below
    assert rights(c.sam, mine) == rights(c.sam, inner) == rights(c.bob, mine) == 0
    c.ann.is_active = False
    c.ann.save()
    assert rights(c.sam, inner) == EVERYTHING and rights(c.ann, inner) == 0
    boss = User.objects.create_superuser("root", password="x")
    other = services.personal_folder(c.bob)
    assert boss.has_perm(ADMINISTER) and rights(boss, other) == 0


def test_only_who_may_view_documents_at_all_sees_any(c: SimpleNamespace) -> None:
    """G-21: a list of a folder gives nothing to whoever has no right to the library."""
    let(folder("all"), None)
    stranger = User.objects.create(username="stranger")
    assert seen(stranger) == set() and not LibraryDocument.objects.visible_to(stranger).exists()
    assert client_of(stranger).get("/docs/").status_code == 403


def test_the_tree_never_closes_into_a_ring(c: SimpleNamespace) -> None:
    """5.8.2: the command refuses in words, and the database refuses whoever goes around it."""
    top = folder("top")
    let(top, c.ann, "manage")
    mid = folder("mid", top)
    low = folder("low", mid)
    mid.parent = low
    with refused("cannot lie in itself"):
        services.save_folder(mid, by=c.ann)
    for parent in (low, mid):
        with pytest.raises(DatabaseError), transaction.atomic():
            Folder.objects.filter(pk=mid.pk).update(parent=parent)
    place = low
    for level in range(17):
        place = folder(f"deep {level}", place)
    with pytest.raises(DatabaseError), transaction.atomic():
        folder("too deep", place)


def test_a_folder_stays_in_its_space(c: SimpleNamespace) -> None:
    """5.8.2: below a personal folder everything is of that person, whatever is written."""
    mine, top = services.personal_folder(c.ann), folder("top")
    with pytest.raises(DatabaseError), transaction.atomic():
        Folder.objects.create(name="x", parent=mine)
    inner = folder("inner", mine)
    let(top, c.ann, "manage")
    inner.parent = top
    with refused("stays with its company"):
        services.save_folder(inner, by=c.ann)


def test_new_and_moved_folders_need_rights_at_both_ends(c: SimpleNamespace) -> None:
    """5.8.2: edit makes folders, manage changes and moves them; company folders are made by administrators."""
    top, other = folder("top"), folder("other")
    let(top, c.ann, "edit")
    made = services.save_folder(Folder(name="new", parent=top), by=c.ann)
    made.parent = other
    with refused("do not suffice"):
        services.save_folder(made, by=c.ann)
    let(top, c.bob, "manage")
    made = fresh(made)
    made.parent = other
    with refused("do not suffice"):
        services.save_folder(made, by=c.bob)
    let(other, c.bob, "edit")
    assert services.save_folder(made, by=c.bob).parent == other
    with refused("only an administrator"):
        services.save_folder(Folder(name="root"), by=c.bob)
    assert services.save_folder(Folder(name="root"), by=c.sam).pk


def test_a_broken_folder_keeps_who_could_look_in(c: SimpleNamespace) -> None:
    """5.8.2: the own list begins with what held at that moment; later changes above do not reach it."""
    top = folder("top")
    let(top, c.ann, "manage")
    let(top, c.bob, "view")
    low = folder("low", top)
    let(low, c.bob, "download")
    services.set_inherits(low, False, by=c.ann)
    assert (rights(c.ann, low), rights(c.bob, low)) == (EVERYTHING, VIEW | DOWNLOAD)
    services.take(top.grants.get(user=c.bob), by=c.ann)
    services.give(top, "person", c.eve, VIEW, by=c.ann)
    assert seen(c.bob) == {"low"} and seen(c.eve) == {"top"}
    services.set_inherits(low, True, by=c.ann)
    assert seen(c.eve) == {"top", "low"}
    with refused("do not suffice"):
        services.give(top, "person", c.bob, VIEW, by=c.eve)


def test_people_with_agrees_with_what_each_person_may(c: SimpleNamespace) -> None:
    """5.8.2: "who can see this" tells exactly those who can."""
    top = folder("top")
    let(top, c.east)
    let(top, Role.objects.get(code="hr"), "edit")
    shut = folder("shut", top, inherits=False)
    let(shut, c.bob, "manage")
    mine = services.personal_folder(c.ann)
    for place in (top, shut, mine):
        for right in (VIEW, EDIT, MANAGE):
            told = {person.username for person in services.people_with(place, right)}
            assert told == {p.username for p in (c.ann, c.bob, c.eve) if rights(p, place) & right}, (place, right)


def urls_of(place: Folder, doc: LibraryDocument) -> list[tuple[str, str]]:
    """Every address that leads to a folder or a document of it, with the verb."""
    key, version = f"d-{doc.pk}", doc.current.key  # type: ignore[union-attr]
    gets = [
        reverse("folder-record", args=[place.pk]),
        reverse("folder-edit", args=[place.pk]),
        reverse("docs-access", args=[place.pk]),
        reverse("docs-new-folder", args=[place.pk]),
        reverse("docs-move-folder", args=[place.pk]),
        reverse("librarydocument-record", args=[key]),
        reverse("librarydocument-edit", args=[key]),
        reverse("docs-compare", args=[key]),
        reverse("docs-supersede", args=[key]),
        *(reverse(name, args=[version]) for name in ("docs-preview", "docs-download", "docs-print")),
        reverse("docs-page", args=[version, 1]),
    ]
    posts = [
        reverse("docs-upload", args=[place.pk]),
        reverse("docs-bin-folder", args=[place.pk]),
        reverse("docs-access-action", args=[place.pk, "break"]),
        *(reverse(f"docs-{name}", args=[key]) for name in ("check-in", "favourite", "share", "use")),
        reverse("docs-restore", args=[key, 1]),
        reverse("docs-revoke", args=[key, 1]),
        reverse("docs-forget-use", args=[key, 1]),
        reverse("docs-bin-action", args=["document", doc.pk, "restore"]),
        reverse("docs-bin-action", args=["folder", place.pk, "restore"]),
        *(reverse("librarydocument-do", args=[key, name]) for name in ("check_out", "publish", "bin")),
        reverse("attach", args=["librarydocument", key]),
        reverse("comment", args=["librarydocument", key]),
    ]
    return [("get", url) for url in gets] + [("post", url) for url in posts]


def test_a_closed_folder_answers_exactly_like_a_missing_one(c: SimpleNamespace) -> None:
    """S-02: every address of it, of its documents, versions, pages and texts: 404, and nothing told."""
    shut = folder("Zaunkönig folder")
    let(shut, c.bob, "manage")
    doc = document(shut, "Zaunkönig.txt", "Zaunkönig sings", by=c.bob)
    client, owner = client_of(c.ann), client_of(c.bob)
    for verb, url in urls_of(shut, doc):
        answer = getattr(client, verb)(url)
        assert answer.status_code == 404, (verb, url, answer.status_code)
        assert "Zaunk" not in answer.content.decode()
    assert owner.get(reverse("librarydocument-record", args=[f"d-{doc.pk}"])).status_code == 200
    missing = client.get(reverse("folder-record", args=[999_999_999]))
    here = client.get(reverse("folder-record", args=[shut.pk]))
    assert missing.status_code == here.status_code == 404
    assert len(missing.content) - len(here.content) < 40


def test_nothing_of_a_closed_folder_comes_out(c: SimpleNamespace) -> None:
    """G-21: lists, search by name and by text, pickers, exports, trees, the bin and messages stay silent."""
    top = folder("top")
    let(top, None)
    shut = folder("Zaunkönig folder", top, inherits=False)
    let(shut, c.bob, "manage")
    doc = document(shut, "Zaunkönig.txt", "Zaunkönig sings", by=c.bob)
    open_child = folder("open", shut)
    let(open_child, c.ann)
    services.bin_document(document(shut, "Zaunkönig old.txt", "x", by=c.bob), by=c.bob)
    notify([c.ann, c.bob], f"{doc} is new", record=doc)
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"bob"}
    client = client_of(c.ann)
    pages = [
        "/docs/", "/docs/bin/", "/docs/recent/", "/docs/favourites/", "/docs/search/?q=sings", "/search/?q=Zaunk",
        "/search/?q=sings", "/ui/pick/folder/?q=Zaun", "/ui/pick/librarydocument/?q=Zaun",
        registry["folder"].url("export") + "?format=csv&full=1", registry["librarydocument"].url("export") + "?format=csv&full=1",
        reverse("folder-record", args=[top.pk]), reverse("folder-record", args=[open_child.pk]),
        reverse("docs-access", args=[open_child.pk]), registry["folder"].url(), registry["librarydocument"].url(),
    ]  # fmt: skip
    for url in pages:
        answer = client.get(url)
        body = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        assert answer.status_code == 200 and "Zaunkönig" not in body.replace("Zaunkönig_typed", ""), url
    assert "Zaunkönig" in client_of(c.bob).get("/docs/search/?q=sings").content.decode()


def test_rights_end_with_the_next_request(c: SimpleNamespace) -> None:
    """S-11: whoever loses the folder finds nothing any more at the very next request."""
    place = folder("A")
    grant = let(place, c.ann, "download")
    doc = document(place)
    url = reverse("docs-download", args=[doc.current.key])  # type: ignore[union-attr]
    client = client_of(c.ann)
    assert client.get(url).status_code == 200
    grant.delete()
    assert client.get(url).status_code == 404


def test_statements_do_not_grow_with_folders_or_documents(c: SimpleNamespace) -> None:
    """UX 9: a folder with 3 and 300 folders in it, a list of 5 and 200 documents: the same statements."""
    top = folder("top")
    let(top, c.ann, "edit")
    client, url = client_of(c.ann), reverse("folder-record", args=[top.pk])

    def count(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    def grow(folders: int, documents: int) -> None:
        place = {"space": "company", "parent": top}
        Folder.objects.bulk_create(Folder(name=f"f{folders} {n}", **place) for n in range(folders))
        LibraryDocument.objects.bulk_create(
            LibraryDocument(folder=top, title=f"d{documents} {n}", owner=c.ann) for n in range(documents)
        )

    grow(3, 5)
    few = [
        count(f"{url}?size=200"),
        count(f"{url}?size=200&q=d5"),
        count(by_model[LibraryDocument].url() + "?size=200"),
    ]
    grow(297, 195)
    many = [
        count(f"{url}?size=200"),
        count(f"{url}?size=200&q=d5"),
        count(by_model[LibraryDocument].url() + "?size=200"),
    ]
    assert few == many and max(many) <= 20


def test_one_statement_tells_all_rights(c: SimpleNamespace) -> None:
    """5.8.2: the effective permission is computed in the database, at once for all folders."""
    places = [folder(f"F{n}") for n in range(30)]
    let(places[3], c.ann, "edit")
    person = fresh(c.ann)
    person.has_perm(ADMINISTER)
    with CaptureQueriesContext(connection) as queries:
        assert rights_in(person, [place.pk for place in places])[places[3].pk] == complete(EDIT)
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        list(LibraryDocument.objects.visible_to(person))
    assert len(queries) == 2  # for whom the person stands in today, then the rows


def test_the_permissions_page_tells_and_changes(c: SimpleNamespace) -> None:
    """5.8.2: sentences with where a right comes from; managers add, take and break, others read."""
    top = folder("Handbooks")
    let(top, c.east, "view")
    low = folder("Shop", top)
    let(low, c.ann, "manage")
    url = reverse("docs-access", args=[low.pk])
    manager = client_of(c.ann)
    page = manager.get(url).content.decode()
    assert "East may view." in page and "from the folder above “Handbooks”" in page
    data: dict[str, Any] = {"audience": "person", "person": c.bob.pk, "person_text": str(c.bob), "rights": ["2"]}
    assert manager.post(url, data).status_code == 302
    assert rights(c.bob, low) == VIEW | DOWNLOAD
    assert manager.post(url, {"audience": "department"}).status_code == 422
    assert client_of(c.bob).post(url, data).status_code == 404
    grant = low.grants.get(user=c.bob)
    manager.post(reverse("docs-access-action", args=[low.pk, "take"]), {"grant": grant.pk})
    assert rights(c.bob, low) == 0
    manager.post(reverse("docs-access-action", args=[low.pk, "break"]))
    assert not fresh(low).inherits and rights(c.ann, low) == EVERYTHING
