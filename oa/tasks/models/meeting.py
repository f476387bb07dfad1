"""Meetings, who comes, what is booked for them, and what they decided."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import PinyinField, search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.guards import Frozen
from oa.records.models import Record
from oa.tasks.models.shared import InvolvedQuerySet, Reminded
from oa.tasks.models.task import Task

MEETING_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("invited", pgettext_lazy("meeting", "invited"), "viol"),
        State("confirmed", pgettext_lazy("meeting", "confirmed"), "info"),
        State("held", pgettext_lazy("meeting", "held"), "info"),
        State("minuted", pgettext_lazy("meeting", "minuted"), "ok"),
        State("cancelled", _("cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition("invite", ("draft",), "invited", _("Invite"), primary=True, icon="send"),
        Transition("confirm", ("invited",), "confirmed", _("Confirm"), primary=True, icon="calendar-check"),
        Transition("move", ("confirmed",), "invited", _("Move"), internal=True),
        Transition("hold", ("invited", "confirmed"), "held", _("Mark as held"), primary=True, icon="users"),
        Transition(
            "minute",
            ("held",),
            "minuted",
            _("Publish minutes"),
            primary=True,
            icon="file-check",
            confirm=_("Publish the minutes? They cannot be changed afterwards, and decisions become tasks."),
        ),
        Transition(
            "cancel",
            ("draft", "invited", "confirmed"),
            "cancelled",
            _("Cancel meeting"),
            danger=True,
            fields=("reason",),
            icon="ban",
        ),
    ),
)
BOOKED = ("invited", "confirmed", "held", "minuted")  # states that take rooms
ENDED = ("minuted", "cancelled")


class RoomKind(models.TextChoices):
    ROOM = "room", _("room")
    EQUIPMENT = "equipment", _("equipment")


@tracked()
class Room(Record):
    """Something that one meeting has at a time: a room, a projector, a car."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=9, choices=RoomKind, default=RoomKind.ROOM)
    seats = models.PositiveSmallIntegerField(_("seats"), null=True, blank=True)
    place = models.CharField(_("place"), max_length=100, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return self.name


class MeetingQuerySet(InvolvedQuerySet):
    """Meetings, seen by the organiser and who is invited, and by scope."""

    every = "oa.view_every_meeting"

    def involving(self, key: Any) -> models.Q:
        """Who calls it, and who was invited: a draft is not sent yet."""
        invited = Attendee.objects.filter(user=key).values("meeting")
        return models.Q(owner=key) | models.Q(created_by=key) | (models.Q(pk__in=invited) & ~models.Q(state="draft"))


@tracked("remind_at")
class Meeting(Record, Reminded):
    """People at a time and a place (spec 5.8.3); the owner calls it."""

    STATES = MEETING_STATES

    title = models.CharField(_("title"), max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="meetings", verbose_name=_("organiser")
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    attendees: Any = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Attendee", related_name="+", blank=True, verbose_name=_("attendees")
    )
    rooms: Any = models.ManyToManyField(
        Room, through="Booking", related_name="meetings", blank=True, verbose_name=_("rooms and equipment")
    )
    place = models.CharField(_("other place"), max_length=200, blank=True)
    agenda = models.TextField(_("agenda"), blank=True)
    private = models.BooleanField(
        _("private"), default=False, help_text=_("Others see only that the time and the room are taken.")
    )
    minutes = models.TextField(_("minutes"), blank=True)
    series = models.UUIDField(null=True, editable=False)
    state = models.CharField(
        _("state"), max_length=9, choices=MEETING_STATES.choices, default=MEETING_STATES.initial, editable=False
    )
    pinyin = PinyinField(sources=("title",))
    search = search_column("title", "place", "agenda", "pinyin")

    objects = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        ordering = ["-starts_at", "-id"]
        permissions = [("view_every_meeting", "Can view every meeting that is not private")]
        indexes = [
            GinIndex(fields=["search"], name="meeting_search"),
            models.Index(fields=["starts_at"], name="meeting_start"),
            models.Index(fields=["remind_at"], name="meeting_reminders", condition=models.Q(remind_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="meeting_period",
                violation_error_message=_("The end lies before the start."),
            ),
            models.CheckConstraint(
                condition=~models.Q(state="minuted") | ~models.Q(minutes=""), name="meeting_minutes"
            ),
            models.UniqueConstraint(fields=["series", "starts_at"], name="meeting_series_once"),
        ]
        triggers = [
            MEETING_STATES.trigger(),
            pgtrigger.Trigger(
                name="ended_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=Frozen(("draft", "invited", "confirmed", "held"), ("version", "updated_at", "owner")),
                func="RAISE EXCEPTION 'A minuted meeting cannot be changed.' USING ERRCODE = '23001';",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def due_moment(self) -> dt.datetime | None:
        """What reminders count from."""
        return self.starts_at


class Answer(models.TextChoices):
    NONE = "", _("no answer")
    ACCEPTED = "accepted", _("accepted")
    TENTATIVE = "tentative", _("tentative")
    DECLINED = "declined", _("declined")


class Attendee(models.Model):
    """A person at a meeting: what they answered, and when they signed in."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="attendee_rows")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    answer = models.CharField(_("answer"), max_length=9, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True)
    signed_in_at = models.DateTimeField(_("signed in"), null=True)

    class Meta:
        verbose_name = _("attendee")
        verbose_name_plural = _("attendees")
        ordering = ["id"]
        indexes = [models.Index(fields=["user", "meeting"], name="attendee_person")]
        constraints = [models.UniqueConstraint(fields=["meeting", "user"], name="attendee_once")]

    def __str__(self) -> str:
        return str(self.user)


class OneRoom(models.Func):
    """`int8range(x, x, '[]')`: equality that a GiST index knows without extensions."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"


class TimeRange(models.Func):
    """`tstzrange(from, to)`: with its beginning and without its end, so that one meeting may follow another."""

    function = "tstzrange"
    output_field = DateTimeRangeField()


class Booking(models.Model):
    """A room for the time of a meeting. Two that are `taken` never overlap: the database refuses the second."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="bookings")
    room = models.ForeignKey(Room, models.PROTECT, related_name="bookings", verbose_name=_("room"))
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    taken = models.BooleanField(default=False)  # the meeting is more than a draft and not cancelled

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        ordering = ["starts_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "room"], name="booking_room_once"),
            ExclusionConstraint(
                name="booking_no_overlap",
                expressions=[
                    (OneRoom("room", "room"), RangeOperators.OVERLAPS),
                    (TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=models.Q(taken=True),
                violation_error_message=_("The room is taken at this time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room} {self.starts_at:%Y-%m-%d %H:%M}"


class Decision(models.Model):
    """What a meeting decided; with a person it becomes a task when the minutes are published."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="decisions")
    position = models.PositiveIntegerField(_("position"))
    text = models.CharField(_("decision"), max_length=300)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who does it")
    )
    due_on = models.DateField(_("due on"), null=True, blank=True)
    task = models.OneToOneField(
        Task, models.PROTECT, null=True, blank=True, related_name="decision", verbose_name=_("task")
    )

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text
