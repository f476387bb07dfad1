"""Addresses of the program: the kit's pages, the back office, login."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from config.static import favicon
from kit.urls import resource_urls
from oa.organisation.login import LoginView, LogoutView, PasswordView, backoffice_login_view
from oa.organisation.second_step import code_view, confirm_view

handler500 = "config.failing.failed_view"

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("login/code/", code_view, name="login-code"),
    path("confirm/", confirm_view, name="confirm"),
    path("password/", PasswordView.as_view(), name="password_change"),
    path("favicon.ico", favicon, name="favicon"),
    # Before the back office's own: one login, one logout, one page for passwords.
    path("backoffice/login/", backoffice_login_view),
    path("backoffice/logout/", LogoutView.as_view()),
    path("backoffice/password_change/", PasswordView.as_view()),
    path("backoffice/", admin.site.urls),
    path("", include("oa.urls")),
    path("", include("crm.urls")),
    path("", include("erp.urls")),
    path("", include("kit.urls")),
    *resource_urls(),
]
