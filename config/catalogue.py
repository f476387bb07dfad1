"""Message catalogues without GNU gettext: Django's template reader and Babel's extractor and compiler."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

from config.places import ROOT

SOURCES = ("config", "kit", "oa", "crm", "erp", "templates")
SKIPPED = {"migrations", "__pycache__"}
KEYWORDS: dict[str, tuple | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
Key = tuple[str, str | None]  # what identifies a message: its (singular) text and its context
# Without dates and tools, so that the file changes only with its texts.
HEADER = """msgid ""
msgstr ""
"Project-Id-Version: Sanhe\\n"
"Language: zh_Hans\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""
TEMPLATES = {".html", ".txt", ".xml"}


def files() -> Iterator[Path]:
    """Every file that may hold text for people."""
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if not SKIPPED & set(path.parts) and (path.suffix == ".py" or path.suffix in TEMPLATES):
                yield path


def extracted() -> Catalog:
    """All messages in the sources, each with the files it comes from."""
    catalogue = Catalog(locale="zh_Hans", project="Sanhe", charset="utf-8", fuzzy=False)
    for path in files():
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT).as_posix()
        text = templatize(text, origin=name) if path.suffix in TEMPLATES else f"{text}\n{_in_strings(text)}"
        source = io.BytesIO(text.encode("utf-8"))
        for _line, message, _comments, context in extract("python", source, KEYWORDS, options={"encoding": "utf-8"}):
            if message and message != ("", ""):
                catalogue.add(message, context=context, locations=[(name, 0)], flags=_flags(message))
    return catalogue


def _in_strings(text: str) -> str:
    """The expressions within f-strings, a line each: before Python 3.12 the extractor does not look into these."""
    strings = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.JoinedStr))
    return "\n".join(
        ast.unparse(part.value) for one in strings for part in one.values if isinstance(part, ast.FormattedValue)
    )


def _flags(message: str | tuple[str, ...]) -> set[str]:
    text = " ".join(message) if isinstance(message, tuple) else message
    return {"python-format"} if "%(" in text else set()


def key(message: Message) -> Key:
    """The identity of a message."""
    return (message.id[0] if isinstance(message.id, (tuple, list)) else str(message.id), message.context)


def read(path: Path) -> Catalog:
    """The catalogue in a file; an empty one where there is none."""
    if not path.exists():
        return Catalog(locale="zh_Hans", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale="zh_Hans", charset="utf-8")


def merged(old: Catalog, found: Catalog) -> Catalog:
    """The messages of `found` with the translations of `old`; what is no longer used is dropped."""
    known = {key(message): message for message in old if message.id}
    result = Catalog(locale="zh_Hans", project="Sanhe", charset="utf-8", fuzzy=False)
    for message in sorted((m for m in found if m.id), key=lambda m: (key(m)[0], key(m)[1] or "")):
        before = known.get(key(message))
        flags = set(message.flags) | ({"fuzzy"} & set(before.flags) if before else set())
        result.add(
            message.id,
            _translation(before, message),
            context=message.context,
            locations=sorted({(place, 0) for place, _line in message.locations}),
            flags=flags,
            user_comments=before.user_comments if before else [],
        )
    return result


def _translation(before: Message | None, message: Message) -> str | tuple[str, ...]:
    """The translation of the same message before, in the shape the message has now (one form in Chinese)."""
    string = before.string if before else ""
    first = string[0] if isinstance(string, (tuple, list)) and string else string
    return (str(first or ""),) if message.pluralizable else str(first or "")


def problems(old: Catalog, found: Catalog) -> list[str]:
    """What keeps `old` from being the complete translation of `found`."""
    known = {key(message): message for message in old if message.id}
    wanted = {key(message): message for message in found if message.id}
    lines = [f"not extracted: {_shown(message)}" for name, message in wanted.items() if name not in known]
    lines += [f"no longer used: {_shown(message)}" for name, message in known.items() if name not in wanted]
    for name, message in known.items():
        if name in wanted:
            lines += _faults(message)
    return sorted(lines)


def _faults(message: Message) -> list[str]:
    strings = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    if not all(strings):
        return [f"missing: {_shown(message)}"]
    if message.fuzzy:
        return [f"fuzzy: {_shown(message)}"]
    return [f"{error}: {_shown(message)}" for error in message.check()]


def _shown(message: Message) -> str:
    text, context = key(message)
    places = ", ".join(sorted({place for place, _line in message.locations})[:2])
    return f"{text!r}" + (f" [{context}]" if context else "") + (f"  ({places})" if places else "")


def write(path: Path, catalogue: Catalog) -> bool:
    """Write a catalogue as text; whether it changed."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=110, omit_header=True, include_lineno=False)
    text = HEADER + "\n" + buffer.getvalue().decode().strip() + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def compile_mo(path: Path) -> Path:
    """Write the compiled catalogue beside its text; fuzzy messages are left out."""
    target = path.with_suffix(".mo")
    fresh = target.with_suffix(".mo.new")
    with fresh.open("wb") as file:
        write_mo(file, read(path))
    fresh.replace(target)
    return target
