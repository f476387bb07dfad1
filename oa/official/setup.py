"""What `migrate` puts into an empty installation for official documents: classes and deadlines."""

from __future__ import annotations

from oa.official.models import DocumentClass, UnitWord, UrgencyTerm
from oa.official.models.levels import Urgency

CLASSES = (
    ("notice", "Notice", "通知"),
    ("decision", "Decision", "决定"),
    ("request", "Request", "请示"),
    ("report", "Report", "报告"),
    ("reply", "Reply", "批复"),
    ("letter", "Letter", "函"),
    ("minutes", "Minutes", "纪要"),
)
DAYS = {Urgency.NORMAL: 15, Urgency.URGENT: 5, Urgency.EXPRESS: 1}
WORD = "司发"


def install_official(using: str) -> None:
    """Add what is missing; what people changed stays."""
    classes, words = DocumentClass.objects.using(using), UnitWord.objects.using(using)
    if not classes.exists():
        classes.bulk_create(DocumentClass(code=code, name=name, name_zh=chinese) for code, name, chinese in CLASSES)
    if not words.exists():
        words.create(word=WORD)
    present = set(UrgencyTerm.objects.using(using).values_list("urgency", flat=True))
    UrgencyTerm.objects.using(using).bulk_create(
        UrgencyTerm(urgency=urgency, days=days) for urgency, days in DAYS.items() if urgency not in present
    )
