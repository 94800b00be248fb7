"""6: PgBouncer and PostgreSQL, by their exporters."""

from etebar_observability.model import Board, Query, Row, Unit, all_of, rising
from etebar_observability.panels import figure, graph

ROOMS = 'datname=~"walletdb|settlementdb"'

PGBOUNCER = Row(
    "PgBouncer",
    (
        graph(
            "Clients",
            Query("sum by ($who, pod) (pgbouncer_pools_client_active_connections{$here})", "{{pod}} active"),
            Query("sum by ($who, pod) (pgbouncer_pools_client_waiting_connections{$here})", "{{pod}} waiting"),
            unit=Unit.COUNT,
            runbooks=("EtebarPgBouncerClientsWait",),
            shows="Core's connections to each PgBouncer: served, or waiting for a connection to the database.",
            normal="None waits.",
            otherwise="Some wait: its connections are busy (beside), or the database takes none.",
        ),
        graph(
            "Longest wait",
            Query("max by ($who, pod) (pgbouncer_pools_client_maxwait_seconds{$here})", "{{pod}}"),
            unit=Unit.SECONDS,
            steps=rising(1, 3),
            runbooks=("EtebarPgBouncerClientsWait",),
            shows="How long the first in the queue has waited.",
            normal="0.",
            otherwise="At 3 s (pgbouncer.queryWaitTimeoutSeconds) core answers 503.",
        ),
        graph(
            "Connections to the database",
            Query("sum by ($who, pod) (pgbouncer_pools_server_active_connections{$here})", "{{pod}} active"),
            Query("sum by ($who, pod) (pgbouncer_pools_server_idle_connections{$here})", "{{pod}} idle"),
            unit=Unit.COUNT,
            shows="Each PgBouncer's connections to PostgreSQL.",
            normal="Active well below pgbouncer.poolSize (10).",
            otherwise="All active: slow queries or locks, below.",
        ),
        graph(
            "Queries",
            Query(
                "sum by ($who, pod) (rate(pgbouncer_stats_queries_pooled_total{$here}[$__rate_interval]))", "{{pod}}"
            ),
            unit=Unit.PER_SECOND,
            shows="Queries through each PgBouncer.",
            normal="Follows the requests.",
            otherwise="One pod much more than its like: its clients do not spread.",
        ),
        graph(
            "A query takes, mean",
            Query(
                "sum by ($who, pod) (rate(pgbouncer_stats_queries_duration_seconds_total{$here}[$__rate_interval]))"
                " / sum by ($who, pod) (rate(pgbouncer_stats_queries_pooled_total{$here}[$__rate_interval]))",
                "{{pod}}",
            ),
            unit=Unit.SECONDS,
            shows="How long the database takes for a query, as PgBouncer sees it.",
            normal="Milliseconds.",
            otherwise="Rises: PostgreSQL, below; docs/how-to/profiling.md.",
        ),
        graph(
            "Waited for a connection",
            Query(
                "sum by ($who, pod) (rate(pgbouncer_stats_client_wait_seconds_total{$here}[$__rate_interval]))",
                "{{pod}}",
            ),
            unit=Unit.SECONDS,
            shows="Seconds that clients waited, per second.",
            normal="Near 0.",
            otherwise="Above 1: somebody waits at any time. A larger pgbouncer.poolSize only helps a database that has room.",
        ),
    ),
)

