"""Folders, own and recent documents, search, the recycle bin."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Case, When
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from kit.pages.actions import Action
from kit.pages.hooks import hooks
from kit.pages.lists import ListState, narrowed_state
from kit.pages.resources import by_model
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.documents import services
from oa.documents.models import Folder, LibraryDocument
from oa.documents.models.rights import EDIT, MANAGE, rights_in
from oa.documents.places import title_of, tree_for, way_to
from oa.documents.recent import recent_keys
from oa.documents.search import excerpts, found
from oa.documents.views.common import done, find_folder, folder_url, reader, trail

SHOWN = ("title", "current__number", "state", "owner", "updated_at", "checked_out_by")
BESIDE = ("title", "folder", "updated_at")
FEW, HITS, BINNED = 8, 20, 200


def _rows() -> Any:
    return by_model[LibraryDocument]


@require_safe
def home_view(request: HttpRequest) -> HttpResponse:
    """The top of the library: the tree, what the person looked at last and keeps at hand."""
    user = reader(request)
    kept = {"favourites__user": user.pk}
    context = {
        "head": Head(title=pgettext("library", "Documents")),
        "tree": tree_for(user, []),
        "recent": recent_documents(user)[:FEW],
        "favourites": narrowed_state(_rows(), user, kept, BESIDE, FEW),
        "mine": Folder.objects.filter(owner=user, parent=None, deleted_at=None).first(),
        "department": _new_department(user),
    }
    return fragment_or_page(request, "oa/documents/home.html", context)


def _new_department(user: Any) -> Any:
    """The department of the person, where it has no folder yet and the person may make it."""
    department = user.department
    if department is None or (user.pk != department.head_id and not user.has_perm("oa.administer_folder")):
        return None
    return None if Folder.objects.filter(department=department, parent=None).exists() else department


def recent_documents(user: Any) -> list[LibraryDocument]:
    """What `user` looked at last and may still see."""
    keys = recent_keys(user)
    if not keys:
        return []
    order = Case(*(When(pk=key, then=place) for place, key in enumerate(keys)))
    rows = LibraryDocument.objects.visible_to(user).filter(pk__in=keys).select_related("folder", "current")
    return list(rows.order_by(order))


@require_safe
def recent_view(request: HttpRequest) -> HttpResponse:
    """What the person looked at last."""
    user = reader(request)
    head = Head(title=_("Recent documents"), crumbs=trail([]))
    return fragment_or_page(request, "oa/documents/recent.html", {"head": head, "rows": recent_documents(user)})


@require_safe
def favourites_view(request: HttpRequest) -> HttpResponse:
    """The documents that the person keeps at hand."""
    user = reader(request)
    state = ListState(_rows(), user, request.GET, {"favourites__user": user.pk}, _rows().columns_named(()))
    return _list_page(request, "kit/list.html", state, {"head": Head(title=_("Favourites"), crumbs=trail([]))})


def _list_page(request: HttpRequest, template: str, state: ListState, context: dict[str, Any]) -> HttpResponse:
    if request.headers.get("HX-Target") == "list":
        template = "kit/parts/list.html"
    return fragment_or_page(request, template, {"list": state, "resource": state.resource, **context})


@require_safe
def folder_view(request: HttpRequest, key: int) -> HttpResponse:
    """A folder: the tree beside it, the folders in it, its documents."""
    folder = find_folder(request, str(key))
    user: Any = request.user
    rights = rights_in(user, [folder.pk]).get(folder.pk, 0)
    state = ListState(_rows(), user, request.GET, {"folder": folder.pk}, _rows().columns_named(SHOWN))
    if request.headers.get("HX-Target") == "list":
        return _list_page(request, "kit/parts/list.html", state, {"head": Head(title=str(folder))})
    way = way_to(folder, user)
    nodes = tree_for(user, way)
    depth = next((node.depth for node in nodes if node.current), 0)
    context = {
        "head": Head(title=title_of(folder), crumbs=trail(way[:-1]), actions=_actions(folder, user, rights)),
        "folder": folder,
        "tree": nodes,
        "folders": [n for n in nodes if n.folder.parent_id == folder.pk and n.depth == depth + 1],
        "may_edit": bool(rights & EDIT),
        "upload_url": reverse("docs-upload", args=[folder.pk]),
    }
    return _list_page(request, "oa/documents/folder.html", state, context)


def _actions(folder: Folder, user: Any, rights: int) -> list[Action]:
    made = [Action(_("Permissions"), reverse("docs-access", args=[folder.pk]), icon="users", name="access")]
    if rights & EDIT:
        made.append(
            Action(_("New folder"), reverse("docs-new-folder", args=[folder.pk]), icon="folder-plus", name="new")
        )
    if rights & MANAGE:
        edit = reverse("folder-edit", args=[folder.pk])
        made.append(Action(_("Edit"), edit, icon="pencil", key="e", menu=True, name="edit"))
        if folder.parent_id is not None:
            move = reverse("docs-move-folder", args=[folder.pk])
            made.append(Action(_("Move folder"), move, icon="folder-input", menu=True, name="move"))
        made.append(
            Action(
                _("Move to recycle bin"),
                reverse("docs-bin-folder", args=[folder.pk]),
                icon="trash-2",
                danger=True,
                post=True,
                menu=True,
                confirm=_("Move %s with everything in it to the recycle bin?") % folder,
                name="bin",
            )
        )
    return made


@require_safe
def mine_view(request: HttpRequest) -> HttpResponse:
    """The person's own folder; it is made by the first upload."""
    user = reader(request)
    folder = Folder.objects.filter(owner=user, parent=None, deleted_at=None).first()
    if folder is not None:
        return go(request, folder_url(folder))
    context = {
        "head": Head(title=_("My documents"), crumbs=trail([])),
        "tree": tree_for(user, []),
        "folders": [],
        "may_edit": True,
        "upload_url": reverse("docs-mine-upload"),
    }
    return fragment_or_page(request, "oa/documents/folder.html", context)


