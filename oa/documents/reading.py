"""The words and the pictures of documents, and what is said when there are none."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from kit.exchange.limited import Refused
from kit.exchange.previews import DRAWN, Picture, draw, read_text
from oa.documents.models import DocumentVersion, TextState, VersionText

BOX = (1000, 1414)  # pixels of a page, the proportions of A4
KEPT = 3600  # seconds that a drawn page waits for being asked for again
LARGEST = 1024 * 1024  # bytes of a picture that is kept at all
SAFE = 300_000  # bytes whose different words always fit into a search column

logger = logging.getLogger(__name__)


def read_version(key: int) -> str:
    """Read and store the words of a version; returns the state. A version that is gone needs none."""
    version = DocumentVersion.objects.filter(pk=key, text__state=TextState.WAITING).first()
    if version is None:
        return TextState.NONE
    state, reason, text = TextState.READ, "", ""
    try:
        with version.file.open("rb") as content:
            text = read_text(content, version.kind).strip()
        state = TextState.READ if text else TextState.NONE
    except Refused as refused:
        state, reason = TextState.FAILED, refused.facts["error"]
    except FileNotFoundError:
        state, reason = TextState.FAILED, "missing"
    _store(key, state, reason, text)
    return state


def _store(key: int, state: str, reason: str, text: str) -> None:
    """A search column holds about a megabyte of different words; of a stranger text only the start is kept."""
    row = VersionText.objects.filter(pk=key)
    for shorter in (text, text.encode()[:SAFE].decode(errors="ignore")):
        try:
            with transaction.atomic():
                row.update(state=state, reason=reason, text=shorter)
            return
        except DatabaseError:
            logger.warning("the text of version %s does not fit", key)
    row.update(state=TextState.FAILED, reason="memory", text="")


def why(reason: str) -> str:
    """Why a document cannot be read or drawn, in words."""
    sentences = {
        "password": _("It has a password."),
        "old": _("It has a password or an old format."),
        "damaged": _("It is damaged or not what its name says."),
        "inflated": _("It is compressed too much to be an ordinary document."),
        "memory": _("It needs too much memory."),
        "time": _("It takes too long."),
        "encoding": _("Its characters are in an unknown encoding."),
        "page": _("It has no such page."),
        "missing": _("Its file is missing."),
    }
    return sentences.get(reason, sentences["damaged"])


def picture(version: DocumentVersion, page: int) -> Picture:
    """A page of a version as a picture of ours; raises Refused. Who may see it is asked before."""
    if version.kind not in DRAWN:
        raise Refused(error="page")
    name = f"docs:page:{version.sha256}:{version.kind}:{page}"
    kept: Any = cache.get(name)
    if isinstance(kept, dict):
        raise Refused(**kept)
    if kept is not None:
        return Picture(*kept)
    try:
        with version.file.open("rb") as content:
            made = draw(content, version.kind, page, BOX)
    except FileNotFoundError:
        raise Refused(error="missing") from None
    except Refused as refused:
        cache.set(name, refused.facts, KEPT)
        raise
    if len(made.content) <= LARGEST:
        cache.set(name, (made.content, made.type, made.pages), KEPT)
    return made
