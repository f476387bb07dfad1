"""All settings. Values that differ between installations come from environment variables; see docs/operations.md.

Without `DATABASE_URL` this is a local installation with embedded servers: no TLS, a secret key of its own making.
With it, it is production: `SECRET_KEY` and `ALLOWED_HOSTS` are required and every protection is on. `SANHE_ENV`
(`production` or `local`) overrides that guess.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import clock, embedded, environment, places

env = environ.Env()

BASE_DIR = places.ROOT
VAR = places.var()
_KINDS = ("production", "local")
PRODUCTION = environment.choice("SANHE_ENV", _KINDS[not env.str("DATABASE_URL", "")], _KINDS) == "production"
DEBUG = environment.flag("DEBUG")
SANHE_PORT = environment.whole("SANHE_PORT", 8000, 1, 65535)
SANHE_URL = (env.str("SANHE_URL", "") or f"http://127.0.0.1:{SANHE_PORT}").rstrip("/")


def _local_secret() -> str:
    """The secret key of a local installation: made once, readable by its owner only."""
    file = VAR / "secret_key"
    if not file.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"secret_key.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(60))
        with suppress(FileExistsError):  # whoever comes first wins, the others read the winner's
            file.hardlink_to(fresh)
        fresh.unlink()
    return file.read_text()


if PRODUCTION:
    SECRET_KEY = env.str("SECRET_KEY")
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or SECRET_KEY.startswith("django-insecure"):
        raise ImproperlyConfigured("SECRET_KEY needs at least 50 random characters.")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts, without “*”.")
else:
    SECRET_KEY = env.str("SECRET_KEY", "") or _local_secret()
    ALLOWED_HOSTS = [
        "localhost",
        "127.0.0.1",
        "[::1]",
        urlsplit(SANHE_URL).hostname,
        *env.list("ALLOWED_HOSTS", default=[]),
    ]
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "kit.apps.KitConfig",
    "oa.apps.OaConfig",
    "crm.apps.CrmConfig",
    "erp.apps.ErpConfig",
    "kit.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "pghistory",
    "django_celery_beat",
    "axes",
    "config.apps.AccountConfig",
    "config.apps.FactorsConfig",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "tree_queries",
    "js_lib_bootstrap5",
    "lucide",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.refusing.RefusingMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oa.organisation.guarding.AccessMiddleware",
    "oa.organisation.login.LoginMiddleware",
    "oa.organisation.middleware.UserSettingsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.limits.LimitMiddleware",
    "oa.records.middleware.HistoryContextMiddleware",
    "oa.records.middleware.FirstAnswerMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "kit.pages.views.shell.shell",
            ],
        },
    },
]

# Database ------------------------------------------------------------------------------------------------------

# Limits keep a stuck request from holding locks. The command line (manage.py) sets the statement limit to 0,
# because migrations, closes and imports may take longer than any page.
STATEMENT_TIMEOUT = environment.duration("SANHE_STATEMENT_TIMEOUT", "30s")
IDLE_TIMEOUT = "0" if STATEMENT_TIMEOUT == "0" else "60s"


def _database(variable: str, default: Any = environ.Env.NOTSET) -> dict[str, Any]:
    """A PostgreSQL connection from a URL, with our time limits."""
    try:
        database: dict[str, Any] = env.db_url(variable, default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable} is no URL: {error}.") from None
    if not database.get("ENGINE", "").endswith("postgresql"):
        raise ImproperlyConfigured(f"{variable} must be a PostgreSQL URL (postgresql://…).")
    database["HOST"] = unquote(database["HOST"])  # a socket folder is written %2Fpath%2Fto
    options = database.setdefault("OPTIONS", {})
    options.setdefault("prepare_threshold", 5)  # lets kit/rules/prepared.py leave plans with the server
    limits = {
        "lock_timeout": "5s",
        "statement_timeout": STATEMENT_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT,
        # Every guard asks for this. Unset, asking raises and catches an error, which at the end of a transaction
        # with many deferred checks takes time that grows with their square.
        "pgtrigger.ignore": "{}",
    }
    options["options"] = " ".join([options.get("options", ""), *(f"-c {k}={v}" for k, v in limits.items())]).strip()
    kept = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    return database | {"ENGINE": "config.postgresql", "ATOMIC_REQUESTS": False, **kept}


DATABASES = {"default": _database("DATABASE_URL", embedded.database_url())}
if env.str("DATABASE_REPLICA_URL", ""):
    # Reports may read from it; nothing ever writes to it.
    DATABASES["replica"] = _database("DATABASE_REPLICA_URL") | {"TEST": {"MIRROR": "default"}}

PGTRIGGER_MIGRATIONS = True

REDIS_URL = env.str("REDIS_URL", embedded.redis_url())
CACHES = {
    "default": {
        "BACKEND": "config.caches.ForgivingCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "sanhe",
        "TIMEOUT": 300,
        "VERSION": 2,  # another one where what is kept is written in another way: an older one is not read
        "OPTIONS": {
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
            "serializer": "config.caches.SignedSerializer",
        },
    }
}

# Users and sessions --------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "oa.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "oa.organisation.auth.NameOrMailBackend"]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "oa.organisation.passwords.CompanyWords"},
]
PASSWORD_RESET_TIMEOUT = 3600

# Locked by name and address together: nobody can lock out a colleague from elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "config.proxies.client_ip"
AXES_LOCKOUT_CALLABLE = "oa.organisation.login.locked_view"
AXES_USERNAME_CALLABLE = "oa.organisation.auth.counted_name"
# How many proxies of our own stand in front and append to X-Forwarded-For.
SANHE_PROXIES = environment.whole("SANHE_PROXIES", 0)

# The second factor (oa.organisation.factors): codes of the app one step early or late are taken, too.
MFA_ADAPTER = "oa.organisation.factors.FactorAdapter"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_COUNT = 10

# What one person may ask for, 0 for no limit: in a minute, and at the same time (a browser opens 6 connections).
# Less at once than one process of the web server has threads, so that nobody takes all threads of any.
REQUESTS_PER_MINUTE = environment.whole("SANHE_REQUESTS_PER_MINUTE", 600)
REQUESTS_AT_ONCE = environment.whole("SANHE_REQUESTS_AT_ONCE", 6)

COUNTERS_SECONDS = 60  # how long the numbers beside the menu may be old where nothing tells that they changed

SESSION_ENGINE = "oa.organisation.sessions"  # Django's database sessions, in a table that says whose they are
SESSION_IDLE_MINUTES = environment.whole("SESSION_IDLE_MINUTES", 30, 1, 1440)
SESSION_COOKIE_AGE = environment.whole("SESSION_HOURS", 12, 1, 8760) * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "oa.organisation.login.stale_view"

# Security ------------------------------------------------------------------------------------------------------

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
USE_X_FORWARDED_HOST = False

if PRODUCTION:
    SESSION_COOKIE_NAME = "__Host-sid"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrf"
    CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = env.list(
        "CSRF_TRUSTED_ORIGINS", default=[f"https://{host.lstrip('.')}" for host in ALLOWED_HOSTS]
    )
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # load balancers ask inside the network
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    # Only where the proxy in front overwrites the header: otherwise a client could claim to use TLS.
    if environment.flag("SANHE_TRUST_PROXY_TLS"):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# A journal of 400 lines with 12 columns fits; nothing much larger does.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_HANDLERS = [
    "oa.records.uploads.BoundedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750

# Language and time ---------------------------------------------------------------------------------------------

LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LANGUAGE_CODE = environment.choice("SANHE_LANGUAGE", "en", [code for code, _name in LANGUAGES])
LOCALE_PATHS = [BASE_DIR / "locale"]
# Of the company when it is made; from then on its profile decides (oa.organisation.zones).
TIME_ZONE = environment.zone("SANHE_TIME_ZONE", "Asia/Shanghai")
USE_TZ = True
clock.install()
USE_I18N = True

# Files ---------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("SANHE_STATIC", str(VAR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("SANHE_MEDIA", str(VAR / "media")))  # never below a URL: served by views that check rights
PLAIN_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": env.str("SANHE_STORAGE", "django.core.files.storage.FileSystemStorage")},
    "staticfiles": {"BACKEND": PLAIN_STATIC if DEBUG else "config.static.HashedStorage"},
}

# A function (open file) -> what is wrong with it, empty for nothing, such as `antivirus.clamd.scan`.
SANHE_VIRUS_SCANNER = env.str("SANHE_VIRUS_SCANNER", "")
# How long deleted documents and folders can be restored.
SANHE_BIN_DAYS = environment.whole("SANHE_BIN_DAYS", 30, 1, 3650)

# Mail ----------------------------------------------------------------------------------------------------------

if env.str("EMAIL_URL", ""):
    try:
        _mail = env.email_url("EMAIL_URL")
    except ValueError as error:
        raise ImproperlyConfigured(f"EMAIL_URL is no URL: {error}.") from None
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "sanhe@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Background work -----------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A task of a killed worker comes back after this; it must stay above the longest task and countdown.
    "visibility_timeout": 3600 if PRODUCTION else 900,
    # Sweep every 10 s: the default is every 100 s, however short the timeout above.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    # A page does not wait for a broker that hangs; what could not be sent is found by the sweepers.
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Logging: one line each, to standard error ---------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.LineFormatter", "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": environment.choice(
            "SANHE_LOG_LEVEL",
            "INFO" if PRODUCTION else "WARNING",
            ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        ),
    },
    "loggers": {"django": {"handlers": [], "propagate": True}, "django.server": {"handlers": [], "propagate": True}},
}
