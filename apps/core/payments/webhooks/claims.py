"""Which deliveries a deliverer takes next: the oldest ones, of every endpoint and merchant no more than its part.

They are claimed under a lease and sent outside any transaction. What a deliverer that died had claimed is sent again
when the lease is over, with the same id.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core.environment import ENVIRONMENT
from payments.models import WebhookDelivery

# longer than an attempt may take, with looking up its name
LEASE_SECONDS = 60.0

# Nothing is locked before it is chosen: endpoints are walked by the first entry that each has in webhook_due, so that
# neither a long backlog nor endpoints without one cost anything. Of each endpoint no more than `each` may be on its
# way, so that one that hangs leaves the places to the others. Of each merchant `share` may; what is beyond that comes
# last, and leaves `share` places free, so that a merchant who has all endpoints hang keeps nobody else waiting.
# Twice as many are chosen as there are places: another deliverer, which chooses the same at the same moment, skips
# what is locked and has as much left.
CLAIM = """
WITH RECURSIVE pending AS (
    (SELECT endpoint_id, next_attempt_at FROM payments_webhookdelivery WHERE state = 'pending'
     ORDER BY endpoint_id, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT d.endpoint_id, d.next_attempt_at FROM pending AS p CROSS JOIN LATERAL (
        SELECT endpoint_id, next_attempt_at FROM payments_webhookdelivery
        WHERE state = 'pending' AND endpoint_id > p.endpoint_id ORDER BY endpoint_id, next_attempt_at LIMIT 1) AS d
), busy AS (
    SELECT e.id, e.merchant_id, b.sending FROM unnest(%(busy)s::uuid[], %(sending)s::int[]) AS b (endpoint_id, sending)
    JOIN payments_webhookendpoint AS e ON e.id = b.endpoint_id
), due AS (
    SELECT e.id, e.merchant_id, p.next_attempt_at, %(each)s - coalesce(b.sending, 0) AS places_left,
        %(share)s - coalesce(m.sending, 0) AS share_left
    FROM pending AS p JOIN payments_webhookendpoint AS e ON e.id = p.endpoint_id LEFT JOIN busy AS b ON b.id = e.id
    LEFT JOIN (SELECT merchant_id, sum(sending) AS sending FROM busy GROUP BY merchant_id) AS m
        ON m.merchant_id = e.merchant_id
    WHERE e.state = 'enabled' AND p.next_attempt_at <= now() AND coalesce(b.sending, 0) < %(each)s
), looked_at AS (
    SELECT *, row_number() OVER (PARTITION BY merchant_id ORDER BY next_attempt_at) > share_left AS is_beyond FROM due
    ORDER BY is_beyond, next_attempt_at LIMIT 2 * %(places)s
), candidate AS (
    SELECT l.id, d.next_attempt_at,
        row_number() OVER (PARTITION BY l.merchant_id ORDER BY d.next_attempt_at) > l.share_left AS is_beyond
    FROM looked_at AS l CROSS JOIN LATERAL (
        SELECT next_attempt_at FROM payments_webhookdelivery
        WHERE endpoint_id = l.id AND state = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT l.places_left) AS d
), ranked AS (
    SELECT id, is_beyond, row_number() OVER (ORDER BY is_beyond, next_attempt_at) AS rank FROM candidate
), allotted AS (
    SELECT id, count(*) AS places FROM ranked
    WHERE rank <= CASE WHEN is_beyond THEN %(places)s - %(share)s ELSE 2 * %(places)s END GROUP BY id ORDER BY min(rank)
), taken AS MATERIALIZED (
    SELECT d.id FROM allotted AS a CROSS JOIN LATERAL (
        SELECT id FROM payments_webhookdelivery
        WHERE endpoint_id = a.id AND state = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT a.places FOR UPDATE SKIP LOCKED) AS d
    LIMIT %(places)s
)
UPDATE payments_webhookdelivery AS d
SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => %(lease)s)
FROM taken WHERE d.id = taken.id RETURNING d.id
"""


@transaction.atomic(durable=True)
def deliveries_claim(places: int, sending: Mapping[UUID, int]) -> list[WebhookDelivery]:
    """At most `places` deliveries that are due, loaded with all that is sent; no other deliverer gets them meanwhile.

    `sending` is how many are on their way to each endpoint.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, claim_parameters(places, sending))
        claimed = [row[0] for row in cursor.fetchall()]
    if not claimed:
        return []
    return list(WebhookDelivery.objects.filter(pk__in=claimed).select_related("endpoint", "withdrawal"))


def claim_parameters(places: int, sending: Mapping[UUID, int]) -> dict[str, Any]:
    """Of CLAIM."""
    return {
        "lease": LEASE_SECONDS,
        "busy": [str(each) for each in sending],
        "sending": list(sending.values()),
        "each": ENVIRONMENT.webhook_concurrency_per_endpoint,
        "share": max(1, int(ENVIRONMENT.webhook_concurrency * ENVIRONMENT.webhook_merchant_share)),
        "places": places,
    }
