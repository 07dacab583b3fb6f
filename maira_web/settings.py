"""Every setting, read from the environment: docs/settings.md lists them. Nonsense stops the start.

Importing this module starts nothing and connects to nothing; the one thing it may write is `VAR/secret_key`.
"""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from maira_web import embedded

BASE_DIR = Path(__file__).resolve().parent.parent


# Reading the environment


def env_text(name: str, default: str = "") -> str:
    """A text setting, without the blanks around it; an empty one counts as absent."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    """A yes-or-no setting."""
    value = env_text(name)
    if not value:
        return default
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; allowed are 1, true, yes, on and 0, false, no, off.")


def env_int(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between `low` and `high`, both included."""
    value = env_text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ImproperlyConfigured(f"{name} is {value!r}; allowed are whole numbers from {low} to {high}.")
    return number


def env_list(name: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in env_text(name).split(",") if word.strip()] or default


def env_secret(name: str, default: str = "") -> str:
    """A secret, from the variable itself or from the file that `<name>_FILE` names (not from both)."""
    file = env_text(f"{name}_FILE")
    if not file:
        return env_text(name, default)
    if env_text(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; allowed is one of them.")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE is {file!r}, which cannot be read: {error.strerror}."
        ) from None


def env_address(name: str, schemes: tuple[str, ...]) -> str:
    """A secret address of a server, by one of the schemes we can speak; empty when it is not set."""
    value = env_secret(name)
    scheme = value.partition("://")[0]
    if value and (scheme not in schemes or "://" not in value):
        raise ImproperlyConfigured(
            f"{name} is no address we know; allowed are those that begin with {', '.join(schemes)}, then ://."
        )
    return value


def env_folder(name: str, default: Path) -> Path:
    """A folder's absolute path, with no link in it. It need not exist yet."""
    folder = Path(env_text(name) or default).expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise ImproperlyConfigured(f"{name} is {str(folder)!r}, which is not a folder.")
    return folder


def kept_secret(file: Path) -> str:
    """The secret key kept in this file, made on first use. Only its owner may read it."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(64), encoding="ascii")
        try:
            os.link(part, file)  # unlike a rename, it never replaces what another process wrote first
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return file.read_text(encoding="ascii").strip()


def database(name: str, value: str) -> dict[str, Any]:
    """Django's settings for a database address: postgresql://user:password@host:port/name?option=value."""
    allowed = "allowed is postgresql://user:password@host:port/name (PostgreSQL 15 or later)"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not an address; {allowed}.") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} begins with {parts.scheme + '://'!r}; {allowed}.")
    if not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} names no database; {allowed}.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "maira_web.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(port or ""),
        "OPTIONS": {"connect_timeout": 10, **options},
        "CONN_HEALTH_CHECKS": True,
    }


def databases() -> dict[str, dict[str, Any]]:
    """`default` is the application's role, `owner` the one that migrates: two logins to one database."""
    address, application = env_secret("DATABASE_URL"), env_secret("DATABASE_APP_URL")
    if application and not address:
        raise ImproperlyConfigured(
            "DATABASE_APP_URL is set without DATABASE_URL; allowed are both or neither."
        )
    if not address:
        address, application = embedded.url(VAR, embedded.OWNER), embedded.url(VAR)
    owner = database("DATABASE_URL", address)
    default = database("DATABASE_APP_URL", application or address)
    if not application:
        # One login for both: the application drops to its role in the moment it connects.
        words = default["OPTIONS"].get("options", "")
        default["OPTIONS"]["options"] = f"{words} -c role={embedded.APPLICATION}".strip()
    # Celery closes the whole pool around every task, under the feet of the threads that renew leases.
    if env_bool("DATABASE_POOL", not env_text("MAIRA_WORKER")):
        default["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": env_int("DATABASE_POOL_SIZE", 8, low=2, high=200),
        }
    default["TEST"] = {"MIRROR": "owner"}
    return {"default": default, "owner": owner}


# Place and purpose

VAR = env_folder("VAR", BASE_DIR / "var")
DEMO = env_bool("DEMO", False)
DEBUG = env_bool("DEBUG", False)
EMBEDDED_DATABASE = not (env_text("DATABASE_URL") or env_text("DATABASE_URL_FILE"))
SECRET_KEY = env_secret("SECRET_KEY")
if not SECRET_KEY and (DEMO or EMBEDDED_DATABASE):
    SECRET_KEY = kept_secret(VAR / "secret_key")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured(
        f"SECRET_KEY has {len(SECRET_KEY)} characters; with a database server it must be set, to 32 random "
        f"characters or more (or set SECRET_KEY_FILE), the same on every machine."
    )

# The application

INSTALLED_APPS = [
    "maira_web.apps.Wiring",
    "review",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "pgtrigger",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "maira_web.urls"
WSGI_APPLICATION = "maira_web.wsgi.application"
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
            ]
        },
    }
]

# State

