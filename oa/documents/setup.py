"""The first folder of the library."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from oa.documents.models import Audience, Folder, FolderGrant
from oa.documents.models.rights import DOWNLOAD, PRINT, VIEW, complete


def install_library(using: str) -> None:
    """A folder of the company that everybody reads, where there is no folder at all."""
    folders = Folder.objects.using(using)
    if folders.exists():
        return
    with translation.override(settings.LANGUAGE_CODE):
        folder = folders.create(name=_("Company documents"))
    rights = complete(VIEW | DOWNLOAD | PRINT)
    FolderGrant.objects.using(using).create(folder=folder, audience=Audience.EVERYONE, rights=rights)
