"""The second factor: setting up, logging in, losing and requiring it (threat S-17)."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.crypto import get_random_string

from kit.values.errors import BusinessError
from oa.organisation import factors
from oa.organisation.factors import accept_code, has_factor, reset_factor
from oa.organisation.models import User
from tests import factories as make
from tests.oa.entering import code_at, enter, give_code, give_password, is_in, secret_on, with_factor
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

SET_UP = "/access/second-factor/"


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", "sales")


# ---- setting up ----


def test_a_person_sets_up_an_app_and_gets_codes_once(ann):
    """S-17: the secret is drawn by the server, proved by a code, stored encrypted; recovery codes are told only then."""
    client = enter(ann)
    page = client.get(SET_UP)
    secret = secret_on(page)
    body = page.content.decode()
    assert "<svg" in body and "style=" not in body and 'autocomplete="one-time-code"' in body
    assert f"secret={secret}" in body and "no-store" in page.headers["Cache-Control"]
    assert secret_on(client.get(SET_UP)) == secret, "opening the page again does not spoil what was scanned"
    refused = client.post(SET_UP, {"code": "000000" if code_at(secret) != "000000" else "111111"})
    assert refused.status_code == 422 and not has_factor(ann)
    made = client.post(SET_UP, {"code": code_at(secret)})
    codes = re.findall(r"<li><code>(\d{4}-\d{4})</code></li>", made.content.decode())
    assert made.status_code == 200 and len(set(codes)) == 10
    assert all(code in made.content.decode().partition("data:text/plain")[2] for code in codes), "the file holds them"
    assert "no-store" in made.headers["Cache-Control"] and is_in(client)
    stored = str(list(Authenticator.objects.filter(user=ann).values_list("data", flat=True)))
    assert secret not in stored and decrypt(Authenticator.objects.get(user=ann, type="totp").data["secret"]) == secret
    later = client.get("/access/").content.decode()
    assert "10 recovery codes are left" in later and not any(code in later for code in codes)
    assert secret_on(client.get(SET_UP)) != secret, "the secret is never shown again"


def test_the_drawing_is_the_address():
    """The squares of the page are those of the QR code of the address, within a margin."""
    drawing = factors.qr_of("otpauth://totp/ann?secret=ABC&issuer=Sanhe")
    dark = set(re.findall(r"M(\d+) (\d+)h1v1h-1z", drawing.path))
    assert {(str(x), "4") for x in range(4, 11)} <= dark and drawing.size >= 29
    assert not [x for x, y in dark if int(x) < 4 or int(y) < 4]


# ---- logging in ----


def test_the_password_alone_does_not_let_in(ann):
    """S-17: after the password nothing is open but the code; the right code opens."""
    secret, _codes = with_factor(ann)
    client = Client()
    page = give_password(client, "ann")
    assert page.status_code == 200 and 'autocomplete="one-time-code"' in page.content.decode()
    for path in ("/", "/notifications/", "/access/", SET_UP, "/org/people/", "/backoffice/"):
        assert client.get(path).status_code == 302 and "/login/" in client.get(path)["Location"], path
    assert give_code(client, "12345").status_code == 200 and not is_in(client)
    assert give_code(client, code_at(secret)).status_code == 302 and is_in(client)


def test_a_code_counts_once(ann):
    """S-17: a replayed code is refused, in another browser, after an older one, and after the cache was emptied."""
    secret, _codes = with_factor(ann)
    now, before = code_at(secret), code_at(secret, -1)
    first, second = Client(), Client()
    give_password(first, "ann")
    give_password(second, "ann")
    assert give_code(first, now).status_code == 302
    assert [give_code(second, code).status_code for code in (now, before)] == [200, 200]
    assert is_in(first) and not is_in(second)
    assert give_code(second, code_at(secret, 1)).status_code == 302, "the next one is another"


@pytest.mark.parametrize(("steps", "fits"), [(-3, False), (-2, False), (-1, True), (0, True), (1, True), (2, False), (3, False)])  # fmt: skip
def test_a_clock_may_be_half_a_minute_off(ann, monkeypatch, steps, fits):
    """S-17: the codes of the step before and after count, no others."""
    secret, _codes = with_factor(ann)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now.replace(second=15))
    assert accept_code(ann, code_at(secret, steps)) is fits


def test_a_recovery_code_lets_in_once(ann):
    """S-17: each of them once, with or without its dash; the others stay."""
    _secret, codes = with_factor(ann)
    client, again = Client(), Client()
    give_password(client, "ann")
    assert give_code(client, f"{codes[3][:4]}-{codes[3][4:]}").status_code == 302 and is_in(client)
    give_password(again, "ann")
    assert give_code(again, codes[3]).status_code == 200 and not is_in(again)
    assert factors.codes_left(ann) == 9
    assert give_code(again, codes[4]).status_code == 302


def test_new_recovery_codes_end_the_old_ones(ann):
    """S-17: whoever found the old list has nothing."""
    secret, codes = with_factor(ann)
    client = enter(ann, secret)
    page = client.post("/access/second-factor/codes/").content.decode()
    fresh = re.findall(r"<li><code>(\d{4}-\d{4})</code></li>", page)
    assert len(fresh) == 10 and not accept_code(ann, codes[0]) and accept_code(ann, fresh[0])


def test_a_code_of_somebody_else_is_wrong(ann):
    """S-17: the factor belongs to the person of the password."""
    with_factor(ann)
    other, codes = with_factor(make.make_user("ben", "sales"))
    client = Client()
    give_password(client, "ann")
    assert give_code(client, code_at(other)).status_code == 200 and give_code(client, codes[0]).status_code == 200
    assert not is_in(client)


@pytest.mark.usefixtures("axes")
def test_guessing_codes_is_locked(ann):
    """S-15, S-17: wrong codes count like wrong passwords: locked by the 10th, also for the right code and password."""
    secret, _codes = with_factor(ann)
    client = Client()
    give_password(client, "ann")
    answers = [give_code(client, f"{n:06}").status_code for n in range(50)]
    assert answers.index(429) < 10 and set(answers[answers.index(429) :]) == {429}
    assert give_code(client, code_at(secret)).status_code == 429 and not is_in(client)
    assert give_password(Client(), "ann").status_code == 429
    elsewhere = Client(REMOTE_ADDR="10.0.0.9")
    give_password(elsewhere, "ann")
    assert give_code(elsewhere, code_at(secret)).status_code == 302, "nobody locks a person out from elsewhere"


@pytest.mark.usefixtures("axes")
def test_the_right_password_does_not_wipe_out_wrong_codes(ann):
    """S-17: entering the password between the guesses gives no new guesses."""
    with_factor(ann)
    client, answers = Client(), []
    for n in range(12):
        give_password(client, "ann")
        answers.append(give_code(client, f"{n:06}").status_code)
    assert 429 in answers[:10]


def test_the_wait_for_a_code_ends(ann):
    """S-17: five minutes after the password, and when it was changed or the person left meanwhile."""
    secret, _codes = with_factor(ann)
    client = Client()
    give_password(client, "ann")
    session = client.session
    session["pending"] |= {"at": session["pending"]["at"] - 301}
    session.save()
    assert give_code(client, code_at(secret))["Location"] == "/login/" and not is_in(client)
    give_password(client, "ann")
    ann.set_password("another-long-pass")
    ann.save()
    assert give_code(client, code_at(secret))["Location"] == "/login/"
    give_password(client, "ann", "another-long-pass")
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert give_code(client, code_at(secret))["Location"] == "/login/" and not is_in(client)


def test_what_was_typed_goes_through_both_steps(ann):
    """UX 5.3: a form that came too late is carried through password and code, wrong ones too, and sent again."""
    secret, _codes = with_factor(ann)
    client = Client()

    def carried(page: Any) -> str:
        found = re.search(r'name="kept" value="([^"]*)"', page.content.decode())
        return found[1].replace("&quot;", '"')

    page = client.post("/crm/customers/new/", {"name": "Blue Mill"})
    page = give_password(client, "ann", kept=carried(page))
    page = give_code(client, "1", kept=carried(page))
    page = give_code(client, code_at(secret), kept=carried(page))
    assert 'action="/crm/customers/new/"' in page.content.decode() and 'value="Blue Mill"' in page.content.decode()


# ---- losing it ----


def test_another_password_does_not_bypass_the_second_factor(ann):
    """S-17: neither one's own, nor one that an administrator set, in any place."""
    secret, _codes = with_factor(ann)
    admin = enter(make.make_user("admin", is_staff=True))
    new = {"password1": "wire-horse-lamp-9", "password2": "wire-horse-lamp-9", "usable_password": "true"}
    assert admin.post(f"/backoffice/oa/user/{ann.pk}/password/", new).status_code == 302
    client = Client()
    page = give_password(client, "ann", "wire-horse-lamp-9")
    assert page.status_code == 200 and not is_in(client) and has_factor(ann)
    assert give_code(client, code_at(secret)).status_code == 302


