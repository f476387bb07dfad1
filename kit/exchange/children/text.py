"""The child that reads texts: prints the words of a document as UTF-8, at most `most` bytes of them."""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any
from xml.parsers import expat

from kit.exchange.children.common import OLE, Refusal, check_parts, decoded, start_of

PAGES = 2_000
DEPTH = 500  # elements within each other; no office program writes more
SHEETS = 200
# Where the words of an office file stand: the part that must be there, parts with text, elements, ends of lines.
OFFICE: dict[str, tuple[str, re.Pattern[str], frozenset[str], frozenset[str]]] = {
    "docx": (
        "word/document.xml",
        re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml"),
        frozenset({"w:t", "w:delText"}),
        frozenset({"w:p", "w:br", "w:tab", "w:tr"}),
    ),
    "pptx": (
        "ppt/presentation.xml",
        re.compile(r"ppt/(slides|notesSlides)/[^/]+\.xml"),
        frozenset({"a:t"}),
        frozenset({"a:p", "a:br"}),
    ),
}
_LONG_RUN = re.compile(r"([\u3400-\u4dbf\u4e00-\u9fff]{400})(?=[\u3400-\u4dbf\u4e00-\u9fff])")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def work(path: str, kind: str, most: str) -> None:
    """Print the text of the file at `path`, which is of `kind` (its extension)."""
    if start_of(path)[:4] == OLE:
        raise Refusal("password")
    out, left = sys.stdout.buffer, int(most)
    for piece in _pieces(path, kind):
        # Chinese without any mark for pages would be searched in time that grows with the square of its length.
        plain = _LONG_RUN.sub(r"\1\n", _UNSTORABLE.sub(" ", piece)).encode("utf-8", "replace")
        if len(plain) > left:
            out.write(plain[:left].decode("utf-8", "ignore").encode())
            break
        out.write(plain)
        left -= len(plain)


def _pieces(path: str, kind: str) -> Iterator[str]:
    if kind in OFFICE:
        yield from _office(path, kind)
    elif kind == "xlsx":
        yield from _workbook(path)
    elif kind == "pdf":
        yield from _pdf(path)
    else:
        with open(path, "rb") as file:
            yield decoded(file.read())


def _office(path: str, kind: str) -> Iterator[str]:
    needed, wanted, words, ends = OFFICE[kind]
    try:
        check_parts(path, needed)
        with zipfile.ZipFile(path) as archive:
            for name in sorted((n for n in archive.namelist() if wanted.fullmatch(n)), key=lambda n: (n != needed, n)):
                with archive.open(name) as part:
                    yield from _words(iter(lambda part=part: part.read(1 << 16), b""), words, ends)
    except (zipfile.BadZipFile, expat.ExpatError, OSError, RuntimeError, NotImplementedError, EOFError):
        raise Refusal("damaged") from None


class _Collector:
    """Keeps what stands in the elements `words`; no entity, no document type, no deep nesting."""

    def __init__(self, words: frozenset[str], ends: frozenset[str]) -> None:
        self.words, self.ends = words, ends
        self.found: list[str] = []
        self.depth = self.inside = 0

    def start(self, name: str, attributes: Any) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            raise Refusal("damaged")
        self.inside += name in self.words

    def end(self, name: str) -> None:
        self.depth -= 1
        self.inside -= name in self.words
        if name in self.ends:
            self.found.append("\n")

    def text(self, data: str) -> None:
        if self.inside:
            self.found.append(data)

    def refuse(self, *given: Any) -> None:
        raise Refusal("damaged")


def _words(chunks: Iterable[bytes], words: frozenset[str], ends: frozenset[str]) -> Iterator[str]:
    collector, parser = _Collector(words, ends), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = collector.start, collector.end
    parser.CharacterDataHandler = collector.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = collector.refuse
    parser.ExternalEntityRefHandler = collector.refuse  # type: ignore[assignment]
    for chunk in chunks:
        parser.Parse(chunk, False)
        yield "".join(collector.found)
        collector.found.clear()
    parser.Parse(b"", True)
    yield "".join(collector.found)


def _workbook(path: str) -> Iterator[str]:
    import python_calamine  # after the limits are set, and only where a workbook is read

    try:
        check_parts(path, "xl/workbook.xml")
        book = python_calamine.CalamineWorkbook.from_path(path)
        for name in book.sheet_names[:SHEETS]:
            sheet = book.get_sheet_by_name(name)
            yield f"{name}\n"
            for row in sheet.iter_rows():
                cells = [str(cell) for cell in row if cell != ""]
                if cells:
                    yield "\t".join(cells) + "\n"
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        raise Refusal("damaged") from None


def _pdf(path: str) -> Iterator[str]:
    from kit.exchange.children.picture import open_pdf

    document = open_pdf(path)
    for number in range(min(len(document), PAGES)):
        page = document[number]
        words = page.get_textpage()
        yield words.get_text_bounded().replace("\r\n", "\n") + "\n"
        words.close()
        page.close()
