"""Pages of transfer, leaving and return, reached from the page of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.pages.hooks import hooks
from kit.pages.resources import by_model, name_of
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import find, go
from kit.pages.widgets import DayField, PickerField
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.organisation import moves
from oa.organisation.models import Department, Position, User
from oa.organisation.people import outranks


class MoveForm(forms.Form):
    """What a move asks for; each kind keeps some of the fields."""

    department = forms.Field(label=gettext_lazy("Department"), required=False)
    position: Any = forms.ModelChoiceField(
        Position.objects.none(), label=gettext_lazy("Position"), required=False, empty_label="—"
    )
    manager = forms.Field(label=gettext_lazy("Manager"), required=False)
    on = DayField(label=gettext_lazy("Effective on"))
    roles: Any = forms.ModelMultipleChoiceField(
        Group.objects.none(), label=gettext_lazy("Roles"), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    hand_over = forms.BooleanField(label=gettext_lazy("A successor takes over what is listed here"), required=False)
    successor = forms.Field(label=gettext_lazy("Successor"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, person: User, by: Any, names: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, model in (("department", Department), ("manager", User), ("successor", User)):
            field = self.fields[name]
            picker = PickerField(by_model[model], required=field.required, label=field.label)
            picker.user, picker.current = by, self.initial.get(name)
            self.fields[name] = picker
        self.fields["manager"].help_text = _("Empty: the head of the department.")
        positions: Any = self.fields["position"]
        roles: Any = self.fields["roles"]
        positions.queryset = Position.objects.filter(active=True)
        roles.queryset, roles.label_from_instance = moves.roles_offered(by), name_of
        if not roles.queryset.exists():
            names = tuple(name for name in names if name != "roles")
        for name in [name for name in self.fields if name not in names]:
            del self.fields[name]


# Kind of move: label, fields, command, and whether it is for people who work here.
POST = ("department", "position", "manager", "on")
MOVES: dict[str, tuple[Any, tuple[str, ...], Callable[..., User], bool]] = {
    "transfer": (
        pgettext_lazy("person", "Transfer"),
        (*POST, "hand_over", "successor", "reason"),
        moves.transfer,
        True,
    ),
    "leaving": (gettext_lazy("Leaving"), ("on", "successor", "reason"), moves.leave, True),
    "return": (pgettext_lazy("person", "Return"), (*POST, "roles", "reason"), moves.rejoin, False),
}


def move_view(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    """The form of a move with what will be handed over; POST does it."""
    resource = by_model[User]
    person = find(request, resource, key)
    if kind not in MOVES:
        raise Http404
    if not request.user.has_perm(moves.MOVES) or not outranks(request.user, person):
        raise PermissionDenied
    label, names, command, _working = MOVES[kind]
    given = {"department": person.department, "position": person.position, "manager": person.manager}
    initial = {"on": business_day(), **(given if person.is_active else {"department": person.department})}
    form = MoveForm(request.POST or None, person=person, by=request.user, names=names, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            hooks.once(
                request.POST.get("submit_id", ""),
                request.user,
                f"person.{kind}.{person.pk}",
                lambda: command(person, by=request.user, **form.cleaned_data),
            )
        except BusinessError as error:
            for problem in error:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        else:
            messages.success(request, f"{label}: {person}")
            return go(request, resource.url_for(person))
    return _page(request, person, kind, form)


def _page(request: HttpRequest, person: User, kind: str, form: MoveForm) -> HttpResponse:
    resource = by_model[User]
    label, _names, _command, working = MOVES[kind]
    back = resource.url_for(person)
    context = {
        "head": Head(title=f"{label}: {person}", crumbs=crumbs(resource, (str(person), back), (label, ""))),
        "form": form,
        "kind": kind,
        "label": label,
        "back": back,
        "person": person,
        "possible": person.is_active == working,
        "behind": moves.left_behind(person) if working else [],
    }
    return fragment_or_page(request, "oa/move.html", context, status=422 if request.method == "POST" else 200)
