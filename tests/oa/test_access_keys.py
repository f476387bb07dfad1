"""Security keys and passkeys as a second factor: what the server takes, and what it refuses (threat S-17)."""

from __future__ import annotations

import json
import logging
import re

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.test import Client

from oa.organisation import factors, keys
from oa.organisation.factors import accept_code, has_factor
from oa.organisation.models import Role, User
from oa.organisation.sessions import CONFIRMED
from tests import factories as make
from tests.oa.entering import age, code_at, enter, forget_last_code, give_code, give_password, is_in, with_factor
from tests.oa.keying import ADD, REMOVE, SoftKey, add_key, options_on, use, with_key
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", "sales")


def rows(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=user, type="webauthn").order_by("pk"))


# ---- adding ----


def test_the_first_key_brings_recovery_codes_and_ends_other_sessions(ann):
    """S-17: as with the app: codes once, this browser stays in, the one that came in by the password alone is out."""
    here, elsewhere = enter(ann), enter(ann)
    page = here.get(ADD)
    options, body = options_on(page), page.content.decode()
    assert options["rp"]["id"] == "testserver" and options["authenticatorSelection"]["userVerification"] == "preferred"
    assert "no-store" in page.headers["Cache-Control"] and "<noscript>" in body and "style=" not in body
    key, made = add_key(here, "  Blue\x07 key ")
    codes = re.findall(r"<li><code>(\d{4}-\d{4})</code></li>", made.content.decode())
    assert made.status_code == 200 and len(set(codes)) == 10 and has_factor(ann)
    assert is_in(here) and not is_in(elsewhere) and keys.CHALLENGE not in here.session
    shown = here.get("/access/").content.decode()
    assert "<b>Blue key</b>" in shown and "not used yet" in shown and "10 recovery codes are left" in shown
    assert rows(ann)[0].data["id"] == key.name and accept_code(ann, codes[0])


def test_a_further_key_leaves_the_recovery_codes(ann):
    """S-17: whoever printed them keeps them; the keys that are there are not made a second time."""
    first, codes = with_key(ann)
    client = Client()
    use(client, first.answer(options_on(give_password(client, "ann"))))
    assert [one["id"] for one in options_on(client.get(ADD))["excludeCredentials"]] == [first.name]
    _second, answer = add_key(client, "Grey key")
    assert answer.status_code == 302 and [row.data["name"] for row in rows(ann)] == ["Blue key", "Grey key"]
    assert factors.codes_left(ann) == 10 and accept_code(ann, codes[0])


def test_an_app_beside_a_key_leaves_key_and_codes(ann):
    """S-17: both let in; another phone brings new codes, as it does without keys."""
    key, codes = with_key(ann)
    secret, none = with_factor(ann)
    assert none == [] and accept_code(ann, codes[0]) and accept_code(ann, code_at(secret))
    forget_last_code(ann)
    _other, fresh = with_factor(ann)
    assert len(fresh) == 10 and not accept_code(ann, codes[1])
    client = Client()
    assert use(client, key.answer(options_on(give_password(client, "ann")))).status_code == 302


@pytest.mark.parametrize("fault", ["origin", "subdomain", "site", "challenge", "twice", "nothing", "long", "list"])
def test_a_key_that_was_not_made_here_and_now_is_not_taken(ann, fault):
    """S-17: origin, address, challenge and form of what the browser sends are checked; the answer is in words."""
    client, key = enter(ann), SoftKey()
    options = options_on(client.get(ADD))
    sent = key.make(options)
    if fault in ("origin", "subdomain"):
        sent = key.make(options, origin={"origin": "http://evil.example", "subdomain": "https://x.testserver"}[fault])
    elif fault == "site":
        sent = key.make(options, site="evil.example")
    elif fault == "challenge":
        sent = key.make({**options, "challenge": "A" * 43})
    elif fault == "twice":
        client.post(ADD, {"name": "", "credential": sent})
        client.get("/access/")
        session = client.session
        del session[keys.CHALLENGE]
        session.save()
    else:
        longest = json.dumps({**json.loads(sent), "more": "x" * keys.LONGEST})
        sent = {"nothing": "", "long": longest, "list": "[1]"}[fault]
    answer = client.post(ADD, {"name": "Key", "credential": sent})
    assert answer.status_code == 422 and 'role="alert">' in answer.content.decode() and not has_factor(ann)
    assert 'value="Key"' in answer.content.decode(), "the name is kept"
    assert add_key(client, key=key)[1].status_code == 200, "and the page still works"


