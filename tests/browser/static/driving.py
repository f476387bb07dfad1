"""Our JavaScript in a real browser against harness.py: no database, no Django settings of the project."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def site():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    harness = Path(__file__).with_name("harness.py")
    server = subprocess.Popen([sys.executable, str(harness), str(port)], env=environment)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(5)


@pytest.fixture
def page(browser, site):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=site)
    one = context.new_page()
    problems = []
    one.on("pageerror", lambda error: problems.append(str(error)))
    one.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    one.problems = problems
    knob(site, clear=1, delay=0, status=200)
    yield one
    context.close()
    expected = (
        "409",
        "422",
        "500",
        "503",
        "401",
        "403",
        "ERR_INTERNET_DISCONNECTED",
        "net::ERR",
        "Failed to load resource",
    )
    assert [text for text in problems if not any(word in text for word in expected)] == []


def knob(site, **settings):
    query = "&".join(f"{key}={value}" for key, value in settings.items())
    with urllib.request.urlopen(f"{site}/knob/?{query}") as answer:  # noqa: S310
        return json.load(answer)


def at(page):
    return page.evaluate(
        "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
    )


def value(page, name):
    return page.locator(f"[name='{name}']").input_value()


def texts(page, prefix="product_text"):
    return page.eval_on_selector_all(f"[data-grid] [name$='-{prefix}']", "all => all.map(one => one.value)")


def until(page, expression):
    """wait_for_function would need eval, which the policy forbids."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def settle(page):
    page.wait_for_timeout(30)
    until(
        page,
        "!document.querySelector('form[data-doc-form][aria-busy]') && !document.querySelector('.combo[aria-busy]')",
    )
    page.wait_for_timeout(30)


def ime(page, letters, result):
    """What an input method sends: composition, letters with key code 229, then Enter that confirms the candidate."""
    page.evaluate(
        """([letters, result]) => {
          const field = document.activeElement;
          const start = field.value;
          const key = (type, name) => field.dispatchEvent(Object.defineProperty(
            new KeyboardEvent(type, {key: name, bubbles: true, cancelable: true, isComposing: true}), 'keyCode', {value: 229}));
          field.dispatchEvent(new CompositionEvent('compositionstart', {bubbles: true}));
          for (let n = 1; n <= letters.length; n++) {
            key('keydown', letters[n - 1]);
            field.value = start + letters.slice(0, n);
            field.dispatchEvent(new InputEvent('input', {bubbles: true, isComposing: true, inputType: 'insertCompositionText'}));
            key('keyup', letters[n - 1]);
          }
          key('keydown', 'Enter');
          field.value = start + result;
          field.dispatchEvent(new InputEvent('input', {bubbles: true, isComposing: true, inputType: 'insertCompositionText'}));
          field.dispatchEvent(new CompositionEvent('compositionend', {bubbles: true, data: result}));
          // some input methods send a plain Enter right after
          field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
          field.dispatchEvent(new KeyboardEvent('keyup', {key: 'Enter', bubbles: true}));
        }""",
        [letters, result],
    )
