"""The WSGI entry point; refuses to serve on a database that is away, unmigrated or of another profile."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - needs Django set up

from core import metrics, sql_spans  # noqa: E402
from core.environment import ENVIRONMENT  # noqa: E402
from core.startup import refuse_unready_database  # noqa: E402
from etebar_common import tracing  # noqa: E402

refuse_unready_database()
ENVIRONMENT.begin_serving()
metrics.serve()
tracing.start(ENVIRONMENT, settings.COMPONENT)
sql_spans.install()
