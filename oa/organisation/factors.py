"""The second factor of the login: an authenticator app (TOTP), and recovery codes for the day it is lost (threat S-17).

Security keys stand beside the app (oa.organisation.keys); whatever is said of any factor here holds for them as well.

django-allauth keeps the rows and computes the codes; that a code counts once only is decided by the row itself, under
its lock, so that it holds over restarts and for several processes.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import qrcode
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from kit.values.errors import BusinessError
from oa.organisation.models import CompanyProfile, Role, SecondFactor, User
from oa.organisation.people import outranks
from oa.organisation.sessions import end_sessions

APP, CODES, KEY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES, Authenticator.Type.WEBAUTHN
FACTORS = (APP, KEY)  # either is a second factor; recovery codes only stand in for one
RESETS = "oa.reset_factor_user"
gettext_noop("Can reset the second factor of a person")  # as the role editor calls it
log = logging.getLogger(__name__)


class FactorAdapter(DefaultMFAAdapter):
    """What django-allauth asks us: secrets are stored encrypted, so that a stolen backup holds no second factor."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises InvalidToken where neither the secret key nor an earlier one fits."""
        return _box().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def get_totp_issuer(self) -> str:
        return CompanyProfile.current().name


def _box() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (hashlib.sha256(f"oa.factors:{key}".encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


def factor_marks() -> dict[str, Any]:
    """Columns for the statement that reads the user of a request: has a second factor, and must have one.

    A superuser holds the rights of every role, so any role that requires two factors requires them of superusers.
    """
    demanding = Role.objects.filter(second_factor=True)
    return {
        "has_factor": Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)),
        "must_factor": Q(Exists(demanding.filter(group__user=OuterRef("pk"))))
        | Q(Exists(demanding), is_superuser=True),
    }


def has_factor(user: Any) -> bool:
    """Whether the login of `user` asks for a code or a key."""
    return SecondFactor.objects.filter(user=user.pk, type__in=FACTORS).exists()


def codes_left(user: Any) -> int:
    """How many recovery codes are not used yet."""
    row = SecondFactor.objects.filter(user=user.pk, type=CODES).first()
    return settings.MFA_RECOVERY_CODE_COUNT - int(row.data["used_mask"]).bit_count() if row is not None else 0


@transaction.atomic
def accept_code(user: Any, code: str) -> bool:
    """Whether `code` is the app's or a recovery code of `user`; either is worth nothing afterwards."""
    rows = {row.type: row for row in Authenticator.objects.select_for_update().filter(user=user.pk).order_by("pk")}
    app = rows.get(APP)
    try:
        counter = _counter(decrypt(app.data["secret"]), code, app.data.get("counter", 0)) if app is not None else None
        if app is not None and counter is not None:
            app.data["counter"] = counter
            app.record_usage()
            app.save(update_fields=["data"])
            return True
        return CODES in rows and RecoveryCodes(rows[CODES]).validate_code(code)
    except InvalidToken:
        log.error("The second factor of user %s was made with another SECRET_KEY.", user.pk)
        return False


def _counter(secret: str, code: str, used: int) -> int | None:
    """The step of time whose code this is; steps up to the one `used` last do not count again."""
    present, around = int(timezone.now().timestamp()) // app_settings.TOTP_PERIOD, app_settings.TOTP_TOLERANCE
    for step in range(present - around, present + around + 1):
        if step > used and compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            return step
    return None


@transaction.atomic
def set_up_factor(user: User, secret: str, code: str) -> list[str]:
    """Take `secret` as the app of `user`, instead of the one before, if `code` comes from it: new recovery codes.

    None where the app comes beside a security key: those that were made with the key stay.
    """
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    counter = _counter(secret, code, 0)
    if counter is None:
        raise BusinessError(
            _("This is not the code that the app shows now. Check the clock of the phone."), field="code"
        )
    if Authenticator.objects.filter(user=user.pk, type=APP).delete()[0]:  # the lost phone may have held the codes
        Authenticator.objects.filter(user=user.pk, type=CODES).delete()
    row = TOTP.activate(user, secret).instance
    row.data["counter"] = counter
    row.save(update_fields=["data"])
    return first_codes(user)


def first_codes(user: User) -> list[str]:
    """Recovery codes for the first factor of `user`; none where there are some already."""
    if Authenticator.objects.filter(user=user.pk, type=CODES).exists():
        return []
    return RecoveryCodes.activate(user).generate_codes()


def must_have_factor(user: User) -> bool:
    """Whether a role of `user` requires a second factor."""
    return User.objects.annotate(**factor_marks()).filter(pk=user.pk, must_factor=True).exists()


@transaction.atomic
def renew_codes(user: User) -> list[str]:
    """New recovery codes; those before are worth nothing."""
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not has_factor(user):
        raise BusinessError(_("Set up two-factor login first."))
    Authenticator.objects.filter(user=user.pk, type=CODES).delete()
    return RecoveryCodes.activate(user).generate_codes()


@transaction.atomic
def give_up_factor(user: User) -> None:
    """Log in with the password alone again, unless a role requires two factors."""
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if must_have_factor(user):
        raise BusinessError(_("Your role requires two-factor login: it can be set up anew, not switched off."))
    Authenticator.objects.filter(user=user.pk).delete()


@transaction.atomic
def reset_factor(person: User, *, by: Any) -> User:
    """Take the lost second factor from somebody else, who is logged out everywhere and sets up another one."""
    person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if by is not None and not (by.has_perm(RESETS) and outranks(by, person)):
        raise BusinessError(_("You do not have the right to do this: %s. Ask your administrator for it.") % person)
    if by is not None and by.pk == person.pk:
        raise BusinessError(_("Your own second factor is changed in your user menu."))
    if not Authenticator.objects.filter(user=person.pk).delete()[0]:
        raise BusinessError(_("%s has no second factor.") % person)
    end_sessions(person)
    return person


@dataclass(frozen=True)
class Drawing:
    """A QR code as one path of squares."""

    size: int
    path: str


def qr_of(address: str) -> Drawing:
    """The QR code of `address`; drawn here, so that no script and no other site sees the secret."""
    code = qrcode.QRCode(border=4)
    code.add_data(address)
    matrix = code.get_matrix()
    return Drawing(len(matrix), "".join(_squares(matrix)))


def _squares(matrix: list[list[bool]]) -> Iterator[str]:
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                yield f"M{x} {y}h1v1h-1z"


def secret_in(address: str) -> str:
    """The secret of an otpauth address, as people type it where they cannot scan."""
    return parse_qs(urlsplit(address).query)["secret"][0]
