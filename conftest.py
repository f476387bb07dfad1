"""What every test needs: the embedded servers, a database copied from one migrated template, quick passwords."""

from __future__ import annotations

import fcntl
import gc
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Before the settings are read, and whoever starts pytest: tests never touch the data of `make run`.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SANHE_VAR", "var/test")
os.environ.setdefault("SANHE_PG_OPTIONS", "-c fsync=off -c synchronous_commit=off -c full_page_writes=off")
os.environ.setdefault("SANHE_STATEMENT_TIMEOUT", "0")
os.environ.setdefault("SANHE_LANGUAGE", "en")
# Playwright's synchronous interface runs an event loop, in which Django would refuse to query.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import django
import pytest
from celery import current_app
from django.conf import settings
from django.core.cache import cache, caches
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from django.utils import translation

from config import embedded, places

TEMPLATE = "test_sanhe_template_"
SPACE, MEMORY, ROOM = "sanhe_tests", Path("/dev/shm"), 4 << 30  # noqa: S108 - in a folder that nobody else may enter
SOURCES = ("kit", "oa", "crm", "erp", "config")


def pytest_configure(config: pytest.Config) -> None:
    """Settings that only tests have."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AXES_ENABLED = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": settings.PLAIN_STATIC},
    }
    settings.WHITENOISE_AUTOREFRESH = True
    settings.WHITENOISE_USE_FINDERS = True
    settings.COUNTERS_SECONDS = 0  # a test looks at what is there now
    settings.REQUESTS_PER_MINUTE = settings.REQUESTS_AT_ONCE = 0  # a test asks faster than a person
    settings.CELERY_TASK_ALWAYS_EAGER = True
    settings.CELERY_TASK_EAGER_PROPAGATES = True
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    django.setup()
    _keep_plans()
    _note_pages()
    current_app.loader.import_default_modules()  # a task runs when it is sent, whichever test came first


def _keep_plans() -> None:
    """Plans outlive what a test undoes: psycopg ends all of them then, as tables could be undone, too."""
    from django.db.backends.postgresql.operations import DatabaseOperations
    from psycopg._preparing import PrepareManager

    def should_discard(self: PrepareManager, prep: Any, results: Any) -> bool:
        return any((one.command_status or b"").startswith((b"DROP", b"ALTER")) and self.clear() for one in results)

    def text_of(self: DatabaseOperations, cursor: Any, sql: str, params: Any) -> str:
        return told(self, cursor, sql, params) or sql  # of a statement whose plan was kept Django tells nothing

    settings.DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 1
    PrepareManager._should_discard = should_discard  # type: ignore[method-assign]
    told, DatabaseOperations.last_executed_query = DatabaseOperations.last_executed_query, text_of


def _note_pages() -> None:
    """Django's test client notes the context of every template: that of the page is enough, parts have thousands."""
    from django.template.base import Template
    from django.test import signals, utils

    def render(self: Template, context: Any) -> str:
        if context.template is self:
            signals.template_rendered.send(sender=self, template=self, context=context)
        return str(self.nodelist.render(context))

    utils.instrumented_test_render = render


def pytest_addoption(parser: pytest.Parser) -> None:
    """Longer walks than those of the suite."""
    parser.addoption("--approval-examples", type=int, default=300, help="random walks through approvals")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that no process works at one of them alone when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking for garbage in it again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session")
def servers() -> None:
    """PostgreSQL and Valkey run until the last process of this run has ended."""
    embedded.start()


@pytest.fixture(scope="session")
def django_db_setup(servers: None, django_db_blocker: Any) -> Iterator[None]:
    """This process's database, copied from a template that is made once for each state of the models."""
    database = connections["default"].settings_dict
    original, database["NAME"] = database["NAME"], f"test_sanhe_{os.getpid()}"
    settings.DATABASES["default"]["NAME"] = database["NAME"]
    with django_db_blocker.unblock():
        fresh_database()
    yield
    with django_db_blocker.unblock(), _maintenance() as execute:
        execute(f'DROP DATABASE IF EXISTS "{database["NAME"]}" WITH (FORCE)')
    settings.DATABASES["default"]["NAME"] = database["NAME"] = original


def fresh_database() -> None:
    """Replace this process's database by a copy of the template: migrated, with the apps' first rows."""
    connection = connections["default"]
    name = connection.settings_dict["NAME"]
    with _alone():
        template = _template(connection)
        with _maintenance() as execute:
            execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {_in_memory(execute)} STRATEGY file_copy')


