"""Customers that may be the one somebody is about to enter (rule C-01): names and tax numbers in plain form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm.customers.models import Customer, CustomerType
from crm.customers.plain import Forms, NameWords, Plain, plain_forms
from kit.exchange.importing_batch import Batch
from kit.exchange.importing_run import Entry
from kit.pages.actions import Twin
from kit.rules.search import matching

SHOWN = 3
LOOKED_AT = 50
NUMBER, NAME = 6, 4  # letters of a tax number, bytes of a name, from which on they tell something


def twins(values: Mapping[str, str], user: Any) -> list[Twin]:
    """Up to three customers of the same tax number, the same or a containing name; the surest first.

    All customers are looked at. Of those out of sight nothing is told but who is responsible, and only for the same
    tax number or name: a part of a name would be a way to ask for the customers of others.
    """
    (given,) = plain_forms([(values.get("name", ""), values.get("tax_number", ""))])
    telling = _telling(given)
    found: dict[int, tuple[int, Any]] = {}
    if telling.name or telling.number:
        for row in _first(same({telling.name} - {""}, {telling.number} - {""})):
            found[row.pk] = (0 if telling.number and row.plain_number == telling.number else 1, row)
    if telling.name:
        for row in _first(matching(_compared(), given.words)):
            if given.name in row.plain_name:
                found.setdefault(row.pk, (2, row))
    seen = _seen(found, user)
    told = [(near, row.pk not in seen, row) for near, row in found.values() if row.pk in seen or near < 2]
    told.sort(key=lambda one: (one[0], one[1], one[2].pk))
    return [_twin(near, hidden, row) for near, hidden, row in told[:SHOWN]]


def same(names: Collection[str], numbers: Collection[str]) -> QuerySet[Any]:
    """The customers of these plain names or tax numbers, by index; rows carry `plain_name` and `plain_number`."""
    wanted = Q(plain_name__in=names) if names else Q()
    return _compared().filter(wanted | (Q(plain_number__in=numbers) & ~Q(tax_number="")) if numbers else wanted)


def _compared() -> QuerySet[Any]:
    return Customer.objects.annotate(plain_name=Plain(NameWords("name")), plain_number=Plain("tax_number"))


def _telling(given: Forms) -> Forms:
    """What is long enough to be compared; the rest is empty."""
    name = given.name if len(given.name.encode()) >= NAME else ""
    return given._replace(name=name, number=given.number if len(given.number) >= NUMBER else "")


def _first(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.select_related("owner", "department").order_by("pk")[:LOOKED_AT])


def _seen(keys: Iterable[int], user: Any) -> set[int]:
    """Which customers `user` sees; None sees all of them."""
    wanted = set(keys)
    if user is None or not wanted:
        return wanted
    return set(Customer.objects.visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True))


def _twin(near: int, hidden: bool, row: Customer) -> Twin:
    reason = [_("same tax number"), _("same name"), _("similar name")][near]
    who = " · ".join(str(one) for one in (row.owner, row.department) if one is not None)
    if hidden:
        return Twin(_("A customer that you do not see"), None, who, reason)
    return Twin(f"{row.code} {row.name}", row, " · ".join(filter(None, (row.city, who))), reason)


# Files ---------------------------------------------------------------------------------------------------------


def refuse_twins(batch: Batch, entries: Sequence[Entry], titles: Mapping[str, str]) -> None:
    """Do not import rows with the tax number or company name of another customer or of an earlier row (C-01).

    Persons share names. `titles` names the columns of `name` and `tax_number`. Three statements, whatever the number
    of rows.
    """
    asked = [entry for entry in entries if not entry.row.bad and (entry.new or entry.changed & set(titles))]
    given = [(e.record.name if e.record.type == CustomerType.COMPANY else "", e.record.tax_number) for e in asked]
    forms = [_telling(form) for form in plain_forms(given)] if asked else []
    stored: dict[tuple[str, str], list[Any]] = {}
    if any(form.name or form.number for form in forms):
        rows = same({form.name for form in forms} - {""}, {form.number for form in forms} - {""})
        for row in rows.select_related("owner", "department").order_by("pk"):
            stored.setdefault(("tax_number", row.plain_number), []).append(row)
            if row.type == CustomerType.COMPANY:
                stored.setdefault(("name", row.plain_name), []).append(row)
    seen = _seen({row.pk for found in stored.values() for row in found}, batch.by) if stored else set()
    for entry, form in zip(asked, forms, strict=True):
        for near, (field, value) in enumerate((("tax_number", form.number), ("name", form.name))):
            if not value or not (entry.new or field in entry.changed):
                continue
            others = [row for row in stored.get((field, value), ()) if row.pk != entry.record.pk]
            if problem := _problem(batch, entry, (field, value), others[:1], near, seen):
                batch.error(entry.row, titles[field], problem)
                break


def _problem(
    batch: Batch, entry: Entry, key: tuple[str, str], others: Sequence[Any], near: int, seen: Collection[int]
) -> str:
    """Why a row is not imported: an earlier row of its name or number, or the customer that has it."""
    before = batch.memory.setdefault("twins", {}).setdefault(key, entry.row.number)
    if before != entry.row.number:
        return (_("Row %s has the same name.") if near else _("Row %s has the same tax number.")) % before
    for row in others:
        twin = _twin(near, row.pk not in seen, row)
        facts = " · ".join(filter(None, (twin.label, str(twin.facts))))
        return _("It is there already: %(who)s (%(reason)s).") % {"who": facts, "reason": twin.reason}
    return ""
