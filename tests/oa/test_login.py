"""Who comes in, who stays out, and where a person is led (threats S-15, S-16, S-19; the office section of the contract)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver, reverse

from oa.organisation.models import CompanyProfile, User
from tests import factories as make

pytestmark = pytest.mark.django_db

PASSWORD = "sanhe-test-pass"
# For people who are not logged in; the address of a calendar carries a secret of its own.
OPEN = {"login", "health", "favicon", "language", "logout", "calendar-feed"}


def log_in(name: str, password: str = PASSWORD, client: Client | None = None, **headers: Any) -> Any:
    return (client or Client()).post("/login/", {"username": name, "password": password}, **headers)


def words(answer: Any) -> str:
    """The body without what differs from request to request."""
    return re.sub(r'nonce="[^"]*"|value="[^"]*"|"X-CSRFToken": "[^"]*"', "", answer.content.decode())


def test_people_log_in_by_name_or_mail_address() -> None:
    """In any spelling of the address; a name counts before somebody else's address."""
    make.make_user("ann", "sales")
    for name in ("ann", "ann@example.com", "ANN@Example.com"):
        assert log_in(name).status_code == 302, name
    assert log_in("ann", "wrong").status_code == 200
    impostor = make.make_user("x")
    User.objects.filter(pk=impostor.pk).update(username="ann@example.com", email="")
    client = Client()
    assert log_in("ann@example.com", client=client).status_code == 302
    assert client.session["_auth_user_id"] == str(impostor.pk)


@pytest.mark.usefixtures("axes")
def test_every_spelling_of_a_person_is_counted_together() -> None:
    """S-15: eight attempts, whether by name or by any spelling of the mail address; the page says no name."""
    make.make_user("ann", "sales")
    spelt = ["ann", "ann@example.com", "Ann@example.com", "aNn@example.com", "ANN@EXAMPLE.COM"] * 2
    codes = [log_in(name, "wrong").status_code for name in spelt]
    assert codes[:7] == [200] * 7 and codes[-1] == 429
    locked = log_in("annie@example.com".replace("ie", ""), PASSWORD)
    assert locked.status_code == 429 and "Too many failed attempts" in locked.content.decode()
    assert 'value="ann"' not in locked.content.decode()
    as_json = log_in("ann@example.com", PASSWORD, headers={"X-Requested-With": "XMLHttpRequest"})
    assert as_json.status_code == 429 and b'"username":' not in as_json.content


@pytest.mark.usefixtures("axes")
def test_a_lock_holds_for_one_person_from_one_address_only() -> None:
    """S-15: nobody locks a colleague out from elsewhere; others at the same address go on working."""
    make.make_user("ann", "sales")
    make.make_user("ben", "sales")
    for _ in range(10):
        last = log_in("ann", "wrong", REMOTE_ADDR="10.0.0.1")
    assert last.status_code == 429
    assert log_in("ann", REMOTE_ADDR="10.0.0.1").status_code == 429
    assert log_in("ann", REMOTE_ADDR="10.0.0.2").status_code == 302
    assert log_in("ben", REMOTE_ADDR="10.0.0.1").status_code == 302


@pytest.mark.usefixtures("axes")
def test_an_unknown_person_is_told_and_locked_like_a_known_one() -> None:
    """S-15: no enumeration: the same pages in the same order for a name there is, one there is not, and one who left."""
    make.make_user("ann", "sales")
    make.make_user("left", "sales", is_active=False)
    pages = {name: [log_in(name, "wrong") for _ in range(9)] for name in ("ann", "nobody", "left")}
    for i in range(9):
        answers = {(pages[name][i].status_code, words(pages[name][i])) for name in pages}
        assert len(answers) == 1, i
    assert log_in("left").status_code == 429


def test_nothing_but_the_login_is_open() -> None:
    """S-01: every address of the program leads a stranger to the login; a new view cannot be forgotten."""
    client, seen = Client(), 0
    for path in addresses():
        answer = client.get(path)
        seen += 1
        where = answer.headers.get("Location", "")
        assert answer.status_code == 302 and ("/login/" in where), (path, answer.status_code)
    assert seen > 400


def addresses() -> list[str]:
    """An address for every pattern that is not meant for strangers."""
    found = []
    for pattern, prefix, name in _patterns(get_resolver().url_patterns):
        if name in OPEN or prefix.startswith("backoffice/"):
            continue
        path = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", f"{prefix}{pattern}")
        path = re.sub(r"<int:\w+>", "1", path)
        found.append("/" + re.sub(r"<(?:str|path):\w+>", "x", path))
    return found


def _patterns(patterns: Any, prefix: str = "") -> Any:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _patterns(pattern.url_patterns, f"{prefix}{pattern.pattern}")
        else:
            yield str(pattern.pattern), prefix, pattern.name or ""


def test_the_back_office_asks_for_its_own_login() -> None:
    """S-01: neither a stranger nor a colleague without the mark gets a page."""
    assert Client().get("/backoffice/").status_code == 302
    ann = make.make_user("ann", "sales")
    client = Client()
    client.force_login(ann, backend="oa.organisation.auth.NameOrMailBackend")
    assert client.get("/backoffice/crm/customer/").status_code == 302
    assert client.get("/admin/").status_code == 404


