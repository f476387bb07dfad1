"""What stands around every page: entries of the menu, and parts that are the same for everybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from django import template
from django.template.base import NodeList, Parser, Token
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from kit.pages.markup import safe
from kit.templatetags.icons import icon

register = template.Library()


@register.simple_tag
def nav_links(items: Iterable[Mapping[str, Any]]) -> SafeString:
    """Entries of the menu at the side; a hundred of them stand on every page."""
    return safe("\n".join(_link(item) for item in items))


def _link(item: Mapping[str, Any]) -> str:
    label, drawn, title, count = escape(item["label"]), "", "", ""
    here = ' class="on" aria-current="page"' if item.get("current") else ""
    go = f' data-go="{escape(item["go"])}"' if item.get("go") else ""
    if item.get("icon"):
        title, drawn = f' title="{label}"', icon(item["icon"])
    if item.get("counter"):
        count = f'<span class="ct hot" data-counter="{escape(item["counter"])}" hidden></span>'
    return f'<a href="{escape(item["url"])}"{here}{go}{title}>{drawn}<span class="tx">{label}</span>{count}</a>'


class Once(template.Node):
    """Rendered when it is first needed in a language; the same for everybody and every page after that."""

    def __init__(self, nodes: NodeList) -> None:
        self.nodes = nodes
        self.made: dict[str | None, SafeString] = {}

    def render(self, context: template.Context) -> SafeString:
        language = get_language()
        if language not in self.made:
            self.made[language] = self.nodes.render(context)
        return self.made[language]


@register.tag
def once(parser: Parser, token: Token) -> Once:
    """`{% once %} … {% endonce %}` around what depends on nothing but the language."""
    nodes = parser.parse(("endonce",))
    parser.delete_first_token()
    return Once(nodes)
