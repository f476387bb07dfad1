"""What a report is asked with: typed parameters from texts, of a page or of the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _

from kit.pages.formats import parse_date
from kit.rules.permissions import ALL
from kit.values.dates import month_end
from kit.values.errors import BusinessError
from kit.values.keys import is_key

TRUE, FALSE = {"yes", "true", "1", "on", "y"}, {"no", "false", "0", "off", "n"}


class AllSeeing:
    """Who runs a report from the command line without naming a user: sees every row."""

    pk = None
    is_active = True

    def data_scope(self, model: Any) -> str:
        """Every row of every model."""
        return ALL

    def has_perm(self, permission: str) -> bool:
        """Every permission."""
        return True

    def __str__(self) -> str:
        return str(_("System"))


SYSTEM = AllSeeing()


@dataclass(frozen=True)
class Param:
    """What a report is asked with.

    Kinds: date, period (`2026-11`, a pair of dates), choice, model (found by its code, or `#<key>`), bool,
    text. `default` is a text, or a function of the values known so far; None means "not limited".
    `choices` are (value, label) pairs, `also` further words for them, `model` a label such as `erp.account`.
    """

    name: str
    label: Any
    kind: str = "text"
    default: Callable[[dict[str, Any]], Any] | str | None = None
    choices: Sequence[tuple[str, Any]] = ()
    also: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    required: bool = False

    def parse(self, text: str, user: Any) -> Any:
        """The value that `text` stands for; BusinessError says what is wrong with it."""
        return getattr(self, f"_{self.kind}")(text.strip(), user)

    def shown(self, value: Any) -> str:
        """`value` in words."""
        if self.kind == "choice":
            return str(dict(self.choices).get(value, value))
        if self.kind == "bool":
            return str(_("yes") if value else _("no"))
        return value[0].strftime("%Y-%m") if self.kind == "period" else str(value)

    def _text(self, text: str, user: Any) -> str:
        return text

    def _bool(self, text: str, user: Any) -> bool:
        if text.lower() in TRUE | FALSE:
            return text.lower() in TRUE
        raise BusinessError(_("“%s” is neither yes nor no.") % text, field=self.name)

    def _date(self, text: str, user: Any) -> dt.date | None:
        try:
            return parse_date(text)
        except ValueError as error:
            raise BusinessError(str(error), field=self.name) from None

    def _period(self, text: str, user: Any) -> tuple[dt.date, dt.date]:
        try:
            start = dt.datetime.strptime(text, "%Y-%m").date()
        except ValueError:
            raise BusinessError(_("“%s” is not a period; write it as 2026-11.") % text, field=self.name) from None
        return start, month_end(start)

    def _choice(self, text: str, user: Any) -> str:
        names = [name for name, _label in self.choices]
        if text in self.also:
            return self.also[text]
        if text not in names:
            raise BusinessError(
                _("“%(value)s” is not offered; choose one of %(names)s.") % {"value": text, "names": ", ".join(names)},
                field=self.name,
            )
        return text

    def _model(self, text: str, user: Any) -> Any:
        model = apps.get_model(self.model)
        rows = model._default_manager.visible_to(user)
        key = {"pk": int(text[1:])} if text[:1] == "#" and is_key(text[1:]) else {code_field(model): text}
        found = rows.filter(**key).first()
        if found is None:
            raise BusinessError(
                _("There is no %(model)s “%(value)s”.") % {"model": model._meta.verbose_name, "value": text},
                field=self.name,
            )
        return found


def code_field(model: Any) -> str:
    """The column by which people name a record of `model`."""
    for name in ("code", "username", "number"):
        try:
            model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        return name
    return "pk"


def code_of(record: Any) -> str:
    """The text that finds `record` again as a parameter."""
    return str(getattr(record, code_field(type(record)), None) or f"#{record.pk}")
