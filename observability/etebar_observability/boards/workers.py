"""5: the dispatcher, Celery, beat, and what beat sees of the rest."""

from etebar_observability.model import Board, Query, Row, Unit, all_of, falling, none_at_all, rising
from etebar_observability.panels import figure, graph, mean, quantile, rate

DISPATCHER = Row(
    "The dispatcher",
    (
        figure(
            "Due now",
            "max by ($who) (etebar_dispatch_due{$here})",
            unit=Unit.COUNT,
            steps=rising(100, 1000),
            width=6,
            runbooks=("EtebarDispatcherStuck",),
            shows="Pending withdrawals that should be asked about now.",
            normal="0, or a few for a moment.",
            otherwise="Thousands after an outage shrink by DISPATCH_BATCH_SIZE at a time; that takes minutes.",
        ),
        figure(
            "Due for",
            "max by ($who) (etebar_dispatch_due_oldest_seconds{$here})",
            unit=Unit.SECONDS,
            steps=rising(30, 120),
            width=6,
            runbooks=("EtebarDispatcherStuck",),
            shows="How long the oldest of them has been due.",
            normal="Below 2 s.",
            otherwise="Tasks, below: does dispatch_pending run? If not: queue, Redis, beat.",
        ),
        graph(
            "Questions",
            Query(rate("etebar_dispatch_attempts_total", by="outcome"), "{{outcome}}"),
            unit=Unit.PER_SECOND,
            width=12,
            empty="none",
            shows="What settlement answered the dispatcher, per withdrawal.",
            normal="Few; paid and refused.",
            otherwise="pending and unknown: settlement or the bank has no outcomes. conflict: staff are told.",
        ),
    ),
)

CELERY = Row(
    "Celery",
    (
        graph(
            "Tasks",
            Query(rate("etebar_celery_tasks_total", by="task, outcome"), "{{task}} {{outcome}}"),
            unit=Unit.PER_SECOND,
            runbooks=("EtebarBeatSilent",),
            shows="Tasks that ended.",
            normal="dispatch_pending once a second, flag_overdue every 30 s, verify every 5 minutes, all success.",
            otherwise="None: beat, Redis or workers. failure: the worker's log has the traceback.",
        ),
        graph(
            "A task took, p99",
            Query(quantile(0.99, "etebar_celery_task_duration_seconds", by="task"), "{{task}}"),
            unit=Unit.SECONDS,
            shows="How long tasks take.",
            normal="dispatch_pending below 1 s; verify grows with the ledger.",
            otherwise="dispatch_pending at seconds: settlement is slow, or there is much to ask.",
        ),
        graph(
            "A task took, mean",
            Query(mean("etebar_celery_task_duration_seconds", by="task"), "{{task}}"),
            unit=Unit.SECONDS,
            shows="The same, the mean.",
            normal="Steady.",
            otherwise="verify near the interval: docs/capacity.md.",
        ),
        graph(
            "Tasks that wait",
            Query("max by ($who, queue) (etebar_celery_queue_messages{$here})", "{{queue}}"),
            unit=Unit.COUNT,
            runbooks=("EtebarQueueNotConsumed",),
            shows="Messages in the queue.",
            normal="0 or 1.",
            otherwise="Rises by one a second: no worker takes any.",
        ),
        graph(
            "Oldest waits for",
            Query("max by ($who, queue) (etebar_celery_queue_oldest_seconds{$here})", "{{queue}}"),
            unit=Unit.SECONDS,
            steps=rising(10, 120),
            runbooks=("EtebarQueueNotConsumed",),
            shows="The age of the oldest message.",
            normal="Below 2 s.",
            otherwise="kubectl logs deploy/core-worker; are all processes of all workers in verify?",
        ),
        graph(
            "Pods",
            Query('sum by ($who, component) (up{$here, component=~"core-worker|core-beat"})', "{{component}}"),
            unit=Unit.COUNT,
            runbooks=("EtebarComponentAbsent",),
            shows="Pods of worker and beat that Prometheus reads.",
            normal="core.worker.replicas workers and one beat.",
            otherwise="No beat: nothing is due, and most of this board has no data.",
        ),
    ),
)

