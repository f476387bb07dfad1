"""Signatures for tests: drawn with a few strokes, as a browser would send them."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from oa.organisation.models import User
from oa.records.models import PersonSignature
from oa.records.signatures import keep_signature


def drawing(
    size: tuple[int, int] = (1200, 600), kind: str = "PNG", paper: Any = (255, 255, 255, 0), slope: int = 0, **options: Any
) -> bytes:  # fmt: skip
    """Two strokes in the middle of a large sheet, transparent where nothing is said."""
    image = Image.new("RGBA", size, paper)
    wide, high = size
    pen = ImageDraw.Draw(image)
    pen.line([(wide * 0.3, high * 0.4), (wide * 0.7, high * 0.6 + slope)], fill=(20, 24, 31, 255), width=9)
    pen.line([(wide * 0.3, high * 0.6), (wide * 0.7, high * 0.4)], fill=(20, 24, 31, 255), width=9)
    out = io.BytesIO()
    (image if kind == "PNG" else image.convert("RGB")).save(out, kind, **options)
    return out.getvalue()


def keep(user: User, **more: Any) -> PersonSignature:
    """A new present signature of a person."""
    return keep_signature(ContentFile(drawing(**more), "signature.png"), by=user)
