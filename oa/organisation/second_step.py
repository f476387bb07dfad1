"""The second step of the login, and asking once more who it is: password, code or key, counted by axes (S-15, S-17)."""

from __future__ import annotations

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from kit.pages.views.shell import safe_next
from oa.organisation.factors import accept_code
from oa.organisation.kept import KeptForm, again_page, login_page
from oa.organisation.keys import accept_key, using
from oa.organisation.models import User
from oa.organisation.sessions import CONFIRMED, FACTOR, is_fresh

PENDING = "pending"
WAIT = 5 * 60  # seconds between password and code


def wait_for_code(request: HttpRequest, user: User, goal: str) -> HttpResponse:
    """The password was right: note whose it was, in a session that is nobody's yet, and ask for code or key."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk, "hash": user.get_session_auth_hash(), "at": int(timezone.now().timestamp()), "next": goal,
    }  # fmt: skip
    return _code_page(request, user, KeptForm.of(request), "")


@login_not_required
@never_cache
def code_view(request: HttpRequest) -> HttpResponseBase:
    """The answer of a key, the code of the app, or a recovery code, after the password."""
    kept = KeptForm.of(request)
    if request.user.is_authenticated:
        return again_page(request, kept, 200) if kept else HttpResponseRedirect("/")
    user = _waiting(request)
    if user is None:
        request.session.pop(PENDING, None)
        if kept is None:
            return HttpResponseRedirect(reverse("login"))
        return login_page(request, _("This page was too old. Log in once more."), kept, 401)
    if request.method != "POST":
        return _code_page(request, user, kept, "")
    if not _factor_fits(request, user):
        return _code_page(request, user, kept, _wrong(request))
    goal = request.session.pop(PENDING)["next"]
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    request.session[FACTOR] = int(timezone.now().timestamp())
    return again_page(request, kept, 200) if kept else HttpResponseRedirect(goal)


def _waiting(request: HttpRequest) -> User | None:
    """Who gave the right password just now; nobody when it was changed since, or the person left."""
    pending = request.session.get(PENDING)
    if not pending or timezone.now().timestamp() - pending["at"] > WAIT:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    fits = user is not None and constant_time_compare(pending["hash"], user.get_session_auth_hash())
    return user if fits else None


def _factor_fits(request: HttpRequest, user: Any) -> bool:
    """Whether code or key are right; wrong ones count with wrong passwords, and who is locked is not even compared."""
    counted = {"username": user.get_username()}
    if AxesProxyHandler.is_allowed(request, counted) and _accepted(request, user):
        return True
    user_login_failed.send(sender=__name__, credentials=counted, request=request)
    return False


def _accepted(request: HttpRequest, user: Any) -> bool:
    if "credential" in request.POST:
        return accept_key(request, user, request.POST["credential"])
    return accept_code(user, request.POST.get("code", "")[:40])


def _wrong(request: HttpRequest) -> str:
    if "credential" in request.POST:
        return _("The key did not answer as it should. Try again.")
    return _("This code is wrong, or was used already.")


def _code_page(request: HttpRequest, user: User, kept: KeptForm | None, error: str) -> HttpResponse:
    context = {"kept": kept or "", "error": error, **using(request, user)}
    return render(request, "registration/code.html", context)


@never_cache
def confirm_view(request: HttpRequest) -> HttpResponseBase:
    """The password once more, or a code or key where there is a second factor; then on to what was asked for."""
    kept, goal = KeptForm.of(request), safe_next(request)
    if request.method != "POST":
        return confirm_page(request, None, request.GET.get("next", ""))
    if not (is_fresh(request.session) or _proves(request)):
        return confirm_page(request, kept, goal, _("This is not right. Try again."))
    if not is_fresh(request.session):
        request.session[CONFIRMED] = int(timezone.now().timestamp())
    return again_page(request, kept, 200) if kept else HttpResponseRedirect(goal)


def _proves(request: HttpRequest) -> bool:
    user: Any = request.user
    if user.has_factor:
        return _factor_fits(request, user)
    given = authenticate(request, username=user.get_username(), password=request.POST.get("password", ""))
    return given is not None and given.pk == user.pk


def confirm_page(request: HttpRequest, kept: KeptForm | None, goal: str, error: str = "") -> HttpResponse:
    """Asks who it is; with the form that waits for it, or where to go on."""
    user: Any = request.user
    context = {"kept": kept or "", "goal": goal, "error": error, **(using(request, user) if user.has_factor else {})}
    return render(request, "registration/confirm.html", context, status=403 if kept and not error else 200)
