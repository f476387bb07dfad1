"""The shell: language, preferences, counters, help."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from kit.pages import nav
from kit.pages.hooks import hooks

THEMES, DENSITIES = {"light", "dark", "system"}, {"compact", "standard", "comfortable"}
YEAR = 365 * 24 * 3600


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: company, person, navigation. Empty before login and outside a request.

    It is made when a template asks for it: fragments, which have no frame, cost no statement.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"login_shell": SimpleLazyObject(lambda: _frame(request))}
    return {"shell": SimpleLazyObject(lambda: _frame(request) | _person(request))}


def _frame(request: HttpRequest) -> dict[str, Any]:
    """Language, company, and what waits."""
    made: dict[str, Any] = {"language": translation.get_language() or "en"}
    for source in hooks.shell:
        made |= source(request)
    return made


def _person(request: HttpRequest) -> dict[str, Any]:
    """The navigation tree and the settings of the person."""
    user = request.user
    made = nav.build(user, request.path)
    made |= {
        "user_name": str(user),
        "user_initials": getattr(user, "initials", ""),
        "theme": getattr(user, "theme", "system"),
        "density": getattr(user, "density", "standard"),
    }
    return made


def safe_next(request: HttpRequest) -> str:
    """Where to go back to: an address of this site, else the desk (S-19)."""
    url = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if allowed else "/"


@login_not_required
@require_POST
def language_view(request: HttpRequest) -> HttpResponse:
    """Switch the language: kept on the user, and in a cookie for the login page."""
    code = request.POST.get("language", "")
    response = HttpResponseRedirect(safe_next(request))
    if code in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            get_user_model()._default_manager.filter(pk=request.user.pk).update(language=code)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
        )
    return response


@require_POST
def preferences_view(request: HttpRequest) -> HttpResponse:
    """Theme and density of the person."""
    changes = {}
    if request.POST.get("theme") in THEMES:
        changes["theme"] = request.POST["theme"]
    if request.POST.get("density") in DENSITIES:
        changes["density"] = request.POST["density"]
    if changes:
        get_user_model()._default_manager.filter(pk=request.user.pk).update(**changes)
    return HttpResponseRedirect(safe_next(request))


@require_safe
def counters_view(request: HttpRequest) -> HttpResponse:
    """What waits for the person, for the pills of the shell: kept for a minute, which every page begins with (UX 9)."""
    made = known_counters(request.user)
    if made is None:
        made = {}
        for count in hooks.counters:
            made |= count(request.user)
        cache.set(_counters_key(request.user.pk), made, settings.COUNTERS_SECONDS)
    return JsonResponse(made)


def known_counters(user: Any) -> dict[str, int] | None:
    """What waited for the person when it was counted last, within the last minute; None where it was not."""
    found: dict[str, int] | None = cache.get(_counters_key(user.pk))
    return found


def _counters_key(user: Any) -> str:
    return f"counters:{user}"


def counts_anew(*users: Any) -> None:
    """What waits for these people (keys) is counted again when they ask next: something was sent, done or read."""
    if users:
        transaction.on_commit(lambda: cache.delete_many([_counters_key(user) for user in users]))
