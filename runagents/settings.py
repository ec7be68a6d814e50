"""All settings, read from the environment; nothing else reads `os.environ`.

Secrets may also come from a file: ``NAME_FILE`` holds the path of a file whose content
is the value of ``NAME``. README.md has the table of settings.
"""

import ipaddress
import os
import platform
from importlib.util import find_spec
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from providers.network.installation import check_network
from runagents import __version__
from runagents.serving.keyfile import key_from_file

PACKAGE = "runagents-model-providers"


def env(name: str, default: str = "") -> str:
    """Return the setting `name`, from the environment or from the file it names."""
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return os.environ.get(name, default)
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {path}, which cannot be read: {error.strerror}."
        ) from None


def was_given(name: str) -> bool:
    """Tell whether the environment sets `name`, itself or by a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def env_bool(name: str, default: bool = False) -> bool:
    """Return a switch; anything but 1/true/yes/on and 0/false/no/off is refused."""
    value = env(name).strip().lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if not value else value in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")


def env_int(name: str, default: int) -> int:
    """Return a whole number."""
    value = env(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be a whole number, not {value!r}."
        ) from None


def env_share(name: str, default: float) -> float:
    """Return a number from 0 to 1."""
    value = env(name, str(default))
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ImproperlyConfigured(f"{name} must be from 0 to 1, not {value!r}.")
    return share


def env_list(name: str, default: str = "") -> list[str]:
    """Return the comma-separated parts of a setting."""
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def env_networks(name: str, default: str) -> list[str]:
    """Return a list of CIDR networks; ``none`` stands for the empty list."""
    value = env(name, default)
    parts = [] if value.strip().lower() == "none" else value.split(",")
    try:
        return [str(ipaddress.ip_network(p.strip())) for p in parts if p.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


def users_data() -> Path:
    """Return where this system keeps what a user's programs store."""
    from platformdirs import user_data_path  # 0.4 MB that most servers need not have.

    return user_data_path(PACKAGE, appauthor=False)


BASE_DIR = Path(__file__).resolve().parent.parent
# A checkout keeps its data beside the code; the wheel, which carries templates and
# static files in the package, where the system keeps a user's data.
IS_CHECKOUT = (BASE_DIR / "manage.py").exists()
ASSETS_DIR = BASE_DIR if IS_CHECKOUT else BASE_DIR / "runagents" / "assets"
DATA_DIR = Path(
    env("RUNAGENTS_DATA_DIR") or (BASE_DIR / "var" if IS_CHECKOUT else users_data())
).resolve()

DEBUG = env_bool("DEBUG")
SECRET_KEY = env("SECRET_KEY") or key_from_file(DATA_DIR / "secret_key")
# 32 bytes each, base64; the first key writes, all read.
ENCRYPTION_KEYS = env_list("ENCRYPTION_KEYS") or [
    key_from_file(DATA_DIR / "encryption_key")
]
# Whether they are this installation's own files, which its backups then hold.
SECRET_KEY_GIVEN = was_given("SECRET_KEY")
ENCRYPTION_KEYS_GIVEN = was_given("ENCRYPTION_KEYS")
BACKUP_PASSPHRASE = env("BACKUP_PASSPHRASE")

# Where the server listens; `serve` sets both for the worker processes.
LISTEN_HOST = env("RUNAGENTS_HOST", "127.0.0.1")
LISTEN_PORT = env_int("RUNAGENTS_PORT", 8000)
WORKERS = env_int("RUNAGENTS_WORKERS", 1)
LISTENS_ON_LOOPBACK = LISTEN_HOST in {"127.0.0.1", "::1", "localhost"}
# The address agents and browsers use, when it is not the listening address.
PUBLIC_URL = env("PUBLIC_URL").rstrip("/")

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS") or ["127.0.0.1", "localhost", "[::1]"]
if not LISTENS_ON_LOOPBACK and LISTEN_HOST not in {"0.0.0.0", "::"}:  # noqa: S104
    ALLOWED_HOSTS.append(LISTEN_HOST)
if not LISTENS_ON_LOOPBACK:
    ALLOWED_HOSTS.append(platform.node())
if PUBLIC_URL:
    ALLOWED_HOSTS.append(PUBLIC_URL.split("//", 1)[-1].split("/", 1)[0].split(":")[0])
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS must name the hosts people use; `*` is refused unless DEBUG=1."
    )
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

FORMAT_MODULE_PATH = "runagents.formats"

INSTALLED_APPS = [
    "runagents.accounts.admin_site.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "providers",
    "gateway",
    "runagents.agents",
    "runagents",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "runagents.middleware.Compression",
    "runagents.middleware.KeptNowhere",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "runagents.middleware.Admission",
    "runagents.middleware.audited",
]

ROOT_URLCONF = "runagents.urls"
ASGI_APPLICATION = "runagents.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ASSETS_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "runagents.context.console",
            ],
        },
    },
]

