"""What a person typed is not lost when the session is over or the page is older than the login (UX 5.3)."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from crm.customers.models import Customer
from oa.organisation.models import User
from tests import factories as make

pytestmark = pytest.mark.django_db

NEW = "/crm/customers/new/"
OURS = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "sanhe-test-pass"
TYPED = {"name": "Blue “Mill” & Co", "type": "company", "status": "prospect", "tags": ["1", "2"]}


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", "sales")


def hidden(answer: Any, action: str = NEW) -> dict[str, list[str]]:
    """Names and values of the hidden inputs of the form on a page that leads to `action`, without its token."""
    found: dict[str, list[str]] = {}
    [form] = re.findall(rf'<form method="post" action="{action}">(.*?)</form>', answer.content.decode(), re.DOTALL)
    for tag in re.findall(r'<input type="hidden"[^>]*>', form):
        given = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        found.setdefault(given["name"], []).append(given["value"])
    return found


def typed(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in fields.items() if name != "csrfmiddlewaretoken"}


def log_in(client: Client, kept: str, password: str = PASSWORD) -> Any:
    return client.post("/login/", {"username": "ann", "password": password, "kept": kept})


def test_a_form_after_the_session_is_kept_over_the_login_and_sent_again(ann: User) -> None:
    client = Client()
    answer = client.post(NEW, TYPED)
    assert answer.status_code == 401 and not Customer.objects.exists()
    [kept] = hidden(answer, "/login/")["kept"]
    [still] = hidden(log_in(client, kept, "wrong"), "/login/")["kept"]
    page = log_in(client, still)
    assert page.status_code == 200 and f'action="{NEW}"' in page.content.decode()
    fields = typed(hidden(page))
    assert fields == {name: value if isinstance(value, list) else [value] for name, value in TYPED.items()}
    assert client.post(NEW, fields | {"tags": []}).status_code == 302
    assert Customer.objects.get().name == TYPED["name"]


def test_whoever_logged_in_elsewhere_meanwhile_goes_on_too(ann: User) -> None:
    client = Client()
    [kept] = hidden(client.post(NEW, TYPED), "/login/")["kept"]
    client.force_login(ann, backend="oa.organisation.auth.NameOrMailBackend")
    assert hidden(log_in(client, kept))["name"] == [TYPED["name"]]


def test_passwords_are_not_kept() -> None:
    answer = Client().post("/password/", {"old_password": "secret-1", "new_password1": "secret-2", "other": "x"})
    assert answer.status_code == 401 and "secret" not in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example/x", "javascript:alert(1)", "\\\\evil.example"]
)
def test_a_kept_form_leads_to_no_other_site(ann: User, path: str) -> None:
    """S-19, as for `next`."""
    answer = log_in(Client(), json.dumps({"path": path, "fields": [["a", "b"]], "files": False}))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


HALF = '{"path": "/", "fields": [["a", "\\ud800"]], "files": false}'  # of a character


@pytest.mark.parametrize(
    "kept", ["", "x", "[]", "{}", '{"path": "/"}', '{"path": "/", "fields": [1], "files": 0}', HALF, "[" * 100_000]
)
def test_nonsense_is_no_kept_form(ann: User, kept: str) -> None:
    assert log_in(Client(), kept).status_code == 302


def test_a_script_is_told_that_the_session_is_over() -> None:
    for method in ("get", "post"):
        answer = getattr(Client(), method)("/sales/orders/", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["HX-Trigger"], answer.content) == (401, "login-required", b"")


@pytest.fixture
def strict(ann: User) -> Client:
    """A browser of a person who is logged in, with the check of tokens."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann, backend="oa.organisation.auth.NameOrMailBackend")
    return client


def test_a_page_older_than_the_login_is_sent_again(strict: Client) -> None:
    answer = strict.post(NEW, TYPED | {"csrfmiddlewaretoken": "x" * 64}, headers=OURS)
    assert answer.status_code == 403 and not Customer.objects.exists()
    assert strict.post(NEW, hidden(answer) | {"tags": []}, headers=OURS).status_code == 302
    assert Customer.objects.get().name == TYPED["name"]


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
def test_what_another_site_sends_is_refused_and_not_offered_again(strict: Client, headers: dict[str, str]) -> None:
    """S-18: not even one press of a button away."""
    answer = strict.post(NEW, TYPED, headers=headers)
    assert answer.status_code == 403 and "Blue" not in answer.content.decode()


def test_a_script_gets_the_token_that_is_valid_now(strict: Client) -> None:
    answer = strict.post(NEW, TYPED, headers={"HX-Request": "true"})
    assert answer.status_code == 403 and not answer.content
    token = {"HX-Request": "true", "X-CSRFToken": answer.headers["X-CSRFToken"]}
    assert strict.post(NEW, TYPED | {"tags": []}, headers=token).status_code in (204, 302)


def test_a_login_page_that_is_too_old_asks_once_more(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login/", {"username": "ann", "password": PASSWORD}, headers=OURS)
    assert answer.status_code == 403 and 'value="ann"' in answer.content.decode()
    client.force_login(ann, backend="oa.organisation.auth.NameOrMailBackend")
    again = client.post("/login/", {"username": "ann", "password": PASSWORD}, headers=OURS)
    assert (again.status_code, again.headers["Location"]) == (302, "/")
