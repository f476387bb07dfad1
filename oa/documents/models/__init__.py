"""The document library: folders with rights, documents with versions, and what people share of them."""

from oa.documents.models.documents import (
    LIBRARY_STATES,
    DocumentVersion,
    LibraryDocument,
    Publication,
    TextState,
    VersionText,
)
from oa.documents.models.folders import Audience, Folder, FolderGrant, Space
from oa.documents.models.sharing import DocumentUse, Favourite, ShareLink, ShareRight

__all__ = [
    "LIBRARY_STATES",
    "Audience",
    "DocumentUse",
    "DocumentVersion",
    "Favourite",
    "Folder",
    "FolderGrant",
    "LibraryDocument",
    "Publication",
    "ShareLink",
    "ShareRight",
    "Space",
    "TextState",
    "VersionText",
]
