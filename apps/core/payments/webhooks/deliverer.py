"""The process that delivers: one thread for the database, and as many for receivers as may be waited for at once."""

import logging
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor, wait
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection

from core import sign_of_life
from core.cipher import Unreadable
from core.environment import ENVIRONMENT
from core.startup import first_line
from etebar_common.crash import CrashPoint, crash_point
from payments.models import WebhookDelivery
from payments.webhooks import signing
from payments.webhooks.claims import deliveries_claim
from payments.webhooks.deliveries import Result, deliveries_record
from payments.webhooks.endpoints import secrets_of
from payments.webhooks.events import body_of
from payments.webhooks.sender import Sent, send

logger = logging.getLogger(__name__)

USER_AGENT = "Etebar-Webhooks/1"
RETRY_SECONDS = 1.0


class Deliverer:
    """Delivers what is due, until it is told to stop; several of them share the work."""

    def __init__(self) -> None:
        self._receivers = ThreadPoolExecutor(ENVIRONMENT.webhook_concurrency, thread_name_prefix="receiver")
        self._on_their_way: dict[Future[Sent], WebhookDelivery] = {}
        self._unrecorded: list[Result] = []

    def run(self, stop: threading.Event) -> None:
        """Turns until `stop` is set, and closes."""
        while not stop.is_set():
            sign_of_life.touch(ENVIRONMENT.sign_of_life_file)
            try:
                is_busy = self.turn()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("nothing is delivered, the database is out of reach: %s", first_line(error))
                connection.close()
                stop.wait(RETRY_SECONDS)
                continue
            if not is_busy:
                stop.wait(ENVIRONMENT.webhook_interval_seconds)
        self.close()

    def close(self) -> None:
        """Waits for what is on its way, and records it."""
        self._receivers.shutdown(wait=True)
        self._record()

    def turn(self) -> bool:
        """Records what is done and takes what is due; whether anything is on its way."""
        self._record()
        places = ENVIRONMENT.webhook_concurrency - len(self._on_their_way)
        claimed = deliveries_claim(places, self._sending()) if places else []
        if claimed:
            crash_point(CrashPoint.WEBHOOK_CLAIMED)
        for delivery in claimed:
            self._on_their_way[self._receivers.submit(attempted, delivery)] = delivery
        if self._on_their_way:
            wait(self._on_their_way, ENVIRONMENT.webhook_interval_seconds, return_when="FIRST_COMPLETED")
        return bool(self._on_their_way)

    def _sending(self) -> Counter[UUID]:
        return Counter(delivery.endpoint_id for delivery in self._on_their_way.values())

    def _record(self) -> None:
        for done in [future for future in self._on_their_way if future.done()]:
            self._unrecorded.append(Result(self._on_their_way.pop(done), done.result()))
        if self._unrecorded:
            crash_point(CrashPoint.WEBHOOK_SENT)
            # kept until it is written: what was taken is not to be sent again for a database that was away
            deliveries_record(self._unrecorded)
            self._unrecorded.clear()


def attempted(delivery: WebhookDelivery) -> Sent:
    """As `attempt`; an error of ours is an attempt that failed, so that one event never stops the others."""
    try:
        return attempt(delivery)
    except Exception:
        logger.exception("%s could not be sent", delivery)
        return Sent(None, "not sent: something is wrong on our side", 0)


def attempt(delivery: WebhookDelivery) -> Sent:
    """Sends a delivery once; asks no database."""
    try:
        secrets = secrets_of(delivery.endpoint)
    except Unreadable as error:
        logger.error("%s: %s", delivery, error)  # noqa: TRY400 - the message says it all
        return Sent(None, "not sent: the secret that signs cannot be read; rotate it", 0)
    body = body_of(delivery)
    headers = signing.signed_headers(delivery.event_id, int(time.time()), body, secrets)
    headers |= {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    return send(delivery.endpoint.url, headers, body, seconds=ENVIRONMENT.webhook_timeout_seconds)
