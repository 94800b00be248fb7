"""Django's settings; every value that differs between installations comes from core.environment."""

import sys
from datetime import timedelta
from pathlib import Path

from core.body_limits import LARGEST_BODY_BYTES
from core.environment import ENVIRONMENT
from etebar_common import crash
from etebar_common.environment import Profile
from etebar_common.logs import logging_config

crash.configure(ENVIRONMENT)

SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value()
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.csrf_trusted_origins
APPEND_SLASH = False
ROOT_URLCONF = "core.urls"
WSGI_APPLICATION = "core.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
# of the staff console; the API speaks English
LANGUAGES = [("en", "English"), ("fa", "فارسی")]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = ENVIRONMENT.static_root
WHITENOISE_USE_FINDERS = True
SESSION_ENGINE = "core.sessions"
CSRF_FAILURE_VIEW = "core.problem_handler.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = LARGEST_BODY_BYTES

INSTALLED_APPS = [
    "core.admin_config.Config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "payments",
]

MIDDLEWARE = [
    "core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.SessionMiddleware",
    "core.middleware.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "core.middleware.CsrfViewMiddleware",
    "core.middleware.AuthenticationMiddleware",
    "core.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # before the admin's, some of which ours take the place of
        "DIRS": [Path(__file__).parents[1] / "payments" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# what creates databases and tables acts as their owner; everything else as the application's role
_AS_OWNER = ENVIRONMENT.db_owner_password is not None and bool({"migrate", "test"} & set(sys.argv[1:2]))
_DB_PASSWORD = ENVIRONMENT.db_owner_password if _AS_OWNER else ENVIRONMENT.db_password

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": ENVIRONMENT.db_host,
        "PORT": ENVIRONMENT.db_port,
        "NAME": ENVIRONMENT.db_name,
        "USER": ENVIRONMENT.db_owner_user if _AS_OWNER else ENVIRONMENT.db_user,
        "PASSWORD": _DB_PASSWORD.get_secret_value() if _DB_PASSWORD else "",
        "CONN_MAX_AGE": ENVIRONMENT.conn_max_age_seconds,
        # a thread that was idle while the database restarted finds out before it answers somebody 503
        "CONN_HEALTH_CHECKS": True,
        # PgBouncer in transaction mode keeps no session, so no cursor may outlive its transaction
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": ENVIRONMENT.db_connect_timeout_seconds,
            "application_name": "etebar-core",
            "sslmode": ENVIRONMENT.db_sslmode.value,
            **({"sslrootcert": str(ENVIRONMENT.db_sslrootcert)} if ENVIRONMENT.db_sslrootcert else {}),
            # a host that is gone without a word is found out: everybody's withdrawals go through one connection
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    }
}

ETEBAR_PROFILE = ENVIRONMENT.etebar_profile.value
IS_SANDBOXED = ENVIRONMENT.etebar_profile.is_sandboxed
AUTH_PASSWORD_VALIDATORS = [{"NAME": "payments.tokens.revocation.SpendTokens"}]
if not IS_SANDBOXED:
    AUTH_PASSWORD_VALIDATORS += [
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ]
PASSWORD_HASHERS = ["core.password_hashing.Argon2", "core.password_hashing.PBKDF2"]
if ENVIRONMENT.etebar_profile is Profile.TEST or sys.argv[1:2] == ["test"]:
    # tests make hundreds of accounts; a slow hash would be most of their time
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if ENVIRONMENT.etebar_profile is Profile.PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    LANGUAGE_COOKIE_SECURE = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["payments.tokens.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["core.rate_limits.AddressRateLimit", "core.rate_limits.MerchantRateLimit"],
    "DEFAULT_PARSER_CLASSES": ["core.json_parser.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "core.openapi.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "core.problem_handler.exception_handler",
    "UNAUTHENTICATED_USER": "core.anonymous.Anonymous",
    "UNICODE_JSON": True,
}

SIMPLE_JWT = {
    "SIGNING_KEY": ENVIRONMENT.jwt_signing_key.get_secret_value(),
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ENVIRONMENT.access_token_minutes),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=ENVIRONMENT.refresh_token_hours),
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Etebar core",
    "VERSION": "1",
    "DESCRIPTION": (Path(__file__).parent / "openapi.md").read_text(),
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "WEBHOOKS": [f"payments.webhooks.documented.{event}" for event in ("PENDING", "SETTLED", "FAILED", "TEST")],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.openapi.close_request_objects",
        "core.openapi.tell_examples_and_problems",
    ],
}

CELERY_BROKER_URL = ENVIRONMENT.broker_url
CELERY_TASK_IGNORE_RESULT = True
# early: a message is a tick, and a lost one costs a turn; a worker that loses Redis with one in hand, though, ends
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# longer than the longest task, or Redis would hand a running task to a second worker
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600}

OTP_TOTP_ISSUER = "Etebar"

# what traces call this process
COMPONENT = "core-web"

LOGGING = logging_config(ENVIRONMENT.log_level, "core")
# each tick has a line of its own in these, and there is one a second
LOGGING["loggers"] |= {
    name: {"level": "WARNING"} for name in ("celery.beat", "celery.app.trace", "celery.worker.strategy")
}
