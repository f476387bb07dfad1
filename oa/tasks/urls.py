"""Pages of tasks, meetings and the calendar beyond the kit's."""

from __future__ import annotations

from django.urls import path

from oa.tasks.views import calendar, files, meetings, tasks

urlpatterns = [
    path("tasks/board/", tasks.board_view, name="task-board"),
    path("tasks/<str:key>/move/<str:name>/", tasks.move_view, name="task-move"),
    path("tasks/<str:key>/checklist/", tasks.checklist_view, name="task-checklist"),
    path("meetings/<str:key>/answer/", meetings.answer_view, name="meeting-answer"),
    path("meetings/<str:key>/sign-in/", meetings.sign_in_view, name="meeting-sign-in"),
    path("meetings/<str:key>/decisions/", meetings.decision_view, name="meeting-decisions"),
    path("calendar/", calendar.calendar_view, name="calendar"),
    path("calendar/subscribe/", files.addresses_view, name="calendar-addresses"),
    path("calendar/feed/<str:secret>.ics", files.feed_view, name="calendar-feed"),
    path("calendar/<str:slug>/<str:key>.ics", files.entry_view, name="calendar-entry"),
]
