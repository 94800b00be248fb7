"""3: core's requests, and the three stages that withdrawals go through together."""

from etebar_observability.model import Board, Query, Row, Unit
from etebar_observability.panels import graph, heatmap, mean, processes, quantile, rate

WEB = 'component=~"core-web|core-internal"'

REQUESTS = Row(
    "Requests",
    (
        graph(
            "By route",
            Query(rate("etebar_http_requests_total", WEB, by="method, route"), "{{method}} {{route}}"),
            unit=Unit.REQUESTS_PER_SECOND,
            shows="Requests answered, by route; unmatched are paths that we do not have.",
            normal="What the time of day brings.",
            otherwise="unmatched rises: somebody looks around.",
        ),
        graph(
            "Errors by route",
            Query(
                rate("etebar_http_requests_total", f'{WEB}, status=~"5.."', by="method, route, status"),
                "{{status}} {{method}} {{route}}",
            ),
            unit=Unit.REQUESTS_PER_SECOND,
            empty="none",
            runbooks=("EtebarApiErrors", "EtebarWithdrawalErrorBudgetBurn"),
            shows="Requests answered 5xx.",
            normal="None.",
            otherwise="503 database_unavailable on all: PostgreSQL or PgBouncer (board 6). 500 on one: its log, by request id.",
        ),
        graph(
            "p99 by route",
            Query(
                quantile(0.99, "etebar_http_request_duration_seconds", WEB, by="method, route"), "{{method}} {{route}}"
            ),
            unit=Unit.SECONDS,
            exemplars=True,
            shows="How long all but one of 100 requests take, at most. Points are traces.",
            normal="Below 0.5 s; POST withdrawals up to the deadline while a bank is slow.",
            otherwise="All slow: CPU or database. Only withdrawals: the stages below.",
        ),
        heatmap(
            "How long requests take",
            rate("etebar_http_request_duration_seconds_bucket", WEB, by="le"),
            unit=Unit.COUNT,
            exemplars=True,
            shows="All of core's requests by their time.",
            normal="Dark at the bottom.",
            otherwise="A band at 3 s: withdrawals that were answered 202 at their deadline.",
        ),
        graph(
            "In progress",
            Query(f"sum by ($who, pod) (etebar_http_requests_in_progress{{$here, {WEB}}})", "{{pod}}"),
            unit=Unit.COUNT,
            shows="Requests that are being worked on.",
            normal="Few, alike on all pods.",
            otherwise="Rises on all: something behind core is slow. On one: that pod.",
        ),
        graph(
            "Settlement without an answer",
            Query(rate("etebar_settlement_errors_total", by="component, reason"), "{{component}} {{reason}}"),
            unit=Unit.PER_SECOND,
            empty="none",
            runbooks=("EtebarSettlementUnanswered",),
            shows="Core's calls to settlement that brought no usable answer.",
            normal="None, but for moments of a rollout of settlement.",
            otherwise="Settlement and rails. Each such withdrawal is answered 202 and asked about again.",
        ),
    ),
)

STAGES = Row(
    "Group commit: reserve, settle, confirm",
    (
        graph(
            "Members of a list, mean",
            Query(mean("etebar_group_commit_members", by="stage"), "{{stage}}"),
            unit=Unit.COUNT,
            shows="How many withdrawals share one transaction (reserve, confirm) or one call (settle).",
            normal="1 when quiet; grows with the load, which is what makes it bearable.",
            otherwise="Large while latency grows: the database commits slowly.",
        ),
        graph(
            "Waited for the list, p99",
            Query(quantile(0.99, "etebar_group_commit_wait_seconds", by="stage"), "{{stage}}"),
            unit=Unit.SECONDS,
            shows="How long a withdrawal waited until its list began.",
            normal="About what a list takes, beside.",
            otherwise="Much more: the gate is held by others, or the process lacks CPU.",
        ),
        graph(
            "Waited at the gate, p99",
            Query(quantile(0.99, "etebar_group_commit_gate_seconds", by="stage"), "{{stage}}"),
            unit=Unit.SECONDS,
            shows="How long a worker waited for one of the stage's few connections.",
            normal="Near 0.",
            otherwise="RESERVE_CONNECTIONS and CONFIRM_CONNECTIONS are 1 on purpose: look at how long a list takes first.",
        ),
        graph(
            "A list took, p99",
            Query(quantile(0.99, "etebar_group_commit_duration_seconds", by="stage"), "{{stage}}"),
            unit=Unit.SECONDS,
            shows="How long a list took, its commit included.",
            normal="reserve and confirm some milliseconds; settle what the bank takes.",
            otherwise="reserve or confirm slow: disk of the database, locks (docs/how-to/profiling.md). settle slow: settlement.",
        ),
        graph(
            "What became of members",
            Query(rate("etebar_group_commit_outcomes_total", by="stage, outcome"), "{{stage}} {{outcome}}"),
            unit=Unit.PER_SECOND,
            shows="Members of lists by stage and outcome.",
            normal="As many confirmed as reserved.",
            otherwise="The first stage whose good outcomes fall short is the one to look at.",
        ),
        graph(
            "Rows of the request log dropped",
            Query(rate("etebar_request_log_dropped_total", by="component"), "{{component}}"),
            unit=Unit.PER_SECOND,
            runbooks=("EtebarRequestLogDropping",),
            shows="Rows of reads and refusals that found the writer's queue full.",
            normal="0.",
            otherwise="The database is slower than the requests. Money is not concerned.",
        ),
    ),
)

BOARD = Board(
    uid="etebar-core",
    title="3 Core",
    shows="Core's requests by route, and where the time of a withdrawal goes.",
    rows=(REQUESTS, STAGES, Row("Processes of core-web", processes("core-web"))),
)
