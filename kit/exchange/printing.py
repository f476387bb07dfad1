"""Papers as PDF and as pictures of pages, both set by typst from the same template and the same data.

What people entered goes in as data (one JSON text among the compiler's inputs) and never becomes a part of a
template (rule S-08). The compiler reads nothing but `templates/print` and one font of a Python package: no
system fonts, no network.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import typst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, UnidentifiedImageError

from kit.values.errors import BusinessError

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "print"
FONT = ("justmytype_intl_cjk", "fonts", "ofl", "notosanssc")
LOGO_PIXELS = (900, 300)

SHEETS = {
    "a4": gettext_lazy("A4"),
    "a5": gettext_lazy("A5 landscape"),
    "half": gettext_lazy("Form of 241 mm, half"),
    "third": gettext_lazy("Form of 241 mm, third"),
}

Format = Literal["pdf", "svg", "png"]

_local = threading.local()  # a typst compiler serves one thread at a time


@dataclass(frozen=True)
class Print:
    """A paper that a document can be printed on.

    `build` makes the data of `template` from a document in a language (`en`, `zh-hans`); `language` says in
    which one the partner reads, `allowed(user, document)` who may print besides viewing the document.
    """

    name: str
    model: str
    title: Any
    build: Callable[[Any, str], dict[str, Any]]
    template: str = "document.typ"
    language: Callable[[Any], str] | None = None
    allowed: Callable[[Any, Any], bool] | None = None

    @property
    def sheets(self) -> dict[str, Any]:
        """The sheets that it can be set on; none to choose where the template has its own."""
        return SHEETS if self.template == "document.typ" else {}


_prints: dict[str, Print] = {}


def register(paper: Print) -> Print:
    """Offer `paper` for the documents of its model."""
    _prints[paper.name] = paper
    return paper


def get(name: str) -> Print:
    """The paper called `name`; BusinessError when there is none."""
    if name not in _prints:
        raise BusinessError(_("There is no paper “%s”.") % name)
    return _prints[name]


def prints_for(model: Any) -> list[Print]:
    """The papers of a model, given as a class, a record or a label (`erp.salesorder`)."""
    label = model.lower() if isinstance(model, str) else model._meta.label_lower
    return [paper for paper in _prints.values() if paper.model == label]


def allowed_prints(document: Any, user: Any) -> list[Print]:
    """The papers of a document that `user` may print."""
    return [paper for paper in prints_for(document) if paper.allowed is None or paper.allowed(user, document)]


def print_pdf(paper: Print, document: Any, language: str, sheet: str = "a4") -> bytes:
    """`document` on `paper` as a PDF."""
    return render_pdf(paper.template, paper.build(document, language) | {"sheet": sheet})


def print_pages(paper: Print, document: Any, language: str, sheet: str = "a4") -> list[str]:
    """`document` on `paper` as one SVG per page: the same pages as in the PDF."""
    return render_svg_pages(paper.template, paper.build(document, language) | {"sheet": sheet})


def render_pdf(template: str, data: dict[str, Any], *, tags: bool = True) -> bytes:
    """The PDF of a template of `templates/print` with `data`; the same data give the same bytes.

    `tags` tells screen readers the structure; in tables of thousands of cells they are most of the file.
    """
    return _compile(template, data, "pdf", pdf_tags=tags)[0]


def render_svg_pages(template: str, data: dict[str, Any]) -> list[str]:
    """The pages of `render_pdf` as SVG, for a preview that equals the paper."""
    return [page.decode() for page in _compile(template, data, "svg")]


def render_png_pages(template: str, data: dict[str, Any], ppi: int = 96) -> list[bytes]:
    """The pages of `render_pdf` as PNG pictures."""
    return _compile(template, data, "png", ppi=ppi)


def _compile(template: str, data: dict[str, Any], format: Format, **options: Any) -> list[bytes]:
    path = TEMPLATES / template
    if path.parent != TEMPLATES or not path.is_file():
        raise BusinessError(_("There is no paper “%s”.") % template)
    inputs = {"data": json.dumps(data, ensure_ascii=False, default=str)}
    result = _compiler().compile(str(path), format=format, sys_inputs=inputs, **options)
    return result if isinstance(result, list) else [result or b""]


def _compiler() -> typst.Compiler:
    """The compiler of this thread: making one costs more than setting a page."""
    if not hasattr(_local, "compiler"):
        _local.compiler = typst.Compiler(root=str(TEMPLATES), font_paths=_fonts(), ignore_system_fonts=True)
    compiler: typst.Compiler = _local.compiler
    return compiler


@cache
def _fonts() -> typst.Fonts:
    """Noto Sans SC from its Python package, wherever that is installed."""
    folder = resources.files(FONT[0]).joinpath(*FONT[1:])
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])


def picture(file: Any) -> list[int] | None:
    """An uploaded picture (a file field) as the bytes of a small PNG for a template; None when it is none."""
    if not file:
        return None
    try:
        with file.open("rb") as stream, Image.open(stream) as image:
            image.thumbnail(LOGO_PIXELS)
            out = BytesIO()
            image.convert("RGBA").save(out, "PNG", optimize=True)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return list(out.getvalue())
