"""Pages of oa beyond the kit's."""

from __future__ import annotations

from django.urls import path

from oa.announcements import views as announcements
from oa.approvals import flowpages as flows
from oa.approvals import todo
from oa.approvals import views as approvals
from oa.documents.urls import urlpatterns as documents
from oa.expenses.urls import urlpatterns as expenses
from oa.leave.urls import urlpatterns as leave
from oa.official.urls import urlpatterns as official
from oa.organisation import access_views as access
from oa.organisation import directory, move_views, why_views
from oa.organisation import views as organisation
from oa.records import signature_views as signatures
from oa.records import views as records
from oa.reporting import views as reporting
from oa.tasks.urls import urlpatterns as task_urls

urlpatterns = [
    path("access/", access.access_view, name="access"),
    path("access/end/", access.end_view, name="access-end"),
    path("access/second-factor/", access.set_up_view, name="second-factor"),
    path("access/second-factor/codes/", access.codes_view, name="second-factor-codes"),
    path("access/keys/new/", access.key_view, name="second-factor-key"),
    path("access/keys/remove/", access.key_remove_view, name="second-factor-key-remove"),
    path("access/second-factor/off/", access.give_up_view, name="second-factor-off"),
    path("org/directory/", directory.directory_view, name="directory"),
    path("org/who-sees/", why_views.why_view, name="why"),
    path("org/people/<str:key>/move/<str:kind>/", move_views.move_view, name="move-person"),
    path("office/mails/<uuid:key>/files/<int:position>/", reporting.mail_file_view, name="mail-file"),
    path("", organisation.desk_view, name="desk"),
    path("todo/", todo.todo_view, name="todo"),
    path("approvals/start/", approvals.start_view, name="approval-start"),
    path("approvals/fill/<str:code>/", approvals.fill_view, name="approval-fill"),
    path("approvals/drafts/<int:key>/", approvals.fill_view, name="approval-draft"),
    path("approvals/submit/<str:kind>/<int:key>/", approvals.submit_view, name="approval-submit"),
    path("approvals/act/<int:key>/<str:verb>/", approvals.act_view, name="approval-act"),
    path("approvals/batch/", approvals.batch_view, name="approval-batch"),
    path("settings/flows/<str:code>/simulate/", flows.simulate_view, name="flow-simulate"),
    path("settings/flows/<str:code>/draft/", flows.draft_view, name="flow-draft"),
    path("healthz", organisation.health_view, name="health"),
    path("files/<uuid:key>/", records.download_view, name="attachment"),
    path("files/<uuid:key>/delete/", records.remove_view, name="attachment-delete"),
    path("records/<str:slug>/<str:key>/attach/", records.attach_view, name="attach"),
    path("records/<str:slug>/<str:key>/comment/", records.comment_view, name="comment"),
    path("notifications/", records.notifications_view, name="notifications"),
    path("notifications/settings/", records.notification_settings_view, name="notification-settings"),
    path("signature/", signatures.signature_view, name="signature"),
    path("signature/give-up/", signatures.give_up_view, name="signature-give-up"),
    path("signature/<uuid:key>/", signatures.picture_view, name="signature-picture"),
    path("jobs/<uuid:key>/", records.job_view, name="job"),
    path("jobs/<uuid:key>/cancel/", records.cancel_job_view, name="job-cancel"),
    path("jobs/<uuid:key>/file/", records.job_file_view, name="job-file"),
    path("news/", announcements.news_view),
    path("news/<int:key>/", announcements.read_view),
    path("news/<int:key>/seen/", announcements.seen_view, name="news-seen"),
    path("news/<int:key>/confirm/", announcements.confirm_view, name="news-confirm"),
    path("office/announcements/<int:key>/amend/", announcements.amend_view, name="announcement-amend"),
    *task_urls,
    *documents,
    *leave,
    *expenses,
    *official,
]
