"""People who log in for the tests of login, second factor and sessions."""

from __future__ import annotations

import re
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client
from django.utils import timezone

from oa.organisation import factors
from oa.organisation.models import User

PASSWORD = "sanhe-test-pass"
OURS = {"Sec-Fetch-Site": "same-origin"}
PERIOD = 30


def code_at(secret: str, steps: int = 0) -> str:
    """What the app shows now, or so many steps of 30 seconds later."""
    return format_hotp_value(hotp_value(secret, int(timezone.now().timestamp()) // PERIOD + steps))


def with_factor(user: User) -> tuple[str, list[str]]:
    """Secret and recovery codes of a second factor that was set up a while ago."""
    secret = generate_totp_secret()
    codes = factors.set_up_factor(user, secret, code_at(secret))
    forget_last_code(user)
    return secret, codes


def forget_last_code(user: User) -> None:
    """As if the last login were a minute ago."""
    row = Authenticator.objects.get(user=user, type=factors.APP)
    row.data["counter"] -= 4
    row.save()


def give_password(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    """The first step of the login."""
    return client.post("/login/", {"username": name, "password": password, **more})


def give_code(client: Client, code: str, **more: Any) -> Any:
    """The second step."""
    return client.post("/login/code/", {"code": code, **more})


def enter(user: User, secret: str = "", **extra: Any) -> Client:
    """A browser that logged in as people do, with the code of the app where there is one."""
    client = Client(**extra)
    answer = give_password(client, user.username)
    if secret:
        assert answer.status_code == 200 and not is_in(client)
        answer = give_code(client, code_at(secret))
    assert answer.status_code == 302, answer.content[:400]
    return client


def secret_on(page: Any) -> str:
    """The key that the page to set up an app tells people to type."""
    found = re.search(r'<code class="key">([^<]+)</code>', page.content.decode())
    assert found is not None
    return found[1].replace(" ", "")


def is_in(client: Client) -> bool:
    """Whether the browser is let in to a page that everybody has."""
    answer = client.get("/notifications/")
    return bool(answer.status_code == 200)


def age(client: Client, *names: str, minutes: float) -> None:
    """The session with these moments so many minutes earlier."""
    session = client.session
    for name in names:
        session[name] -= int(minutes * 60)
    session.save()
