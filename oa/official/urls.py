"""Addresses of official documents beyond the kit's."""

from __future__ import annotations

from django.urls import path, re_path

from oa.official import views

urlpatterns = [
    re_path(
        r"^official/(?P<side>outgoing|incoming)/(?P<key>[0-9]{1,18})/step/(?P<verb>[a-z]{1,12})/$",
        views.step_view,
        name="official-step",
    ),
    path("official/outgoing/<int:key>/compare/", views.compare_view, name="official-compare"),
]
