"""The request forms that every office needs; an administrator changes or archives them (rule X-14)."""

from __future__ import annotations

from typing import Any

from oa.approvals.models import RequestForm


def _field(name: str, label: str, label_zh: str, kind: str, *options: str, required: bool = True) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "label_zh": label_zh,
        "type": kind,
        "required": required,
        "options": list(options),
    }


FORMS: tuple[tuple[str, str, str, tuple[dict[str, Any], ...]], ...] = (
    (
        "TRIP",
        "Business trip",
        "出差申请",
        (
            _field("place", "Place", "地点", "text"),
            _field("from_day", "From", "开始日期", "date"),
            _field("to_day", "To", "结束日期", "date"),
            _field("amount", "Estimated cost", "预计费用", "amount"),
            _field("companion", "Accompanied by", "同行人", "person", required=False),
            _field("purpose", "Purpose", "出差事由", "long"),
        ),
    ),
    (
        "OUT",
        "Going out on business",
        "外出申请",
        (
            _field("place", "Place", "地点", "text"),
            _field("from_time", "From", "外出时间", "time"),
            _field("to_time", "Back at", "返回时间", "time"),
            _field("purpose", "Purpose", "外出事由", "long"),
        ),
    ),
    (
        "OVERTIME",
        "Overtime",
        "加班申请",
        (
            _field("from_time", "From", "开始时间", "time"),
            _field("to_time", "To", "结束时间", "time"),
            _field("hours", "Hours", "加班时长（小时）", "number"),
            _field("reward", "Compensation", "补偿方式", "choice", "调休 Time off", "加班费 Pay"),
            _field("purpose", "Reason", "加班事由", "long"),
        ),
    ),
    (
        "CAR",
        "Company car",
        "用车申请",
        (
            _field("destination", "Destination", "目的地", "text"),
            _field("from_time", "From", "用车时间", "time"),
            _field("to_time", "Back at", "还车时间", "time"),
            _field("people", "Number of people", "乘车人数", "number"),
            _field("driver", "Driver needed", "需要司机", "flag", required=False),
            _field("purpose", "Purpose", "用车事由", "long"),
        ),
    ),
    (
        "BUY",
        "Purchase request",
        "采购申请",
        (
            _field("what", "What", "采购内容", "long"),
            _field("amount", "Estimated amount", "预计金额", "amount"),
            _field("needed_on", "Needed on", "需求日期", "date"),
            _field("supplier", "Proposed supplier", "建议供应商", "text", required=False),
            _field("purpose", "Reason", "采购理由", "long"),
        ),
    ),
)


def install_forms(using: str) -> None:
    """Make the usual forms where there is no form at all."""
    manager = RequestForm.objects.using(using)
    if not manager.exists():
        manager.bulk_create(
            RequestForm(code=code, name=name, name_zh=name_zh, fields=list(fields))
            for code, name, name_zh, fields in FORMS
        )
