"""The paper of an outgoing document with its red head 红头 (T-01), set as Chinese offices set it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.exchange.printing import Print, register
from oa.official.models import OutgoingDocument
from oa.official.models.documents import KIND
from oa.official.models.levels import Secrecy, Urgency
from oa.official.models.states import SIGNED
from oa.organisation.models import CompanyProfile

CHINESE_URGENCY = {Urgency.URGENT: "紧急", Urgency.EXPRESS: "加急"}
UPWARD = ("request", "report")  # classes that go to superiors: only these name who signed
CHINESE_SECRECY = {Secrecy.CONFIDENTIAL: "秘密", Secrecy.SECRET: "机密"}


def red_head(document: OutgoingDocument, language: str) -> dict[str, Any]:
    """The data of the paper. Its fixed words follow the language, what people wrote stays as it is."""
    with translation.override(language):
        chinese = language.startswith("zh")
        company = CompanyProfile.current()
        name = (company.name_zh or company.name) if chinese else company.name
        day = timezone.localtime(document.signed_at).date() if document.signed_at else document.date
        unit = document.department.name if document.department else name
        return {
            "lang": language,
            "title": document.title,
            "head": document.unit_word.heading or (f"{name}文件" if chinese else name),
            "number": document.number or _("Draft"),
            "signer": str(document.signed_by or "") if document.document_class.code in UPWARD else "",
            "signer_label": _("Signed by"),
            "secrecy": _marked(CHINESE_SECRECY, document.secrecy, document.get_secrecy_display(), chinese),
            "urgency": _marked(CHINESE_URGENCY, document.urgency, document.get_urgency_display(), chinese),
            "to": _names(document.to_departments.all(), document.to_people.all(), document.outside, chinese),
            "paragraphs": [line.strip() for line in document.body.splitlines() if line.strip()],
            "company": name,
            "day": written_day(day, chinese),
            "copies_label": _("Copies to"),
            "copies": _names(
                document.copy_departments.all(), document.copy_people.all(), document.copy_outside, chinese
            ),
            "keywords_label": _("Keywords"),
            "keywords": document.keywords,
            "issued": f"{unit}",
            "issued_day": f"{written_day(day, chinese)}印发" if chinese else written_day(day, chinese),
            "watermark": _mark(document),
            "page_label": "— {n} —",
        }


def _mark(document: OutgoingDocument) -> str:
    """Across papers that are not signed, or are given up."""
    if document.state == "cancelled":
        return _("CANCELLED")
    return "" if document.state in SIGNED else _("DRAFT")


def _marked(words: dict[Any, str], value: Any, label: Any, chinese: bool) -> str:
    return (words[value] if chinese else str(label).capitalize()) if value in words else ""


def _names(departments: Any, people: Any, outside: str, chinese: bool) -> str:
    """Recipients in a row; what is outside stands first, as it was written."""
    found = [outside] if outside else []
    found += [str(row) for row in (*departments, *people)]
    return ("、" if chinese else ", ").join(found)


def written_day(day: dt.date, chinese: bool) -> str:
    """A day as official documents write it, such as 2026年3月5日."""
    return f"{day.year}年{day.month}月{day.day}日" if chinese else day.isoformat()


register(
    Print(
        "official-document",
        KIND,
        gettext_lazy("Document with red head"),
        red_head,
        template="redhead.typ",
        language=lambda document: "zh-hans",
    )
)
