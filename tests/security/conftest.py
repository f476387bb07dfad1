"""One company for each file: it is made once in a transaction, and every test is undone to a savepoint in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

if TYPE_CHECKING:
    from tests.security.company import Company


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Company]:
    """The company of this file."""
    from django.contrib.contenttypes.models import ContentType

    from tests.security.company import company

    logging.disable(logging.CRITICAL)  # every refusal is a line with its traceback
    with django_db_blocker.unblock():
        with transaction.atomic():
            yield company()
            transaction.set_rollback(True)
        ContentType.objects.clear_cache()
    logging.disable(logging.NOTSET)


@pytest.fixture
def c(made: Company) -> Iterator[Company]:
    """The company, as it was made."""
    with transaction.atomic():
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def quick(settings: Any) -> None:
    """Refusals without the page around them, which says nothing about the row."""
    settings.ROOT_URLCONF = "tests.security.addresses"
