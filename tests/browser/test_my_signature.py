"""A signature drawn by hand, kept, and seen beside a decision, on the phone and at the desk (rule X-13)."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from oa.approvals.models import ApprovalRequest
from oa.records.models import PersonSignature
from tests import approving

WIDTHS = {"phone": 390, "desk": 1440}


@pytest.fixture
def request_of_boss(transactional_db: Any) -> ApprovalRequest:
    boss, ann = approving.people("boss", "ann")
    return approving.request(approving.flow(approving.step(1, ann, signed=True)), boss)


@pytest.mark.parametrize(("locale", "screen"), [("en-US", "phone"), ("zh-CN", "phone"), ("en-US", "desk")])
def test_a_signature_is_drawn_saved_and_seen(
    open_page: Any, request_of_boss: ApprovalRequest, locale: str, screen: str
) -> None:
    """X-13: strokes become the present signature; the decision that needs it goes through and shows it."""
    ann = request_of_boss.tasks.get().user
    page = open_page(locale=locale, width=WIDTHS[screen], user=ann)
    page.goto("/signature/")
    canvas = page.locator("canvas.sign")
    expect(canvas).to_be_visible()
    assert page.watch.wide() <= 0

    draw(page, canvas)
    page.locator("[data-clear]").click()
    assert page.evaluate("document.querySelector('input[type=file]').files.length") == 0
    draw(page, canvas)
    page.locator("main form button[data-primary]").click()
    shown = page.locator("main img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.complete || new Promise(done => image.onload = () => done(true))")
    assert shown.evaluate("image => image.naturalWidth") > 100 and page.watch.wide() <= 0
    row = PersonSignature.objects.get()
    with row.file.open("rb") as file, Image.open(file) as image:
        assert image.format == "PNG" and image.width > 2 * image.height  # the zigzag without its margins

    page.goto(f"/approvals/requests/{request_of_boss.pk}/")
    page.locator("a[data-name=approve]:visible").first.click()
    page.locator("dialog[open] footer button.pri").click()
    expect(page.locator(f".track img[src='/signature/{row.key}/']")).to_be_visible()
    assert ApprovalRequest.objects.get().state == "approved" and page.watch.wide() <= 0


def draw(page: Any, canvas: Any) -> None:
    """A zigzag over the middle of the sheet."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    points = [(0.15, 0.45), (0.35, 0.6), (0.5, 0.4), (0.65, 0.6), (0.85, 0.45)]
    place = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*place[0])
    page.mouse.down()
    for x, y in place[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def test_a_chosen_file_takes_the_place_of_a_drawing(open_page: Any, transactional_db: Any) -> None:
    """X-13: what is sent is what was given last."""
    from tests.oa.signing import drawing

    page = open_page(user=approving.person("ann"))
    page.goto("/signature/")
    draw(page, page.locator("canvas.sign"))
    field = page.locator("input[type=file]")
    field.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": drawing()})
    assert page.evaluate("document.querySelector('input[type=file]').files[0].name") == "mine.png"
    page.locator("main form button[data-primary]").click()
    expect(page.locator("main img")).to_be_visible()
    assert PersonSignature.objects.count() == 1


def test_without_scripts_a_picture_is_chosen(open_page: Any, transactional_db: Any) -> None:
    """X-13, UX 9: no canvas, an ordinary file field."""
    from tests.oa.signing import drawing

    page = open_page(width=390, user=approving.person("ann"), java_script_enabled=False)
    page.goto("/signature/")
    expect(page.locator("canvas.sign")).to_be_hidden()
    field = page.locator("input[type=file]")
    field.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": drawing()})
    page.locator("main form button[data-primary]").click()
    expect(page.locator("main img")).to_be_visible()
