"""What can be done to many rows of a list at once: each row by its own command, with its own checks (UX 6.2.8).

Few rows are done within the request. More of them are a job that commits 50 at a time, together with how far it is:
nobody waits for thousands of rows to let go of a counter, and what is told is what was done, whatever ends the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.pages.actions import Bulk
from kit.pages.resources import Resource, registry
from kit.rules.permissions import beyond_reach
from kit.rules.states import command_permission
from kit.values.errors import BusinessError
from kit.values.keys import is_key

CHUNK = 50  # rows that are read together, and committed together by a job; more of them than this make one
MOST = 10_000  # rows of one action
SAID = 200  # skipped rows that are named

Keep = Callable[[int, int, dict[str, Any]], None]


@dataclass
class Outcome:
    """What became of the rows: what was there before, by their keys, and why others were skipped."""

    done: dict[int, Any] = field(default_factory=dict)
    skipped: list[tuple[str, str, str]] = field(default_factory=list)  # record, address, reason

    @property
    def told(self) -> str:
        """`183 done · 3 skipped`."""
        return _told(len(self.done), len(self.skipped))

    @property
    def reasons(self) -> list[str]:
        """A line for each skipped row."""
        return [f"{name}: {reason}" for name, _url, reason in self.skipped]


def actions_of(resource: Resource, user: Any) -> list[Bulk]:
    """What `user` may do to many rows of a list: declared actions, then archiving where the form offers it."""
    found = [one if isinstance(one, Bulk) else _command(resource, one) for one in resource.bulk]
    if "active" in resource.fields and resource.lines is None and resource.form_class is None and resource.can_edit:
        right = f"{resource.meta.app_label}.change_{resource.meta.model_name}"
        archive, activate = partial(_set_active, resource, False), partial(_set_active, resource, True)
        found += [
            Bulk(
                "archive", pgettext_lazy("take out of use", "Archive"), archive, right, icon="archive", undo="activate"
            ),
            Bulk("activate", gettext_lazy("Activate"), activate, right, icon="archive-restore", undo="archive"),
        ]
    return [one for one in found if user.has_perm(one.permission)]


def _command(resource: Resource, name: str) -> Bulk:
    """A transition of the state table for many rows."""
    states: Any = resource.states
    transition = next(t for t in states.transitions if t.name == name)

    def run(obj: Any, *, by: Any) -> Any:
        states.check(name, obj)
        command = next((c for c in resource.commands_for(obj, by) if c.name == name), None)
        if command is None:
            raise BusinessError(_("You may not do this."))
        return command.run(obj, by=by)

    return Bulk(
        name,
        transition.label,
        run,
        command_permission(resource.model, transition),
        icon=transition.icon,
        confirm=True,
        danger=transition.danger,
    )


def _set_active(resource: Resource, value: bool, obj: Any, *, by: Any) -> Any:
    """Archive a record, or take it back into use (rule G-24), by the service that saves it."""
    if not resource.editable(obj, by):
        raise BusinessError(_("You may not do this."))
    manager: Any = type(obj)._default_manager
    row = manager.select_for_update(of=("self",)).get(pk=obj.pk)
    if row.active == value:
        raise BusinessError(_("is in use already") if value else _("is archived already"))
    row.active = value
    if hasattr(row, "version"):
        row.version += 1
    row.clean()
    save = type(resource).save
    return save(row, by=by) if save is not None else row.save()


def _told(done: int, skipped: int, left: int = 0) -> str:
    parts = [_("%s done") % done]
    parts += [_("%s skipped") % skipped] if skipped else []
    parts += [_("%s left") % left] if left else []
    return " · ".join(parts)


def run_rows(resource: Resource, action: Bulk, keys: Sequence[int], user: Any, values: dict[str, Any]) -> Outcome:
    """Do it row by row: each is looked up again among what `user` may see, checked and stored by itself.

    Reading costs one statement for 50 rows, a row what its command costs and a savepoint.
    """
    outcome, source = Outcome(), iter(keys)
    while chunk := list(islice(source, CHUNK)):
        rows = resource.queryset(user).select_related(*resource.related).in_bulk(chunk)
        for key in chunk:
            obj = rows.get(key)
            if obj is None:
                outcome.skipped.append((f"#{key}", "", _("is not there any more, or not yours to see")))
            else:
                _one(resource, action, obj, user, values.get(str(key), values), outcome)
    return outcome


def _one(resource: Resource, action: Bulk, obj: Any, user: Any, given: dict[str, Any], outcome: Outcome) -> None:
    before = getattr(obj, f"{action.field}_id") if action.field else None
    name, url = str(obj), resource.url_for(obj)
    try:
        with transaction.atomic():
            if None in given.values():
                raise BusinessError(_("There is nothing to go back to."))
            for field_name in beyond_reach(user, resource.model, given):
                raise BusinessError(_("%s is not in your part of the company.") % given[field_name])
            action.run(obj, by=user, **given)
        outcome.done[obj.pk] = before
    except BusinessError as error:
        outcome.skipped.append((name, url, "\n".join(dict.fromkeys(str(problem.message) for problem in error))))
    except ValidationError as error:
        outcome.skipped.append((name, url, " ".join(error.messages)))
    except PermissionDenied:
        outcome.skipped.append((name, url, _("You may not do this.")))
    except IntegrityError:
        outcome.skipped.append((name, url, _("This contradicts other data and was not saved.")))


def work(params: Mapping[str, Any], kept: Mapping[str, Any], *, by: Any, keep: Keep) -> dict[str, Any]:
    """Do an action on many rows as a job, with the rights that its person has now; returns what is told of it.

    Each part is one transaction, which `keep` stores the tally in; it raises where the job is not ours any more. What
    an earlier worker `kept` is not done again.
    """
    resource = registry[params["resource"]]
    action = next((one for one in actions_of(resource, by) if one.name == params["action"]), None)
    if not by.is_active or action is None or not resource.may(by, "view"):
        raise BusinessError(_("You may not do this."))
    values = {}
    if action.field:
        model: Any = resource.meta.get_field(action.field).related_model
        values = {action.field: model._default_manager.get(pk=params["values"][action.field])}
    keys, tally = params["keys"], {"at": 0, "done": 0, "skipped": 0, "errors": [], "url": params["back"], **kept}
    with translation.override(params["language"]):
        while rows := keys[tally["at"] : tally["at"] + CHUNK]:
            with transaction.atomic():
                outcome = run_rows(resource, action, rows, by, values)
                tally = _added(tally, outcome, len(rows), len(keys))
                keep(tally["at"], len(keys), tally)
    return tally


def _added(tally: Mapping[str, Any], outcome: Outcome, rows: int, total: int) -> dict[str, Any]:
    """A tally with one more part."""
    at, done, skipped = tally["at"] + rows, tally["done"] + len(outcome.done), tally["skipped"] + len(outcome.skipped)
    return {
        **tally,
        "at": at,
        "done": done,
        "skipped": skipped,
        "errors": [*tally["errors"], *outcome.reasons][:SAID],
        "summary": _told(done, skipped, total - at),
    }


def known(keys: Iterable[str]) -> list[int]:
    """Keys as they are posted, in their order and each once."""
    return list(dict.fromkeys(int(key) for key in keys if is_key(key)))
