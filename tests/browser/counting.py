"""Hands whose clicks and keys are counted: usability scripts are walked with them (UX 11).

Typing text is free, as in the scripts; every click or tap counts, and every key that is pressed for what it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASTE = """([text, selector]) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const place = selector ? document.querySelector(selector) : document.activeElement;
  place.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""
DROP = """async ([name, text, selector]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: "text/plain"}));
  const place = document.querySelector(selector);
  for (const type of ["dragenter", "dragover", "drop"]) {
    place.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
  }
}"""


class Hands:
    """What a person does at a page; going over a limit fails at once."""

    def __init__(self, page: Any, clicks: int, keys: int) -> None:
        self.page = page
        self.most = {"clicks": clicks, "keys": keys}
        self.used = {"clicks": 0, "keys": 0}

    def _count(self, what: str, action: Any) -> None:
        self.used[what] += 1
        assert self.used[what] <= self.most[what], f"{self.used[what]} {what}, allowed are {self.most[what]}: {action}"

    def click(self, target: Any, **options: Any) -> None:
        """One click, or tap on a touch screen, on what can be seen of a selector or locator."""
        self._count("clicks", target)
        found = self.page.locator(target).locator("visible=true").first if isinstance(target, str) else target
        found.click(**options)

    def count_click(self, what: str) -> None:
        """A click that a page under test cannot get, as on the opened list of a select box."""
        self._count("clicks", what)

    def press(self, *keys: str) -> None:
        """Keys one after the other; a chord is one."""
        for key in keys:
            self._count("keys", key)
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Text where the focus is."""
        self.page.keyboard.type(text)

    def scan(self, code: str) -> None:
        """A scanner types the code and Enter; no hand touches a key."""
        self.page.keyboard.type(code)
        self.page.keyboard.press("Enter")

    def paste(self, text: str) -> None:
        """The clipboard at the focus: one chord."""
        self._count("keys", "Control+v")
        self.page.evaluate(PASTE, [text, ""])

    def drop(self, file: Path, place: str) -> None:
        """A file dragged from the desktop onto `place`; a drag is neither click nor key."""
        self.page.evaluate(DROP, [file.name, file.read_text(), place])

    def choose(self, target: Any, file: Any) -> None:
        """One click on what opens the chooser of files or the camera, which then gives `file`."""
        with self.page.expect_file_chooser() as chooser:
            self.click(target)
        chooser.value.set_files(file)


@contextmanager
def hands(page: Any, *, clicks: int = 0, keys: int = 0) -> Iterator[Hands]:
    """Do a script within its limits."""
    yield Hands(page, clicks, keys)
