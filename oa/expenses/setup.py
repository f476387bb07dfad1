"""The types of expenses a new installation starts with; people change them as they like."""

from __future__ import annotations

from oa.expenses.models import ExpenseType

# code, English name, Chinese name, needs an invoice, paid by the day
TYPES = (
    ("transport", "Long-distance travel", "差旅交通费", True, False),
    ("lodging", "Lodging", "住宿费", True, False),
    ("per-diem", "Per diem", "出差补助", False, True),
    ("taxi", "Local transport", "市内交通费", False, False),
    ("entertainment", "Business entertainment", "业务招待费", True, False),
    ("office", "Office supplies", "办公费", True, False),
    ("phone", "Communication", "通讯费", True, False),
    ("training", "Training", "培训费", True, False),
    ("other", "Other expenses", "其他费用", True, False),
)


def install_types(using: str) -> None:
    """Types of expenses, where there are none at all."""
    manager = ExpenseType.objects.using(using)
    if not manager.exists():
        manager.bulk_create(
            ExpenseType(code=code, name=name, name_zh=chinese, needs_invoice=invoice, per_diem=daily,
                        per="day" if daily else "")
            for code, name, chinese, invoice, daily in TYPES
        )  # fmt: skip
