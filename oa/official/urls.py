"""Addresses of official documents beyond the kit's."""

from __future__ import annotations

from django.urls import path

from oa.official import views

urlpatterns = [
    path("official/<str:side>/<str:key>/step/<str:verb>/", views.step_view, name="official-step"),
    path("official/outgoing/<int:key>/compare/", views.compare_view, name="official-compare"),
]