def test_hostile_answers_are_refused_in_words(ann):
    """S-03: no form of an answer, cut or changed anywhere, is an error of the server."""
    client, key = enter(ann), SoftKey()
    whole = json.loads(key.make(options_on(client.get(ADD))))
    broken = [
        None, 1, {}, {**whole, "response": 1}, {**whole, "rawId": 5}, {**whole, "id": "x"}, {**whole, "type": []},
        {**whole, "response": {"clientDataJSON": "e30", "attestationObject": "oA"}},
        {**whole, "response": {**whole["response"], "attestationObject": "A" * 100}},
        {**whole, "response": {**whole["response"], "attestationObject": whole["response"]["attestationObject"][:-9]}},
        {**whole, "response": {**whole["response"], "clientDataJSON": "W10"}},
        {**whole, "response": {**whole["response"], "clientDataJSON": "\ud800"}},
    ]  # fmt: skip
    for data in [*map(json.dumps, broken), "[" * 5000, "NaN", '{"id":"\\u0000"}']:
        client.get(ADD)
        assert client.post(ADD, {"name": "K", "credential": data}).status_code == 422, data[:200]
    assert not has_factor(ann)


def test_a_key_needs_a_name_and_belongs_to_one_person(ann):
    """S-17: a key that somebody registered is nobody else's; ten of one person are enough."""
    key, _codes = with_key(ann)
    ben = enter(make.make_user("ben", "sales"))
    assert add_key(ben, " \t", SoftKey())[1].status_code == 422
    assert add_key(ben, "Mine", key)[1].status_code == 422 and len(rows(ann)) == 1
    for n in range(10):
        assert add_key(ben, f"Key {n}")[1].status_code in (200, 302)
    assert add_key(ben, "One more")[1].status_code == 422


# ---- logging in ----


def test_a_key_lets_in_after_the_password(ann):
    """S-17: the password alone opens nothing; the key does; when it was used is noted."""
    key, _codes = with_key(ann)
    client = Client()
    page = give_password(client, "ann")
    options, body = options_on(page), page.content.decode()
    assert [one["id"] for one in options["allowCredentials"]] == [key.name] and not is_in(client)
    assert options["userVerification"] == "preferred" and options["rpId"] == "testserver"
    assert "data-start" in body and "<noscript>" in body and "Recovery code" in body
    assert "Code of your authenticator app" not in body, "only what the person has"
    assert use(client, key.answer(options)).status_code == 302 and is_in(client)
    [row] = rows(ann)
    assert row.last_used_at is not None and row.data["counter"] == key.counter
    assert "last used" in client.get("/access/").content.decode()


def test_app_and_recovery_codes_stand_beside_the_key(ann):
    """S-17: on the same page, for whoever has them; a wrong one leads back to it."""
    key, codes = with_key(ann)
    secret, _none = with_factor(ann)
    for code in (code_at(secret), codes[0]):
        client = Client()
        assert "Code of your authenticator app" in give_password(client, "ann").content.decode()
        wrong = give_code(client, "000")
        assert "data-start" not in wrong.content.decode(), "after an error nothing starts by itself"
        assert give_code(client, code).status_code == 302 and is_in(client)
    client = Client()
    give_password(client, "ann")
    assert use(client, key.answer(options_on(give_code(client, "000")))).status_code == 302, "nor is the key lost"


