"""The small markup: what it makes, and that nothing else gets through."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oa.announcements.markup import render

ALLOWED = {
    "p": set(),
    "br": set(),
    "b": set(),
    "ul": set(),
    "ol": set(),
    "li": set(),
    "h3": set(),
    "a": {"class", "href", "rel"},
}


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo\n\nthree", "<p>One<br>two</p>\n<p>three</p>"),
        ("# Head\n- a\n- **b**", "<h3>Head</h3>\n<ul><li>a</li><li><b>b</b></li></ul>"),
        ("1. a\n2、b", "<ol><li>a</li><li>b</li></ol>"),
        (
            "see https://a.example/x.",
            '<p>see <a class="lk" href="https://a.example/x" rel="noopener noreferrer">https://a.example/x</a>.</p>',
        ),
        ("[here](/news/1/)", '<p><a class="lk" href="/news/1/" rel="noopener noreferrer">here</a></p>'),
        ("[x](javascript:alert(1)) [y](//evil.example)", "<p>[x](javascript:alert(1)) [y](//evil.example)</p>"),
        ("<script>x</script> & 2 * 3 ** 4", "<p>&lt;script&gt;x&lt;/script&gt; &amp; 2 * 3 ** 4</p>"),
        ("", ""),
    ],
)
def test_markup(text: str, html: str) -> None:
    assert render(text) == html


@given(st.text(alphabet="ab<>\"'&*[]()#-1. \n:/javscriptonhe", max_size=80) | st.text(max_size=60))
def test_whatever_is_typed_only_our_tags_come_out(text: str) -> None:
    """S-10: no tag and no attribute that the renderer did not write, no address but of the web, mail or this site."""
    seen = Seen()
    seen.feed(render(text))
    for tag, attributes in seen.tags:
        assert set(attributes) <= ALLOWED[tag]
        if tag == "a":
            assert (attributes["href"] or "").startswith(("http://", "https://", "mailto:", "/"))
            assert not (attributes["href"] or "").startswith("//")
