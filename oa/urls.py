"""Pages of oa beyond the kit's."""

from __future__ import annotations

from django.urls import path

from oa.documents.urls import urlpatterns as documents
from oa.organisation import views as organisation
from oa.records import views as records
from oa.reporting import views as reporting

urlpatterns = [
    path("office/mails/<uuid:key>/files/<int:position>/", reporting.mail_file_view, name="mail-file"),
    path("", organisation.desk_view, name="desk"),
    path("healthz", organisation.health_view, name="health"),
    path("files/<uuid:key>/", records.download_view, name="attachment"),
    path("records/<str:slug>/<str:key>/attach/", records.attach_view, name="attach"),
    path("records/<str:slug>/<str:key>/comment/", records.comment_view, name="comment"),
    path("notifications/", records.notifications_view, name="notifications"),
    path("jobs/<uuid:key>/", records.job_view, name="job"),
    path("jobs/<uuid:key>/cancel/", records.cancel_job_view, name="job-cancel"),
    path("jobs/<uuid:key>/file/", records.job_file_view, name="job-file"),
    *documents,
]
