"""Logging in and out, and what was typed before: a form that comes too late is kept and sent again (UX 5.3, 7.6).

A form is too late when the session is over, or when its page is older than the last login. It travels in a hidden
field of the login page and of the page after it, where one press of a button sends it to where it was meant for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from kit.pages.views.shell import safe_next


@dataclass(frozen=True)
class KeptForm:
    """A form that could not be taken: where it was sent, and the names and values of what was typed."""

    path: str
    fields: list[tuple[str, str]]
    files: bool = False  # files were sent along; they are not kept

    @classmethod
    def of(cls, request: HttpRequest) -> KeptForm | None:
        """What `request` sent, without passwords; what it carries along where it is the login itself."""
        if request.path == reverse("login"):
            return cls.read(request.POST.get("kept", ""))
        names = [n for n in request.POST if n != "csrfmiddlewaretoken" and "password" not in n]
        fields = [(name, value) for name in names for value in request.POST.getlist(name)]
        return cls(request.get_full_path(), fields, bool(request.FILES))

    @classmethod
    def read(cls, text: str) -> KeptForm | None:
        """The form in a hidden field; None where there is none, or one that would lead to another site."""
        try:
            given = json.loads(text)
            path, files = str(given["path"]), bool(given["files"])
            fields = [(str(name), str(value)) for name, value in given["fields"]]
        except (ValueError, TypeError, KeyError):
            return None
        return cls(path, fields, files) if url_has_allowed_host_and_scheme(path, None) else None

    def __str__(self) -> str:
        return json.dumps({"path": self.path, "fields": self.fields, "files": self.files}, ensure_ascii=False)


@method_decorator(login_not_required, name="dispatch")
class LoginView(auth.LoginView):
    """The login by name or mail address; sends people on to what they typed before it."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the form that waits for the login."""
        return super().get_context_data(**kwargs) | {"kept": KeptForm.of(self.request) or ""}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A login, or one that was made elsewhere meanwhile, ends with the form that waits for it."""
        answer, kept = super().dispatch(request, *args, **kwargs), KeptForm.of(request)
        return _again_page(request, kept, 200) if kept and answer.status_code == 302 else answer


class LogoutView(auth.LogoutView):
    """The logout; the browser forgets the pages that it kept (UX 5.2)."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """End the session, and what is kept of it here."""
        answer = super().post(request, *args, **kwargs)
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer


class LoginMiddleware(LoginRequiredMiddleware):
    """Strangers are led to the login; what a person sent after the session was over is not lost."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseBase:
        """401 where a login beside the page or before the form goes on; else to the login."""
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401, headers={"HX-Trigger": "login-required"})
        if request.method == "POST":
            told = _("Your session is over. Log in: what you typed is kept and can be sent again.")
            return login_page(request, told, KeptForm.of(request), 401)
        answer: HttpResponseBase = super().handle_no_permission(request, view_func)
        return answer


def login_page(request: HttpRequest, told: str, kept: KeptForm | None, status: int) -> HttpResponse:
    """The login with a message, and with the form that waits for it."""
    form = {"non_field_errors": [told], "username": {"value": request.POST.get("username", "")[:254]}}
    context = {"form": form, "next": safe_next(request), "kept": kept or ""}
    return render(request, "registration/login.html", context, status=status)


def locked_view(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """The login page after too many failed attempts: the same words whether or not there is such a person (S-15)."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    told = _("Too many failed attempts. Try again in %s minutes.") % minutes
    return login_page(request, told, KeptForm.of(request), 429)


def stale_view(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A form without a valid token: refused when another site sent it, kept when a page of ours is too old.

    Scripts get the token that is valid now and repeat their request; no other site can read it.
    """
    if request.headers.get("HX-Request"):
        return HttpResponse(status=403, headers={"X-CSRFToken": get_token(request)})
    if not _own_page(request):
        return render(request, "403.html", {"exception": _("The form came from another site.")}, status=403)
    kept = KeptForm.of(request)
    if not request.user.is_authenticated:
        return login_page(request, _("This page was too old. Log in once more."), kept, 403)
    return _again_page(request, kept, 403) if kept else HttpResponseRedirect(safe_next(request))


def _own_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent the form (Fetch Metadata, RFC 6454)."""
    site = request.headers.get("Sec-Fetch-Site")
    return site == "same-origin" or (
        not site and request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    )


def _again_page(request: HttpRequest, kept: KeptForm, status: int) -> HttpResponse:
    return render(request, "registration/again.html", {"kept": kept}, status=status)
