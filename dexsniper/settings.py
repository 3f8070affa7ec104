"""One settings file: what differs between installations is in the environment (see env.py)."""

from __future__ import annotations

import environ

from dexsniper import env as _env
from dexsniper.logs import logging_config
from dexsniper.processes import embedded_broker_port

ENV = _env.load()
BASE_DIR = _env.BASE_DIR
DATA_DIR = ENV.data_dir

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = list(ENV.allowed_hosts)
ROOT_URLCONF = "dexsniper.urls"
ASGI_APPLICATION = "dexsniper.asgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",  # urls.py looks the admins up: only the web server needs them
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "csp",
    "dexsniper",
    "apps.state",
    "apps.chains",
    "apps.wallets",
    "apps.discovery",
    "apps.intelligence",
    "apps.risk",
    "apps.trading",
    "apps.alerts",
    "apps.engine",
    "apps.sandbox",
    "apps.dashboard",
    "apps.api",
]

MIDDLEWARE = [
    "apps.api.metering.metering",
    *(["apps.state.client_address.address_from_proxy"] if ENV.tls else []),
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.state.middleware.who_and_what",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "apps.dashboard.second_factor.AskSecondFactor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.dashboard.content_policy.AdminContentPolicy",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.dashboard.context.shell",
            ],
        },
    },
]

# -- data ---------------------------------------------------------------------------------
_database = environ.Env.db_url_config(ENV.database_url)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: writers queue instead of failing. NORMAL: commits that must survive a power cut ask for it themselves
    # (apps/state/durability.py), all others do not wait for the disk while the next writer waits for them.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=10000;PRAGMA foreign_keys=ON",
    }
    # Browser and process tests share the database between processes, which an in-memory one cannot.
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    _database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    _database.setdefault("CONN_MAX_AGE", 60)
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}
CACHES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# -- who may come in ----------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard:overview"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Else a stranger who tries on keeps a name locked for good.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_ALLOWED_CORS_ORIGINS = ""
OTP_TOTP_ISSUER = f"DEX Sniper Pro {ENV.mode}"
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
SESSION_COOKIE_NAME = f"dexsniper_{ENV.mode}"
CSRF_COOKIE_NAME = f"dexsniper_{ENV.mode}_csrf"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves
# Where money is at stake a session ends after a day, whatever it does.
SESSION_COOKIE_AGE = 14 * 86_400 if ENV.is_sandbox else 86_400
X_FRAME_OPTIONS = "DENY"
# Behind a proxy that speaks TLS (docs/security.md): cookies travel encrypted alone, and browsers are told to insist.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENV.tls
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked on this machine, without the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.tls else None
SECURE_HSTS_SECONDS = 31_536_000 if ENV.tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENV.tls
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ENV.allowed_hosts if host != "*"] if ENV.tls else []
# Preloading is a list of browsers' makers; a self-hosted page has no business on it.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    },
}

# -- files ---------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
_NODE = BASE_DIR / "node_modules"
PAGE_PACKAGES = {
    "htmx": _NODE / "htmx.org" / "dist",
    "htmx-ext-ws": _NODE / "htmx-ext-ws" / "dist",
    "lightweight-charts": _NODE / "lightweight-charts" / "dist",
    "tabler": _NODE / "@tabler" / "core" / "dist",
}
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *[(f"vendor/{name}", folder) for name, folder in PAGE_PACKAGES.items() if folder.is_dir()],
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# -- workers and live pages ----------------------------------------------------------------
REDIS_URL = ENV.redis_url or f"redis://127.0.0.1:{embedded_broker_port(ENV)}/0"
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}},
}
CELERY_BROKER_URL = REDIS_URL
# What all web processes count together (requests to the API); where the broker does not answer each counts for itself.
CACHES["shared"] = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": "dexsniper",
    "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
}
# Requests of one token or person in a minute: reads, acts; and wrong tokens of one address. A kill is never held back.
API_PER_MINUTE = {"read": 6_000, "act": 120, "refused": 30}

# -- mail ----------------------------------------------------------------------------------
EMAIL_HOST, EMAIL_PORT = ENV.smtp_host or "localhost", ENV.smtp_port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENV.smtp_user, ENV.smtp_password
EMAIL_USE_TLS, EMAIL_USE_SSL = ENV.smtp_security == "starttls", ENV.smtp_security == "tls"
EMAIL_TIMEOUT = 10
METRICS_TOKEN = ENV.metrics_token
LOGGING = logging_config(level=ENV.log_level, as_json=ENV.log_json)

UNFOLD = {
    "SITE_TITLE": "DEX Sniper Pro",
    "SITE_HEADER": f"DEX Sniper Pro — {ENV.mode.upper()}",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/img/favicon.svg"}],
}
