"""Static files as production serves them: named by content, packed, cached for good."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client, override_settings

IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""")
ENTRY = re.compile(r"{% static '(js/\w+\.js)' %}")
HASHED = re.compile(r"\./\w+\.[0-9a-f]{12}\.js")


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A folder of collected files, with the settings of an installation."""
    folder = tmp_path_factory.mktemp("static")
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "config.static.HashedStorage"}}
    switched = override_settings(
        STORAGES=storages, STATIC_ROOT=folder, WHITENOISE_AUTOREFRESH=False, WHITENOISE_USE_FINDERS=False
    )
    with switched:
        call_command("collectstatic", interactive=False, verbosity=0)
        yield folder


def test_modules_import_hashed_modules_only(collected):
    """From what templates load on, whatever the browser gets has a name by its content and is there."""
    entries = {
        name for file in (settings.BASE_DIR / "templates").rglob("*.html") for name in ENTRY.findall(file.read_text())
    }
    assert {"js/app.js", "js/sign.js"} <= entries
    waiting, seen = [Path(staticfiles_storage.stored_name(name)) for name in sorted(entries)], set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for imported in IMPORTED.findall((collected / name).read_text()):
            assert HASHED.fullmatch(imported), f"{name} imports {imported}"
            target = name.parent / imported
            assert (collected / target).exists(), f"{name} imports {imported}, which is not there"
            if target not in seen:
                waiting.append(target)
    own = {path.name for path in (settings.BASE_DIR / "static/js").glob("*.js")}
    assert {f"{name.name.split('.')[0]}.js" for name in seen} == own, "every module of ours is loaded"


def test_names_follow_the_content_of_what_is_imported(collected):
    """The manifest leads to exactly the name that the importing module uses: no module is loaded twice."""
    names = set(json.loads((collected / "staticfiles.json").read_text())["paths"].values())
    for path in (collected / "js").glob("*.*.js"):
        for imported in IMPORTED.findall(path.read_text()):
            assert f"js/{Path(imported).name}" in names, f"{path.name} imports {imported}"


def test_packed_and_cached_for_good(collected):
    """Text is served by Brotli or gzip as the browser takes it, and never asked for again."""
    address = staticfiles_storage.url("js/grid.js")
    for encoding in ("br", "gzip"):
        answer = Client().get(address, headers={"accept-encoding": encoding})
        assert answer.status_code == 200 and answer["Content-Encoding"] == encoding
        assert "immutable" in answer["Cache-Control"]
    assert "immutable" not in Client().get("/static/js/grid.js")["Cache-Control"]


@pytest.mark.django_db
def test_browsers_that_ask_for_favicon_ico_get_the_mark(collected):
    """Also where nobody is logged in, and on pages without a link to it."""
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, staticfiles_storage.url("img/mark.svg"))
    mark = Client().get(answer["Location"])
    assert (mark.status_code, mark["Content-Type"]) == (200, "image/svg+xml")
