"""Pages of leave beyond the kit's."""

from __future__ import annotations

from django.urls import path

from oa.leave import views

urlpatterns = [
    path("leave/", views.home_view, name="leave-home"),
    path("leave/preview/", views.preview_view, name="leave-preview"),
]
