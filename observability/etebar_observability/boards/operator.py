"""8: the onboarding operator."""

from etebar_observability.model import Board, Query, Row, Unit, none_at_all
from etebar_observability.panels import figure, graph, processes, quantile, rate

OBJECTS = Row(
    "Objects",
    (
        figure(
            "Ready",
            'sum by ($who) (etebar_onboarding_objects{$here, condition="Ready", status="True"})',
            unit=Unit.COUNT,
            empty="no objects",
            shows="Merchants, top-ups and pools that are as they were wished.",
            normal="All.",
            otherwise="Those that are not, beside.",
        ),
        figure(
            "Not ready",
            'sum by ($who) (etebar_onboarding_objects{$here, condition="Ready", status="False"})',
            unit=Unit.COUNT,
            empty="none",
            steps=none_at_all(),
            runbooks=("EtebarObjectsNotReady",),
            shows="Those whose condition Ready is False.",
            normal="Those that are suspended or not approved.",
            otherwise="kubectl get merchants,pooltopups --all-namespaces: the column REASON.",
        ),
        figure(
            "Limits that wait",
            'sum by ($who) (etebar_onboarding_objects{$here, condition="PendingApproval", status="True"})',
            unit=Unit.COUNT,
            empty="none",
            shows="Merchants whose limit waits for staff.",
            normal="Some during working hours.",
            otherwise="Staff decide: POST /api/v1/admin/approvals/approve.",
        ),
        figure(
            "Drifted",
            'sum by ($who) (etebar_onboarding_objects{$here, condition="Drifted", status="True"})',
            unit=Unit.COUNT,
            empty="none",
            steps=none_at_all(),
            shows="Merchants that core has otherwise than their object wishes, and that are left so.",
            normal="0, but for driftPolicy: Report and what staff suspended.",
            otherwise="kubectl describe merchant tells the difference.",
        ),
        figure(
            "Namespaces that cannot be read",
            "sum by ($who) (etebar_onboarding_namespaces_unreachable{$here})",
            unit=Unit.COUNT,
            empty="all are watched",
            steps=none_at_all(),
            runbooks=("EtebarOperatorFailing",),
            shows="Watched namespaces whose objects wait, while all others are kept.",
            normal="0.",
            otherwise="The operator's log names each: it was deleted, or its Role. helm upgrade makes the Role again.",
        ),
        graph(
            "Conditions",
            Query(
                "sum by ($who, kind, condition, status) (etebar_onboarding_objects{$here}) > 0",
                "{{kind}} {{condition}} {{status}}",
            ),
            unit=Unit.COUNT,
            height=5,
            shows="Objects by kind, condition and its status.",
            normal="Level.",
            otherwise="Steps are new objects, or an outage of core.",
        ),
    ),
)

WORK = Row(
    "Reconciles",
    (
        graph(
            "Outcomes",
            Query(rate("etebar_onboarding_reconciles_total", by="kind, outcome"), "{{kind}} {{outcome}}"),
            unit=Unit.PER_SECOND,
            shows="Rounds that were done, or are to be tried again.",
            normal="done: objects / operator.resyncSeconds.",
            otherwise="retry: the reasons, beside.",
        ),
        graph(
            "To be tried again",
            Query(rate("etebar_onboarding_errors_total", by="kind, reason"), "{{kind}} {{reason}}"),
            unit=Unit.PER_SECOND,
            empty="none",
            runbooks=("EtebarOperatorFailing",),
            shows="Why rounds are to be tried again.",
            normal="None.",
            otherwise="CoreUnavailable, ClusterUnavailable, TokenRefused, Exception: the operator. Others: an object, whose "
            "status tells.",
        ),
        graph(
            "A round took, p99",
            Query(quantile(0.99, "etebar_onboarding_reconcile_duration_seconds", by="kind"), "{{kind}}"),
            unit=Unit.SECONDS,
            shows="How long a round takes.",
            normal="Below 1 s.",
            otherwise="10 s: core does not answer (CORE_TIMEOUT_SECONDS).",
        ),
        graph(
            "Wait and under way",
            Query("sum by ($who, kind) (etebar_onboarding_queue{$here})", "{{kind}} waits"),
            Query("sum by ($who, kind) (etebar_onboarding_reconciles_in_progress{$here})", "{{kind}} under way"),
            unit=Unit.COUNT,
            shows="Rounds that wait for others to end, and those under way.",
            normal="None waits.",
            otherwise="Many wait after a start with many objects; it passes.",
        ),
        graph(
            "Core's internal API",
            Query(
                rate("etebar_http_requests_total", 'component="core-internal"', by="route, status"),
                "{{status}} {{route}}",
            ),
            unit=Unit.REQUESTS_PER_SECOND,
            runbooks=("EtebarApiErrors",),
            shows="What core answers the operator.",
            normal="200.",
            otherwise="403: the operator's token. 409 and 422: objects that cannot be.",
        ),
        graph(
            "Core's internal API, p99",
            Query(
                quantile(0.99, "etebar_http_request_duration_seconds", 'component="core-internal"', by="route"),
                "{{route}}",
            ),
            unit=Unit.SECONDS,
            shows="How long core takes for the operator.",
            normal="Below 0.5 s.",
            otherwise="Core's database, or core.internal.threads.",
        ),
    ),
)

BOARD = Board(
    uid="etebar-operator",
    title="8 Operator",
    shows="Merchants, top-ups and the pool as objects: are they brought about?",
    rows=(OBJECTS, WORK, Row("Processes", processes("operator"))),
)