DATABASE_URL = env("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'runagents.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
DATABASES["default"]["CONN_MAX_AGE"] = 600
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # A server that falls silent must not hold a worker up: it serves from memory.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env("REDIS_URL")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
# The first administrator, made by `serve` while there is none.
FIRST_ADMINISTRATOR = env("DJANGO_SUPERUSER_USERNAME")
FIRST_ADMINISTRATOR_PASSWORD = env("DJANGO_SUPERUSER_PASSWORD")
FIRST_ADMINISTRATOR_EMAIL = env("DJANGO_SUPERUSER_EMAIL")
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [ASSETS_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"
    },
}

SERVESTATIC_ALLOW_ALL_ORIGINS = False

# Forms carry a long conversation of the Playground, 4 MiB of pasted code, or the prices
# of as many models as one provider holds.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
# The wizard takes an agent's folder; what it reads of one is counted there.
DATA_UPLOAD_MAX_NUMBER_FILES = 1000

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_COOKIES = env_bool("SECURE_COOKIES", PUBLIC_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_HSTS_SECONDS = env_int("SECURE_HSTS_SECONDS", 31536000 if SECURE_COOKIES else 0)
SECURE_REFERRER_POLICY = "same-origin"
# What `check --deploy` asks for and is not ours to promise: other hosts of the domain
# and browsers' own lists (W005, W021); the proxy that speaks TLS redirects (W008); 32
# random bytes are long enough for a key (W009).
SILENCED_SYSTEM_CHECKS = [f"security.W{n}" for n in ("005", "008", "009", "021")]
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
        "base-uri": [SELF],
        "object-src": [NONE],
    }
}

# --- the gateway ---

# A function that returns who may call: {key digest: Caller}. The gateway does not know
# what an agent is; the project hands it the callers.
GATEWAY_CALLERS = "runagents.agents.access.callers"
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0)
# Whoever set one of these has a proxy in front, which may look like a program on this
# machine: nginx's bare `proxy_pass` sends a loopback Host and no header of its own.
IS_BEHIND_PROXY = bool(PUBLIC_URL or TRUSTED_PROXIES or was_given("ALLOWED_HOSTS"))
GATEWAY_TRUSTED_NETWORKS = env_networks(
    "GATEWAY_TRUSTED_NETWORKS",
    "127.0.0.0/8,::1/128" if LISTENS_ON_LOOPBACK and not IS_BEHIND_PROXY else "none",
)
PRIVATE_NETWORKS = env_networks(
    "PRIVATE_NETWORKS",
    "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,100.64.0.0/10",
)
# The way out to all providers: a forward proxy, and hosts that are reached without it;
# CAs trusted beside the system's; what servers are shown that ask for a certificate.
UPSTREAM_PROXY = env("UPSTREAM_PROXY").strip()
UPSTREAM_NO_PROXY = env_list("UPSTREAM_NO_PROXY")
UPSTREAM_PROXY_RESOLVES = env_bool("UPSTREAM_PROXY_RESOLVES")
UPSTREAM_CA_CERTIFICATES = env("UPSTREAM_CA_CERTIFICATES").strip()
UPSTREAM_CLIENT_CERTIFICATE = env("UPSTREAM_CLIENT_CERTIFICATE").strip()
UPSTREAM_CLIENT_KEY = env("UPSTREAM_CLIENT_KEY").strip()
check_network(
    UPSTREAM_PROXY,
    UPSTREAM_CA_CERTIFICATES,
    UPSTREAM_CLIENT_CERTIFICATE,
    UPSTREAM_CLIENT_KEY,
)
RATE_LIMIT_ENFORCEMENT = env_bool("RATE_LIMIT_ENFORCEMENT", True)
# While Redis is away: count on each host alone, with its part of the limit, or else.
RATE_LIMIT_ON_FAILURE = env("RATE_LIMIT_ON_FAILURE", "local").strip().lower()
if RATE_LIMIT_ON_FAILURE not in {"local", "deny", "allow"}:
    raise ImproperlyConfigured(
        "RATE_LIMIT_ON_FAILURE must be local, deny or allow, not "
        f"{RATE_LIMIT_ON_FAILURE!r}."
    )
RATE_LIMIT_HOSTS = max(1, env_int("RATE_LIMIT_HOSTS", 1))
# Where spans go, by OTLP over HTTP; nothing is traced without it. The names are
# OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
OTEL_EXPORTER_OTLP_ENDPOINT = env("OTEL_EXPORTER_OTLP_ENDPOINT").rstrip("/")
# The share of calls that are traced, of those which bring no trace along.
OTEL_TRACES_SAMPLER_ARG = env_share("OTEL_TRACES_SAMPLER_ARG", 1.0)
OTEL_SERVICE_NAME = env("OTEL_SERVICE_NAME", PACKAGE)
if OTEL_EXPORTER_OTLP_ENDPOINT and find_spec("opentelemetry") is None:
    raise ImproperlyConfigured(
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: "
        "`pip install 'runagents-model-providers[otel]'`, or in a checkout "
        "`.venv/bin/pip install --require-hashes -r requirements-otel.lock`."
    )
