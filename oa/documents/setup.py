"""The first folder of the library."""

from __future__ import annotations

from oa.documents.models import Audience, Folder, FolderGrant
from oa.documents.models.rights import DOWNLOAD, PRINT, VIEW, complete


def install_library(using: str) -> None:
    """A folder of the company that everybody reads, where there is no folder at all."""
    folders = Folder.objects.using(using)
    if folders.exists():
        return
    folder = folders.create(name="Company documents 公司文档")
    rights = complete(VIEW | DOWNLOAD | PRINT)
    FolderGrant.objects.using(using).create(folder=folder, audience=Audience.EVERYONE, rights=rights)
