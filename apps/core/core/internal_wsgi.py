"""The WSGI entry point of core's internal API, which the onboarding operator alone reaches.

`granian --interface wsgi --http 1 --port 8001 --workers 1 --blocking-threads 8 core.internal_wsgi:application`
"""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "core.internal_settings"

from core.environment import ENVIRONMENT

if ENVIRONMENT.operator_token is None:
    raise SystemExit("core's internal API does not start: OPERATOR_TOKEN is missing (32 characters or more)")

from core.wsgi import application

__all__ = ["application"]
