"""Search in the names and the words of documents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Greatest, Lower, NullIf, StrIndex, Substr
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kit.rules.search import matching, tsquery
from oa.documents.models import LibraryDocument, VersionText

BEFORE, LENGTH = 60, 220  # characters of an excerpt
_WORDS = re.compile(r"\w+")


def readable_texts() -> QuerySet[VersionText]:
    """The words that whoever sees a document may read: of its published version, else of the newest.

    Of drafts in folders where publishing needs a second person nothing is found.
    """
    published = Q(version=F("version__document__published"))
    newest = Q(version=F("version__document__current"), version__document__folder__needs_review=False)
    return VersionText.objects.filter(published | newest)


def found(rows: QuerySet[LibraryDocument], text: str) -> QuerySet[LibraryDocument]:
    """The documents of `rows` with what a person typed in their name or their words."""
    query = tsquery(text)
    if not query:
        return rows.none() if text.strip() else rows
    named = matching(LibraryDocument.objects.all(), text).values("pk")
    told = readable_texts().filter(search__tokens=query).values("version__document")
    return rows.filter(Q(pk__in=named) | Q(pk__in=told))


def excerpts(documents: Iterable[Any], text: str) -> dict[int, SafeString]:
    """A few words around the first hit in each document, the terms marked; one statement."""
    keys, query, terms = [d.pk for d in documents], tsquery(text), _WORDS.findall(text.lower())[:8]
    if not keys or not query or not terms:
        return {}
    places = [NullIf(StrIndex(Lower("text"), Value(term)), 0) for term in terms]
    start = Greatest(Coalesce(*places, Value(1)) - BEFORE, 1)
    rows = (
        readable_texts()
        .filter(version__document__in=keys, search__tokens=query)
        .annotate(part=Cast(Substr("text", start, LENGTH), TextField()))
        .values_list("version__document", "part")
    )
    return {key: marked(part, terms) for key, part in rows}


def marked(text: str, terms: Iterable[str]) -> SafeString:
    """`text` as HTML with the terms marked."""
    pattern = re.compile("(" + "|".join(re.escape(term) for term in terms) + ")", re.IGNORECASE)
    pieces = pattern.split(" ".join(text.split()))
    marks = [format_html("<mark>{}</mark>", piece) if i % 2 else piece for i, piece in enumerate(pieces)]
    return format_html_join("", "{}", ((mark,) for mark in marks))