def test_an_answer_counts_once(ann):
    """S-17: replayed in the same browser, in another one, and after the challenge was put back, it is refused."""
    key, _codes = with_key(ann)
    first, second = Client(), Client()
    page = give_password(first, "ann")
    challenge = first.session[keys.CHALLENGE]
    answer = key.answer(options_on(page))
    assert use(first, answer).status_code == 302 and keys.CHALLENGE not in first.session
    give_password(second, "ann")
    assert use(second, answer).status_code == 200
    session = second.session
    session[keys.CHALLENGE] = challenge
    session.save()
    assert use(second, answer).status_code == 200 and not is_in(second)


def test_an_answer_of_a_key_that_does_not_count_counts_once_too(ann):
    """S-17: passkeys leave the counter at 0; two requests that read the same session do not both come in."""
    key = SoftKey(counter=None)
    add_key(enter(ann), key=key)
    first, second = Client(), Client()
    page = give_password(first, "ann")
    challenge, answer = first.session[keys.CHALLENGE], key.answer(options_on(page))
    assert use(first, answer).status_code == 302
    give_password(second, "ann")
    session = second.session
    session[keys.CHALLENGE] = challenge
    session.save()
    assert use(second, answer).status_code == 200 and not is_in(second)
    assert use(second, key.answer(options_on(second.get("/login/code/")))).status_code == 302, "the next one does"


@pytest.mark.parametrize("fault", ["origin", "site", "challenge", "absent", "type", "signature", "person", "garbage"])
def test_a_wrong_answer_is_refused(ann, fault):
    """S-17: another address, another challenge, nobody present, another ceremony, a forged signature."""
    key, _codes = with_key(ann)
    client = Client()
    options = options_on(give_password(client, "ann"))
    sent = {
        "origin": lambda: key.answer(options, origin="https://evil.example"),
        "site": lambda: key.answer(options, site="evil.example"),
        "challenge": lambda: key.answer({**options, "challenge": "A" * 43}),
        "absent": lambda: key.answer(options, flags=0),
        "type": lambda: key.answer(options, type="webauthn.create"),
        "signature": lambda: key.answer(options, signature=b"0" * 70),
        "person": lambda: key.answer(options, user_handle=b"0"),
        "garbage": lambda: '{"id": 1}',
    }[fault]()
    page = use(client, sent)
    assert page.status_code == 200 and "did not answer as it should" in page.content.decode() and not is_in(client)
    assert use(client, key.answer(options)).status_code == 200, "the challenge was worth one answer"
    assert use(client, key.answer(options_on(client.get("/login/code/")))).status_code == 302


def test_the_key_of_somebody_else_is_refused(ann):
    """S-17: neither to one's own challenge nor to that of the other."""
    with_key(ann)
    other, _codes = with_key(make.make_user("ben", "sales"))
    client, his = Client(), Client()
    options = options_on(give_password(client, "ann"))
    assert use(client, other.answer(options)).status_code == 200
    give_password(client, "ann")
    assert use(client, other.answer(options_on(give_password(his, "ben")))).status_code == 200 and not is_in(client)
    give_password(client, "ben")
    give_password(client, "ann")
    assert use(client, other.answer(options)).status_code == 200 and not is_in(client)


def test_a_challenge_of_adding_is_none_of_logging_in(ann):
    """S-17: nor is one that is five minutes old, or was made for another person of the same browser."""
    key, _codes = with_key(ann)
    client = Client()
    for change in ({"kind": keys.MAKING}, {"user": ann.pk + 1}, {"at": 0}):
        options = options_on(give_password(client, "ann"))
        session = client.session
        session[keys.CHALLENGE] |= change
        session.save()
        assert use(client, key.answer(options)).status_code == 200 and not is_in(client), change


