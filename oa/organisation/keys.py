"""Security keys and passkeys (WebAuthn) as a second factor (threat S-17).

A key signs a challenge that we made for this session, once, within minutes, for this very address: nobody can be talked
into typing it elsewhere. fido2 checks the signatures; the rows are django-allauth's, as those of the app.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from kit.values.errors import BusinessError
from oa.organisation.factors import APP, FACTORS, KEY, first_codes, must_have_factor
from oa.organisation.models import CompanyProfile, SecondFactor, User

CHALLENGE = "key-challenge"  # in the session: what the next answer has to sign, for whom and for what
WAIT = 5 * 60  # seconds that a challenge is good for
MAKING, USING = "create", "get"  # as browsers call the two ceremonies
MOST = 10  # keys of one person
LONGEST = 20_000  # characters of an answer; those of real keys have one or two thousand
LONGEST_ID = 1023  # bytes, as the standard says
PREFERRED = UserVerificationRequirement.PREFERRED
log = logging.getLogger(__name__)


def keys_of(user: Any) -> list[SecondFactor]:
    """The keys of `user`, oldest first."""
    return list(SecondFactor.objects.filter(user=user.pk, type=KEY).order_by("pk"))


def making(request: HttpRequest) -> str:
    """What the browser needs to make a key for who is logged in, as JSON; its challenge waits in the session."""
    user: Any = request.user
    options, state = _server(request).register_begin(
        PublicKeyCredentialUserEntity(id=_handle(user), name=user.get_username(), display_name=str(user)),
        credentials=[_credential(row) for row in keys_of(user)],
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,  # the person is known by then
        user_verification=PREFERRED,
    )
    _keep(request, MAKING, user, state)
    return json.dumps(dict(options.public_key))


def using(request: HttpRequest, user: Any) -> dict[str, Any]:
    """What a page needs to ask `user` for the second factor: `options` for the browser where there is a key."""
    rows = list(SecondFactor.objects.filter(user=user.pk).order_by("pk"))
    keys = [_credential(row) for row in rows if row.type == KEY]
    context = {"options": "", "app": any(row.type == APP for row in rows)}
    if keys:
        options, state = _server(request).authenticate_begin(keys, user_verification=PREFERRED)
        _keep(request, USING, user, state)
        context["options"] = json.dumps(dict(options.public_key))
    return context


def add_key(request: HttpRequest, name: str, answer: str) -> list[str]:
    """Take the key that the browser made, under this name: the recovery codes where it is the first factor."""
    user: Any = request.user
    state = _taken(request, MAKING, user)
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())[:60]
    if not name:
        raise BusinessError(_("Give the key a name."), field="name")
    if state is None:
        raise BusinessError(_("This page was too old. Try again."))
    try:
        made = RegistrationResponse.from_dict(json.loads(answer[:LONGEST]))
        data = _server(request).register_complete(state, made)
        credential: Any = data.credential_data
        fits = len(credential.credential_id) <= LONGEST_ID
        fits = fits and credential.public_key[3] in CoseKey.supported_algorithms()
    except Exception as problem:  # any of a dozen kinds, depending on which part of the answer is forged
        _refused(user, repr(problem))
        fits = False
    if not fits:
        raise BusinessError(_("The key did not answer as it should. Try again."))
    return _store(user, name, credential, data.counter)


@transaction.atomic
def _store(user: User, name: str, credential: AttestedCredentialData, counter: int) -> list[str]:
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    identifier = websafe_encode(credential.credential_id)
    if Authenticator.objects.filter(type=KEY, data__id=identifier).exists():
        raise BusinessError(_("This key is registered already."))
    if len(keys_of(user)) >= MOST:
        raise BusinessError(_("You have %s keys. Remove one of them first.") % MOST)
    data = {"name": name, "id": identifier, "credential": websafe_encode(credential), "counter": counter}
    Authenticator.objects.create(user=user, type=KEY, data=data)
    return first_codes(user)


@transaction.atomic
def accept_key(request: HttpRequest, user: Any, answer: str) -> bool:
    """Whether `answer` is that of a key of `user` to the challenge of this session, which is worth nothing then."""
    state = _taken(request, USING, user)
    rows = Authenticator.objects.select_for_update().filter(user=user.pk, type=KEY).order_by("pk")
    keys = {row.data["id"]: row for row in rows}
    if state is None:
        return False
    try:
        given = AuthenticationResponse.from_dict(json.loads(answer[:LONGEST]))
        used = _server(request).authenticate_complete(state, [_credential(row) for row in keys.values()], given)
        if given.response.user_handle not in (None, b"", _handle(user)):
            raise ValueError("The key names somebody else.")
    except Exception as problem:  # as above
        return _refused(user, repr(problem))
    row = keys[websafe_encode(used.credential_id)]
    counter, before = given.response.authenticator_data.counter, row.data["counter"]
    if (counter or before) and counter <= before:
        return _refused(user, f"key {row.pk} counted {before} and counts {counter} now: there may be a copy of it")
    if row.data.get("last") == state["challenge"]:  # by a request at the same moment, which read the same session
        return _refused(user, "answered twice")
    row.data |= {"counter": counter, "last": state["challenge"]}
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
    return True


@transaction.atomic
def remove_key(user: User, handle: str) -> str:
    """Take away the key of `user` with this number: its name. Without any factor left its recovery codes go as well."""
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    row = next((row for row in keys_of(user) if str(row.pk) == handle), None)
    if row is None:
        raise BusinessError(_("This key is not there any more."))
    others = Authenticator.objects.filter(user=user.pk).exclude(pk=row.pk)
    last = not others.filter(type__in=FACTORS).exists()
    if last and must_have_factor(user):
        raise BusinessError(_("Your role requires two-factor login: add another key or an app before you remove this."))
    Authenticator.objects.filter(pk=row.pk).delete()
    if last:
        others.delete()
    return str(row.data["name"])


def _server(request: HttpRequest) -> Fido2Server:
    """Checks for the very address that the browser is at; not for its subdomains, as fido2 would."""
    origin = f"{request.scheme}://{request.get_host()}"
    site = PublicKeyCredentialRpEntity(id=urlsplit(origin).hostname or "", name=CompanyProfile.current().name)
    server = Fido2Server(site, verify_origin=lambda given: given == origin)
    server.timeout = WAIT * 1000  # type: ignore[assignment]  # fido2 has no type for it
    return server


def _handle(user: Any) -> bytes:
    """Under what a key keeps the account: nothing that says who it is."""
    return str(user.pk).encode()


def _credential(row: Any) -> AttestedCredentialData:
    return AttestedCredentialData(websafe_decode(row.data["credential"]))


def _keep(request: HttpRequest, kind: str, user: Any, state: dict[str, Any]) -> None:
    request.session[CHALLENGE] = {**state, "kind": kind, "user": user.pk, "at": int(timezone.now().timestamp())}


def _taken(request: HttpRequest, kind: str, user: Any) -> dict[str, Any] | None:
    """The challenge of the session, which is gone with that; None where it is too old, or was made for another."""
    state: dict[str, Any] | None = request.session.pop(CHALLENGE, None)
    if state is None or (state["kind"], state["user"]) != (kind, user.pk):
        return None
    return state if timezone.now().timestamp() - state["at"] <= WAIT else None


def _refused(user: Any, reason: str) -> bool:
    log.warning("An answer of a security key of user %s was refused: %s", user.pk, reason)
    return False
