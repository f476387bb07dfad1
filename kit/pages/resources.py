"""A resource declares an entity once: list, search, filters, record page, form, commands, permissions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.urls import reverse
from django.utils.functional import classproperty, lazy
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kit.pages import nav
from kit.pages.actions import Bulk, Command
from kit.pages.columns import Column, field_of, resolve, resolve_all, with_card
from kit.pages.panels import Figure, commands
from kit.rules.permissions import may
from kit.rules.search import hits
from kit.rules.states import StateTable, command_permission
from kit.values.keys import is_key

Runner = Callable[..., Any]
# Keys that cannot stand in an address: with a slash, or with a meaning of their own there.
_AWKWARD = re.compile(r"/|^\.{1,2}$|^(new|import|export|compute|paste|scan|choose|columns|views|bulk|similar)$|^~\d+$")


def address_key(key: str, pk: int) -> str:
    """What stands for a row in addresses: its key, or `~` and its primary key where that is impossible."""
    return f"~{pk}" if _AWKWARD.search(key) else key


class Resource:
    """Declaration of one entity. Subclass it, set `model` and `path`, decorate with `@register`.

    A resource of the same model with another `name` is another page of it (receipts and payments).
    """

    model: ClassVar[type[models.Model]]
    path: ClassVar[str]  # URL path such as "sales/orders"
    name: ClassVar[str] = ""  # default: the model's name
    label: ClassVar[Any] = ""  # default: verbose_name
    label_plural: ClassVar[Any] = ""
    group: ClassVar[str] = ""  # navigation group; empty: not in the tree
    order: ClassVar[int] = 100
    create_key: ClassVar[str] = ""  # letter in the "New" menu
    go_key: ClassVar[str] = ""  # letter that opens the list after G

    columns: ClassVar[Sequence[str | Column]] = ()
    filters: ClassVar[Sequence[str]] = ()
    searched: ClassVar[bool] = True  # False: the search over everything finds these rows as those of another page
    search_fields: ClassVar[Sequence[str]] = ()  # besides the search column; "customer__search" joins one
    ordering: ClassVar[Sequence[str]] = ()
    fields: ClassVar[Sequence[str]] = ()  # form, record page, import and export
    sections: ClassVar[Sequence[tuple[Any, Sequence[str]]]] = ()  # fields in groups; may stand for `fields`
    form_only: ClassVar[Sequence[str]] = ()  # fields of the form that the record page shows otherwise
    extra_fields: ClassVar[Sequence[str]] = ()  # on the record page and in exports only
    not_exported: ClassVar[Sequence[str]] = ()  # fields that may name a record which the reader does not see
    annotations: ClassVar[Sequence[str]] = ()  # columns that `list_queryset` adds
    related: ClassVar[Sequence[str]] = ()  # select_related for the record page
    key: ClassVar[str] = ""  # what stands in the URL; default code, number or pk
    more: ClassVar[Sequence[str]] = ()  # form fields behind "More fields", so that at most eight stay in sight
    recompute: ClassVar[Sequence[str]] = ()  # head fields whose change computes the lines again
    depends: ClassVar[Mapping[str, str]] = {}  # picker -> form field it is narrowed by
    views: ClassVar[Mapping[str, tuple[Any, models.Q]]] = {}  # further tabs over the list: name -> label, rows
    labels: ClassVar[Mapping[str, Any]] = {}  # what fields are called here that their model gives no name
    quiet: ClassVar[Mapping[str, Any]] = {  # values that say nothing on a record page
        **dict.fromkeys(("rate", "revision"), 1),
        **dict.fromkeys(("discount", "discount_amount"), 0),
        "active": True,
        "blocked": False,
    }
    not_copied: ClassVar[Sequence[str] | None] = None  # fields that a copy begins without; None: there are no copies
    small: ClassVar[bool] = False  # few rows: a select instead of a searched picker
    pick_columns: ClassVar[Sequence[str]] = ()  # facts that tell twins apart in pickers
    default_filters: ClassVar[Mapping[str, Any]] = {}  # fixed conditions of this page's rows
    importable: ClassVar[bool] = True
    import_key: ClassVar[Sequence[str]] = ()  # fields that tell rows apart; default: the key or a unique constraint
    can_create: ClassVar[bool] = True
    can_edit: ClassVar[bool] = True
    icon: ClassVar[str] = "file-text"
    run: ClassVar[Mapping[str, Runner]] = {}  # transition name -> command
    commands: ClassVar[Sequence[Command]] = ()
    bulk: ClassVar[Sequence[str | Bulk]] = ()  # what is done to many rows: names of transitions, actions of their own
    lines: ClassVar[Any] = None  # a kit.pages.lines.LineGrid
    form_class: ClassVar[Any] = None
    twins: ClassVar[Callable[..., Any] | None] = None  # staticmethod(values, user): likely duplicates of a new record
    twins_by: ClassVar[Sequence[str]] = ()  # fields whose typing asks for them
    save: ClassVar[Callable[..., Any] | None] = None  # staticmethod(instance, by=…) when saving has rules
    template: ClassVar[str] = ""

    def __deepcopy__(self, memo: dict[int, Any]) -> Resource:
        """A declaration is shared: forms and filters copy their fields, not what these point to."""
        return self

    @classproperty
    def states(cls) -> StateTable | None:
        """The life cycle of the model, if it has one."""
        return getattr(cls.model, "STATES", None)

    @cached_property
    def meta(self) -> Any:
        """The model's options."""
        return self.model._meta

    @cached_property
    def slug(self) -> str:
        """Name in URL names and registries."""
        return self.name or self.meta.model_name

    @property
    def title(self) -> Any:
        """What one of them is called."""
        return self.label or self.meta.verbose_name

    @property
    def titles(self) -> Any:
        """What many of them are called within a sentence."""
        return self.label_plural or self.meta.verbose_name_plural

    @property
    def title_plural(self) -> Any:
        """What many of them are called."""
        return capfirst(self.titles)

    @cached_property
    def key_field(self) -> str:
        """The field that identifies a row in URLs."""
        if self.key:
            return self.key
        names = {f.name for f in self.meta.fields}
        return next((name for name in ("number", "code") if name in names), "pk")

    @cached_property
    def all_columns(self) -> list[Column]:
        """The list's columns, complete."""
        return with_card(resolve_all(self.model, self.columns))

    def columns_named(self, names: Sequence[str]) -> list[Column]:
        """The list's columns of these paths, others as the model says; all of the list for no names."""
        own = {column.path: column for column in self.all_columns}
        return [own.get(name) or resolve(self.model, name) for name in names] or self.all_columns

    # ---- rows ----

    def queryset(self, user: Any) -> models.QuerySet[Any]:
        """The rows `user` may see."""
        manager: Any = self.model._default_manager
        rows = manager.visible_to(user)
        return rows.filter(**self.default_filters) if self.default_filters else rows

    def list_queryset(self, user: Any) -> models.QuerySet[Any]:
        """Rows of the list; override to annotate columns."""
        return self.queryset(user)

    def findable(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Those of `rows` that a search may find; override to narrow them."""
        return rows

    def search(self, rows: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        """Rows that match what a person typed, in the search column and the joined ones (see `hits`)."""
        condition, places = models.Q(), {"": self.model} if field_of(self.model, "search") is not None else {}
        for path in self.search_fields:
            relation, _dot, last = path.rpartition("__")
            if last != "search":
                condition |= models.Q(**{f"{path}__icontains": text.strip()})
            elif (field := field_of(self.model, relation)) is not None and field.related_model is not None:
                places[relation] = field.related_model
        return self.findable(rows).filter(condition | hits(text, places))

    def lookup(self, key: str) -> dict[str, Any]:
        """The condition that finds the row for the key in a URL."""
        if key.startswith("~") and is_key(key[1:]):
            return {"pk": int(key[1:])}
        if self.key_field == "number" and key.startswith("d-") and is_key(key[2:]):
            return {"pk": int(key[2:])}
        if self.key_field == "pk":
            return {"pk": int(key)} if is_key(key) else {"pk": None}
        return {self.key_field: key}

    def key_of(self, obj: Any) -> str:
        """What stands for `obj` in its URL."""
        if hasattr(obj, "url_key"):
            return address_key(str(obj.url_key), obj.pk)
        return address_key(str(obj.pk if self.key_field == "pk" else getattr(obj, self.key_field)), obj.pk)

    def get(self, user: Any, key: str) -> Any:
        """The row for a URL key, if `user` may see it; raises DoesNotExist."""
        return self.queryset(user).select_related(*self.related).get(**self.lookup(key))

    def url(self, view: str = "list", *args: Any) -> str:
        """Address of a page of the resource as a whole: list, new, import, export, compute."""
        return reverse(f"{self.slug}-{view}", args=args)

    def url_for(self, obj: Any, view: str = "record", *args: Any) -> str:
        """Address of a page of one row: record, edit, do, print."""
        return reverse(f"{self.slug}-{view}", args=(self.key_of(obj), *args))

    # ---- permissions ----

    def may(self, user: Any, action: str) -> bool:
        """Whether `user` may view, add, change or delete."""
        closed = not self.can_create if action == "add" else action in {"change", "delete"} and not self.can_edit
        return not closed and may(user, action, self.model)

    def may_import(self, user: Any) -> bool:
        """Whether the import page is offered: plain records by default, else what the kind of file asks for."""
        rights = import_rights.get(self.slug)
        if rights is not None:
            return bool(user.has_perms(rights))
        return bool(self.importable and self.fields and self.lines is None and self.may(user, "add"))

    def editable(self, obj: Any, user: Any) -> bool:
        """Whether the edit form is offered for `obj`: drafts only, for documents with lines; there is one at all."""
        past = self.states is not None and self.lines is not None and obj.state != self.states.initial
        return bool(self.fields) and not past and self.may(user, "change")

    def deletable(self, obj: Any, user: Any) -> bool:
        """Drafts and masters may be deleted while nothing uses them (rules G-01, G-24)."""
        states = self.states
        return (states is None or obj.state == states.initial) and self.may(user, "delete")

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """What `user` may do to `obj` now: transitions of its state, own and registered commands."""
        found = [*self.commands, *commands[self.meta.label_lower]]
        if self.states is not None:
            found += [self._transition_command(t) for t in self.states.available(obj.state) if t.name in self.run]
        return [c for c in found if user.has_perm(c.permission) and c.when(obj)]

    def _transition_command(self, transition: Any) -> Command:
        return Command(
            transition.name,
            transition.label,
            self.run[transition.name],
            command_permission(self.model, transition),
            icon=transition.icon,
            primary=transition.primary,
            danger=transition.danger,
            confirm=transition.confirm,
            fields=transition.fields,
            menu=transition.danger or not transition.primary,
        )

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """Key figures of the record page; registered ones follow."""
        return ()

    def initial(self, request: Any) -> dict[str, Any]:
        """Values of a new form, from the address (`?customer=12`)."""
        return {name: request.GET[name] for name in self.fields if name in request.GET}

    def offered(self, obj: Any, name: str) -> Mapping[str, Any]:
        """What the dialog of the command `name` offers as answers, beside today's date."""
        return {}

    def fill(self, document: Any, name: str, user: Any) -> Mapping[str, Any]:
        """Values of other form fields that follow from the field `name` a person has just changed (UX 6.5.7)."""
        return {}

    def hints(self, document: Any, user: Any) -> Mapping[str, str]:
        """Short facts beside the labels of form fields, such as the credit left of the customer."""
        return {}

    def fixed(self, obj: Any) -> Sequence[str]:
        """Form fields of a stored document that can be read and not changed."""
        return ()

    def heading(self, obj: Any) -> str:
        """The title of a record's page."""
        return capfirst(str(obj))

    def badge(self, obj: Any) -> tuple[Any, str] | None:
        """Word and tone beside the title: the state of the life cycle, or that the record is archived."""
        if self.states is not None:
            return self.states[obj.state].label, self.states[obj.state].tone
        return (_("archived"), "mute") if getattr(obj, "active", True) is False else None

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """Tags beside the title."""
        return ()

    def pick_label(self, obj: Any) -> str:
        """How `obj` reads in a picker's input."""
        code = getattr(obj, "code", "")
        text = str(obj)
        return text if not code or text.startswith(str(code)) else f"{code} {text}"

    def with_facts(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Annotate the rows of a picker with what `facts` shows beyond the row itself."""
        return rows

    def facts(self, obj: Any) -> list[str]:
        """What tells `obj` from its twins in a picker: the values of `pick_columns`."""
        made = []
        for name in self.pick_columns:
            value: Any = obj
            for part in name.split("__"):
                value = getattr(value, part, None)
            made.append(str(value or ""))
        return made

    def pick_queryset(self, user: Any, params: Mapping[str, str]) -> models.QuerySet[Any]:
        """Rows a picker offers: active ones, narrowed by the values of the fields it depends on (`params`)."""
        rows = self.queryset(user)
        own = {field.name for field in self.meta.fields if field.is_relation}  # nothing of other tables (S-07)
        for name, value in params.items():
            if name in own and is_key(str(value)):
                rows = rows.filter(**{name: int(value)})
        return rows.filter(active=True) if field_of(self.model, "active") is not None else rows


registry: dict[str, Resource] = {}  # slug -> resource
import_rights: dict[str, tuple[str, ...]] = {}  # slug -> permissions of the kind of file its page imports
by_model: dict[type[models.Model], Resource] = {}  # the first resource of a model
naming: dict[type[models.Model], Callable[[Any], str]] = {}  # models of others whose rows we call otherwise

singular = lazy(lambda resource: capfirst(str(resource.title)), str)
plural = lazy(lambda resource: str(resource.title_plural), str)  # names of the tree follow the language of the page


def name_of(row: models.Model) -> str:
    """What a row is called on pages."""
    return naming.get(type(row), str)(row)


ResourceT = TypeVar("ResourceT", bound=type[Resource])


def register(cls: ResourceT) -> ResourceT:
    """Class decorator: put the resource into the registry and the navigation tree."""
    cls.fields = cls.fields or tuple(name for _label, names in cls.sections for name in names)
    resource = cls()
    registry[resource.slug] = resource
    by_model.setdefault(resource.model, resource)
    meta = resource.meta
    if resource.group:
        view = f"{meta.app_label}.view_{meta.model_name}"
        nav.tree.add(
            resource.group,
            nav.Link(plural(resource), f"{resource.slug}-list", resource.order, view, go=resource.go_key),
        )
    if resource.create_key:
        add = f"{meta.app_label}.add_{meta.model_name}"
        nav.tree.create.append(
            (
                nav.Link(
                    singular(resource), f"{resource.slug}-new", resource.order, add, resource.icon, group=resource.group
                ),
                resource.create_key,
            )
        )
    return cls


def resource_of(model: Any) -> Resource | None:
    """The resource of a model or row, None when it has no page."""
    return by_model.get(type(model) if isinstance(model, models.Model) else model)


def url_of(obj: Any) -> str:
    """Address of the record page of `obj`, empty when it has none."""
    for resource in registry.values():
        if isinstance(obj, resource.model) and _matches(resource, obj):
            return resource.url_for(obj)
    return ""


def _matches(resource: Resource, obj: Any) -> bool:
    return all(getattr(obj, name, None) == value for name, value in resource.default_filters.items())


def unknown_names(resource: Resource) -> Iterable[str]:
    """Names in a declaration that its model does not have (for the system check)."""
    plain = [
        *resource.fields,
        *resource.extra_fields,
        *resource.filters,
        *resource.related,
        *(name for _label, names in resource.sections for name in names),
        *resource.default_filters,
        *resource.more,
        *resource.recompute,
        *resource.depends,
        *resource.depends.values(),
        *(name.lstrip("-") for name in resource.ordering),
        *resource.search_fields,
    ]
    plain += [c.path if isinstance(c, Column) else c for c in resource.columns]
    for name in plain:
        if name not in resource.annotations and field_of(resource.model, name) is None:
            yield name