def test_human_resources_reset_a_lost_factor(ann):
    """S-17: by a command with history; the person is logged out everywhere and comes in by the password alone."""
    secret, _codes = with_factor(ann)
    browser = enter(ann, secret)
    hr = make.make_user("hr", "hr")
    clerk = make.make_user("clerk", "sales")
    assert "reset-second-factor" in client_of(hr).get("/org/people/ann/").content.decode()
    assert client_of(clerk).post("/org/people/ann/do/reset-second-factor/").status_code == 403
    answer = client_of(hr).post("/org/people/ann/do/reset-second-factor/")
    assert answer.status_code == 302 and not has_factor(ann) and not is_in(browser)
    row = apps.get_model("oa", "SecondFactorHistory").objects.get(user=ann.pk, type="totp", pgh_label="taken")
    assert row.pgh_context.metadata["user"] == hr.pk and not hasattr(row, "data")
    page = client_of(hr).get("/org/people/ann/").content.decode()
    assert "removed the second factor" in page and "reset-second-factor" not in page
    assert is_in(enter(ann))


def test_a_reset_follows_the_ranks(ann):
    """G-22: nobody below takes the second factor of those who give roles; nobody resets their own."""
    admin, hr = make.make_user("admin", "administrator"), make.make_user("hr", "hr")
    for person in (admin, hr):
        with_factor(person)
    for person, by in ((admin, hr), (hr, hr), (ann, admin)):
        with pytest.raises(BusinessError):
            reset_factor(person, by=by)
    assert has_factor(admin) and has_factor(hr)
    reset_factor(hr, by=admin)
    assert not has_factor(hr)


def test_the_server_resets_the_last_administrator(ann):
    """S-17: on the command line; a wrong name is told in one line."""
    with_factor(ann)
    call_command("reset_second_factor", "ann", stdout=io.StringIO())
    assert not has_factor(ann)
    for name in ("ann", "nobody"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", name)


def test_the_back_office_shows_no_secrets(ann):
    """S-17: django-allauth's tables have no pages there."""
    with_factor(ann)
    client = enter(make.make_user("boss", is_staff=True))
    for path in ("/backoffice/mfa/authenticator/", "/backoffice/account/emailaddress/"):
        assert client.get(path).status_code == 404


def test_a_changed_secret_key_keeps_factors_as_long_as_the_old_one_is_named(ann):
    """S-17: `SECRET_KEY_FALLBACKS` reads what was stored before; without it a code is wrong, not an error."""
    secret, _codes = with_factor(ann)
    old, new = settings.SECRET_KEY, get_random_string(60)
    with override_settings(SECRET_KEY=new):
        assert not accept_code(ann, code_at(secret))
    with override_settings(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old]):
        assert accept_code(ann, code_at(secret))