@require_POST
def upload_view(request: HttpRequest, key: str = "") -> HttpResponse:
    """Add files to a folder, all of them or none; without a key to the person's own."""
    user = reader(request)
    folder = find_folder(request, key) if key else None
    files = request.FILES.getlist("files")
    url = folder_url(folder) if folder else reverse("docs-mine")

    def effect() -> Any:
        place = folder or services.personal_folder(user)
        made = [services.add_document(place, file, by=user) for file in files]
        return made[0] if made else None

    if not files:
        messages.error(request, _("Choose a file."))
        return go(request, url)
    said = _("%s was saved.") % ", ".join(str(file.name) for file in files)
    return done(request, f"docs.upload.{folder.pk if folder else 'mine'}", _together(effect), url, said)


def _together(effect: Any) -> Any:
    """All documents of an upload or none: a file that is refused takes back those before it."""

    def run() -> Any:
        with services.all_or_none():
            return effect()

    return run


@require_POST
def bin_folder_view(request: HttpRequest, key: str) -> HttpResponse:
    """A folder into the bin."""
    folder = find_folder(request, key)
    way, submit = way_to(folder, request.user), request.POST.get("submit_id", "")
    try:
        hooks.once(submit, request.user, f"folder.bin.{key}", lambda: services.bin_folder(folder, by=request.user))
    except BusinessError as error:
        messages.error(request, str(error))
        return go(request, folder_url(folder))
    messages.success(request, _("%s is in the recycle bin.") % folder)
    return go(request, folder_url(way[-2]) if len(way) > 1 else reverse("docs"))


@require_POST
def department_view(request: HttpRequest) -> HttpResponse:
    """The folder of the person's department, made by its head."""
    user = reader(request)
    if user.department is None:
        raise Http404
    try:
        folder = services.department_folder(user.department, by=user)
    except BusinessError as error:
        messages.error(request, str(error))
        return go(request, reverse("docs"))
    return go(request, folder_url(folder))


@require_safe
def search_view(request: HttpRequest) -> HttpResponse:
    """Documents with the words in their name or in their text, with the place in it."""
    user = reader(request)
    text = request.GET.get("q", "").strip()[:200]
    rows: list[LibraryDocument] = []
    page = max(1, int(request.GET["page"])) if is_key(request.GET.get("page", "")) else 1
    if text:
        hits = found(LibraryDocument.objects.visible_to(user), text).select_related("folder", "current")
        start = (min(page, 500) - 1) * HITS
        rows = list(hits.order_by("-updated_at", "-pk")[start : start + HITS + 1])
    shown = excerpts(rows[:HITS], text)
    context = {
        "head": Head(title=_("Search in documents"), crumbs=trail([])),
        "text": text,
        "hits": [(row, shown.get(row.pk, "")) for row in rows[:HITS]],
        "page": page,
        "more": len(rows) > HITS,
    }
    return fragment_or_page(request, "oa/documents/search.html", context)


# ---- the recycle bin ----


@require_safe
def bin_view(request: HttpRequest) -> HttpResponse:
    """What the person may restore."""
    user = reader(request)
    documents = list(
        services.binned_documents(user).select_related("folder", "deleted_by").order_by("-deleted_at")[:BINNED]
    )
    managed = rights_in(user, [d.folder_id for d in documents]) if documents else {}
    context = {
        "head": Head(title=_("Recycle bin"), crumbs=trail([])),
        "days": services.days(),
        "documents": [(d, bool(managed.get(d.folder_id, 0) & MANAGE)) for d in documents],
        "folders": services.binned_folders(user).select_related("deleted_by").order_by("-deleted_at")[:BINNED],
    }
    return fragment_or_page(request, "oa/documents/bin.html", context)


@require_POST
def bin_action_view(request: HttpRequest, what: str, key: int, action: str) -> HttpResponse:
    """Restore a document or folder of the bin, or delete a document for good."""
    user = reader(request)
    rows: Any = services.binned_documents(user) if what == "document" else services.binned_folders(user)
    row = rows.filter(pk=key).first()
    run = {
        ("document", "restore"): services.restore_document,
        ("folder", "restore"): services.restore_folder,
        ("document", "purge"): services.purge_document,
    }.get((what, action))
    if row is None or run is None:
        raise Http404
    said = _("%s was restored.") if action == "restore" else _("%s was deleted.")

    def effect() -> None:
        try:
            run(row, by=user)  # type: ignore[operator]
        except ObjectDoesNotExist:
            raise BusinessError(_("%s was deleted meanwhile.") % row) from None

    return done(request, f"docs.{action}.{what}.{key}", effect, reverse("docs-bin"), said % row)


@require_POST
def favourite_view(request: HttpRequest, key: str) -> HttpResponse:
    """Keep a document at hand, or not any more."""
    resource: Any = _rows()
    try:
        document = resource.get(reader(request), key)
    except (ObjectDoesNotExist, ValueError):
        raise Http404 from None
    services.set_favourite(document, request.POST.get("wanted") == "1", by=request.user)
    return go(request, resource.url_for(document))