# What Prometheus sends to be told of calls; without it only this machine is told.
METRICS_TOKEN = env("METRICS_TOKEN")
# Where AWS lends credentials to pods and containers, for providers that ask for it.
AWS_IDENTITY = {
    name: os.environ.get(name, "")
    for name in (
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    )
}
PLAYGROUND_LLM_API_KEY = env("PLAYGROUND_LLM_API_KEY")
REQUEST_BODY_LIMIT = env_int("REQUEST_BODY_LIMIT", 20 * 1024 * 1024)
CONNECT_TIMEOUT = env_int("CONNECT_TIMEOUT", 5)
FIRST_BYTE_TIMEOUT = env_int("FIRST_BYTE_TIMEOUT", 600)
# What a stream may take until its first event, where it comes over the internet.
FIRST_TOKEN_TIMEOUT = env_int("FIRST_TOKEN_TIMEOUT", 120)
SILENCE_TIMEOUT = env_int("SILENCE_TIMEOUT", 300)
STREAM_TIMEOUT = env_int("STREAM_TIMEOUT", 3600)
# How long a call waits for a provider that is busy, to ask it again; 0: it does not.
RETRY_PATIENCE = env_int("RETRY_PATIENCE", 10)
KEEPALIVE_SECONDS = env_int("KEEPALIVE_SECONDS", 15)
UPSTREAM_BODY_LIMIT = env_int("UPSTREAM_BODY_LIMIT", 64 * 1024 * 1024)
# How long a client may leave a stream unread.
STALL_SECONDS = env_int("STALL_SECONDS", 60)
# How long a new connection may take to send its first request's headers.
HEADER_TIMEOUT = env_int("HEADER_TIMEOUT", 15)
# Calls that one worker process has open at once.
CALLS_PER_WORKER = env_int("CALLS_PER_WORKER", 1000)
CALLS_PER_PROVIDER = env_int("CALLS_PER_PROVIDER", 800)
CALLS_PER_KEY = env_int("CALLS_PER_KEY", 500)
# Failures in a row after which a provider is no longer asked by every call; 0: never.
UNAVAILABLE_AFTER = env_int("UNAVAILABLE_AFTER", 5)
# Bytes of requests that one worker process holds at once.
BYTES_PER_WORKER = env_int("BYTES_PER_WORKER", 128 * 1024 * 1024)
# How long calls may go on after SIGTERM.
DRAIN_SECONDS = env_int("DRAIN_SECONDS", 60)
STATUS_CHECK_SECONDS = env_int("STATUS_CHECK_SECONDS", 300)
USAGE_RETENTION_DAYS = env_int("USAGE_RETENTION_DAYS", 90)
# Keep what calls ask and what is sent upstream for it, redacted, for some days.
LOG_BODIES = env_bool("LOG_BODIES")
BODY_RETENTION_DAYS = env_int("BODY_RETENTION_DAYS", 7)
AUDIT_RETENTION_DAYS = env_int("AUDIT_RETENTION_DAYS", 730)
# Items of responses that clients may name instead of sending; 0 keeps none.
RESPONSES_MEMORY_DAYS = env_int("RESPONSES_MEMORY_DAYS", 30)
RESPONSES_MEMORY_MB = env_int("RESPONSES_MEMORY_MB", 512)
# A function that counts attempts, and returns how long to wait before the next.
ATTEMPTS_COUNTER = "gateway.worker.runtime.count_attempt"
# A function that returns, by a provider's name, what its calls of a day came to.
PROVIDER_TRAFFIC = "gateway.console.reports.by_provider"
# A function that returns what a model costs by its vendor's list.
LIST_PRICES = "gateway.ledger.prices.listed"
# A function that returns what else of the project's is old enough to be deleted.
GATEWAY_OUTDATED = "runagents.audit.outdated"
# What the leader does each second, and itself does seldom: look for a newer release.
RELEASE_NOTICE = env_bool("RELEASE_NOTICE")
GATEWAY_CHORE = "runagents.settings_pages.releases.look"
# What `/healthz` tells to whoever has METRICS_TOKEN.
VERSION = __version__
# A function that is told when which keys were used last.
GATEWAY_KEYS_USED = "runagents.settings_pages.key_usage.mark_used"

LOG_LEVEL = env("LOG_LEVEL", "INFO").upper()
ACCESS_LOG = env_bool("ACCESS_LOG")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "runagents.serving.logs.JSONFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # A line for each call; the ledger has them all the same.
    "loggers": {"gateway.access": {"level": "INFO" if ACCESS_LOG else "WARNING"}},
}
