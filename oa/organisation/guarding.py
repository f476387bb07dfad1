"""What stands before every page: limits of sessions, the second factor, and asking once more (threats S-16, S-17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from kit.pages.views.records import go
from oa.organisation.kept import KeptForm
from oa.organisation.people import GIVES_ROLES
from oa.organisation.second_step import confirm_page
from oa.organisation.sessions import FACTOR, is_fresh, over, touch

# Open to who still has to choose a password or to set up a second factor, beside the page for that.
OPEN = ("logout", "login", "login-code", "confirm", "kit:language", "health", "favicon")
# What asks who it is when that was answered more than 15 minutes ago: rights, second factors, the company's bank.
ASKED = frozenset((
    "role-new", "role-edit", "role-delete", "dutyconflict-new", "dutyconflict-edit", "dutyconflict-delete",
    "companyprofile-edit", "second-factor", "second-factor-codes", "second-factor-off", "second-factor-key",
    "second-factor-key-remove",
    "admin:oa_user_add", "admin:oa_user_change", "admin:auth_user_password_change", "admin:oa_companyprofile_change",
    "admin:oa_dutyconflict_add", "admin:oa_dutyconflict_change", "admin:oa_dutyconflict_delete",
))  # fmt: skip
ASKED_OF_GIVERS = frozenset(("user-new", "user-edit", "user-delete"))  # the same form, without roles for all others
ASKED_NAMED = {("user-do", "reset-second-factor"), ("move-person", "return")}  # of a page that does several things


class AccessMiddleware:
    """Lets a session in, or ends it, or leads to what comes first; before a change of rights it asks who it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if user.is_authenticated:
            if over(request.session) or (user.has_factor and not request.session.get(FACTOR)):
                logout(request)
            elif (ways := self._first(user)) and request.path not in {*ways, *self._open}:
                return go(request, ways[0])
            elif request.path != self._polled:
                touch(request.session)
        return self.get_response(request)

    @staticmethod
    def _first(user: Any) -> tuple[str, ...]:
        """Where a person has to go before anywhere else, and what may be chosen instead; empty for nowhere."""
        if user.password_given:
            return (reverse("password_change"),)
        if user.must_factor and not user.has_factor:
            return reverse("second-factor"), reverse("second-factor-key")
        return ()

    @cached_property
    def _open(self) -> frozenset[str]:
        return frozenset(reverse(name) for name in OPEN)

    @cached_property
    def _polled(self) -> str:
        """What open pages ask by themselves is no use of a session."""
        return reverse("kit:counters")

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        """Before the form is shown; a form that was open too long is kept meanwhile and sent again."""
        if not request.user.is_authenticated or is_fresh(request.session) or not _asked(request, kwargs):
            return None
        if request.headers.get("HX-Request") or request.method != "POST":
            return go(request, f"{reverse('confirm')}?{urlencode({'next': request.get_full_path()})}")
        return confirm_page(request, KeptForm.of(request), "")


def _asked(request: HttpRequest, kwargs: dict[str, Any]) -> bool:
    match = request.resolver_match
    if match is None:
        return False
    name = match.view_name
    return (
        name in ASKED
        or (name, kwargs.get("name") or kwargs.get("kind")) in ASKED_NAMED
        or (name in ASKED_OF_GIVERS and request.user.has_perm(GIVES_ROLES))
    )
