"""Addresses of the program: the kit's pages, the back office, login."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from config.static import favicon
from kit.urls import resource_urls
from oa.organisation.login import LoginView, LogoutView

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path(
        "password/",
        auth.PasswordChangeView.as_view(template_name="registration/password.html", success_url="/"),
        name="password_change",
    ),
    path("favicon.ico", favicon, name="favicon"),
    path("backoffice/", admin.site.urls),
    path("", include("oa.urls")),
    path("", include("crm.urls")),
    path("", include("erp.urls")),
    path("", include("kit.urls")),
    *resource_urls(),
]
