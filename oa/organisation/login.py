"""Logging in and out, and what was typed before: a form that comes too late is kept and sent again (UX 5.3, 7.6).

A form is too late when the session is over, or when its page is older than the last login. It travels in a hidden
field of the login page and of the page after it, where one press of a button sends it to where it was meant for.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from kit.pages.views.shell import safe_next
from oa.organisation.factors import has_factor
from oa.organisation.kept import KeptForm, again_page, login_page
from oa.organisation.second_step import wait_for_code
from oa.organisation.sessions import end_sessions


@method_decorator(login_not_required, name="dispatch")
class LoginView(auth.LoginView):
    """The login by name or mail address; sends people on to what they typed before it."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the form that waits for the login."""
        return super().get_context_data(**kwargs) | {"kept": KeptForm.of(self.request) or ""}

    def form_valid(self, form: Any) -> HttpResponse:
        """Logged in, or asked for the second factor."""
        user = form.get_user()
        if has_factor(user):
            return wait_for_code(self.request, user, self.get_success_url())
        return super().form_valid(form)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A login, or one that was made elsewhere meanwhile, ends with the form that waits for it."""
        answer, kept = super().dispatch(request, *args, **kwargs), KeptForm.of(request)
        return again_page(request, kept, 200) if kept and answer.status_code == 302 else answer


class LogoutView(auth.LogoutView):
    """The logout; the browser forgets the pages that it kept (UX 5.2)."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """End the session, and what is kept of it here."""
        answer = super().post(request, *args, **kwargs)
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer


class OwnPasswordForm(PasswordChangeForm):
    """Another password of one's own, which nobody else knows."""

    def clean(self) -> Any:
        """Not the one that somebody else has set."""
        cleaned = super().clean()
        new = self.cleaned_data.get("new_password1")
        if new and new == self.cleaned_data.get("old_password") and self.user.password_given:
            self.add_error("new_password1", _("Choose another password than the one that you were given."))
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """Store it as the person's own."""
        self.user.password_given = False
        return super().save(commit)


class PasswordView(auth.PasswordChangeView):
    """Another password of one's own: everywhere else the person is logged out."""

    form_class = OwnPasswordForm
    template_name = "registration/password.html"
    success_url = "/"

    def form_valid(self, form: Any) -> HttpResponse:
        """The password, a new key for this session, and the end of the others."""
        answer = super().form_valid(form)
        end_sessions(form.user, but=self.request.session.session_key)
        return answer


@login_not_required
def backoffice_login_view(request: HttpRequest) -> HttpResponse:
    """The back office has no login of its own: it would not ask for the second factor."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))


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
    return again_page(request, kept, 403) if kept else HttpResponseRedirect(safe_next(request))


def _own_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent the form (Fetch Metadata, RFC 6454)."""
    site = request.headers.get("Sec-Fetch-Site")
    return site == "same-origin" or (
        not site and request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
    )
