"""Django's settings for the internal listener: the same, with addresses of its own."""

from core.settings import *  # noqa: F403 - all of them

COMPONENT = "core-internal"
ROOT_URLCONF = "core.internal_urls"
WSGI_APPLICATION = "core.internal_wsgi.application"
# no link and no cookie is made from the Host header here
ALLOWED_HOSTS = ["*"]
SPECTACULAR_SETTINGS = {
    **SPECTACULAR_SETTINGS,  # noqa: F405 - of core.settings
    "TITLE": "Etebar core, internal",
    "DESCRIPTION": "For the onboarding operator alone: brings about what Kubernetes objects wish.",
    "WEBHOOKS": [],
}
