"""The settings of production, each asserted in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import sources
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.db import connection
from django.utils.module_loading import import_string

from oa.organisation.sessions import SessionStore

KEY = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PRODUCTION = {
    "DATABASE_URL": "postgresql://someone:secret@db.example.com:5433/sanhe?sslmode=require",
    "REDIS_URL": "rediss://cache.example.com:6379/2",
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "erp.example.com",
}
EXPECTED = {
    "DEBUG": False,
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": ["erp.example.com"],
    "CSRF_TRUSTED_ORIGINS": ["https://erp.example.com"],
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31536000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "SECURE_PROXY_SSL_HEADER": None,
    "USE_X_FORWARDED_HOST": False,
    "SESSION_COOKIE_NAME": "__Host-sid",
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_PATH": "/",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_ENGINE": "oa.organisation.sessions",
    "SESSION_COOKIE_AGE": 12 * 3600,
    "SESSION_IDLE_MINUTES": 30,
    "REQUESTS_PER_MINUTE": 600,
    "REQUESTS_AT_ONCE": 6,
    "CSRF_COOKIE_HTTPONLY": True,
    "CSRF_COOKIE_SAMESITE": "Lax",
    "CSRF_COOKIE_PATH": "/",
    "MFA_ADAPTER": "oa.organisation.factors.FactorAdapter",
    "MFA_TOTP_TOLERANCE": 1,
    "MFA_TOTP_INSECURE_BYPASS_CODE": None,
    "CSRF_COOKIE_NAME": "__Host-csrf",
    "CSRF_COOKIE_SECURE": True,
    "CSRF_COOKIE_DOMAIN": None,
    "X_FRAME_OPTIONS": "DENY",
    "SECURE_CONTENT_TYPE_NOSNIFF": True,
    "SECURE_REFERRER_POLICY": "same-origin",
    "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
    "DATA_UPLOAD_MAX_NUMBER_FIELDS": 6000,
    "DATA_UPLOAD_MAX_MEMORY_SIZE": 5 * 1024 * 1024,
    "DATA_UPLOAD_MAX_NUMBER_FILES": 20,
    "FILE_UPLOAD_PERMISSIONS": 0o640,
    "USE_TZ": True,
    "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
    "AXES_HANDLER": "axes.handlers.database.AxesDatabaseHandler",
    "CELERY_ACCEPT_CONTENT": ["json"],
    "CELERY_TASK_SERIALIZER": "json",
    "CELERY_TASK_ACKS_LATE": True,
    "CELERY_TASK_REJECT_ON_WORKER_LOST": True,
    "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
    "CELERY_TASK_IGNORE_RESULT": True,
    "CELERY_TASK_TIME_LIMIT": 600,
    "CELERY_BROKER_URL": "rediss://cache.example.com:6379/2",
}


WRONG = {
    "SANHE_PORT": ("abc", "0", "70000", "-1", "8000.5"),
    "SANHE_PROXIES": ("x", "-1"),
    "SESSION_HOURS": ("x", "0"),
    "SESSION_IDLE_MINUTES": ("x", "0", "1441"),
    "SANHE_REQUESTS_PER_MINUTE": ("x", "-1"),
    "SANHE_REQUESTS_AT_ONCE": ("x", "-1"),
    "SANHE_GRACE": ("x",),
    "SANHE_ENV": ("prod",),
    "SANHE_LANGUAGE": ("xx",),
    "SANHE_TIME_ZONE": ("Mars/Base", "../etc"),
    "SANHE_LOG_LEVEL": ("LOUD",),
    "DEBUG": ("maybe", "2"),
    "SANHE_TRUST_PROXY_TLS": ("x",),
    "SANHE_STATEMENT_TIMEOUT": ("abc", "30", "-5s"),
    "EMAIL_URL": ("smtp://host:abc",),
    "DATABASE_URL": ("postgresql://a:b@host:abc/x",),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_told_in_one_line(name: str, value: str, tmp_path) -> None:
    """`make run` with a slip of the finger names the variable; nothing is started and nothing traced back."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
    needed = {**PRODUCTION, "SANHE_VAR": str(tmp_path / "var")}
    command = [sys.executable, "manage.py", "run"]
    given = {**kept, **needed, name: value}
    result = subprocess.run(command, cwd=sources.ROOT, env=given, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and not (tmp_path / "var").exists()
    assert result.stderr.count("\n") == 1 and name in result.stderr, result.stderr


def read(names: list[str], **environment: str) -> dict:
    """Values of settings in a fresh process with exactly this environment."""
    program = (
        "import json, sys; from django.conf import settings; "
        "print(json.dumps({n: getattr(settings, n, None) for n in json.loads(sys.argv[1])}, default=str))"
    )
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "SANHE_VAR", "HOME", "LANG"}}
    result = subprocess.run(
        [sys.executable, "-c", program, json.dumps(names)],
        cwd=sources.ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def production() -> dict:
    """All settings that the tests here look at."""
    return read([*EXPECTED, "DATABASES", "CONTENT_SECURITY_POLICY", "MIDDLEWARE", "PASSWORD_HASHERS",
                 "AUTH_PASSWORD_VALIDATORS", "CELERY_BROKER_TRANSPORT_OPTIONS", "STORAGES", "MEDIA_ROOT",
                 "STATIC_ROOT"], **PRODUCTION)  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_production(production, name):
    assert production[name] == EXPECTED[name]


def test_database_has_time_limits_and_no_request_transactions(production):
    database = production["DATABASES"]["default"]
    for limit in ("lock_timeout=5s", "statement_timeout=30s", "idle_in_transaction_session_timeout=60s"):
        assert f"-c {limit}" in database["OPTIONS"]["options"]
    assert database["OPTIONS"]["sslmode"] == "require"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"], database["ATOMIC_REQUESTS"]) == (60, True, False)
    assert (database["HOST"], str(database["PORT"]), database["USER"]) == ("db.example.com", "5433", "someone")


@pytest.mark.django_db
def test_guards_find_their_setting_without_an_error():
    """Else every guard of every row raises and catches one, and large transactions take quadratic time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('pgtrigger.ignore')::text[]")
        assert cursor.fetchone()[0] == []


def test_content_security_policy_allows_nothing_inline(production):
    policy = production["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert policy["default-src"] == ["'none'"]
    for directive in ("object-src", "base-uri", "frame-ancestors"):
        assert policy[directive] == ["'none'"], directive
    assert policy["style-src"] == ["'self'"]
    assert policy["form-action"] == ["'self'"]
    assert set(policy["script-src"]) == {"'self'", "csp.constants.NONCE"}
    assert not any("unsafe" in value or "http" in value for values in policy.values() for value in values)


def test_middleware_order(production):
    order = production["MIDDLEWARE"]
    assert order[0].endswith("SecurityMiddleware") and order[-1].endswith("AxesMiddleware")
    named = [name.rpartition(".")[2] for name in order]
    ours = ["SessionMiddleware", "AuthenticationMiddleware", "AccessMiddleware", "LoginMiddleware"]
    assert sorted(ours, key=named.index) == ours, "limits and second factor before any page"


def test_sessions_stay_in_the_database(production):
    """S-16: Django's own store, in a table that knows whose they are; a session can be ended from the outside."""
    assert issubclass(SessionStore, DatabaseStore) and SessionStore.__module__ == production["SESSION_ENGINE"]


def test_cookies_as_they_leave(tmp_path):
    """S-16: both cookies of a production server carry `__Host-`, Secure, HttpOnly and SameSite."""
    program = """if True:
        import django; django.setup()
        from django.conf import settings
        from django.http import HttpResponse
        from django.contrib.sessions.middleware import SessionMiddleware
        from django.middleware.csrf import CsrfViewMiddleware, get_token
        from django.test import RequestFactory
        request = RequestFactory().get("/", secure=True)
        def view(request):
            get_token(request)
            return HttpResponse()
        answer = CsrfViewMiddleware(view)(request)
        print(answer.cookies.output())
        class Store(dict):
            accessed = modified = True
            session_key = "k" * 32
            is_empty = lambda self: False
            get_expire_at_browser_close = lambda self: False
            get_expiry_age = lambda self: 60
            save = lambda self: None
        request.session = Store()
        print(SessionMiddleware(view).process_response(request, HttpResponse()).cookies.output())
    """
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
    given = {**kept, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings", "SANHE_VAR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", program], cwd=sources.ROOT, env=given, capture_output=True, text=True, check=True)  # fmt: skip
    cookies = [line for line in result.stdout.splitlines() if line.startswith("Set-Cookie")]
    assert [line.split(" ")[1].split("=")[0] for line in cookies] == ["__Host-csrf", "__Host-sid"]
    for line in cookies:
        flags = {part.strip() for part in line.split(";")[1:]}
        assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= flags and "Domain" not in line, line


def test_passwords(production):
    assert production["PASSWORD_HASHERS"][0].endswith("Argon2PasswordHasher")
    rules = {
        rule["NAME"].rpartition(".")[2]: rule.get("OPTIONS", {}) for rule in production["AUTH_PASSWORD_VALIDATORS"]
    }
    assert rules["MinimumLengthValidator"] == {"min_length": 12}
    assert {"CommonPasswordValidator", "UserAttributeSimilarityValidator"} <= set(rules)


def test_killed_tasks_come_back(production):
    options = production["CELERY_BROKER_TRANSPORT_OPTIONS"]
    assert options == {
        "visibility_timeout": 3600, "unacked_restore_interval": 10, "unacked_restore_throttle": 1,
        "socket_timeout": 5, "socket_connect_timeout": 5,
    }  # fmt: skip
    assert options["visibility_timeout"] > production["CELERY_TASK_TIME_LIMIT"]


def test_attachments_lie_outside_static_files(production):
    assert not production["MEDIA_ROOT"].startswith(production["STATIC_ROOT"])
    assert issubclass(import_string(production["STORAGES"]["staticfiles"]["BACKEND"]), ManifestStaticFilesStorage)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 80}, "SECRET_KEY"),
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"DATABASE_URL": "sqlite:///x.db"}, "DATABASE_URL"),
    ],
)
def test_production_refuses(change, message):
    environment = {k: v for k, v in {**PRODUCTION, **change}.items() if v is not None}
    with pytest.raises(AssertionError, match=message):
        read(["DEBUG"], **environment)


