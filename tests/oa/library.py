"""A small company with a document library, for the tests of it."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import Any

import typst
from django.core.files.base import ContentFile
from django.test import Client
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from kit.exchange import printing
from oa.documents import services
from oa.documents.models import Audience, Folder, FolderGrant, LibraryDocument
from oa.documents.models.rights import DOWNLOAD, EDIT, MANAGE, PRINT, VIEW, complete
from oa.documents.reading import read_version
from oa.organisation.models import Department, User
from tests import factories as make

RIGHTS = {"view": VIEW, "download": DOWNLOAD, "print": PRINT, "edit": EDIT, "manage": MANAGE}


def folder(name: str, parent: Folder | None = None, **columns: Any) -> Folder:
    """A folder of the company, or one within `parent`."""
    if parent is not None:
        columns |= {"space": parent.space, "owner": parent.owner, "department": parent.department}
    return Folder.objects.create(name=name, parent=parent, **columns)


def let(place: Folder, who: Any, *rights: str) -> FolderGrant:
    """Let a person, department, role or position (or everyone: None) do something in a folder."""
    mask = complete(sum(RIGHTS[right] for right in rights or ("view",)))
    kinds = {"user": "person", "department": "department", "role": "role", "position": "position"}
    name = who._meta.model_name if who is not None else ""
    columns = {name: who} if who is not None else {}
    audience = kinds[name] if name else Audience.EVERYONE
    return FolderGrant.objects.create(folder=place, audience=audience, rights=mask, **columns)


def file(name: str = "plan.txt", content: bytes | str = "A plan of Suzhou") -> ContentFile[Any]:
    return ContentFile(content.encode() if isinstance(content, str) else content, name)


def document(
    place: Folder, name: str = "plan.txt", content: bytes | str = "A plan", *, by: Any = None
) -> LibraryDocument:
    """A document whose words have been read."""
    made = services.add_document(place, file(name, content), by=by)
    assert made.current is not None
    read_version(made.current.pk)
    return LibraryDocument.objects.select_related("folder", "current", "published").get(pk=made.pk)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="oa.organisation.auth.NameOrMailBackend")
    return client


def company() -> SimpleNamespace:
    """Ann and Bob of two departments under one head office, Eve who manages, Sam who administers."""
    c = SimpleNamespace()
    root = Department.objects.get(code="HQ")
    c.east = Department.objects.create(code="EAST", name="East", parent=root)
    c.shop = Department.objects.create(code="SHOP", name="Shop", parent=c.east)
    c.west = Department.objects.create(code="WEST", name="West", parent=root)
    c.ann = make.make_user("ann", "sales", department=c.shop)
    c.bob = make.make_user("bob", "sales", department=c.west)
    c.eve = make.make_user("eve", "hr", department=root)
    c.sam = make.make_user("sam", "administrator")
    return c


def office(part: str, xml: str, *, method: int = zipfile.ZIP_DEFLATED, **more: bytes) -> bytes:
    """An office file with one part of XML."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, xml)
        for name, content in more.items():
            archive.writestr(name, content)
    return stream.getvalue()


def docx(*paragraphs: str, head: str = "") -> bytes:
    """A Word file with these paragraphs; `head` stands before its root element."""
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    return office(
        "word/document.xml", f'<?xml version="1.0"?>{head}<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>'
    )


def pdf(*texts: str, script: str = "", password: bool = False) -> bytes:
    """A PDF with one page for each text."""
    source = "\n#pagebreak()\n".join(texts or ("Page",)).encode()
    made = typst.compile(source, font_paths=printing._fonts())
    if not script and not password:
        return made if isinstance(made, bytes) else made[0]
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(made if isinstance(made, bytes) else made[0])))
    if script:
        action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(script)}
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)
    if password:
        writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def required(**given: Any) -> LibraryDocument:
    """A published document that its author has to read."""
    author = make.make_user()
    made = services.publish_document(document(folder(f"Required {author.pk}"), by=author), by=None)
    return services.require_reading(made, {"to_people": [author], **given}, by=None)
