"""The small markup of announcements as HTML: paragraphs, headings, lists, bold, links; nothing else gets through.

Everything a person typed is escaped; the only tags are those written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_INLINE = re.compile(
    r"\*\*(?P<bold>[^*\n]+)\*\*"
    r"|\[(?P<words>[^\]\n]+)\]\((?P<target>(?:https?://|mailto:|/(?!/))[^\s()]+)\)"
    r"|(?P<bare>https?://[^\s<>\"'()，。；、）]+[^\s<>\"'().,;:!?，。；、）])"
)
_BULLET = re.compile(r"^\s*[-*•]\s+(.+)$")
_NUMBER = re.compile(r"^\s*\d{1,3}[.)、]\s*(\S.*)$")
_HEADING = re.compile(r"^#{1,3}\s+(.+)$")
_BLOCKS = (("ul", _BULLET), ("ol", _NUMBER), ("h3", _HEADING))


def render(text: str) -> SafeString:
    """`text` as HTML. A blank line parts paragraphs; `- ` and `1. ` make lists, `# ` a heading."""
    return format_html_join("\n", "{}", ((block,) for block in _blocks(text)))


def _blocks(text: str) -> Iterator[SafeString]:
    """Lines of one kind that follow each other are one block."""
    kind, lines = "", []  # type: tuple[str, list[str]]
    for line in [*text.replace("\r\n", "\n").split("\n"), ""]:
        found, content = _kind(line)
        if lines and (found != kind or found == "h3"):
            yield _block(kind, lines)
            lines = []
        kind = found
        if found:
            lines.append(content)


def _kind(line: str) -> tuple[str, str]:
    for name, pattern in _BLOCKS:
        if match := pattern.match(line):
            return name, match[1]
    return ("p", line.strip()) if line.strip() else ("", "")


def _block(kind: str, lines: list[str]) -> SafeString:
    if kind == "ul":
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((_inline(line),) for line in lines)))
    if kind == "ol":
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((_inline(line),) for line in lines)))
    inner = format_html_join("\n", "{}", ((_inline(line),) for line in lines))
    if kind == "h3":
        return format_html("<h3>{}</h3>", inner)
    return format_html("<p>{}</p>", format_html_join(SafeString("<br>"), "{}", ((_inline(line),) for line in lines)))


def _inline(line: str) -> SafeString:
    """Bold words and links of one line."""
    parts: list[SafeString | str] = []
    end = 0
    for match in _INLINE.finditer(line):
        parts.append(line[end : match.start()])
        end = match.end()
        if match["bold"]:
            parts.append(format_html("<b>{}</b>", match["bold"]))
        else:
            target = match["target"] or match["bare"]
            parts.append(
                format_html(
                    '<a class="lk" href="{}" rel="noopener noreferrer">{}</a>', target, match["words"] or target
                )
            )
    return format_html_join("", "{}", ((part,) for part in (*parts, line[end:])))