DATABASES = databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "maira_web.files.Storage",
        "OPTIONS": {"location": VAR / "media"},
    },
    "staticfiles": {"BACKEND": "maira_web.static.Storage"},
}
MEDIA_ROOT = VAR / "media"
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_PERMISSIONS = 0o640
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CACHE_URL = env_address("CACHE_URL", ("redis", "rediss", "unix"))
if CACHE_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}}

# Processes of one machine (`make run`)

PORT = env_int("PORT", 8000, low=1, high=65_535)
WEB_WORKERS = env_int("WEB_WORKERS", 2, low=1, high=64)
IO_PROCESSES = env_int("IO_PROCESSES", 2, low=1, high=64)

# Work

BUNDLE = env_folder("MAIRA_BUNDLE", BASE_DIR / "inference" / "weights" / "demo")
DRAFTER = env_text("DRAFTER", "inference.maira_seg.drafter.load")
CELERY_BROKER_URL = env_address("CELERY_BROKER_URL", ("redis", "rediss", "sentinel", "amqp", "amqps"))
WORKER = env_text("MAIRA_WORKER")
if WORKER not in {"", "io", "inference"}:
    raise ImproperlyConfigured(f"MAIRA_WORKER is {WORKER!r}; allowed are io and inference, or nothing.")
INFERENCE_THREADS = env_int("INFERENCE_THREADS", 1, low=1, high=256)
LEASE_SECONDS = env_int("LEASE_SECONDS", 30, low=5, high=3600)
HEARTBEAT_SECONDS = env_int("HEARTBEAT_SECONDS", 8, low=1, high=1200)
MAX_ATTEMPTS = env_int("MAX_ATTEMPTS", 3, low=1, high=20)
INGEST_TIME_LIMIT = env_int("INGEST_TIME_LIMIT", 900, low=30, high=86_400)
DATASET_TIME_LIMIT = env_int("DATASET_TIME_LIMIT", 6 * 3600, low=60, high=7 * 86_400)
DRAFT_TIME_LIMIT = env_int("DRAFT_TIME_LIMIT", 120, low=5, high=3600)
REPORT_LOCK_SECONDS = env_int("REPORT_LOCK_SECONDS", 90, low=15, high=3600)
SANDBOX_MEMORY_BYTES = env_int("SANDBOX_MEMORY_BYTES", 2 * 1024**3, low=256 * 1024**2, high=64 * 1024**3)
SANDBOX_SECONDS = env_int("SANDBOX_SECONDS", 30, low=1, high=600)
UPLOAD_MAX_BYTES = env_int("UPLOAD_MAX_BYTES", 2 * 1024**3, low=1024**2, high=64 * 1024**3)
ARCHIVE_MAX_BYTES = env_int("ARCHIVE_MAX_BYTES", 8 * 1024**3, low=1024**2, high=1024**4)
AUDIT_KEY_FILE = Path(env_text("AUDIT_KEY_FILE") or VAR / "keys" / "audit.pem")
AUDIT_CHECKPOINT_DIR = env_folder("AUDIT_CHECKPOINT_DIR", VAR / "checkpoints")
if HEARTBEAT_SECONDS * 2 > LEASE_SECONDS:
    raise ImproperlyConfigured(
        f"HEARTBEAT_SECONDS is {HEARTBEAT_SECONDS} and LEASE_SECONDS is {LEASE_SECONDS}; allowed is a lease "
        f"of at least two heartbeats, or a busy worker would lose its work."
    )

# People

AUTH_USER_MODEL = "review.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/studies/"
REAUTHENTICATION_TIMEOUT = env_int("REAUTHENTICATION_TIMEOUT", 300, low=30, high=86_400)
ACCOUNT_ADAPTER = "maira_web.accounts.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = REAUTHENTICATION_TIMEOUT
MFA_ADAPTER = "allauth.mfa.adapter.DefaultMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "MAIRA Web"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = env_int("SESSION_SECONDS", 12 * 3600, low=300, high=30 * 86_400)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# The network: strict, except that the demo is served without TLS on this machine alone

HTTPS = env_bool("HTTPS", not DEMO)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])
if env_bool("TRUST_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 31_536_000, low=0, high=63_072_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024**2
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Languages and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "日本語")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# The programs' interface

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "PATH_CONVERTER_OVERRIDES": {"uid": str},
    "TITLE": "MAIRA Web",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "WorklistStatus": "review.models.worklist.WorklistStatus",
        "JobStatus": "review.models.states.JobStatus",
        "ArrivalStatus": "review.models.states.ArrivalStatus",
        "ReportStatus": "review.models.states.ReportStatus",
    },
}

# Logs: to standard error, one line an event, without patient data (see maira_web.logs)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_health": {"()": "maira_web.logs.NoHealth"}},
    "formatters": {"line": {"()": "maira_web.logs.Formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["no_health"]},
        "django.db.backends": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "pydicom": {"level": "ERROR"},
    },
}
if LOGGING["root"]["level"] not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:  # type: ignore[index]
    raise ImproperlyConfigured(
        f"LOG_LEVEL is {env_text('LOG_LEVEL')!r}; allowed are DEBUG, INFO, WARNING, ERROR and CRITICAL."
    )
