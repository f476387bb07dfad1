"""Requests made with user-defined forms, and the forms as kinds of the engine (rule X-14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from kit.pages import formats
from kit.values.errors import BusinessError, Problem
from kit.values.keys import is_key
from kit.values.money import round_money
from oa.approvals.conditions import CHOICE, FLAG, NUMBER, RECORD, TEXT, Fact
from oa.approvals.contents import departments_up
from oa.approvals.models import FormRequest, RequestForm
from oa.approvals.models.forms import FORM_KIND, FieldType, field_label
from oa.approvals.registry import Approvable, approvables
from oa.organisation.models import Department, User
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.numbering import next_number

_KINDS = {
    FieldType.NUMBER: NUMBER,
    FieldType.AMOUNT: NUMBER,
    FieldType.CHOICE: CHOICE,
    FieldType.FLAG: FLAG,
    FieldType.PERSON: RECORD,
    FieldType.DEPARTMENT: RECORD,
}


@command
def save_request(
    request: FormRequest, values: Mapping[str, Any], *, by: Any, version: int | None = None
) -> FormRequest:
    """Store a draft with `values` by field name, as text; refused once it is submitted (rule X-06)."""
    if request.pk is not None:
        stored = locked(FormRequest.objects.all(), request.pk, version=version)
        if stored.state != "draft":
            raise BusinessError(_("%s is in approval or decided; it cannot be changed.") % stored)
        request.version = stored.version + 1
    else:
        request.owner, request.created_by = by, by
        request.department_id = by.department_id
    request.fields = request.form.fields
    request.values = cleaned(request.fields, values)
    request.title = title_of(request)
    request.save()
    return request


def title_of(request: FormRequest) -> str:
    """The name of the form with the first words that were filled in."""
    words = (request.values[f["name"]] for f in request.fields if f["type"] in (FieldType.TEXT, FieldType.LONG))
    first = next((text for text in words if text), "")
    return f"{request.form} · {first[:60]}" if first else str(request.form)


def cleaned(fields: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the known fields as text; raises BusinessError naming every field that is empty or wrong."""
    made, problems = {}, []
    for field in fields:
        given = values.get(field["name"], "")
        text = "" if given is None else str(given).strip()
        if field.get("required") and not text:
            problems.append(Problem(_("Enter %s.") % field_label(dict(field)), field=field["name"]))
            continue
        try:
            made[field["name"]] = _clean(field, text) if text else ""
        except ValueError as error:
            problems.append(Problem(str(error), field=field["name"]))
    if problems:
        raise BusinessError(problems=problems)
    return made


def _clean(field: Mapping[str, Any], text: str) -> str:
    """One value in its stored form; raises ValueError in words."""
    kind = field["type"]
    if kind in (FieldType.NUMBER, FieldType.AMOUNT):
        number = formats.parse_number(text) or Decimal(0)
        return format(round_money(number) if kind == FieldType.AMOUNT else number, "f")
    if kind == FieldType.DATE:
        return str(formats.parse_date(text))
    if kind == FieldType.TIME:
        try:
            return dt.datetime.fromisoformat(text).isoformat(sep=" ", timespec="minutes")
        except ValueError:
            raise ValueError(_("“%s” is not a date with a time.") % text) from None
    if kind == FieldType.CHOICE and text not in field.get("options", []):
        raise ValueError(_("Choose one of the offered values."))
    if kind == FieldType.PERSON and not (is_key(text) and User.objects.filter(pk=text, is_active=True).exists()):
        raise ValueError(_("Choose a colleague."))
    if kind == FieldType.DEPARTMENT and not (is_key(text) and Department.objects.filter(pk=text).exists()):
        raise ValueError(_("Choose a department."))
    return "yes" if kind == FieldType.FLAG else text


# ---- what the engine asks ----


def approvable_form(kind: str) -> Approvable | None:
    """The kind `form:CODE`, None when there is no such form."""
    form = RequestForm.objects.filter(code=kind.removeprefix(FORM_KIND)).first()
    if form is None:
        return None
    return Approvable(
        kind=kind,
        label=str(form),
        model=FormRequest,
        fields=tuple(_fact(field) for field in form.fields),
        facts=_facts,
        content=_content,
        lock=_lock,
        unlock=_unlock,
        effect=_effect,
        summary=_summary,
        editable=tuple((field["name"], field_label(field)) for field in form.fields),
        edit=_edit,
        icon="file-pen-line",
    )


def form_kinds() -> list[tuple[str, Any]]:
    """(kind, label) pairs of the active forms."""
    return [(form.kind, str(form)) for form in RequestForm.objects.filter(active=True)]


def _fact(field: dict[str, Any]) -> Fact:
    kind = _KINDS.get(field["type"], TEXT)
    options = [(option, option) for option in field.get("options", [])]
    return Fact(
        field["name"],
        field_label(field),
        kind,
        (lambda: options) if kind == CHOICE else _records(field["type"]),
        person=field["type"] == FieldType.PERSON,
        department=field["type"] == FieldType.DEPARTMENT,
    )


def _records(kind: str) -> Any:
    if kind == FieldType.DEPARTMENT:
        return lambda: [(str(pk), name) for pk, name in Department.objects.values_list("pk", "name")]
    return tuple


def _facts(request: FormRequest) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in request.fields:
        value = request.values.get(field["name"], "")
        if field["type"] == FieldType.DEPARTMENT:
            made[field["name"]] = departments_up(int(value) if value else None)
        elif field["type"] in _KINDS:
            made[field["name"]] = value or None if _KINDS[field["type"]] == NUMBER else value
    amount = next((f["name"] for f in request.fields if f["type"] == FieldType.AMOUNT), None)
    if amount is not None:
        made.setdefault("amount", request.values.get(amount) or None)
    return made


def _content(request: FormRequest) -> dict[str, Any]:
    return {"title": request.title, "date": str(request.date), "note": request.note, **request.values}


def _lock(request: FormRequest) -> None:
    _set_state(request, "lock")


def _unlock(request: FormRequest) -> None:
    _set_state(request, "unlock")


def _effect(request: FormRequest, by: Any) -> None:
    """An approved request is issued: it gets its number now (rule G-01)."""
    request.number = next_number(FormRequest.SEQUENCE, request.date)
    _set_state(request, "approve")


def _set_state(request: FormRequest, transition: str) -> None:
    request.state = FormRequest.STATES.check(transition, request).target
    request.version += 1
    request.save()


def _edit(request: FormRequest, values: Mapping[str, Any], by: Any) -> None:
    request.values = cleaned(request.fields, {**request.values, **values})
    request.version += 1
    request.save()


def _summary(request: FormRequest) -> list[tuple[Any, Any]]:
    return [(field_label(field), shown(field, request.values.get(field["name"], ""))) for field in request.fields]


def shown(field: Mapping[str, Any], value: str) -> str:
    """A stored value as people read it."""
    if not value:
        return ""
    if field["type"] == FieldType.PERSON:
        return str(User.objects.filter(pk=value).first() or "")
    if field["type"] == FieldType.DEPARTMENT:
        return str(Department.objects.filter(pk=value).first() or "")
    if field["type"] == FieldType.FLAG:
        return _("yes")
    if field["type"] in (FieldType.AMOUNT, FieldType.NUMBER):
        return formats.trimmed(formats.parse_number(value), 2 if field["type"] == FieldType.AMOUNT else 0)
    return value


approvables.source(FORM_KIND, approvable_form, form_kinds)
