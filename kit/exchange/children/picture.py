"""The child that draws: prints a picture, or one page of a PDF, newly encoded and never larger than asked."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from kit.exchange.children.common import Refusal

PIXELS = 50_000_000  # of a picture that is opened at all
LONGEST = 14_400  # points of an edge of a page, the most that the format knows


def work(path: str, kind: str, number: str, width: str, height: str) -> None:
    """Print page `number` (from 1) of the file at `path` as a line of facts in JSON and then a PNG or JPEG."""
    box = int(width), int(height)
    facts, content = _page(path, int(number), box) if kind == "pdf" else _image(path, kind, box)
    out = sys.stdout.buffer
    out.write(json.dumps(facts).encode() + b"\n")
    out.write(content)
    out.flush()


def open_pdf(path: str) -> Any:
    """The document; refused where it has a password or is none."""
    import pypdfium2  # after the limits are set

    try:
        document = pypdfium2.PdfDocument(path)
        if not len(document):
            raise Refusal("damaged")
    except pypdfium2.PdfiumError as error:
        raise Refusal("password" if "assword" in str(error) or "ecurity" in str(error) else "damaged") from None
    return document


def _page(path: str, number: int, box: tuple[int, int]) -> tuple[dict[str, Any], bytes]:
    import pypdfium2

    document = open_pdf(path)
    pages = len(document)
    if not 1 <= number <= pages:
        raise Refusal("page")
    try:
        page = document[number - 1]
        wide, high = page.get_size()
        if not (0 < wide <= LONGEST and 0 < high <= LONGEST):
            raise Refusal("damaged")
        image = page.render(scale=min(box[0] / wide, box[1] / high), may_draw_forms=False).to_pil()
    except pypdfium2.PdfiumError:
        raise Refusal("damaged") from None
    return {"pages": pages, "type": "image/png"}, _encoded(image.convert("RGB"), "PNG")


def _image(path: str, kind: str, box: tuple[int, int]) -> tuple[dict[str, Any], bytes]:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS
    try:
        with Image.open(path, formats=(kind,)) as given:
            if given.width * given.height > PIXELS:
                raise Refusal("inflated")
            given.draft("RGB", box)
            image = ImageOps.exif_transpose(given)
            image.thumbnail(box)
            solid = "A" not in image.getbands() and "transparency" not in image.info
            plain = image.convert("RGB" if solid else "RGBA")
    except Image.DecompressionBombError:
        raise Refusal("inflated") from None
    except (OSError, SyntaxError, ValueError):
        raise Refusal("damaged") from None
    if solid and kind == "JPEG":
        return {"pages": 1, "type": "image/jpeg"}, _encoded(plain, "JPEG")
    return {"pages": 1, "type": "image/png"}, _encoded(plain, "PNG")


def _encoded(image: Any, format: str) -> bytes:
    """The pixels alone: no profile, no comment, nothing of the original bytes."""
    from PIL import Image

    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    out = io.BytesIO()
    clean.save(out, format)
    return out.getvalue()
