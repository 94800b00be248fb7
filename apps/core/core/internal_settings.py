"""Django's settings for the internal listener: the same, with addresses of its own."""

from core.settings import *  # noqa: F403 - all of them

ROOT_URLCONF = "core.internal_urls"
WSGI_APPLICATION = "core.internal_wsgi.application"
# no link and no cookie is made from the Host header here
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = ["core.middleware.RequestContextMiddleware", "django.middleware.security.SecurityMiddleware"]
