"""A security key is added, used and removed in a browser with a key made of software (threat S-17)."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import expect

from oa.organisation.factors import has_factor
from oa.organisation.models import User
from tests import factories as make
from tests.oa.entering import PASSWORD, with_factor

ASK, MADE = "form[data-passkey] button", "ul.codes li"


@pytest.fixture
def ann(transactional_db: Any) -> User:
    return make.make_user("ann", "sales")


@pytest.fixture
def address(live_server: Any) -> str:
    """Keys belong to names, not to numbers: the server by its name."""
    return str(live_server.url).replace("127.0.0.1", "localhost")


class Plugged:
    """The browser's own software key, in the place of one of plastic."""

    def __init__(self, page: Any) -> None:
        self.wire = page.context.new_cdp_session(page)
        self.wire.send("WebAuthn.enable")
        self.number = ""

    def plug(self) -> Plugged:
        """Another key."""
        about = {"protocol": "ctap2", "transport": "usb", "isUserVerified": True, "hasUserVerification": True}
        self.number = self.wire.send("WebAuthn.addVirtualAuthenticator", {"options": about})["authenticatorId"]
        return self

    def unplug(self) -> None:
        """Takes it out."""
        self.wire.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.number})


def give_password(page: Any, address: str) -> None:
    page.goto(f"{address}/login/?next=/access/")
    page.locator("#id_username").fill("ann")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")


def came_in(page: Any) -> None:
    """To the page of sessions; when it asks for nothing any more, a test may end."""
    page.wait_for_url("**/access/")
    page.wait_for_load_state("networkidle")


def leave(page: Any) -> None:
    """The session is over; on no page, as what the last one still wanted would come without it."""
    page.wait_for_load_state("networkidle")
    page.goto("about:blank")
    page.context.clear_cookies()


def add(page: Any, address: str, name: str) -> None:
    page.goto(f"{address}/access/keys/new/")
    page.locator("#id_name").fill(name)
    page.locator(ASK).click()


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_key_is_added_lets_in_and_is_removed(open_page: Any, ann: User, address: str, locale: str) -> None:
    """S-17: added under a name, asked for by itself at the next login, removed under "Sessions and two-factor login"."""
    page = open_page(locale)
    Plugged(page).plug()
    give_password(page, address)
    came_in(page)
    add(page, address, "Blue key")
    expect(page.locator(MADE)).to_have_count(10)
    add(page, address, "Again")
    expect(page.locator("[data-told=known]")).to_be_visible()
    page.goto(f"{address}/access/")
    expect(page.locator(".li b", has_text="Blue key")).to_have_count(1)
    leave(page)
    give_password(page, address)
    came_in(page)
    row = Authenticator.objects.get(user=ann, type="webauthn")
    assert row.last_used_at is not None and row.data["counter"] > 0
    assert page.watch.wide() <= 0
    page.locator("form[action='/access/keys/remove/'] button").click()
    page.locator("dialog[open] [data-yes]").click()
    expect(page.locator("form[action='/access/keys/remove/']")).to_have_count(0)
    came_in(page)
    assert not has_factor(ann)


def test_without_the_key_the_page_stays_of_use(open_page: Any, ann: User, address: str) -> None:
    """S-17: where the key is not at hand the page says so; it can be tried again, or a code taken instead."""
    page = open_page()
    plugged = Plugged(page).plug()
    give_password(page, address)
    came_in(page)
    add(page, address, "Blue key")
    code = page.locator(MADE).first.inner_text()
    plugged.unplug()
    plugged.plug()  # another one
    leave(page)
    give_password(page, address)
    expect(page.locator("[data-told=cancelled]")).to_be_visible()
    page.locator(ASK).click()
    expect(page.locator("[data-told=cancelled]")).to_be_visible()
    expect(page.locator(ASK)).to_be_enabled()
    page.locator("#id_code").fill(code)
    page.locator("#id_code").press("Enter")
    came_in(page)
    add(page, address, "Grey key")
    came_in(page)
    leave(page)
    give_password(page, address)
    came_in(page)


def test_an_answer_that_is_wrong_leads_back_and_starts_nothing(open_page: Any, ann: User, address: str) -> None:
    """S-17: whoever's key is refused is told so, and is not asked again without a press."""
    page = open_page()
    Plugged(page).plug()
    give_password(page, address)
    came_in(page)
    add(page, address, "Blue key")
    expect(page.locator(MADE)).to_have_count(10)
    row = Authenticator.objects.get(user=ann, type="webauthn")
    row.data["counter"] = 1000
    row.save()
    leave(page)
    give_password(page, address)
    expect(page.locator(".note.bad", has_text="did not answer as it should")).to_be_visible()
    row.data["counter"] = 0
    row.save()
    page.locator(ASK).click()
    came_in(page)


def test_without_scripts_a_code_is_asked(open_page: Any, ann: User, address: str) -> None:
    """S-17: the page says that keys need JavaScript; a code lets in. At an address without https keys say why not."""
    page = open_page()
    Plugged(page).plug()
    give_password(page, address)
    came_in(page)
    add(page, address, "Blue key")
    code = page.locator(MADE).first.inner_text()
    plain = open_page(java_script_enabled=False)
    give_password(plain, address)
    expect(plain.locator("noscript .note")).to_be_visible()
    expect(plain.locator(ASK)).to_be_hidden()
    plain.locator("#id_code").fill(code)
    plain.locator("#id_code").press("Enter")
    came_in(plain)
    old = open_page()
    old.add_init_script("delete window.PublicKeyCredential")
    give_password(old, address)
    expect(old.locator("[data-told=old]")).to_be_visible()
    expect(old.locator(ASK)).to_be_hidden()


def test_one_s_identity_is_confirmed_by_the_key(open_page: Any, ann: User, address: str) -> None:
    """S-17, 7.5.1: the page that asks once more takes the key as well; who has an app only sees no key."""
    page = open_page()
    Plugged(page).plug()
    give_password(page, address)
    came_in(page)
    add(page, address, "Blue key")
    expect(page.locator(MADE)).to_have_count(10)
    store = ann.sessions.model.get_session_store_class()(ann.sessions.get().pk)
    store["confirmed"] -= 3600
    store.save()
    page.goto(f"{address}/access/keys/new/")
    page.wait_for_url("**/access/keys/new/")
    expect(page.locator("form[data-passkey=create]")).to_have_count(1)
    assert type(store)(store.session_key)["confirmed"] > store["confirmed"]
    Authenticator.objects.filter(user=ann).delete()
    with_factor(ann)
    leave(page)
    give_password(page, address)
    expect(page.locator("#id_code")).to_be_focused()
    expect(page.locator(ASK)).to_have_count(0)
