"""The document library: folders with rights, documents with versions, and what people share of them."""

from oa.documents.models.documents import (
    KIND,
    LIBRARY_STATES,
    LIVING,
    DocumentVersion,
    LibraryDocument,
    Publication,
    TextState,
    VersionText,
)
from oa.documents.models.folders import Audience, Folder, FolderGrant, Space
from oa.documents.models.reading import ReadingReceipt
from oa.documents.models.sharing import DocumentUse, Favourite, ShareLink, ShareRight

__all__ = [
    "KIND",
    "LIBRARY_STATES",
    "LIVING",
    "Audience",
    "DocumentUse",
    "DocumentVersion",
    "Favourite",
    "Folder",
    "FolderGrant",
    "LibraryDocument",
    "Publication",
    "ReadingReceipt",
    "ShareLink",
    "ShareRight",
    "Space",
    "TextState",
    "VersionText",
]
