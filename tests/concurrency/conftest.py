"""Processes that all races share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.concurrency.crowd import PROCESSES, Crowd


@pytest.fixture(scope="session")
def crowd(django_db_setup: None) -> Iterator[Crowd]:
    """The processes, started once."""
    made = Crowd(PROCESSES)
    yield made
    made.stop()
