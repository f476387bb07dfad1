"""What a person sees who asked for too much at once (S-26, UX 5.3): the page stays, and goes on when asked again."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from config.limits import names
from tests import factories as make
from tests.oa import library


@pytest.fixture
def boss(transactional_db: None) -> Any:
    return make.make_user("boss", name="Zhou Lan")


class Running:
    """A request of the person that runs, as another page of theirs would have it."""

    def __init__(self, user: Any) -> None:
        self.server = cache._cache.get_client(write=True)
        self.key = cache.make_key(names(user)[1])

    def begin(self) -> None:
        self.server.zadd(self.key, {"another page": self.server.time()[0]})

    def end(self) -> None:
        self.server.zrem(self.key, "another page")


@pytest.fixture
def running(boss: Any, settings: Any) -> Running:
    """Nothing yet; the limit is one request at once."""
    settings.REQUESTS_AT_ONCE = 1
    return Running(boss)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_refused_form_stays_as_it_is_and_is_sent_again(open_page, boss, running, language):
    order = make.confirmed_order(make.make_customer("Blue Mill"), make.line(make.make_service("S-1", "100")))
    type(boss).objects.filter(pk=boss.pk).update(language=language)
    page = open_page("en-US", 1440, boss)
    page.watch.expected += ["429"]
    page.goto(f"/sales/orders/{order.number}/")
    page.wait_for_load_state("networkidle")
    page.locator(".acts details[data-menu] > summary").click()
    page.locator(".acts [data-name=hold]:visible").click()
    page.locator("#dialog [name=reason]").fill("They asked to wait")
    page.wait_for_load_state("networkidle")
    running.begin()
    page.locator("#dialog footer button:not([type=button])").click()
    toast = page.locator(".tst.error")
    expect(toast).to_contain_text("请求过多" if language == "zh-hans" else "Too many requests at once.")
    expect(page.locator("#dialog [name=reason]")).to_have_value("They asked to wait")
    order.refresh_from_db()
    assert not order.hold
    running.end()
    toast.locator("[data-toast-undo]").click()
    page.locator(".phead .bd.warn").wait_for()
    order.refresh_from_db()
    assert (order.hold, order.hold_reason) == ("manual", "They asked to wait")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_refused_page_keeps_what_was_typed(open_page, boss, running, scripts):
    page = open_page("en-US", 1440, boss, java_script_enabled=scripts)
    page.watch.expected += ["429"]
    page.goto("/crm/customers/new/")
    page.locator("#id_name").fill("Blue Mill")
    page.wait_for_load_state("networkidle")
    running.begin()
    page.locator("[data-save]:visible").first.click()
    page.locator("main.bare form button").wait_for()
    page.locator("main.bare form button").click()
    page.locator("main.bare form button").wait_for()  # refused once more
    running.end()
    page.locator("main.bare form button").click()
    page.wait_for_url("**/crm/customers/C-*/")


def test_a_refused_picture_comes_when_there_is_room(open_page, boss, running):
    """A page with more pictures than may be asked for at once shows all of them in the end."""
    document = library.document(library.folder("Plans"), "plan.pdf", library.pdf("One", "Two"))
    page = open_page("en-US", 1440, boss)
    page.watch.expected += ["429"]
    page.goto("/")
    page.wait_for_load_state("networkidle")
    running.begin()
    with page.expect_response(lambda answer: answer.status == 429):
        page.evaluate(
            "src => { const img = new Image(); img.id = 'late'; img.src = src; document.body.append(img); }",
            f"/docs/versions/{document.current.key}/pages/1/",
        )
    with page.expect_response(lambda answer: answer.status == 200 and answer.url.endswith("/pages/1/")):
        running.end()
    assert page.locator("#late").evaluate("img => img.decode().then(() => img.naturalWidth)") > 0
