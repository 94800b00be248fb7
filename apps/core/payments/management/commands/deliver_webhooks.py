"""manage.py deliver_webhooks: sends merchants their events until it is told to stop (docs/adr/0033)."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from core import metrics, sign_of_life, startup
from core.environment import ENVIRONMENT
from payments.webhooks.deliverer import Deliverer


class Command(BaseCommand):
    help = "Sends merchants their webhooks; SIGTERM ends it after what is on its way. Several of them share the work."

    def handle(self, *_: Any, **__: Any) -> None:
        sign_of_life.remove(ENVIRONMENT.sign_of_life_file)
        startup.refuse_unready_database()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        metrics.serve()
        self.stdout.write("webhooks are delivered")
        self.stdout.flush()
        Deliverer().run(stop)