@pytest.mark.parametrize("back", [0, 1, 5])
def test_a_counter_that_goes_back_is_refused_and_logged(ann, caplog, back):
    """S-17: there may be a copy of the key; the stored counter stays."""
    key = SoftKey(counter=7)
    add_key(enter(ann), key=key)
    before, client = key.counter, Client()
    key.counter = before - 1 - back  # it counts one further with the answer
    options = options_on(give_password(client, "ann"))
    with caplog.at_level(logging.WARNING, logger=keys.__name__):
        assert use(client, key.answer(options)).status_code == 200 and not is_in(client)
    assert "there may be a copy" in caplog.text and rows(ann)[0].data["counter"] == before


@pytest.mark.usefixtures("axes")
def test_wrong_answers_are_locked_like_wrong_codes(ann):
    """S-15, S-17: by the 10th, together with codes; then the right key, code and password are refused as well."""
    key, codes = with_key(ann)
    client = Client()
    give_password(client, "ann")
    answers = []
    for n in range(12):
        page = client.get("/login/code/") if n else give_password(client, "ann")
        if page.status_code == 200:
            options = options_on(page)
        sent = use(client, key.answer({**options, "challenge": "A" * 43})) if n % 2 else give_code(client, "1")
        answers.append(sent.status_code)
    assert answers.index(429) < 10 and set(answers[answers.index(429) :]) == {429}
    assert use(client, key.answer(options)).status_code == 429 and give_code(client, codes[0]).status_code == 429
    assert give_password(Client(), "ann").status_code == 429 and not is_in(client)


def test_what_was_typed_goes_through_the_key(ann):
    """UX 5.3: a form that came too late is carried through password and key, and sent again."""
    key, _codes = with_key(ann)
    client = Client()
    kept = '{"path": "/crm/customers/new/", "fields": [["name", "Blue Mill"]], "files": false}'
    page = give_password(client, "ann", kept=kept)
    assert page.content.decode().count('name="kept"') == 2, "whichever way is taken"
    page = use(client, key.answer(options_on(page)), kept=kept)
    assert 'action="/crm/customers/new/"' in page.content.decode() and 'value="Blue Mill"' in page.content.decode()


# ---- asking once more ----


def test_keys_are_changed_only_shortly_after_a_proof(ann):
    """S-17, 7.5.1: after 15 minutes the password, or the second factor where there is one, comes first."""
    client = enter(ann)
    age(client, CONFIRMED, minutes=16)
    assert client.get(ADD)["Location"].startswith("/confirm/?next=")
    key, codes = with_key(ann)
    client = Client()
    use(client, key.answer(options_on(give_password(client, "ann"))))
    age(client, CONFIRMED, minutes=16)
    assert client.post(REMOVE, {"key": rows(ann)[0].pk}).status_code == 403 and has_factor(ann)
    page = client.get(f"/confirm/?next={ADD}")
    assert 'name="password"' not in page.content.decode(), "not by the weaker one"
    assert use(client, key.answer(options_on(page), origin="http://x"), "/confirm/", next=ADD).status_code == 200
    sent = use(client, key.answer(options_on(client.get(f"/confirm/?next={ADD}"))), "/confirm/", next=ADD)
    assert sent["Location"] == ADD and client.get(ADD).status_code == 200
    age(client, CONFIRMED, minutes=16)
    assert client.post("/confirm/", {"code": codes[0], "next": ADD})["Location"] == ADD


# ---- removing, losing, requiring ----


