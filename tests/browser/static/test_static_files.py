"""House rules for our own static files and templates that need no browser (UX 5.8, 9, 12)."""

import gzip
import re
from pathlib import Path

import django_htmx
import js_lib_bootstrap5

ROOT = Path(__file__).resolve().parents[3]
CSS = sorted((ROOT / "static/css").glob("*.css"))
JS = sorted((ROOT / "static/js").glob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.S)


def names(text):
    return set(re.findall(r"\.([A-Za-z][\w-]*)", text))


def test_dark_and_system_have_the_same_tokens():
    text = (ROOT / "static/css/app.css").read_text()
    blocks = re.findall(r'\[data-bs-theme="(?:dark|system)"\] \{(.*?)\}', text, re.S)
    assert len(blocks) == 2
    dark, system = (re.sub(r"\s+", " ", block).strip() for block in blocks)
    assert dark == system


def test_every_class_in_a_template_has_a_style():
    bootstrap = Path(js_lib_bootstrap5.__file__).parent / "static/js-lib-bootstrap5/css/bootstrap.css"
    known = set().union(*(names(file.read_text()) for file in (*CSS, bootstrap)))
    unknown = {
        (name, file.relative_to(ROOT).as_posix())
        for file in TEMPLATES
        for value in re.findall(r'class="([^"]*)"', TAG.sub(" ", file.read_text()))
        for name in value.split()
        if name not in known and not name.endswith("-")
    }
    assert unknown == set()


def test_no_inline_style_or_handler_and_no_foreign_origin():
    for file in TEMPLATES:
        if "mail" in file.parts:
            continue  # mail programs read no style sheets
        text = TAG.sub("", file.read_text())
        assert not re.search(r"<[^>]+\sstyle=", text), file
        assert not re.search(r"<[^>]+\son[a-z]+=", text), file
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), file
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), file


def test_files_stay_small():
    for files, most in ((CSS, 600), (JS, 400)):
        for file in files:
            assert len(file.read_text().splitlines()) < most, file
    for file in TEMPLATES:
        assert len(file.read_text().splitlines()) < 150, file


def test_weight():
    def packed(files):
        return len(gzip.compress(b"".join(file.read_bytes() for file in files), 9))

    htmx = Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js"
    assert packed(JS) <= 40_000
    assert packed([*JS, htmx]) <= 60_000  # UX 9
    everywhere = [file for file in CSS if file.name != "office.css"]  # loaded by the pages of texts only
    assert packed(everywhere) <= 20_000 and packed(CSS) <= 21_000


def test_scripts_write_no_markup_and_evaluate_nothing():
    for file in JS:
        assert not re.search(
            r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function", file.read_text()
        ), file


def test_every_word_a_script_asks_for_is_there():
    known = set(re.findall(r'data-s="([^"]+)"', (ROOT / "templates/kit/parts/strings.html").read_text()))
    asked = {name for file in JS for name in re.findall(r'\btext\("([a-z-]+)"', file.read_text())}
    assert asked <= known
