"""Keeping and giving up one's own signature: a drawing or a picture, encoded anew (rules X-13, N-12, threat S-10)."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from django.core.files.base import ContentFile, File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from kit.exchange.limited import Refused
from kit.exchange.previews import IMAGES, draw
from kit.values.errors import BusinessError
from oa.organisation.models import User
from oa.records.models import PersonSignature
from oa.records.uploads import MEGABYTE, check_upload, safe_name, suffix_of

BOX = (600, 200)  # pixels of a signature at most
OPENED = (1800, 1800)  # pixels of what is looked at for it
LARGEST = 10 * MEGABYTE
PAPER = 235  # what is lighter is paper and no ink


def present_signature(user: Any) -> PersonSignature | None:
    """The signature that a person uses now; nobody is the system, which has none."""
    return PersonSignature.objects.filter(user=user.pk, given_up_at=None).first() if user is not None else None


def signing(user: Any) -> PersonSignature | None:
    """The present signature for a decision that is being written: it is not given up before that is done."""
    rows = PersonSignature.objects.select_for_update(no_key=True)
    return rows.filter(user=user.pk, given_up_at=None).first() if user is not None else None


def keep_signature(file: File[bytes], *, by: User) -> PersonSignature:
    """Make a picture the present signature of `by`; an earlier one stays on what was signed with it.

    Raises BusinessError for what is no picture, too large, or empty.
    """
    return _keep(_encoded(file), by)


@transaction.atomic
def give_up_signature(*, by: User) -> None:
    """Use no signature any more."""
    _in_turn(by)
    if not PersonSignature.objects.filter(user=by, given_up_at=None).update(given_up_at=timezone.now()):
        raise BusinessError(_("You have no signature here."))


def _in_turn(person: User) -> None:
    """Two windows of a person wait for each other; decisions, which name the person, wait for neither."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


@transaction.atomic
def _keep(content: bytes, by: User) -> PersonSignature:
    _in_turn(by)
    digest = hashlib.sha256(content).hexdigest()
    before = present_signature(by)
    if before is not None and before.sha256 == digest:
        return before
    now = timezone.now()
    PersonSignature.objects.filter(user=by, given_up_at=None).update(given_up_at=now)
    row = PersonSignature(user=by, size=len(content), sha256=digest, made_at=now)
    row.file.save(f"{row.key}.png", ContentFile(content), save=False)
    try:
        row.save(force_insert=True)
    except Exception:
        row.file.delete(save=False)
        raise
    return row


def _encoded(file: File[bytes]) -> bytes:
    """The picture as a small PNG of ours; the file itself is opened by a child process with limits."""
    name = safe_name(file.name or "")
    kind = suffix_of(name)
    if kind not in IMAGES:
        raise BusinessError(_("Choose a picture: PNG, JPG, GIF or WebP."), field="image")
    if file.size > LARGEST:
        raise BusinessError(_("The picture may have at most %s MB.") % (LARGEST // MEGABYTE), field="image")
    check_upload(file, name)
    content: Any = file
    try:
        drawn = draw(content, kind, 1, OPENED)
    except Refused:
        raise BusinessError(_("%s cannot be read as a picture.") % name, field="image") from None
    return _trimmed(drawn.content)


def _trimmed(drawn: bytes) -> bytes:
    """The ink on white with no margin, at most as large as `BOX`."""
    with Image.open(io.BytesIO(drawn), formats=("PNG", "JPEG")) as given:
        inked = given.convert("RGBA")
    sheet = Image.new("RGB", inked.size, "white")
    sheet.paste(inked, mask=inked.getchannel("A"))
    ink = sheet.convert("L").point([255 if light < PAPER else 0 for light in range(256)]).getbbox()
    if ink is None:
        raise BusinessError(_("There is nothing on the picture. Draw your signature first."), field="image")
    image = sheet.crop(ink)
    image.thumbnail(BOX)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