CONNECTIONS = Row(
    "PostgreSQL: connections and locks",
    (
        figure(
            "PostgreSQL",
            "max by ($who) (pg_up{$here})",
            unit=Unit.YES_OR_NO,
            steps=all_of(),
            empty="no exporter",
            runbooks=("EtebarExporterBlind", "EtebarDatabaseDown"),
            shows="Whether its exporter could ask it. There is one beside the PostgreSQL of the release only.",
            normal="Yes.",
            otherwise="kubectl describe pod postgresql-0.",
        ),
        figure(
            "Connections used",
            "sum by ($who) (pg_stat_database_numbackends{$here}) / max by ($who) (pg_settings_max_connections{$here})",
            unit=Unit.SHARE,
            decimals=0,
            steps=rising(0.6, 0.8),
            runbooks=("EtebarPostgresqlConnectionsHigh",),
            shows="The share of max_connections that is in use.",
            normal="Below 60 %.",
            otherwise="Who has them: by state, beside. Pods x poolSize must fit (docs/capacity.md).",
        ),
        graph(
            "Sessions by state",
            Query(
                f"sum by ($who, datname, state) (pg_stat_activity_count{{$here, {ROOMS}}}) > 0", "{{datname}} {{state}}"
            ),
            unit=Unit.COUNT,
            shows="Sessions of both databases by state.",
            normal="Mostly idle.",
            otherwise="idle in transaction for longer than an instant: somebody's psql; the money path never is.",
        ),
        graph(
            "Longest transaction",
            Query(f"max by ($who, datname) (pg_stat_activity_max_tx_duration{{$here, {ROOMS}}})", "{{datname}}"),
            unit=Unit.SECONDS,
            steps=rising(30, 300),
            shows="How long the oldest transaction has been open.",
            normal="Below 1 s; minutes while books are verified on a large ledger.",
            otherwise="Longer: it keeps dead rows from being removed. pg_stat_activity names it.",
        ),
        graph(
            "Locks",
            Query(f"sum by ($who, datname, mode) (pg_locks_count{{$here, {ROOMS}}}) > 0", "{{datname}} {{mode}}"),
            unit=Unit.COUNT,
            shows="Locks held by mode.",
            normal="rowexclusivelock follows the load.",
            otherwise="accessexclusivelock: a migration, or somebody's DDL.",
        ),
        graph(
            "Deadlocks",
            Query(
                f"sum by ($who, datname) (increase(pg_stat_database_deadlocks{{$here, {ROOMS}}}[5m]))", "{{datname}}"
            ),
            unit=Unit.COUNT,
            shows="Deadlocks in 5 minutes.",
            normal="0: all locks are taken in one order (ARCHITECTURE.md).",
            otherwise="A bug, or somebody who changes rows by hand. The server's log has both statements.",
        ),
    ),
)

WORK = Row(
    "PostgreSQL: work and size",
    (
        graph(
            "Transactions",
            Query(
                f"sum by ($who, datname) (rate(pg_stat_database_xact_commit{{$here, {ROOMS}}}[$__rate_interval]))",
                "{{datname}} commit",
            ),
            Query(
                f"sum by ($who, datname) (rate(pg_stat_database_xact_rollback{{$here, {ROOMS}}}[$__rate_interval]))",
                "{{datname}} rollback",
            ),
            unit=Unit.PER_SECOND,
            shows="Transactions that ended.",
            normal="Commits follow the load, few rollbacks.",
            otherwise="Many rollbacks: errors in core's or settlement's log.",
        ),
        graph(
            "Read from the cache",
            Query(
                f"sum by ($who, datname) (rate(pg_stat_database_blks_hit{{$here, {ROOMS}}}[$__rate_interval]))"
                f" / (sum by ($who, datname) (rate(pg_stat_database_blks_hit{{$here, {ROOMS}}}[$__rate_interval]))"
                f" + sum by ($who, datname) (rate(pg_stat_database_blks_read{{$here, {ROOMS}}}[$__rate_interval])))",
                "{{datname}}",
            ),
            unit=Unit.SHARE,
            shows="The share of blocks that were in shared_buffers.",
            normal="Above 99 %; less while books are verified.",
            otherwise="More shared_buffers and memory.",
        ),
        graph(
            "Size",
            Query(f"max by ($who, datname) (pg_database_size_bytes{{$here, {ROOMS}}})", "{{datname}}"),
            unit=Unit.BYTES,
            shows="What each database takes on disk.",
            normal="Grows with withdrawals: docs/capacity.md says by how much.",
            otherwise="Faster: the request log; core.requestLogRetentionDays.",
        ),
        graph(
            "Dead rows",
            Query("topk by ($who) (5, pg_stat_user_tables_n_dead_tup{$here})", "{{relname}}"),
            unit=Unit.COUNT,
            shows="The five tables with the most rows that vacuum has not removed yet.",
            normal="Rises and falls with autovacuum.",
            otherwise="Only rises: a transaction that never ends keeps them.",
        ),
        graph(
            "Write-ahead log",
            Query("max by ($who) (pg_wal_size_bytes{$here})", "WAL"),
            unit=Unit.BYTES,
            shows="What the write-ahead log takes on disk.",
            normal="Up to max_wal_size.",
            otherwise="Grows on: a replication slot that nobody reads. It fills the disk.",
        ),
    ),
)

BOARD = Board(
    uid="etebar-databases",
    title="6 PgBouncer and PostgreSQL",
    shows="What core and settlement wait for: connections, locks, disk. By their exporters, where the chart's values for metrics switch them on.",
    rows=(PGBOUNCER, CONNECTIONS, WORK),
)
