"""Files of records (threat S-10)."""

from __future__ import annotations

from typing import Any

from oa.records.models import Attachment


def store_attachment(obj: Any, file: Any, *, by: Any) -> Attachment:
    """Store a file."""
    raise NotImplementedError
