"""What a browser would send: the fields of a form as they stand on a page."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django import forms

from kit.pages.pickmany import PickManyField
from kit.pages.resources import Resource
from kit.pages.widgets import PickerField

Fields = dict[str, list[str]]


class Reader(HTMLParser):
    """All tags of a page, and its forms with what stands in them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, Fields]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._select, self._chosen, self._first, self._area = "", False, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.forms.append((given.get("action") or "", {}))
        elif tag == "select":
            self._select, self._chosen, self._first = name, False, ""
        elif tag == "option" and self._select and "selected" in given:
            self._chosen = True
            self._put(self._select, value)
        elif tag == "option" and self._select:
            self._first = self._first or value
        elif tag == "textarea":
            self._area = name
            self._put(name, "")
        elif tag == "input" and _sent(given):
            self._put(name, given.get("value") or ("on" if given.get("type") == "checkbox" else ""))

    def handle_data(self, data: str) -> None:
        if self._area and self.forms and self._area in self.forms[-1][1]:
            self.forms[-1][1][self._area][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            if not self._chosen:
                self._put(self._select, self._first)
            self._select = ""

    def _put(self, name: str, value: str) -> None:
        if self.forms and name:
            self.forms[-1][1].setdefault(name, []).append(value)


def _sent(given: dict[str, str | None]) -> bool:
    """Whether a browser sends an input."""
    kind = given.get("type")
    return kind not in ("submit", "button", "file") and (kind not in ("checkbox", "radio") or "checked" in given)


def read(html: str) -> Reader:
    """A page taken apart."""
    reader = Reader()
    reader.feed(html)
    return reader


def form_of(html: str) -> Fields:
    """The largest form of a page that is stored by a submit."""
    stored = [fields for _action, fields in read(html).forms if "submit_id" in fields]
    return max(stored, key=len, default={})


def posted(field: forms.Field, name: str, target: Resource, row: Any) -> dict[str, Any]:
    """What a browser sends when `row` is chosen in a field."""
    if isinstance(field, PickerField):
        return {name: str(row.pk), f"{name}_text": target.pick_label(row)}
    if isinstance(field, PickManyField):
        return {name: [str(row.pk)], f"{name}_add": [str(row.pk)], f"{name}_add_text": [target.pick_label(row)]}
    return {name: str(row.pk)}
