"""Masters from a file: rows become records of a resource, found again by their key (create and update)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.exchange import exporting
from kit.exchange.importing_batch import CHUNK, Batch, Importer
from kit.exchange.importing_columns import Column, Lookup, text_of
from kit.exchange.importing_run import Entry, RecordRun
from kit.pages.resources import Resource, registry
from kit.rules.fields import FractionField, MoneyField, PercentField, PriceField, QuantityField, RateField
from kit.values.errors import BusinessError

WHOLE_FILE = 1_000_000  # rows may name one another: they are read all at once
EXPORTED = 2000  # rows fetched at a time
_KINDS: tuple[tuple[type[models.Field[Any, Any]], str], ...] = (
    (MoneyField, "money"),
    (PriceField, "price"),
    (RateField, "rate"),
    (QuantityField, "quantity"),
    (PercentField, "percent"),
    (FractionField, "fraction"),
    (models.DecimalField, "number"),
    (models.BooleanField, "bool"),
    (models.DateField, "date"),
    (models.IntegerField, "integer"),
)


class RecordImporter(Importer):
    """The records of a resource: its `fields` are the columns, upsert goes by its key.

    Subclasses may rename columns (`names`: field -> title), add titles, make records that are named and
    missing (`make`: field -> function of text and person), and complete new records (`prepare`).
    """

    names: ClassVar[Mapping[str, str]] = {}
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    make: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[Sequence[str]] = ()  # fields beyond the key without which there is no record
    bulk: ClassVar[bool] = False  # whether `prepare` does what the resource's `save` does

    def __init__(self, resource: str = "", kind: str = "") -> None:
        self.resource = resource or self.resource
        self.kind = kind or self.kind or self.resource

    # ---- the declaration ----

    @property
    def page(self) -> Resource:
        """The resource whose records these are."""
        return registry[self.resource]

    @property
    def model(self) -> Any:
        """Its model."""
        return self.page.model

    @cached_property
    def title(self) -> Any:
        """What many of them are called."""
        return self.page.title_plural

    @property
    def permissions(self) -> Sequence[str]:
        """Who may make them."""
        meta = self.model._meta
        return (f"{meta.app_label}.add_{meta.model_name}",)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The fields that tell records apart."""
        page = self.page
        if page.import_key:
            return tuple(page.import_key)
        if page.key_field in page.fields:
            return (page.key_field,)
        for field in page.meta.fields:
            if field.unique and field.name in page.fields:
                return (field.name,)
        for constraint in page.meta.constraints:
            named = isinstance(constraint, models.UniqueConstraint) and constraint.condition is None
            if named and constraint.fields and set(constraint.fields) <= set(page.fields):
                return tuple(constraint.fields)
        return ("id",)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Title -> model field."""
        names = [*(name for name in self.key if name not in self.page.fields), *self.page.fields]
        return {self.names.get(name, name): self.page.meta.get_field(name) for name in names}

    def title_of(self, field: str) -> str:
        """The title of a field."""
        return self.names.get(field, field)

    @cached_property
    def own(self) -> tuple[str, ...]:
        """Fields that name another record of the same kind, such as a parent."""
        return tuple(f.name for f in self.fields.values() if f.many_to_one and f.related_model is self.model)

    @cached_property
    def _columns(self) -> list[Column]:
        return [self._column(title, field) for title, field in self.fields.items()]

    def columns(self) -> Sequence[Column]:
        """One column for each field of the resource."""
        return self._columns

    def _column(self, title: str, field: Any) -> Column:
        required = field.name in self.required or (
            field.name in self.key and not field.null and field.name != "id" and not field.has_default()
        )
        aliases = (field.name, *self.aliases.get(field.name, ()))
        common: dict[str, Any] = {"required": required, "aliases": aliases}
        if field.is_relation:
            kind = "records" if field.many_to_many else "record"
            return Column(
                title,
                field.verbose_name,
                kind,
                model=field.related_model,
                own=field.name in self.own,
                make=self.make.get(field.name),
                **common,
            )
        if field.choices:
            return Column(title, field.verbose_name, "choice", choices=tuple(field.flatchoices), **common)
        kind = next((kind for cls, kind in _KINDS if isinstance(field, cls)), "text")
        length = (getattr(field, "max_length", None) or 0) if kind == "text" else 0
        label = gettext_lazy("key") if field.primary_key else field.verbose_name
        return Column(title, label, kind, length=length, field=field, **common)

    # ---- what subclasses may add ----

    def prepare(self, record: Any, by: Any) -> None:
        """Complete a new record before it is stored."""

    def complete(self, run: RecordRun, entries: Sequence[Entry]) -> None:
        """Called before records are stored, when it is known which of the file's records name one another."""

    # ---- in ----

    def write(self, batch: Batch) -> None:
        """Create and update records, chunk by chunk."""
        run = RecordRun(self, batch)
        done = 0
        named = any(self.title_of(name) in batch.given for name in self.own)
        for rows in batch.chunks(WHOLE_FILE if named else CHUNK):
            run.take(rows)
            done += len(rows)
            batch.tell(done, 0)

    # ---- out ----

    def export(self, rows: models.QuerySet[Any]) -> tuple[list[exporting.Column], Iterable[list[Any]]]:
        """`rows` with the titles that are read back; records by code, choices by value."""
        kinds = {"record": "text", "records": "text", "choice": "text"}
        columns = [exporting.Column(c.name, c.label, kinds.get(c.kind, c.kind)) for c in self._columns]
        return columns, self._exported(rows)

    def _exported(self, rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
        single = [f.name for f in self.fields.values() if f.many_to_one or f.one_to_one]
        many = [f.name for f in self.fields.values() if f.many_to_many]
        for record in rows.select_related(*single).prefetch_related(*many).iterator(chunk_size=EXPORTED):
            yield [self._cell(record, field) for field in self.fields.values()]

    def _cell(self, record: Any, field: Any) -> Any:
        if field.many_to_many:
            return ", ".join(sorted(text_of(other) for other in getattr(record, field.name).all()))
        value = getattr(record, field.name)
        return text_of(value) if field.is_relation else value

    def exporter(self, filters: Mapping[str, str], user: Any) -> tuple[Sequence[exporting.Column], Iterable[Any]]:
        """`manage.py export`: all records that `user` may see, narrowed by exact values of columns."""
        rows = self.model._default_manager.visible_to(user)
        for name, text in filters.items():
            rows = rows.filter(**self._condition(name, text, user))
        return self.export(rows.order_by(*(self.page.ordering or self.page.meta.ordering), "pk"))

    def _condition(self, name: str, text: str, user: Any) -> dict[str, Any]:
        column = next((c for c in self._columns if name in (c.name, *c.aliases[:1])), None)
        if column is None:
            raise BusinessError(
                _("There is no filter “%(name)s”; there are: %(names)s.")
                % {"name": name, "names": ", ".join(c.name for c in self._columns)}
            )
        try:
            if column.model is None:
                return {self.fields[column.name].name: column.parse(text)}
            lookup = Lookup(column, None)
            lookup.load({text})
            if not lookup.found[text]:
                raise ValueError(
                    _("There is no %(model)s “%(value)s”.") % {"model": column.model._meta.verbose_name, "value": text}
                )
            return {f"{self.fields[column.name].name}__in": lookup.found[text]}
        except ValueError as error:
            raise BusinessError(str(error)) from None
