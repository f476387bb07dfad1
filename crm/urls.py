"""Pages of crm beyond the kit's."""

from __future__ import annotations

from django.urls import URLPattern, path

from crm.followups import views as followups

urlpatterns: list[URLPattern] = [
    path("crm/customers/<str:key>/follow-up/", followups.log_view, name="log-followup"),
]