def _in_memory(execute: Any) -> str:
    """Where the thousands of files of a copy are made in a tenth of the time: in memory, if there is room for them."""
    folder = MEMORY / f"{SPACE}-{places.digest(places.var())}"
    if execute("SELECT 1 FROM pg_tablespace WHERE spcname = %s", SPACE):
        if folder.exists():
            return f"TABLESPACE {SPACE}"
        lost = "SELECT datname FROM pg_database JOIN pg_tablespace t ON t.oid = dattablespace WHERE spcname = %s"
        for (name,) in execute(lost, SPACE):  # the machine was started anew since
            execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        execute(f"DROP TABLESPACE {SPACE}")
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        return ""
    shutil.rmtree(folder, ignore_errors=True)  # of a server that is gone
    places.private(folder, places.server_account())
    execute(f"CREATE TABLESPACE {SPACE} LOCATION '{folder}'")
    return f"TABLESPACE {SPACE}"


@contextmanager
def _maintenance() -> Iterator[Any]:
    """Statements outside our databases, for creating and dropping them."""
    connections["default"].close()
    with connections["default"]._nodb_cursor() as cursor:  # type: ignore[attr-defined]

        def execute(statement: str, *values: Any) -> list[Any]:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

        yield execute


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: copying needs a template that nobody else uses."""
    lock = os.open(places.var() / "template.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _state() -> str:
    """A digest of everything that decides what a migrated database holds."""
    digest = hashlib.sha256((places.ROOT / "requirements/base.txt").read_bytes())
    for app in SOURCES:
        for path in sorted(p for p in (places.ROOT / app).rglob("*") if p.suffix in {".py", ".csv"}):
            rooms = {"migrations", "setup", "models", "charts"} & set(path.parts)
            if rooms or path.stem in {"setup", "models", "roles"}:
                digest.update(path.relative_to(places.ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


STATE = _state()


def _template(connection: Any) -> str:
    """The migrated database for the present state, made by whichever process comes first."""
    name = TEMPLATE + STATE
    with _maintenance() as execute:
        if execute("SELECT 1 FROM pg_database WHERE datname = %s", name):
            return name
        _tidy(execute)
        execute('CREATE DATABASE "test_sanhe_building"')
    own, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], "test_sanhe_building"
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
    with _maintenance() as execute:
        execute(f'ALTER DATABASE "test_sanhe_building" RENAME TO "{name}"')
    return name


def _tidy(execute: Any) -> None:
    """Drop templates of earlier states and what killed runs left behind."""
    aged = (
        "SELECT datname, now() - (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification > '3 hours' "
        "FROM pg_database WHERE datname LIKE 'test_sanhe_%'"
    )
    for name, old in execute(aged):
        if old or name == "test_sanhe_building" or _ended(name.removeprefix("test_sanhe_")):
            execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _ended(process: str) -> bool:
    """Whether `process` is the number of one that does not run any more."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (ValueError, PermissionError):  # a template, or somebody else's
        return False
    return False


def _after_transaction_test(self: TransactionTestCase) -> None:
    # Ledgers refuse TRUNCATE, which is what Django does here; a new copy is also quicker and has the first rows.
    fresh_database()


TransactionTestCase._fixture_teardown = _after_transaction_test  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """Every test begins in the language of the installation, whatever language a request was answered in."""
    translation.activate(settings.LANGUAGE_CODE)
    yield
    translation.activate(settings.LANGUAGE_CODE)  # for what is made before the next test, too


@pytest.fixture(autouse=True)
def own_cache() -> None:
    """What is kept for a row is not there for the next test, nor for another process: theirs has the same key."""
    from kit.pages.counting import large_until

    large_until.clear()
    caches.settings["default"]["KEY_PREFIX"] = cache.key_prefix = f"test-{uuid.uuid4().hex}"


@pytest.fixture(autouse=True)
def company_zone() -> Iterator[None]:
    """Tests that move the company into another time zone leave the process in its own."""
    from oa.organisation.zones import learn_zone

    learn_zone(settings.TIME_ZONE)
    yield
    learn_zone(settings.TIME_ZONE)


@pytest.fixture
def axes(settings: Any) -> None:
    """Switches the lock-out of failed log-ins on for one test."""
    settings.AXES_ENABLED = True
