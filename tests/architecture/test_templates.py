"""Templates: each can be read, whether or not a test happens to show it."""

from __future__ import annotations

import pytest
from django.template.loader import get_template

from config.places import ROOT

FOLDER = ROOT / "templates"
NAMES = sorted(
    path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in {".html", ".txt", ".xml"}
)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_can_be_read(name: str) -> None:
    """A syntax error would come out only when somebody opens the page."""
    assert get_template(name)
