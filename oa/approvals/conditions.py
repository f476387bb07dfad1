"""Conditions of approval steps as data: alternatives of comparisons over the facts of a document (rule X-01).

`[[a, b], [c]]` holds when a and b hold, or c does; no conditions hold always. A comparison is a dictionary
`{"field": "amount", "op": ">", "value": "50000"}`; values are text as in a form, lists for `in`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.values.errors import BusinessError

NUMBER, CHOICE, RECORD, FLAG, TEXT = "number", "choice", "record", "flag", "text"

Comparison = Mapping[str, Any]
Conditions = Sequence[Sequence[Comparison]]

OPERATORS: dict[str, Any] = {
    ">": gettext_lazy("more than"),
    ">=": gettext_lazy("at least"),
    "<": gettext_lazy("less than"),
    "<=": gettext_lazy("at most"),
    "=": pgettext_lazy("comparison", "is"),
    "!=": gettext_lazy("is not"),
    "in": gettext_lazy("is one of"),
}
SIGNS = {">=": "≥", "<=": "≤", "!=": "≠"}
_BY_KIND = {
    NUMBER: (">", ">=", "<", "<=", "=", "!="),
    CHOICE: ("=", "!=", "in"),
    RECORD: ("=", "!=", "in"),
    FLAG: ("=",),
    TEXT: ("=", "!=", "in"),
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@dataclass(frozen=True)
class Fact:
    """A value of a document that conditions may ask for.

    `kind`: number (a decimal as text), choice, record (a key; `below` widens a department to those under it), flag
    ("yes" or ""), text. `choices` gives (value, label) pairs. `person` facts hold the key of a user and can name
    an approver, `department` facts the key of a department whose head can be asked.
    """

    name: str
    label: Any
    kind: str = TEXT
    choices: Callable[[], Sequence[tuple[str, Any]]] = field(default=tuple)
    person: bool = False
    department: bool = False


def holds(conditions: Conditions, facts: Mapping[str, Any], known: Mapping[str, Fact]) -> bool:
    """Whether one alternative of `conditions` is true of `facts`."""
    return not conditions or any(all(_true(c, facts, known) for c in group) for group in conditions)


def reasons(conditions: Conditions, facts: Mapping[str, Any], known: Mapping[str, Fact]) -> list[Comparison]:
    """The comparisons of the first alternative that is true: why a step is needed."""
    return next((list(group) for group in conditions if all(_true(c, facts, known) for c in group)), [])


def _true(comparison: Comparison, facts: Mapping[str, Any], known: Mapping[str, Fact]) -> bool:
    """An unknown field, as after a form changed, is true: a step too many is seen, a missing one is not."""
    fact = known.get(comparison["field"])
    if fact is None:
        return True
    given = facts.get(fact.name)
    op, wanted = comparison["op"], comparison["value"]
    if fact.kind == NUMBER:
        return given is not None and _COMPARE[op](Decimal(str(given)), Decimal(str(wanted)))
    texts = {str(v) for v in given} if isinstance(given, list) else {"" if given is None else str(given)}
    if op == "in":
        return bool(texts & {str(v) for v in wanted})
    return (str(wanted) in texts) == (op == "=")


def checked(conditions: Any, known: Mapping[str, Fact]) -> list[list[dict[str, Any]]]:
    """`conditions` with clean values; raises BusinessError naming the first comparison that makes no sense."""
    made = []
    for group in conditions or []:
        clean = [_checked(comparison, known) for comparison in group]
        if clean:
            made.append(clean)
    return made


def _checked(comparison: Any, known: Mapping[str, Fact]) -> dict[str, Any]:
    fact = known.get(comparison.get("field", ""))
    if fact is None:
        raise BusinessError(_("Choose what the condition compares."), field="conditions")
    op, value = comparison.get("op"), comparison.get("value")
    if op not in _BY_KIND[fact.kind]:
        raise BusinessError(
            _("%(field)s cannot be compared by “%(op)s”.") % {"field": fact.label, "op": OPERATORS.get(op, op)},
            field="conditions",
        )
    if op == "in":
        value = [v.strip() for v in (value if isinstance(value, list) else str(value or "").split(",")) if v.strip()]
    elif fact.kind == NUMBER:
        value = _number(value, fact)
    else:
        value = str(value if value is not None else "").strip()
    if value in ([], "") and fact.kind not in (FLAG,):
        raise BusinessError(_("Enter what %s is compared with.") % fact.label, field="conditions")
    return {"field": fact.name, "op": op, "value": value}


def _number(value: Any, fact: Fact) -> str:
    try:
        number = Decimal(str(value).replace(",", "").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise BusinessError(
            _("%(field)s is compared with “%(value)s”, which is not a number.") % {"field": fact.label, "value": value},
            field="conditions",
        )
    return format(number, "f")


def in_words(group: Sequence[Comparison], known: Mapping[str, Fact]) -> str:
    """One alternative as people read it: “amount > 50,000 and discount > 10”."""
    return f" {_('and')} ".join(_one_in_words(c, known) for c in group)


def _one_in_words(comparison: Comparison, known: Mapping[str, Fact]) -> str:
    fact, op, value = known.get(comparison["field"]), comparison["op"], comparison["value"]
    if fact is None:
        return f"{comparison['field']} {op} {value}"
    if fact.kind == NUMBER:
        return f"{fact.label} {SIGNS.get(op, op)} {Decimal(value):,f}"
    labels = {str(v): str(label) for v, label in fact.choices()}
    if fact.kind == FLAG:
        return str(fact.label) if value else _("not: %s") % fact.label
    values = value if isinstance(value, list) else [value]
    named = ", ".join(labels.get(v, v) for v in values)
    return f"{fact.label} {SIGNS.get(op, op) if op != 'in' else '='} {named}"
