"""Tasks: who does what until when, what must be done before, and the steps of a checklist."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.days import business_zone
from kit.rules.history import tracked
from kit.rules.search import PinyinField, search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.models import Record
from oa.tasks.models.series import TaskSeries
from oa.tasks.models.shared import InvolvedQuerySet, Priority, Reminded

MORNING = dt.time(9, 0)  # when a task without a time of day counts for reminders

TASK_STATES = StateTable(
    states=(
        State("open", pgettext_lazy("task", "open"), "draft"),
        State("progress", _("in progress"), "info"),
        State("deferred", _("deferred"), "warn", step=False),
        State("done", pgettext_lazy("task", "done"), "ok"),
        State("verified", _("verified"), "ok"),
        State("cancelled", _("cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition("start", ("open",), "progress", _("Start"), icon="play"),
        Transition("finish", ("open", "progress"), "done", _("Done"), primary=True, icon="check"),
        Transition("verify", ("done",), "verified", _("Verify"), primary=True, icon="badge-check"),
        Transition("reopen", ("done", "verified"), "open", _("Send back"), fields=("reason",), icon="undo-2"),
        Transition("defer", ("open", "progress"), "deferred", _("Defer"), fields=("date",), icon="calendar-clock"),
        Transition("resume", ("deferred",), "open", _("Take up again"), primary=True, icon="play"),
        Transition(
            "cancel",
            ("open", "progress", "deferred"),
            "cancelled",
            _("Cancel task"),
            danger=True,
            fields=("reason",),
            icon="ban",
        ),
    ),
)
ACTIVE = ("open", "progress", "deferred")  # still to be done
ENDED = ("done", "verified", "cancelled")


class TaskQuerySet(InvolvedQuerySet):
    """Tasks, seen by owner, giver and participants, and by scope."""

    every = "oa.view_every_task"

    def visible_to(self, user: Any) -> Self:
        """The same; the task above one that is seen is seen only where it would be seen by itself."""
        above = models.Prefetch("parent", InvolvedQuerySet.visible_to(Task.objects.all(), user))
        return super().visible_to(user).prefetch_related(above)

    def involving(self, key: Any) -> models.Q:
        """Who does it, who gave it, who takes part."""
        takes_part = Task.participants.through.objects.filter(user=key).values("task")
        return models.Q(owner=key) | models.Q(created_by=key) | models.Q(pk__in=takes_part)


def acyclic(name: str, reaches: str, message: str, **when: Any) -> pgtrigger.Trigger:
    """Refuses a row that leads back to itself; `reaches` is the query that finds one (two at once wait in turn)."""
    body = f"""
        PERFORM pg_advisory_xact_lock(hashtext('oa_task.{name}'));
        IF EXISTS ({reaches}) THEN
            RAISE EXCEPTION '{message}' USING ERRCODE = '23514', CONSTRAINT = '{name}';
        END IF;
        RETURN NULL;
    """
    return pgtrigger.Trigger(name=name, when=pgtrigger.After, func=body, **when)


_NEEDS = """
WITH RECURSIVE way AS (
    SELECT NEW.needs_id AS id
    UNION SELECT n.needs_id FROM oa_taskneed n JOIN way ON n.task_id = way.id
) SELECT 1 FROM way WHERE id = NEW.task_id
"""
_PARENTS = """
WITH RECURSIVE way AS (
    SELECT NEW.parent_id AS id
    UNION SELECT t.parent_id FROM oa_task t JOIN way ON t.id = way.id WHERE t.parent_id IS NOT NULL
) SELECT 1 FROM way WHERE id = NEW.id
"""


@tracked("remind_at")
class Task(Record, Reminded):
    """Something a person is to do (spec 5.8.3). `created_by` gave it, `owner` does it."""

    STATES = TASK_STATES

    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="tasks", verbose_name=_("who does it")
    )
    participants = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name=_("participants")
    )
    due_on = models.DateField(_("due on"), null=True, blank=True)
    due_at = models.TimeField(pgettext_lazy("time of day", "at"), null=True, blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    labels = models.CharField(_("labels"), max_length=120, blank=True)
    private = models.BooleanField(
        _("private"), default=False, help_text=_("Only the people named here see it, not their superiors.")
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="parts", verbose_name=_("part of")
    )
    needs: Any = models.ManyToManyField(
        "self",
        through="TaskNeed",
        through_fields=("task", "needs"),
        symmetrical=False,
        blank=True,
        related_name="needed_by",
        verbose_name=_("blocked by"),
    )
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True, editable=False, related_name="+")
    object_id = models.BigIntegerField(null=True, editable=False)
    state = models.CharField(
        _("state"), max_length=9, choices=TASK_STATES.choices, default=TASK_STATES.initial, editable=False
    )
    deferred_until = models.DateField(_("deferred until"), null=True, editable=False)
    done_at = models.DateTimeField(_("done at"), null=True, editable=False)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("done by")
    )
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("verified by"),
    )
    series = models.ForeignKey(
        TaskSeries, models.PROTECT, null=True, editable=False, related_name="tasks", verbose_name=_("recurring task")
    )
    occurrence = models.DateField(_("occurrence"), null=True, editable=False)
    pinyin = PinyinField(sources=("title", "labels"))
    search = search_column("title", "labels", "description", "pinyin")

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ["due_on", "priority", "id"]
        permissions = [("view_every_task", "Can view every task that is not private")]
        indexes = [
            GinIndex(fields=["search"], name="task_search"),
            models.Index(fields=["owner", "due_on"], name="task_open", condition=models.Q(state__in=ACTIVE)),
            models.Index(fields=["content_type", "object_id"], name="task_about"),
            models.Index(fields=["remind_at"], name="task_reminders", condition=models.Q(remind_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(due_at=None) | models.Q(due_on__isnull=False),
                name="task_time_has_day",
                violation_error_message=_("A time needs a day."),
            ),
            models.CheckConstraint(
                condition=~models.Q(state="deferred") | models.Q(deferred_until__isnull=False),
                name="task_deferred_until",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["done", "verified"]) | models.Q(done_at__isnull=False),
                name="task_done_at",
            ),
            models.CheckConstraint(
                condition=(models.Q(state="verified") & models.Q(verified_by__isnull=False))
                | (~models.Q(state="verified") & models.Q(verified_by=None)),
                name="task_verified_by",
            ),
            models.CheckConstraint(
                condition=models.Q(verified_by=None)
                | models.Q(done_by=None)
                | ~models.Q(verified_by=models.F("done_by")),
                name="task_verified_by_another",
                violation_error_message=_("Nobody verifies what they did themselves."),
            ),
            models.CheckConstraint(
                condition=models.Q(content_type=None, object_id=None)
                | models.Q(content_type__isnull=False, object_id__isnull=False),
                name="task_about_whole",
            ),
            models.UniqueConstraint(fields=["series", "occurrence"], name="task_occurrence_once"),
        ]
        triggers = [
            TASK_STATES.trigger(),
            acyclic(
                "task_parents_acyclic",
                _PARENTS,
                "A task cannot be a part of itself.",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("parent_id"),
                condition=pgtrigger.Q(new__parent__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def due_moment(self) -> dt.datetime | None:
        """When it is due in the company's time zone; in the morning of its day where it has no time."""
        if self.due_on is None:
            return None
        return dt.datetime.combine(self.due_on, self.due_at or MORNING, business_zone())

    @property
    def late(self) -> bool:
        """Whether it should have been done by now."""
        if self.due_on is None or self.state in ENDED:
            return False
        end = dt.datetime.combine(self.due_on, self.due_at or dt.time.max, business_zone())
        return timezone.now() > end


class TaskNeed(models.Model):
    """`task` cannot be done before `needs` is."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="need_rows")
    needs = models.ForeignKey(Task, models.CASCADE, related_name="needed_rows")

    class Meta:
        verbose_name = _("dependency")
        verbose_name_plural = _("dependencies")
        constraints = [models.UniqueConstraint(fields=["task", "needs"], name="task_need_once")]
        triggers = [
            acyclic(
                "task_needs_acyclic",
                _NEEDS,
                "Tasks cannot wait for each other.",
                operation=pgtrigger.Insert | pgtrigger.Update,
            )
        ]

    def __str__(self) -> str:
        return f"{self.task} ← {self.needs}"


class ChecklistItem(models.Model):
    """One step of a task, ticked off when it is done."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="checklist")
    position = models.PositiveIntegerField(_("position"))
    text = models.CharField(_("text"), max_length=200)
    done_at = models.DateTimeField(_("done at"), null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("checklist item")
        verbose_name_plural = _("checklist items")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text