def test_proxy_header_only_when_told():
    told = read(["SECURE_PROXY_SSL_HEADER"], **PRODUCTION, SANHE_TRUST_PROXY_TLS="1")
    assert told["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_local_installation_needs_nothing():
    local = read(["DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASES", "SECURE_SSL_REDIRECT", "SANHE_URL"])
    assert local["DEBUG"] is False and len(local["SECRET_KEY"]) >= 50
    assert {"localhost", "127.0.0.1", "[::1]"} <= set(local["ALLOWED_HOSTS"])
    assert local["DATABASES"]["default"]["HOST"].startswith("/")
    assert not local["SECURE_SSL_REDIRECT"] and local["SANHE_URL"] == "http://127.0.0.1:8000"
    assert read(["SECRET_KEY"])["SECRET_KEY"] == local["SECRET_KEY"], "the key is made once"


def test_every_variable_is_documented():
    """docs/operations.md names each variable of the environment that the program reads, and each of compose.yaml."""
    table = (sources.ROOT / "docs/operations.md").read_text()
    text = "".join(path.read_text() for path in [*sources.code(), sources.ROOT / "manage.py"])
    readers = r"env\.\w+|environ\.get|_database|whole|choice|zone|flag|duration"
    read = set(re.findall(rf'(?:(?:{readers})\(|environ\[)\s*"([A-Z_]+)"', text))
    read |= set(re.findall(r"\$\{([A-Z_]+)", (sources.ROOT / "compose.yaml").read_text()))
    assert len(read) > 25
    assert [name for name in sorted(read) if f"`{name}`" not in table and f"{name}=" not in table] == []


def test_ci_runs_what_people_run():
    """`.ci/run` installs a browser where it may, then calls `make test` and nothing else."""
    lines = (sources.ROOT / ".ci/run").read_text().splitlines()
    assert lines[-1] == "exec make test"
    assert not [
        line for line in lines[:-1] if re.search(r"\b(make|python|pytest|ruff|mypy)\b", line) and line[0] != "#"
    ]


def test_client_address_behind_our_proxies(rf, settings):
    from config.proxies import client_ip

    request = rf.get("/", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.0.0.2"}, REMOTE_ADDR="10.0.0.1")
    for proxies, address in ((0, "10.0.0.1"), (1, "10.0.0.2"), (2, "203.0.113.9"), (9, "10.0.0.1")):
        settings.SANHE_PROXIES = proxies
        assert client_ip(request) == address
