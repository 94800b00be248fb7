"""4: settlement, and what the payout rail answers it."""

from etebar_observability.model import Board, Query, Row, Unit, none_at_all
from etebar_observability.panels import figure, graph, heatmap, processes, quantile, rate

SETTLEMENT = 'component="settlement"'
ORDERED = rate("etebar_payouts_total", 'call="pay"')
REFUSED = rate("etebar_payouts_total", 'call="pay", outcome="refused"')

REQUESTS = Row(
    "Core's requests",
    (
        graph(
            "By status",
            Query(rate("etebar_http_requests_total", SETTLEMENT, by="route, status"), "{{status}} {{route}}"),
            unit=Unit.REQUESTS_PER_SECOND,
            runbooks=("EtebarSettlementErrors",),
            shows="What settlement answers. One batch is one request.",
            normal="200.",
            otherwise="403: the token. 503: its database. None while withdrawals are accepted: core does not reach it.",
        ),
        graph(
            "p99 by route",
            Query(quantile(0.99, "etebar_http_request_duration_seconds", SETTLEMENT, by="route"), "{{route}}"),
            unit=Unit.SECONDS,
            exemplars=True,
            shows="How long settlement takes. Points are traces.",
            normal="What the bank takes, beside.",
            otherwise="More than the bank takes: settlement's database (board 6) or CPU.",
        ),
        graph(
            "Core without an answer",
            Query(rate("etebar_settlement_errors_total", by="reason"), "{{reason}}"),
            unit=Unit.PER_SECOND,
            empty="none",
            runbooks=("EtebarSettlementUnanswered",),
            shows="The same from core's side: calls without a usable answer.",
            normal="None.",
            otherwise="unreachable: no pods or a NetworkPolicy. timeout: bank or database. status: 4xx or 5xx. not_understood: versions that do not fit.",
        ),
        figure(
            "Tokens refused, 5 min",
            "sum by ($who) (increase(etebar_internal_token_rejections_total{$here}[5m]))",
            unit=Unit.COUNT,
            decimals=0,
            steps=none_at_all(0.5),
            width=6,
            empty="0",
            runbooks=("EtebarSettlementRejectsToken",),
            shows="Requests without the right X-Internal-Token.",
            normal="0.",
            otherwise="Core's pods and settlement's have different tokens: which rotation was interrupted?",
        ),
        figure(
            "Conflicts, 1 h",
            "sum by ($who) (increase(etebar_payouts_conflicts_total{$here}[1h]))",
            unit=Unit.COUNT,
            decimals=0,
            steps=none_at_all(0.5),
            width=6,
            runbooks=("EtebarWithdrawalsOverdue",),
            shows="Orders under an id that settlement knows with other content. Nothing is paid for them.",
            normal="0.",
            otherwise="A database was restored to an older state, or two installations share one. Staff are told at once.",
        ),
        figure(
            "With the bank now",
            "sum by ($who) (etebar_payouts_in_flight{$here})",
            unit=Unit.COUNT,
            width=6,
            shows="Payouts that the rail has and has not answered.",
            normal="Few.",
            otherwise="Rises: the bank is slow.",
        ),
        figure(
            "Log rows dropped, 5 min",
            f"sum by ($who) (increase(etebar_request_log_dropped_total{{$here, {SETTLEMENT}}}[5m]))",
            unit=Unit.COUNT,
            decimals=0,
            steps=none_at_all(0.5),
            width=6,
            runbooks=("EtebarRequestLogDropping",),
            shows="Rows of settlement's request log that found no place.",
            normal="0.",
            otherwise="Its database is slow. Payouts are not concerned.",
        ),
    ),
)

RAILS = Row(
    "The rail",
    (
        graph(
            "Outcomes",
            Query(rate("etebar_payouts_total", by="rail, call, outcome"), "{{rail}} {{call}} {{outcome}}"),
            unit=Unit.PER_SECOND,
            runbooks=("EtebarWithdrawalPendingLong",),
            shows="What the rail answered to pay and to status.",
            normal="pay paid, some pay refused.",
            otherwise="unknown: the bank times out or answers 5xx. status calls: payouts that are asked about again. not_found: it never saw them; they are paid then.",
        ),
        graph(
            "Refused by the bank",
            Query(f"{REFUSED} / {ORDERED}", "refused"),
            unit=Unit.SHARE,
            empty="no payouts",
            shows="The share of orders that the bank refuses. Their funds are released.",
            normal="Small and steady: closed accounts.",
            otherwise="A step: something of ours the bank refuses now. Its reasons are in settlement's payouts.",
        ),
        graph(
            "How long the rail takes",
            Query(quantile(0.5, "etebar_rail_call_duration_seconds", by="call"), "{{call}} p50"),
            Query(quantile(0.99, "etebar_rail_call_duration_seconds", by="call"), "{{call}} p99"),
            unit=Unit.SECONDS,
            exemplars=True,
            shows="The bank's own time.",
            normal="p99 below 2 s; settlement.bank.timeoutSeconds is the end.",
            otherwise="At the timeout: the bank is down for us. Its status page, its hotline.",
        ),
        heatmap(
            "The rail's times",
            rate("etebar_rail_call_duration_seconds_bucket", by="le"),
            unit=Unit.COUNT,
            exemplars=True,
            width=24,
            shows="All calls to the rail by their time.",
            normal="One band.",
            otherwise="A second band: one of the bank's ways is slow.",
        ),
    ),
)

BOARD = Board(
    uid="etebar-settlement",
    title="4 Settlement and rails",
    shows="Whether core reaches settlement, and settlement the bank; what the bank answers and how fast.",
    rows=(REQUESTS, RAILS, Row("Processes", processes("settlement"))),
)