WEBHOOKS = Row(
    "Webhooks",
    (
        figure(
            "Events due for",
            "max by ($who) (etebar_webhooks_due_oldest_seconds{$here})",
            unit=Unit.SECONDS,
            steps=rising(60, 300),
            width=6,
            runbooks=("EtebarWebhooksNotDelivered",),
            shows="How long the oldest event that should be sent now has waited.",
            normal="Below 2 s.",
            otherwise="Attempts, beside: none, or all to receivers that fail?",
        ),
        graph(
            "Attempts",
            Query(rate("etebar_webhook_attempts_total", by="outcome"), "{{outcome}}"),
            unit=Unit.PER_SECOND,
            width=9,
            empty="none",
            runbooks=("EtebarWebhooksNotDelivered",),
            shows="Attempts to deliver events to merchants.",
            normal="delivered.",
            otherwise="failed: a merchant's receiver; the merchant's log of deliveries says why. dead: given up.",
        ),
        graph(
            "Receivers took, p99",
            Query(quantile(0.99, "etebar_webhook_attempt_duration_seconds"), "p99"),
            unit=Unit.SECONDS,
            width=9,
            empty="none",
            shows="How long receivers take to answer.",
            normal="Below 1 s.",
            otherwise="At core.webhooks.timeoutSeconds: receivers hang; each has 8 places at most.",
        ),
    ),
)

AROUND = Row(
    "What beat sees",
    (
        figure(
            "Database",
            "max by ($who) (etebar_database_up{$here})",
            unit=Unit.YES_OR_NO,
            steps=all_of(),
            runbooks=("EtebarDatabaseDown",),
            shows="Whether core's database answered at the last scrape.",
            normal="Yes.",
            otherwise="Board 6.",
        ),
        figure(
            "Redis",
            "max by ($who) (etebar_redis_up{$here})",
            unit=Unit.YES_OR_NO,
            steps=all_of(),
            runbooks=("EtebarRedisDown",),
            shows="Whether Redis answered at the last scrape.",
            normal="Yes.",
            otherwise="Board 7.",
        ),
        figure(
            "Migrations missing",
            "max by ($who) (etebar_migrations_unapplied{$here})",
            unit=Unit.COUNT,
            steps=none_at_all(),
            runbooks=("EtebarMigrationsUnapplied", "EtebarMigrationFailed"),
            shows="Migrations that beat's code has and the database has not.",
            normal="0.",
            otherwise="kubectl get jobs: did migrate-core end well?",
        ),
        figure(
            "Token's age",
            "time() - min by ($who) (etebar_internal_token_rotated_timestamp_seconds{$here})",
            unit=Unit.SECONDS,
            steps=rising(75 * 86400, 90 * 86400),
            empty="not known",
            runbooks=("EtebarInternalTokenOld",),
            shows="How old the token between core and settlement is.",
            normal="Below 90 days.",
            otherwise="Rotate it: docs/runbooks/rotate-internal-token.md.",
        ),
        graph(
            "Certificates expire in",
            Query(
                "min by ($who, certificate) (etebar_certificate_expiry_timestamp_seconds{$here}) - time()",
                "{{certificate}}",
            ),
            unit=Unit.SECONDS,
            steps=falling(21 * 86400, 3 * 86400),
            empty="none are mounted",
            height=5,
            runbooks=("EtebarCertificateExpiring",),
            shows="How long the mounted authorities of database and Redis are good.",
            normal="More than 21 days.",
            otherwise="Renew them in their Secret, then restart what mounts it.",
        ),
    ),
)

BOARD = Board(
    uid="etebar-workers",
    title="5 Workers and dispatcher",
    shows="Whether unknown outcomes are asked about: dispatcher, Celery, beat.",
    rows=(DISPATCHER, CELERY, WEBHOOKS, AROUND),
)
