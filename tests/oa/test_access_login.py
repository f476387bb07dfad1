"""Guessing passwords and names, fixation, and other sites (threats S-15, S-16, S-19)."""

from __future__ import annotations

import json
import re
import statistics
import time
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from config import places
from oa.organisation.models import LoginSession
from tests import factories as make
from tests.oa.entering import PASSWORD, code_at, give_code, give_password, is_in, with_factor

pytestmark = pytest.mark.django_db

ELSEWHERE = ["//evil.example", "https:evil.example", "\\\\evil.example", "%0d%0aLocation: https://evil.example", "https://evil.example"]  # fmt: skip


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is worked on."""

    worked = 0

    def encode(self, password, salt):
        type(self).worked += 1
        return super().encode(password, salt)


@pytest.mark.usefixtures("axes")
def test_fifty_wrong_logins_lock_one_and_nobody_else():
    """S-15: 50 wrong are locked by the 10th, the right password too; ten other people log in all the while."""
    make.make_user("ann", "sales")
    others = [make.make_user(f"other{n}", "sales").username for n in range(10)]
    client, codes = Client(), []
    for n in range(50):
        codes.append(give_password(client, "ann", f"wrong-{n}").status_code)
        if n % 5 == 0:
            assert give_password(Client(), others[n // 5]).status_code == 302
    assert codes.index(429) < 10 and set(codes[codes.index(429) :]) == {429}
    assert give_password(client, "ann").status_code == 429 and not is_in(client)
    assert [give_password(Client(), name).status_code for name in others] == [302] * 10


@pytest.mark.usefixtures("axes")
def test_spraying_one_password_over_all_people_lets_nobody_in():
    """S-15: one guess for each person locks nobody, and finds nothing but equal answers."""
    names = [make.make_user(f"p{n}", "sales").username for n in range(12)]
    answers = {give_password(Client(), name, "Summer-2026-pass").status_code for name in names}
    assert answers == {200}
    assert [give_password(Client(), name).status_code for name in names] == [302] * 12


def test_an_unknown_person_costs_the_same_work(settings):
    """S-15: known, unknown, left, without a password, with a second factor: one password is worked on each time."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make.make_user("ann", "sales")
    make.make_user("left", "sales", is_active=False)
    with_factor(make.make_user("two", "sales"))
    worked = {}
    for name in ("ann", "nobody", "left", "two", "nobody@example.com", "ann@example.com"):
        CountingHasher.worked = 0
        assert give_password(Client(), name, "wrong").status_code == 200
        worked[name] = CountingHasher.worked
    assert set(worked.values()) == {1}, worked


def test_known_and_unknown_people_wait_equally_long(settings):
    """S-15: the difference of the median times is below 20 ms with the hasher of production."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    make.make_user("ann", "sales")
    times: dict[str, list[float]] = {"ann": [], "nobody": []}
    client = Client()
    for _round in range(30):
        for name in times:  # by turns, so that a busy machine slows both
            begun = time.process_time()
            give_password(client, name, "wrong-password")
            times[name].append(time.process_time() - begun)
    assert abs(statistics.median(times["ann"]) - statistics.median(times["nobody"])) < 0.020, times


def test_the_key_of_a_session_changes_at_each_step():
    """S-16: a key that somebody planted before is worth nothing after the password, and after the code."""
    ann = make.make_user("ann", "sales")
    secret, _codes = with_factor(ann)
    client = Client()
    planted = client.session
    planted["planted"] = 1
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = first = planted.session_key
    give_password(client, "ann")
    second = client.cookies[settings.SESSION_COOKIE_NAME].value
    give_code(client, code_at(secret))
    third = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert len({first, second, third}) == 3 and is_in(client)
    assert list(LoginSession.objects.values_list("pk", flat=True)) == [third], "earlier keys are gone"
    thief = Client()
    for key in (first, second):
        thief.cookies[settings.SESSION_COOKIE_NAME] = key
        assert not is_in(thief)


def test_a_key_that_the_server_never_gave_is_not_taken():
    """S-16: neither before nor by the login."""
    make.make_user("ann", "sales")
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = forged = "a" * 32
    assert give_password(client, "ann").status_code == 302
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != forged


@pytest.mark.parametrize("where", ELSEWHERE)
def test_no_step_leads_to_another_site(where):
    """S-19: neither password, code, nor asking again; neither by `next` nor by the form that waits."""
    ann = make.make_user("ann", "sales")
    secret, _codes = with_factor(ann)
    client = Client()
    kept = json.dumps({"path": where, "fields": [["a", "b"]], "files": False})
    client.get("/login/", {"next": where})
    give_password(client, "ann", next=where)
    led = [give_code(client, code_at(secret), next=where)["Location"]]
    led.append(client.post("/confirm/", {"code": "1", "next": where})["Location"])
    led.append(client.post("/confirm/", {"code": "1", "next": where, "kept": kept}).headers.get("Location", "/"))
    client.logout()
    led.append(client.get("/backoffice/login/", {"next": where})["Location"])
    for url in led:
        assert urlsplit(urljoin("http://testserver/", url)).netloc == "testserver", url
        assert "\n" not in url and "\r" not in url


@pytest.mark.parametrize("path", ["/login/", "/login/code/", "/confirm/", "/access/", "/backoffice/login/"])
def test_a_forged_host_gets_no_page(path):
    """S-19: 400 for a host that is not ours; no page of the login makes addresses from it."""
    assert Client().get(path, headers={"Host": "evil.example"}).status_code == 400
    answer = Client().get(path, headers={"X-Forwarded-Host": "evil.example"})
    assert b"evil.example" not in answer.content and "evil.example" not in answer.headers.get("Location", "")


def test_no_address_is_made_from_the_host_of_a_request():
    """S-19: the host is only compared (where to go on, whose form or key it is); mails and files take `SANHE_URL`."""
    using = set()
    for app in ("kit", "oa", "crm", "erp", "config"):
        for path in (places.ROOT / app).rglob("*.py"):
            if re.search(r"get_host\(|build_absolute_uri|get_current_site", path.read_text()):
                using.add(path.relative_to(places.ROOT).as_posix())
    assert using == {"kit/pages/views/shell.py", "oa/organisation/keys.py", "oa/organisation/login.py"}


def test_the_back_office_has_no_login_of_its_own():
    """S-17: its login, which would not ask for a code, is ours; a colleague without the mark is refused there."""
    answer = Client().get("/backoffice/login/?next=/backoffice/")
    assert answer.status_code == 302 and answer["Location"].startswith("/login/?next=/backoffice/")
    boss = make.make_user("boss", is_staff=True)
    client = Client()
    client.post("/backoffice/login/", {"username": boss.username, "password": PASSWORD})
    assert not is_in(client)
    ann = Client()
    give_password(ann, make.make_user("ann", "sales").username)
    assert ann.get("/backoffice/login/?next=/backoffice/").status_code == 403
