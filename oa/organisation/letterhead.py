"""The head of every paper: names, address and numbers of the company, in the language of the paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from kit.exchange.printing import picture
from oa.organisation.models import CompanyProfile


def letterhead() -> dict[str, Any]:
    """Names, address and numbers of the company; the second name is the one in the other language."""
    company = CompanyProfile.current()
    chinese = (get_language() or "").startswith("zh")
    names = [company.name_zh or company.name, company.name] if chinese else [company.name, company.name_zh]
    address = (company.address_zh or company.address) if chinese else (company.address or company.address_zh)
    return {
        "name": names[0],
        "other_name": names[1] if names[1] != names[0] else "",
        "logo": picture(company.logo),
        "lines": [
            address,
            joined([labelled(_("Tel."), company.phone), company.email]),
            labelled(_("Tax number"), company.tax_number),
        ],
        "bank": [company.bank_name, company.bank_account],
    }


def labelled(label: str, value: Any) -> str:
    """`Tel. 123`, or nothing."""
    return f"{label} {value}" if value else ""


def joined(parts: Iterable[Any]) -> str:
    """What there is of `parts`, divided by commas."""
    return ", ".join(str(part) for part in parts if part)
