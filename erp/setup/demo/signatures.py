"""Signatures of those who decide, drawn by a formula: every installation draws the same ones."""

from __future__ import annotations

import io
import math
from random import Random

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from erp.setup.demo.world import World
from oa.organisation.models import User
from oa.records.signatures import keep_signature

SIGN = ("admin", "manager", "chief", "hr")
INK = "#1b2a6b"


def make_signatures(world: World) -> None:
    """Everybody who signs keeps a signature, as if it had been drawn on the page."""
    for username in SIGN:
        person = User.objects.get(username=username)
        world.let(person, keep_signature, ContentFile(scribble(username), "signature.png"))


def scribble(name: str) -> bytes:
    """A running hand of loops that is never the same for two names."""
    dice = Random(name)
    image = Image.new("RGB", (900, 300), "white")
    pen = ImageDraw.Draw(image)
    loops, high, slant = dice.uniform(4, 7), dice.uniform(60, 95), dice.uniform(0.1, 0.5)
    points = []
    for step in range(600):
        part = step / 599
        turn = part * loops * 2 * math.pi
        size = high * (1 - 0.6 * part) * (0.7 + 0.3 * math.sin(part * 11 + loops))
        y = size * math.sin(turn)
        points.append((80 + 700 * part + 38 * math.cos(turn) - slant * y, 150 + y))
    pen.line(points, fill=INK, width=7, joint="curve")
    end = points[-1]
    pen.line([end, (end[0] - 520, 245), (end[0] + 40, 225)], fill=INK, width=6, joint="curve")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
