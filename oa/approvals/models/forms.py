"""Forms that users define, and the requests made with them (rule X-14)."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.approvals.models.requests import involving
from oa.records.guards import Frozen
from oa.records.models.base import Document, Master, TitledDocument

FORM_KIND = "form:"  # kinds of the engine that stand for a form, by its code

FORM_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("approving", _("in approval"), "viol"),
        State("approved", _("approved"), "ok"),
    ),
    transitions=(
        Transition("lock", ("draft",), "approving", _("Submit"), internal=True),
        Transition("unlock", ("approving",), "draft", _("Return"), internal=True),
        Transition("approve", ("approving",), "approved", _("Approve"), internal=True),
    ),
)


class FieldType(models.TextChoices):
    TEXT = "text", pgettext_lazy("kind of field", "text")
    LONG = "long", _("long text")
    NUMBER = "number", _("number")
    AMOUNT = "amount", _("amount")
    DATE = "date", _("date")
    TIME = "time", _("date and time")
    CHOICE = "choice", _("choice")
    FLAG = "flag", _("yes or no")
    PERSON = "person", _("person")
    DEPARTMENT = "department", _("department")


@tracked()
class RequestForm(Master):
    """A form: an ordered list of fields `{name, label, label_zh, type, required, options, help}`.

    A request keeps the fields it was made with.
    """

    fields: Any = models.JSONField(_("fields"), default=list)
    note = models.TextField(_("explanation"), blank=True)

    class Meta(Master.Meta):
        verbose_name = _("request form")
        verbose_name_plural = _("request forms")

    @property
    def kind(self) -> str:
        """What the engine calls requests of this form."""
        return f"{FORM_KIND}{self.code}"


def field_label(field: dict[str, Any]) -> str:
    """A field's label in the language of the reader."""
    chinese = (get_language() or "").startswith("zh") and field.get("label_zh")
    return str(chinese or field["label"])


class FormRequestQuerySet(VisibleQuerySet):
    """A request is seen by whoever made it and by whoever has to do with its approval."""

    def visible_to(self, user: Any) -> Self:
        """Rows `user` may see."""
        if user.data_scope(self.model) is None:
            return self.none()
        if user.is_superuser or user.has_perm("oa.manage_approvalrequest"):
            return self
        mine = self.model._default_manager.filter(owner=user.pk).order_by().values_list("pk", flat=True)
        seen = involving(user, "object_id", content_type=ContentType.objects.get_for_model(self.model))
        return self.filter(pk__in=mine.union(*seen, all=True))


@tracked()
class FormRequest(TitledDocument):
    """A request made with a form; `values` holds what was filled in, by field name as text (dates in ISO form)."""

    STATES = FORM_STATES
    SEQUENCE = "form-request"

    form = models.ForeignKey(RequestForm, models.PROTECT, related_name="requests", verbose_name=_("form"))
    fields: Any = models.JSONField(default=list, editable=False)
    values: Any = models.JSONField(_("values"), default=dict)
    state = Document.state_field(FORM_STATES)
    search = search_column("number", "title")

    objects = FormRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta(TitledDocument.Meta):
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        indexes = [
            models.Index(fields=["owner", "-date", "-id"], name="formrequest_owner"),
            models.Index(fields=["-date", "-id"], name="formrequest_newest"),
            GinIndex(fields=["search"], name="formrequest_search"),
        ]
        triggers = [
            FORM_STATES.trigger(),
            pgtrigger.Trigger(
                name="approved_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=Frozen(("draft", "approving"), ("state", "version", "updated_at", "owner")),
                func="RAISE EXCEPTION 'An approved request cannot be changed.' USING ERRCODE = '23001';",
            ),
            pgtrigger.Trigger(
                name="submitted_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                condition=~pgtrigger.Q(old__state="draft"),
                func="RAISE EXCEPTION 'A submitted request cannot be deleted.' USING ERRCODE = '23001';",
            ),
        ]