def test_of_two_keys_one_is_removed(ann):
    """S-17: it lets nobody in any more, the other does; browsers elsewhere are out; nobody removes that of another."""
    first, _codes = with_key(ann)
    client, elsewhere = Client(), Client()
    use(client, first.answer(options_on(give_password(client, "ann"))))
    second, _answer = add_key(client, "Grey key")
    use(elsewhere, first.answer(options_on(give_password(elsewhere, "ann"))))
    enter(make.make_user("ben", "sales")).post(REMOVE, {"key": rows(ann)[0].pk})
    assert len(rows(ann)) == 2 and is_in(elsewhere)
    assert client.post(REMOVE, {"key": rows(ann)[0].pk}).status_code == 302
    assert "The key “Blue key” was removed." in client.get("/access/").content.decode()
    assert [row.data["name"] for row in rows(ann)] == ["Grey key"] and is_in(client) and not is_in(elsewhere)
    options = options_on(give_password(elsewhere, "ann"))
    assert use(elsewhere, first.answer(options)).status_code == 200 and not is_in(elsewhere)
    assert use(elsewhere, second.answer(options_on(elsewhere.get("/login/code/")))).status_code == 302
    for nonsense in ("", "x", "99999999999999999999", str(rows(ann)[0].pk + 1)):
        assert client.post(REMOVE, {"key": nonsense}).status_code == 302 and len(rows(ann)) == 1


def test_with_the_last_key_goes_two_factor_login(ann):
    """S-17: recovery codes stand in for a factor, they are none; switching it off takes keys and app."""
    _key, codes = with_key(ann)
    keys.remove_key(ann, str(rows(ann)[0].pk))
    assert not Authenticator.objects.filter(user=ann).exists() and not accept_code(ann, codes[0])
    assert is_in(enter(ann))
    with_key(ann)
    with_factor(ann)
    keys.remove_key(ann, str(rows(ann)[0].pk))
    assert has_factor(ann) and factors.codes_left(ann) == 10
    factors.give_up_factor(ann)
    assert not Authenticator.objects.filter(user=ann).exists()


def test_a_key_satisfies_a_role_that_requires_a_second_factor():
    """S-17: it can be chosen instead of the app, opens the rest, and the last one stays as long as the role asks."""
    Role.objects.filter(code="administrator").update(second_factor=True)
    admin = make.make_user("admin", "administrator")
    client = client_of(admin)
    first = client.get("/access/second-factor/").content.decode()
    assert client.get("/org/roles/")["Location"] == "/access/second-factor/" and ADD in first
    assert "Your role requires it" in client.get(ADD).content.decode()
    assert client.post(REMOVE, {"key": "1"})["Location"] == "/access/second-factor/"
    key, answer = add_key(client)
    assert answer.status_code == 200 and client.get("/org/roles/").status_code == 200
    assert client.post(REMOVE, {"key": rows(admin)[0].pk}).status_code == 302 and has_factor(admin)
    assert "Your role requires two-factor login: add another key" in client.get("/access/").content.decode()
    add_key(client, "Grey key")
    assert client.post(REMOVE, {"key": rows(admin)[0].pk}).status_code == 302
    assert [row.data["name"] for row in rows(admin)] == ["Grey key"] and key.name != rows(admin)[0].data["id"]


def test_who_was_given_a_password_adds_no_key_before_choosing_another(ann):
    """S-16: whoever set the password could do it as well."""
    client = enter(ann)
    User.objects.filter(pk=ann.pk).update(password_given=True)
    assert client.get(ADD)["Location"] == "/password/" and client.post(ADD)["Location"] == "/password/"


def test_a_reset_takes_keys_and_history_tells(ann):
    """S-17: human resources reset them with the app; the page of the person says who added and took what."""
    key, _codes = with_key(ann)
    browser = Client()
    use(browser, key.answer(options_on(give_password(browser, "ann"))))
    hr = make.make_user("hr", "hr")
    page = client_of(hr).get("/org/people/ann/").content.decode()
    assert "reset-second-factor" in page and "added a security key" in page
    assert client_of(hr).post("/org/people/ann/do/reset-second-factor/").status_code == 302
    assert not Authenticator.objects.filter(user=ann).exists() and not is_in(browser) and is_in(enter(ann))
    row = apps.get_model("oa", "SecondFactorHistory").objects.get(user=ann.pk, type="webauthn", pgh_label="taken")
    assert row.pgh_context.metadata["user"] == hr.pk and not hasattr(row, "data")
    assert "removed a security key" in client_of(hr).get("/org/people/ann/").content.decode()