@pytest.mark.parametrize("change", ["disabled", "password", "role"])
def test_a_change_of_rights_counts_from_the_next_request(change: str) -> None:
    """S-16: who is disabled or got another password is out at once, who lost the role sees nothing at once."""
    ann, client = make.make_user("ann", "sales"), Client()
    before = client.get("/login/").cookies.get("sessionid")
    log_in("ann", client=client)
    assert client.get("/crm/customers/").status_code == 200 and client.cookies["sessionid"] != before
    if change == "disabled":
        User.objects.filter(pk=ann.pk).update(is_active=False)
    elif change == "password":
        ann.set_password("another-long-pass")
        ann.save()
    else:
        ann.groups.remove(Group.objects.get(role__code="sales"))
    answer = client.get("/crm/customers/")
    assert answer.status_code == (403 if change == "role" else 302)


def test_logging_out_ends_the_session_and_needs_a_post() -> None:
    """S-16, S-18."""
    make.make_user("ann", "sales")
    client = Client()
    log_in("ann", client=client)
    assert client.get("/logout/").status_code == 405 and client.get("/crm/customers/").status_code == 200
    answer = client.post("/logout/")
    assert (answer.status_code, answer.headers["Clear-Site-Data"]) == (302, '"cache"'), "UX 5.2"
    assert client.get("/crm/customers/").status_code == 302


@pytest.mark.parametrize(
    "next_url",
    ["//evil.example", "https://evil.example", "https:evil.example", "\\\\evil.example", "/\\evil.example", "javascript:1",
     "%0d%0aLocation: x", "///evil.example", "http:///evil.example"],
)  # fmt: skip
def test_nobody_is_led_to_another_site(next_url: str) -> None:
    """S-19: neither by the login, nor by the switches of language, theme and density."""
    make.make_user("ann", "sales")
    client = Client()
    led = [client.post("/login/", {"username": "ann", "password": PASSWORD, "next": next_url})["Location"]]
    led += [client.post("/ui/language/", {"language": "en", "next": next_url})["Location"]]
    led += [client.post("/ui/preferences/", {"theme": "dark", "next": next_url})["Location"]]
    for where in led:
        assert urlsplit(urljoin("http://testserver/login/", where)).netloc == "testserver", where
        assert "\n" not in where and "\\" not in where


def test_a_wrong_host_gets_no_page() -> None:
    """S-19: links are never made from a forged host."""
    assert Client().get("/login/", headers={"Host": "evil.example"}).status_code == 400
    assert Client().get("/login/", headers={"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example"}).status_code == 200


def test_every_page_carries_the_policy() -> None:
    """CSP: no inline, no other origin, no frame; the browser guesses no types."""
    client = Client()
    for url in ("/login/", "/no-such-page/", "/healthz", "/backoffice/login/"):
        answer = client.get(url)
        policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"):
            assert part in policy, url
        assert "unsafe" not in policy and "http" not in policy and "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"


def test_language_and_time_zone_are_the_person_s_own() -> None:
    """The page speaks the reader's language and tells times on the reader's clock."""
    ann = make.make_user("ann", "sales", language="zh-hans", time_zone="Pacific/Kiritimati")
    client = Client()
    client.force_login(ann, backend="oa.organisation.auth.NameOrMailBackend")
    page = client.get("/crm/customers/")
    assert page.headers["Content-Language"] == "zh-hans" and "客户" in page.content.decode()
    client.post("/ui/language/", {"language": "en"})
    assert client.get("/crm/customers/").headers["Content-Language"] == "en"
    assert User.objects.get(pk=ann.pk).language == "en"
    client.post("/ui/language/", {"language": "xx"})
    assert User.objects.get(pk=ann.pk).language == "en"


def test_a_time_zone_that_does_not_exist_breaks_no_page() -> None:
    """It is refused where it is entered, in page and back office, and ignored where it stands all the same."""
    boss, ann = make.make_user("boss", is_staff=True), make.make_user("ann", "sales")
    client = Client()
    client.force_login(boss, backend="oa.organisation.auth.NameOrMailBackend")
    data = {"username": "ann", "email": "ann@example.com", "version": "1", "is_active": "on", "time_zone": "Mars/Base"}
    assert client.post("/org/people/ann/edit/", data).status_code == 422
    company = {"name": "X", "tax_method": "line", "cost_at": "delivery", "reversal_style": "red",
               "over_receipt_tolerance": "0", "time_zone": "Mars/Base", "version": "1"}  # fmt: skip
    assert client.post("/settings/company/1/edit/", company).status_code == 422
    form = client.post(reverse("admin:oa_user_change", args=[ann.pk]), {**data, "date_joined_0": "2026-01-01"})
    assert form.status_code == 200 and "Mars/Base" in form.content.decode()
    User.objects.filter(pk=ann.pk).update(time_zone="Mars/Base")
    client.force_login(ann, backend="oa.organisation.auth.NameOrMailBackend")
    assert client.get("/crm/customers/").status_code == 200


@pytest.mark.parametrize(
    "password",
    [
        "short-1",
        "password1234",
        "ann.salesperson",
        "suzhou-lamp-91",
        "my-WALKER-2026",
        "我的步云门2026九月十",
        "sanhe-2026-xyz",
    ],
)
def test_weak_passwords_are_refused(password: str) -> None:
    """At least twelve characters, not a common one, nothing of the names of person, company and product."""
    CompanyProfile.objects.update(name="Suzhou Walker Co.", name_zh="步云")
    ann = make.make_user("ann.salesperson", "sales")
    client = Client()
    client.force_login(ann, backend="oa.organisation.auth.NameOrMailBackend")
    data = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert client.post("/password/", data).status_code == 200
    assert User.objects.get(pk=ann.pk).check_password(PASSWORD)
    data |= {"new_password1": "wire-horse-lamp-9", "new_password2": "wire-horse-lamp-9"}
    assert client.post("/password/", data).status_code == 302
    assert client.get("/").status_code == 200
