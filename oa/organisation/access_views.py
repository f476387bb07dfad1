"""Sessions and two-factor login of the person who is logged in (UX 3.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.values.errors import BusinessError
from oa.organisation import factors, keys, sessions
from oa.organisation.factors import FactorAdapter

SETTING_UP = "factor-set-up"  # the secret of an app that has not proved itself yet


@never_cache
def access_view(request: HttpRequest) -> HttpResponse:
    """My sessions, and my second factors."""
    user: Any = request.user
    app = factors.SecondFactor.objects.filter(user=user.pk, type=factors.APP).first()
    context = {
        "head": Head(title=_("Sessions and two-factor login")),
        "app": app,
        "keys": keys.keys_of(user),
        "required": user.must_factor,
        "codes_left": factors.codes_left(user) if user.has_factor else 0,
        "sessions": sessions.sessions_of(user, request.session.session_key),
    }
    return fragment_or_page(request, "oa/access.html", context)


@require_POST
def end_view(request: HttpRequest) -> HttpResponse:
    """End one of my sessions, or all others than this one."""
    user: Any = request.user
    handle = request.POST.get("session", "")
    if not handle:
        sessions.end_sessions(user, but=request.session.session_key)
        messages.success(request, _("You are logged out everywhere else."))
    elif sessions.end_session(user, handle):
        messages.success(request, _("The session was ended."))
    return go(request, reverse("access"))


@never_cache
def set_up_view(request: HttpRequest) -> HttpResponse:
    """The QR code, and the first code of the app; answers with the recovery codes, this once."""
    user: Any = request.user
    session, error = request.session, ""
    if SETTING_UP not in session:
        session[SETTING_UP] = encrypt(generate_totp_secret())
    secret = decrypt(session[SETTING_UP])
    if request.method == "POST":
        try:
            codes = factors.set_up_factor(user, secret, request.POST.get("code", "")[:40])
        except BusinessError as problem:
            error = str(problem)
        else:
            del session[SETTING_UP]
            return _set_up(request, codes, _("The authenticator app is set up."))
    address = FactorAdapter().build_totp_url(user, secret)
    context = {
        "drawing": factors.qr_of(address),
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "address": address,
        "forced": user.must_factor and not user.has_factor,
        "error": error,
    }
    return render(request, "registration/second_factor.html", context, status=422 if error else 200)


@never_cache
def key_view(request: HttpRequest) -> HttpResponse:
    """A security key: its name, and what the browser made with it; recovery codes where it is the first factor."""
    user: Any = request.user
    name, error = sessions.device(request.headers.get("User-Agent", "")), ""
    if request.method == "POST":
        name = request.POST.get("name", "")[:200]
        try:
            codes = keys.add_key(request, name, request.POST.get("credential", ""))
        except BusinessError as problem:
            error = str(problem)
        else:
            return _set_up(request, codes, _("The key was added."))
    forced = user.must_factor and not user.has_factor
    context = {"options": keys.making(request), "name": name, "forced": forced, "error": error}
    return render(request, "registration/key.html", context, status=422 if error else 200)


def _set_up(request: HttpRequest, codes: list[str], told: str) -> HttpResponse:
    """This session came in with the new factor; all others are over. Then the recovery codes, if there are new ones."""
    user: Any = request.user
    request.session.cycle_key()
    request.session[sessions.FACTOR] = int(timezone.now().timestamp())
    sessions.end_sessions(user, but=request.session.session_key)
    if codes:
        return _codes_page(request, codes)
    messages.success(request, told)
    return go(request, reverse("access"))


@require_POST
def key_remove_view(request: HttpRequest) -> HttpResponse:
    """Take one of my keys away; whoever came in by it elsewhere is out."""
    user: Any = request.user
    try:
        name = keys.remove_key(user, request.POST.get("key", ""))
    except BusinessError as error:
        messages.error(request, str(error))
    else:
        sessions.end_sessions(user, but=request.session.session_key)
        messages.success(request, _("The key “%s” was removed.") % name)
    return go(request, reverse("access"))


@require_POST
@never_cache
def codes_view(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown this once."""
    user: Any = request.user
    try:
        return _codes_page(request, factors.renew_codes(user))
    except BusinessError as error:
        messages.error(request, str(error))
        return go(request, reverse("access"))


def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The codes, and the same as a file inside the page: nothing of them is kept for a second request."""
    shown = [f"{code[:4]}-{code[4:]}" for code in codes]
    title = _("Sanhe recovery codes of %s") % request.user.get_username()
    file = "data:text/plain;charset=utf-8," + quote("\r\n".join([title, "", *shown, ""]))
    return render(request, "registration/recovery_codes.html", {"codes": shown, "file": file})


@require_POST
def give_up_view(request: HttpRequest) -> HttpResponse:
    """Log in with the password alone again."""
    user: Any = request.user
    try:
        factors.give_up_factor(user)
    except BusinessError as error:
        messages.error(request, str(error))
    else:
        sessions.end_sessions(user, but=request.session.session_key)
        messages.success(request, _("Two-factor login is switched off."))
    return go(request, reverse("access"))
