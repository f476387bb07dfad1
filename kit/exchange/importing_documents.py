"""Documents from a file: several rows make one, which is imported as a whole or not at all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from kit.exchange.importing_batch import WRONG, Batch, Importer, Row


@dataclass(eq=False)
class FileDocument:
    """The rows of one document, in the order of the file."""

    key: Hashable
    rows: list[Row]
    found: Any = None  # the stored document with this key

    @property
    def first(self) -> Row:
        """The row whose head columns count."""
        return self.rows[0]

    @property
    def bad(self) -> bool:
        """Whether any of its rows is wrong."""
        return any(row.bad for row in self.rows)


class DocumentImporter(Importer):
    """A kind of file whose rows belong to documents. `head` columns are the same in all rows of a document."""

    all_at_once = True
    head: ClassVar[Sequence[str]] = ()

    def key(self, row: Row) -> Hashable:
        """What rows of one document have in common; None when the row is too wrong to tell."""
        raise NotImplementedError

    def check(self, batch: Batch, document: FileDocument) -> None:
        """Tell the batch what is wrong with a document before anything is written."""

    def documents(self, batch: Batch) -> list[FileDocument]:
        """The documents without errors; rows of the others are told to be held."""
        found: dict[Hashable, FileDocument] = {}
        for rows in batch.chunks():
            for row in rows:
                key = self.key(row)
                if key is not None:
                    found.setdefault(key, FileDocument(key, [])).rows.append(row)
        good = []
        for document in found.values():
            if batch.repeat(document.key, document.rows):
                continue
            self._check_head(batch, document)
            if not document.bad:
                self.check(batch, document)
            if document.bad:
                batch.hold(document.rows)
            else:
                good.append(document)
        return good

    def _check_head(self, batch: Batch, document: FileDocument) -> None:
        for name in self.head:
            expected = document.first.values.get(name)
            for row in document.rows[1:]:
                value = row.values.get(name)
                if value != expected and WRONG not in (value, expected):
                    message = _("Row %s of the same document says something else.") % document.first.number
                    batch.error(row, name, message)


def known(row: Row, *names: str) -> bool:
    """Whether the cells of these columns could be read."""
    return all(row.values.get(name) not in (None, WRONG) for name in names)
