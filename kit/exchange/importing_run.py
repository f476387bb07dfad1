"""One run of a `RecordImporter` over a file: what exists, what changes, and how it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError, IntegrityError, models, transaction
from django.utils.translation import gettext as _

from kit.exchange.exporting import plain
from kit.exchange.importing_batch import KEPT, WRONG, Batch, Row
from kit.exchange.importing_columns import text_of
from kit.pages.views.edit import integrity_message
from kit.rules.permissions import ALL, beyond_reach, may
from kit.rules.search import PinyinField
from kit.values.errors import BusinessError

if TYPE_CHECKING:
    from kit.exchange.importing_records import RecordImporter

LOOKED_UP = 1000  # keys per statement
STORED = 500  # records per statement


@dataclass(eq=False)
class Entry:
    """A row with its record: new, or found; `changed` are the fields it sets, `many` its sets of records."""

    row: Row
    record: Any
    new: bool
    changed: set[str] = field(default_factory=set)
    many: dict[str, list[Any]] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)  # fields that name records of this file


class RecordRun:
    """Works through the chunks of one file; remembers which keys it has seen."""

    def __init__(self, importer: RecordImporter, batch: Batch) -> None:
        self.importer, self.batch = importer, batch
        self.model = importer.model
        self.seen: dict[Any, int] = {}
        self.given = {title: f for title, f in importer.fields.items() if title in batch.given}
        self.key = [importer.page.meta.get_field(name) for name in importer.key]
        self.may_change = batch.by is None or may(batch.by, "change", self.model)
        self.sees_all = batch.by is None or batch.by.data_scope(self.model) == ALL

    def take(self, rows: Sequence[Row]) -> None:
        """Create and update the records of some rows."""
        good = [row for row in rows if not self.batch.repeat(row.number, [row]) and not row.bad and self._first(row)]
        existing = self._existing(good)
        entries = [entry for row in good if (entry := self._entry(row, existing)) is not None]
        self._link(entries)
        self._check_circles(entries)
        self.importer.complete(self, entries)
        entries = [entry for entry in entries if not entry.row.bad]
        fresh = [entry for entry in entries if entry.new]
        changed = [entry for entry in entries if not entry.new and (entry.changed or entry.many or entry.own)]
        same_as_before = [e.row for e in entries if not (e.new or e.changed or e.many or e.own)]
        self._store(fresh, self._insert, "new")
        self._store(changed, self._update, "updated")
        self._store_own([*fresh, *changed])
        self.batch.done(same_as_before, "unchanged")
        self.batch.report.unchanged += len(same_as_before)

    # ---- finding ----

    def _key_of(self, row: Row) -> tuple[Any, ...]:
        values = []
        for column in self.key:
            value = row.get(self.importer.title_of(column.name))
            if value is None and not column.null:
                value = column.get_default() if column.has_default() else ""
            values.append(value.pk if isinstance(value, models.Model) else _plain(value))
        return tuple(values)

    def _first(self, row: Row) -> bool:
        """Whether no earlier row has the same key; the second one is refused."""
        key = self._key_of(row)
        if key == ("",):  # a record without a key of its own: always new
            return True
        before = self.seen.setdefault(key, row.number)
        if before != row.number:
            name = self.importer.title_of(self.key[0].name)
            self.batch.error(row, name, _("Row %s has the same key.") % before)
        return before == row.number

    def _existing(self, rows: Sequence[Row]) -> dict[tuple[Any, ...], Any]:
        """The records of `rows` by key, locked in key order."""
        wanted = [key for key in map(self._key_of, rows) if key != ("",)]
        first = self.key[0]
        values = sorted({key[0] for key in wanted if key[0] is not None}, key=str)
        found = {}
        for start in range(0, len(values), LOOKED_UP):
            condition = {f"{first.name}__in": values[start : start + LOOKED_UP]}
            records = self.model._default_manager.filter(**condition).select_for_update(of=("self",)).order_by("pk")
            for record in records:
                found[tuple(_plain(getattr(record, column.attname)) for column in self.key)] = record
        if found and not self.sees_all:
            self._hide(found)
        return found

    def _hide(self, found: dict[tuple[Any, ...], Any]) -> None:
        """Records of others are neither shown nor changed: their keys are taken, that is all one learns."""
        keys = [record.pk for record in found.values()]
        rows = self.model._default_manager.visible_to(self.batch.by).filter(pk__in=keys)
        visible = set(rows.values_list("pk", flat=True))
        for key, record in found.items():
            if record.pk not in visible:
                found[key] = None

    # ---- one row ----

    def _entry(self, row: Row, existing: Mapping[tuple[Any, ...], Any]) -> Entry | None:
        key = self._key_of(row)
        record = existing.get(key)
        if key in existing and not self._may_update(row, record):
            return None
        entry = Entry(row, record if record is not None else self.model(), record is None)
        if entry.new and key != ("",):
            for column in self.key:
                self._set(entry, self.importer.title_of(column.name), column)
        names = {column.name for column in self.key}
        for title, column in self.given.items():
            if column.name not in names:
                self._set(entry, title, column)
        if entry.new and not row.bad:
            self.importer.prepare(entry.record, self.batch.by)
            self._require(entry)
        self._clean(entry)
        return None if row.bad else entry

    def _may_update(self, row: Row, record: Any) -> bool:
        name = self.importer.title_of(self.key[0].name)
        if record is None:
            self.batch.error(row, name, _("This key is taken."))
        elif not self.batch.options.update:
            self.batch.error(row, name, _("%s exists already. Choose to update existing records.") % record)
        elif not self.may_change:
            self.batch.error(row, name, _("You may not change %s.") % record)
        return not row.bad

    def _set(self, entry: Entry, title: str, column: Any) -> None:
        """Give the record the value of one cell, if it differs."""
        value = entry.row.values.get(title)
        if value is None or value is WRONG or (value == "" and not column.many_to_many):
            value = self._empty(entry, title, column)
            if value is KEEP:
                return
        if column.many_to_many:
            before = [] if entry.new else list(getattr(entry.record, column.name).all())
            if {other.pk for other in before} != {other.pk for other in value or []}:
                entry.many[column.name] = value or []
                self._tell_change(entry, title, ", ".join(text_of(other) for other in before))
        elif isinstance(value, str) and column.is_relation:
            entry.own[column.name] = value
        elif entry.new:
            setattr(entry.record, column.name, value)
        elif not same(getattr(entry.record, column.attname), value):
            before = getattr(entry.record, column.name)
            self._tell_change(entry, title, text_of(before) if column.is_relation else plain(before))
            setattr(entry.record, column.name, value)
            entry.changed.add(column.name)

    def _empty(self, entry: Entry, title: str, column: Any) -> Any:
        """What an empty cell means: clear, keep, or the default of a new record."""
        if not entry.new and self.batch.options.keep_empty:
            return KEEP
        if column.many_to_many:
            return []
        if column.null:
            return None
        if column.blank and column.empty_strings_allowed:
            return ""
        return KEEP  # a new record has its default, an existing one its value

    def _tell_change(self, entry: Entry, title: str, before: str) -> None:
        report = self.batch.report
        if not entry.new and len(report.changes) < KEPT:
            report.changes.setdefault(entry.row.number, {})[title] = before

    def _require(self, entry: Entry) -> None:
        """Refuse new records that lack what every record has."""
        for title, column in self.importer.fields.items():
            if column.many_to_many or column.blank or column.primary_key or column.name in entry.own:
                continue
            value = getattr(entry.record, column.attname)
            if (value is None and not column.null) or value == "":
                known = title if title in self.given else ""
                self.batch.error(entry.row, known, _("There is no value for “%s”.") % title)

    def _clean(self, entry: Entry) -> None:
        """The model's own check of fields that depend on one another, and whose the record becomes."""
        if entry.row.bad or not (entry.new or entry.changed):
            return
        if self.batch.by is not None and not self.sees_all:
            named = {f.name for f in self.given.values()} & {"owner", "department"}
            given = {n: getattr(entry.record, n) for n in named if entry.new or n in entry.changed}
            given["customer"] = getattr(entry.record, "customer", None)
            for name in beyond_reach(self.batch.by, self.model, given):
                message = _("%s is not in your part of the company.") % given[name]
                self.batch.error(entry.row, self.importer.title_of(name), message)
        try:
            entry.record.clean()
        except ValidationError as error:
            for name, messages in error.update_error_dict({}).items():
                self.batch.error(
                    entry.row,
                    self.importer.title_of(name) if name != NON_FIELD_ERRORS else "",
                    " ".join(text for problem in messages for text in problem.messages),
                )

    # ---- records of the same file ----

    def _link(self, entries: Sequence[Entry]) -> None:
        """Find the records of this file that others name; refuse unknown ones."""
        if not any(entry.own for entry in entries):
            return
        by_text: dict[str, Any] = {}
        for name in ("name", "code"):  # the code wins
            by_text |= {text: entry.record for entry in entries if (text := getattr(entry.record, name, ""))}
        for entry in entries:
            for name, text in entry.own.items():
                if text not in by_text:
                    message = _("There is no %(model)s “%(value)s”, neither stored nor in this file.")
                    facts = {"model": self.model._meta.verbose_name, "value": text}
                    self.batch.error(entry.row, self.importer.title_of(name), message % facts)
            entry.own = {name: by_text.get(text) for name, text in entry.own.items()}

    def _check_circles(self, entries: Sequence[Entry]) -> None:
        """Refuse rows that put a record above itself: alone, together, or with what is stored already."""
        for name in self.importer.own:
            moved = [entry for entry in entries if entry.new or name in entry.own or name in entry.changed]
            if not any(name in entry.own or name in entry.changed for entry in moved):
                continue  # new records below stored ones only
            above: dict[Any, Any] = dict(self.model._default_manager.values_list("pk", f"{name}_id"))
            for entry in moved:
                parent = entry.own.get(name) if name in entry.own else getattr(entry.record, name)
                above[_node(entry.record)] = None if parent is None else _node(parent)
            for entry in moved:
                node, seen = above[_node(entry.record)], set()
                while node is not None and node not in seen:
                    seen.add(node)
                    node = above.get(node)
                if _node(entry.record) in seen:
                    message = _("%s is above itself.") % entry.record
                    self.batch.error(entry.row, self.importer.title_of(name), message)

    # ---- storing ----

    def _store(self, entries: Sequence[Entry], store: Any, status: str) -> None:
        """Store `entries` together; where the database refuses, one by one to find the bad ones."""
        report = self.batch.report
        for start in range(0, len(entries), STORED):
            part = entries[start : start + STORED]
            try:
                with transaction.atomic():
                    store(part)
                good = part
            except (DatabaseError, BusinessError, models.ProtectedError):
                good = [entry for entry in part if self._stored_alone(entry, store)]
            self.batch.done([entry.row for entry in good], status)
            setattr(report, status, getattr(report, status) + len(good))

    def _stored_alone(self, entry: Entry, store: Any) -> bool:
        try:
            with transaction.atomic():
                if entry.new:
                    entry.record.pk = None
                    entry.record._state.adding = True
                store([entry])
            return True
        except BusinessError as error:
            self.batch.error(entry.row, "", str(error))
        except IntegrityError as error:
            message = integrity_message(self.importer.page, error)
            self.batch.error(entry.row, self._column_of(entry.row, error), message)
        except DatabaseError as error:
            self.batch.error(entry.row, "", str(error).splitlines()[0])
        return False

    def _column_of(self, row: Row, error: IntegrityError) -> str:
        """The column that a violated check is about: the only one the file has, or the one that is negative."""
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        checks = (c for c in self.model._meta.constraints if isinstance(c, models.CheckConstraint) and c.name == name)
        conditions: list[Any] = [check.condition for check in checks]
        about = {field for condition in conditions for field in condition.referenced_base_fields}
        titles = [title for title, field in self.given.items() if field.name in about]
        negative = [title for title in titles if isinstance(n := row.get(title), Decimal) and n < 0]
        return next(iter(titles if len(titles) == 1 else negative), "")

    def _insert(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if hasattr(entry.record, "created_by_id") and entry.record.created_by_id is None:
                entry.record.created_by = self.batch.by
        self._save(entries)
        self._set_many(entries)

    def _update(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if hasattr(entry.record, "version"):
                entry.record.version += 1
        plain_ones = [entry for entry in entries if entry.changed]
        if self._saves_alone:
            self._save(plain_ones)
        elif plain_ones:
            fields = {name for entry in plain_ones for name in entry.changed}
            self._overwrite([entry.record for entry in plain_ones], fields)
        self._set_many(entries)

    @property
    def _saves_alone(self) -> bool:
        return type(self.importer.page).save is not None and not self.importer.bulk

    def _save(self, entries: Sequence[Entry]) -> None:
        if self._saves_alone:
            for entry in entries:
                type(self.importer.page).save(entry.record, by=self.batch.by)
        elif entries:
            self.model._default_manager.bulk_create([entry.record for entry in entries])

    def _overwrite(self, records: Sequence[Any], fields: Iterable[str]) -> None:
        """One statement for all records: they are loaded whole and locked, so the conflict always updates."""
        names = set(fields)
        for column in self.model._meta.concrete_fields:
            if column.name in ("version", "updated_at") or isinstance(column, PinyinField):
                names.add(column.name)
        self.model._default_manager.bulk_create(
            records, update_conflicts=True, unique_fields=["pk"], update_fields=sorted(names)
        )

    def _set_many(self, entries: Sequence[Entry]) -> None:
        """Replace the sets of records, with two statements for each field."""
        for name in {name for entry in entries for name in entry.many}:
            with_it = [entry for entry in entries if name in entry.many]
            relation = self.model._meta.get_field(name)
            through = relation.remote_field.through
            source, target = relation.m2m_field_name(), relation.m2m_reverse_field_name()
            through._default_manager.filter(**{f"{source}__in": [e.record.pk for e in with_it if not e.new]}).delete()
            through._default_manager.bulk_create(
                through(**{source: entry.record, target: other}) for entry in with_it for other in entry.many[name]
            )

    def _store_own(self, entries: Sequence[Entry]) -> None:
        """Parents come last: they may have been made with their children. What fails makes another round."""
        for entry in (entry for entry in entries if entry.own and not entry.row.bad):
            for name, record in entry.own.items():
                if record.pk is None:
                    message = _("%s is not imported because of its own errors.") % record
                    self.batch.refuse(entry.row.number, [entry.row], BusinessError(message, field=name))
                setattr(entry.record, name, record)
        ready = [entry for entry in entries if entry.own and not entry.row.bad]
        names = {name for entry in ready for name in entry.own}
        if ready:
            with transaction.atomic():
                self._overwrite([entry.record for entry in ready], names)


class _Keep:
    """An empty cell that leaves the value as it is."""


KEEP = _Keep()


def _node(record: Any) -> Any:
    """What tells a record of a tree from the others, stored or not."""
    return record.pk if record.pk is not None else ("new", id(record))


def _plain(value: Any) -> Any:
    """A key value in the form in which it is compared."""
    if isinstance(value, Decimal):
        return value.normalize() + 0
    return value.strip() if isinstance(value, str) else value


def same(before: Any, value: Any) -> bool:
    """Whether a cell says what is stored: blanks at the ends and kinds of line ends do not matter."""
    if isinstance(value, models.Model):
        return before == value.pk
    if isinstance(before, str) or isinstance(value, str):
        return _lines(before) == _lines(value)
    return before == value


def _lines(text: Any) -> str:
    return "\n".join(str(text or "").split("\r\n")).replace("\r", "\n").strip()
