"""Customers that may be the one somebody is about to enter (rule C-01): names and tax numbers in plain form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, F, Func, QuerySet, Value
from django.db.models.functions import Upper
from django.utils.translation import gettext as _

from crm.customers.models import Customer
from kit.pages.actions import Twin
from kit.rules.search import matching

SHOWN = 3
LOOKED_AT = 50

# What says how a company is organised, not which one it is; the longest first.
_FORMS = re.compile(
    r"(股份有限公司|有限责任公司|集团有限公司|有限公司|分公司|公司|集团)$"
    r"|\b(company limited|co\.?,? ?ltd|limited|ltd|inc|llc|corp|corporation|gmbh|ag|s\.?a|b\.?v|plc|co)\b\.?"
)
_PLACE = re.compile(r"^[\u4e00-\u9fff]{2,3}?[省市](?=[\u4e00-\u9fff]{2})")
_JUNK = re.compile(r"[\W_]+")


def words_of(name: str) -> str:
    """The words of a name that tell which company it is: without legal form and the province or city before it."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    plain = re.sub(r"\([^)]*\)", " ", plain)
    while (shorter := _PLACE.sub("", _FORMS.sub(" ", plain).strip())) != plain and shorter.strip():
        plain = shorter
    return plain


def plain_name(name: str) -> str:
    """A name as it is compared: its words without spaces and punctuation."""
    return _JUNK.sub("", words_of(name))


def plain_number(number: str) -> str:
    """A tax number as it is compared."""
    return _JUNK.sub("", unicodedata.normalize("NFKC", number)).upper()


def twins(values: Mapping[str, str], user: Any) -> list[Twin]:
    """Up to three customers of the same tax number, the same or a containing name; the surest first.

    All customers are looked at. Of those out of sight nothing is told but who is responsible, and only for the same
    tax number or name: a part of a name would be a way to ask for the customers of others.
    """
    number, name = plain_number(values.get("tax_number", "")), plain_name(values.get("name", ""))
    found: dict[int, tuple[int, Customer]] = {}
    if len(number) >= 6:
        plain = Func(
            F("tax_number"),
            Value(r"[\W_]+"),
            Value(""),
            Value("g"),
            function="regexp_replace",
            output_field=CharField(),
        )
        same = Customer.objects.exclude(tax_number="").annotate(plain=Upper(plain)).filter(plain=number)
        found = {row.pk: (0, row) for row in _first(same)}
    if len(name.encode()) >= 4:  # two Chinese characters, four letters
        for row in _first(matching(Customer.objects.all(), words_of(values["name"]))):
            other = plain_name(row.name)
            near = 1 if other == name else 2 if name in other else 3
            if near < 3:
                found.setdefault(row.pk, (near, row))
    seen = set(Customer.objects.visible_to(user).filter(pk__in=found).values_list("pk", flat=True)) if found else set()
    told = [(near, row.pk not in seen, row) for near, row in found.values() if row.pk in seen or near < 2]
    told.sort(key=lambda one: (one[0], one[1], one[2].pk))
    return [_twin(near, hidden, row) for near, hidden, row in told[:SHOWN]]


def _first(rows: QuerySet[Customer]) -> list[Customer]:
    return list(rows.select_related("owner", "department").order_by("pk")[:LOOKED_AT])


def _twin(near: int, hidden: bool, row: Customer) -> Twin:
    reason = [_("same tax number"), _("same name"), _("similar name")][near]
    who = " · ".join(str(one) for one in (row.owner, row.department) if one is not None)
    if hidden:
        return Twin(_("A customer that you do not see"), None, who, reason)
    return Twin(f"{row.code} {row.name}", row, " · ".join(filter(None, (row.city, who))), reason)
