"""The WSGI entry point; refuses to serve on a database that is away, unmigrated or of another profile."""

import os
import sys

from django.core.wsgi import get_wsgi_application

# a thread that wakes up a hundred others should not wait 5 ms for each of them to let go
SWITCH_SECONDS = 0.0005

sys.setswitchinterval(SWITCH_SECONDS)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

application = get_wsgi_application()

from core import metrics  # noqa: E402 - needs Django set up
from core.startup import refuse_unready_database  # noqa: E402

refuse_unready_database()
metrics.serve()
