"""Who may do what in a folder; new and moved folders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.actions import Action
from kit.pages.hooks import hooks
from kit.pages.resources import by_model
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.pages.widgets import PickerField, name_choices
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.documents import services
from oa.documents.models import Audience, Folder, FolderGrant
from oa.documents.models.rights import MANAGE, NAMES, VIEW, rights_in
from oa.documents.places import access_of, way_to
from oa.documents.views.common import done, find_folder, folder_url, trail
from oa.organisation.models import Department, Position, Role, User

NAMED = 60  # people told by name


class GrantForm(forms.Form):
    """Who, and what they may do."""

    audience = forms.ChoiceField(label=gettext_lazy("Who"), choices=Audience.choices)
    rights = forms.TypedMultipleChoiceField(
        label=gettext_lazy("May"),
        coerce=int,
        choices=[(right, name) for right, name in NAMES.items() if right != VIEW],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("Everybody named here may view."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = ((Department, {"active": True}), (Role, {}), (Position, {"active": True}))
        for model, narrow in choices:
            rows = model._default_manager.visible_to(user).filter(**narrow)
            field: Any = forms.ModelChoiceField(rows, required=False, label=capfirst(model._meta.verbose_name))
            self.fields[model._meta.model_name or ""] = field
        self.fields["person"] = person = PickerField(by_model[User], required=False, label=capfirst(_("person")))
        person.user = user
        self.order_fields(["audience", "department", "role", "position", "person", "rights"])
        for field in self.fields.values():
            name_choices(field)

    @property
    def chosen(self) -> tuple[str, Any, int]:
        """Audience, who of it, rights."""
        given = self.cleaned_data
        return given["audience"], given.get(given["audience"]), sum(given["rights"]) | VIEW


def access_view(request: HttpRequest, key: str) -> HttpResponse:
    """Who may do what in a folder, in words; managers change it here."""
    folder = find_folder(request, key)
    user: Any = request.user
    manages = bool(rights_in(user, [folder.pk]).get(folder.pk, 0) & MANAGE)
    form = GrantForm(request.POST or None, user=user) if manages else None
    status = 200
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            try:
                audience, who, rights = form.chosen
                hooks.once(
                    request.POST.get("submit_id", ""),
                    user,
                    f"docs.give.{folder.pk}",
                    lambda: services.give(folder, audience, who, rights, by=user),
                )
                return go(request, request.path)
            except BusinessError as error:
                for problem in error:
                    form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        status = 422
    return _access_page(request, folder, form, status)


def _access_page(request: HttpRequest, folder: Folder, form: GrantForm | None, status: int) -> HttpResponse:
    people = services.people_with(folder, VIEW)
    way = way_to(folder, request.user)
    context = {
        "head": Head(title=_("Permissions"), crumbs=trail(way), tags=[str(folder)]),
        "folder": folder,
        "form": form,
        "access": access_of(folder, request.user),
        "people": people[:NAMED],
        "number": len(people),
        "more": len(people) - NAMED,
        "breaks": folder.parent_id is not None,
    }
    return fragment_or_page(request, "oa/documents/access.html", context, status)


def access_action_view(request: HttpRequest, key: str, action: str) -> HttpResponse:
    """Take a permission away, stop taking rights from above, or take them again."""
    folder = find_folder(request, key)
    user: Any = request.user
    if request.method != "POST" or not rights_in(user, [folder.pk]).get(folder.pk, 0) & MANAGE:
        raise Http404
    given = request.POST.get("grant", "")
    grant = FolderGrant.objects.filter(folder=folder, pk=given).first() if is_key(given) else None
    if action == "take" and grant is None:
        raise Http404

    def effect() -> None:
        if action == "take" and grant is not None:
            services.take(grant, by=user)
        else:
            services.set_inherits(folder, action == "inherit", by=user)

    done(request, f"docs.{action}.{folder.pk}.{given}", effect, "")
    still = Folder.objects.visible_to(user).filter(pk=folder.pk).exists()
    return go(request, reverse("docs-access", args=[folder.pk]) if still else reverse("docs"))


class NewFolderForm(forms.Form):
    """A folder within another."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    needs_review = forms.BooleanField(
        label=gettext_lazy("Publishing needs a second person"),
        required=False,
        help_text=gettext_lazy("Readers see published versions only, and nobody publishes what they wrote."),
    )


class MoveForm(forms.Form):
    """Where a folder goes."""

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"] = place = PickerField(by_model[Folder], label=_("Into the folder"))
        place.user = user


def new_folder_view(request: HttpRequest, key: str) -> HttpResponse:
    """A new folder within one that the person may edit."""
    above = find_folder(request, key)
    form = NewFolderForm(request.POST or None)

    def effect() -> Folder:
        made = Folder(parent=above, created_by=request.user, **form.cleaned_data)
        return services.save_folder(made, by=request.user)

    return _form_view(request, above, form, _("New folder"), f"docs.folder.{above.pk}", effect)


def move_folder_view(request: HttpRequest, key: str) -> HttpResponse:
    """Move a folder into another one of the same company, department or person."""
    folder = find_folder(request, key)
    form = MoveForm(request.POST or None, user=request.user)

    def effect() -> Folder:
        folder.parent = form.cleaned_data["parent"]
        folder.version += 1
        return services.save_folder(folder, by=request.user)

    return _form_view(request, folder, form, _("Move folder"), f"docs.move.{folder.pk}", effect)


def _form_view(request: HttpRequest, folder: Folder, form: Any, title: str, name: str, effect: Any) -> HttpResponse:
    """A small form about a folder; a refusal is told beside its fields."""
    if request.method == "POST" and form.is_valid():
        try:
            made, _repeat = hooks.once(request.POST.get("submit_id", ""), request.user, name, effect)
            return go(request, folder_url(made))
        except BusinessError as error:
            for problem in error:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    back = Action(_("Cancel"), folder_url(folder), name="cancel")
    head = Head(title=title, crumbs=trail(way_to(folder, request.user)), actions=[back])
    context = {"head": head, "form": form, "submit_id": head.submit_id}
    return fragment_or_page(request, "oa/documents/form.html", context, 422 if request.method == "POST" else 200)
