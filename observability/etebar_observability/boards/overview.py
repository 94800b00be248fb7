"""1: can merchants withdraw, is money where it should be, what is broken."""

from etebar_observability.model import Board, Query, Row, Unit, all_of, falling, none_at_all, rising
from etebar_observability.panels import figure, graph, half_and_most, rate, table, up_or_down
from etebar_observability.slos import AVAILABILITY, BURNS, TIME_TO_FINAL, WITHDRAWALS, Slo

FIRING = 'ALERTS{alertname=~"Etebar.+", alertstate="firing", namespace="$namespace", release=~"($release)?"}'
BURN_NAMES = ("EtebarWithdrawalErrorBudgetBurn", "EtebarTimeToFinalBudgetBurn")


def _good(slo: Slo, window: str) -> str:
    return f"1 - {slo.ratio(window)}{{$here}}"


def _left(slo: Slo) -> str:
    return f"1 - {slo.ratio('30d')}{{$here}} / {slo.budget:g}"


def _burning(slo: Slo, name: str) -> tuple[Query, ...]:
    return tuple(
        Query(f"{slo.ratio(each.long)}{{$here}} / {slo.budget:g}", f"{name}, {each.long}") for each in BURNS[:3]
    )


WITHDRAW = Row(
    "Can merchants withdraw?",
    (
        figure(
            "Available, 1 h",
            _good(AVAILABILITY, "1h"),
            unit=Unit.SHARE,
            decimals=2,
            steps=falling(AVAILABILITY.objective, 0.99),
            empty="no requests",
            runbooks=BURN_NAMES[:1],
            shows="The share of requests for withdrawals in the last hour that were not answered 5xx. Refusals (409) are answers.",
            normal="99.9 % or more.",
            otherwise="The requests below tell since when; Core tells which stage.",
        ),
        figure(
            "Error budget left, 30 d",
            _left(AVAILABILITY),
            unit=Unit.SHARE,
            decimals=0,
            steps=falling(0.5, 0.1),
            empty="no requests",
            runbooks=BURN_NAMES[:1],
            shows="What is left of the 0.1 % of requests that may fail within 30 days.",
            normal="Above 50 %.",
            otherwise="Below 10 %: releases wait, what burns it comes first. Negative: the objective is missed.",
        ),
        figure(
            "Final within 5 s, 1 h",
            _good(TIME_TO_FINAL, "1h"),
            unit=Unit.SHARE,
            decimals=2,
            steps=falling(TIME_TO_FINAL.objective, 0.95),
            empty="none ended",
            runbooks=BURN_NAMES[1:],
            shows="The share of the withdrawals that ended in the last hour which were settled or failed within 5 s.",
            normal="99 % or more.",
            otherwise="Those that are still pending are not in it: see their age below. Settlement and rails tells whose time it was.",
        ),
        figure(
            "Final budget left, 30 d",
            _left(TIME_TO_FINAL),
            unit=Unit.SHARE,
            decimals=0,
            steps=falling(0.5, 0.1),
            empty="none ended",
            runbooks=BURN_NAMES[1:],
            shows="What is left of the 1 % of withdrawals that may take longer than 5 s within 30 days.",
            normal="Above 50 %.",
            otherwise="An hour of a slow bank shows here for 30 days: talk to the bank before changing anything.",
        ),
        figure(
            "p99 of an answer",
            f"{half_and_most('etebar_http_request_duration_seconds', WITHDRAWALS)[1].expression}",
            unit=Unit.SECONDS,
            steps=rising(1, 3),
            empty="no requests",
            shows="99 of 100 requests for withdrawals are answered within this time.",
            normal="Below 1 s; 202 comes after core.settleDeadlineSeconds (3 s).",
            otherwise="3 s: settlement gives no outcomes. More: the database; see Core, group commit.",
        ),
        figure(
            "Withdrawals per second",
            rate("etebar_withdrawals_total", 'outcome="accepted"'),
            unit=Unit.PER_SECOND,
            empty="none",
            shows="Withdrawals accepted per second.",
            normal="What the time of day brings.",
            otherwise="None at a time when there are always some: look at the requests beside, then outside: ingress, DNS, certificate.",
        ),
        graph(
            "Requests for withdrawals",
            Query(rate("etebar_http_requests_total", WITHDRAWALS, by="status"), "{{status}}"),
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
            runbooks=BURN_NAMES[:1],
            shows="Requests for withdrawals by status.",
            normal="201, some 409 (refused) and 202 (pending).",
            otherwise="503: database. 202 in place of 201: settlement or the bank. 429: rate limits. None at all: before core.",
        ),
        graph(
            "Answers",
            *half_and_most("etebar_http_request_duration_seconds", WITHDRAWALS),
            unit=Unit.SECONDS,
            exemplars=True,
            steps=rising(1, 3),
            shows="How long requests for withdrawals take. Points are traces.",
            normal="p50 below 0.1 s, p99 below 1 s.",
            otherwise="Follow a point to its trace, or see Core: which stage takes the time.",
        ),
        graph(
            "Time to final",
            *half_and_most("etebar_withdrawal_time_to_final_seconds"),
            unit=Unit.SECONDS,
            exemplars=True,
            steps=rising(5, 60),
            runbooks=BURN_NAMES[1:],
            shows="From acceptance to settled or failed, of those that ended.",
            normal="p99 below 5 s.",
            otherwise="The bank is slow (Settlement and rails) or outcomes came by the dispatcher (Workers).",
        ),
        graph(
            "Burning of the budgets",
            *_burning(AVAILABILITY, "available"),
            *_burning(TIME_TO_FINAL, "final"),
            unit=Unit.TIMES,
            width=24,
            steps=rising(1, 6),
            runbooks=BURN_NAMES,
            shows="How many times faster than allowed each objective's budget is spent, over 1 h, 6 h and 1 d.",
            normal="Below 1.",
            otherwise="Somebody is paged at 14.4 over 1 h and at 6 over 6 h, and gets a ticket at 3 over a day.",
        ),
    ),
)

MONEY = Row(
    "Is money where it should be?",
    (
        figure(
            "Oldest pending",
            "max by ($who) (etebar_withdrawals_pending_oldest_seconds{$here})",
            unit=Unit.SECONDS,
            steps=rising(30, 120),
            runbooks=("EtebarWithdrawalPendingLong", "EtebarMoneyNotSeen"),
            shows="The age of the oldest withdrawal whose outcome is not known.",
            normal="Some seconds; 0 when none is pending.",
            otherwise="Money is board 2; settlement, bank or dispatcher give no outcomes.",
        ),
        figure(
            "Overdue",
            "max by ($who) (etebar_withdrawals_overdue{$here})",
            unit=Unit.COUNT,
            steps=none_at_all(),
            runbooks=("EtebarWithdrawalsOverdue",),
            shows="Withdrawals that staff must look at: unknown for longer than the budget, or known to settlement with other content.",
            normal="0.",
            otherwise="The runbook says how to find out what became of each.",
        ),
        figure(
            "Pool available",
            "max by ($who) (etebar_pool_available_amount{$here})",
            unit=Unit.MONEY,
            decimals=2,
            shows="What the credit pool can still cover.",
            normal="Above the low-water mark.",
            otherwise="Top it up, or merchants are refused.",
            runbooks=("EtebarPoolBelowLowWater", "EtebarPoolRefuses"),
        ),
        figure(
            "Above low water",
            "max by ($who) (etebar_pool_available_amount{$here}) - max by ($who) (etebar_pool_low_water_amount{$here})",
            unit=Unit.MONEY,
            decimals=2,
            steps=all_of(0),
            empty="no mark set",
            runbooks=("EtebarPoolBelowLowWater",),
            shows="What is left of the pool until the low-water mark.",
            normal="Above 0.",
            otherwise="Top it up. Without a mark only EtebarPoolRefuses warns, when it is too late.",
        ),
        figure(
            "Differences in the books",
            "max by ($who) (etebar_books_differences{$here})",
            unit=Unit.COUNT,
            steps=none_at_all(),
            runbooks=("EtebarBooksDiffer", "EtebarBooksNotCompared"),
            shows="Differences that the last verify_books found (I1-I6).",
            normal="0.",
            otherwise="1 while settlement is away means only that it could not be compared; anything else is for the runbook, at once.",
        ),
        figure(
            "Books verified",
            "time() - max by ($who) (etebar_books_last_check_timestamp_seconds{$here})",
            unit=Unit.SECONDS,
            steps=rising(600, 900),
            runbooks=("EtebarBooksNotVerified",),
            shows="How long ago the books were last verified.",
            normal="Below 5 minutes and what a run takes.",
            otherwise="Workers: does the task verify run, and end?",
        ),
        graph(
            "Pending, by age",
            Query("max by ($who, age) (etebar_withdrawals_pending{$here})", "{{age}}"),
            unit=Unit.COUNT,
            stacked=True,
            width=12,
            runbooks=("EtebarWithdrawalPendingLong",),
            shows="Withdrawals whose outcome is not known, each in one class of age.",
            normal="Few, all of le_10s.",
            otherwise="Older classes that grow: no outcomes. Older ones that shrink: the dispatcher catches up after an outage.",
        ),
        graph(
            "The pool",
            Query("max by ($who) (etebar_pool_available_amount{$here})", "available"),
            Query("max by ($who) (etebar_pool_low_water_amount{$here})", "low water"),
            unit=Unit.MONEY,
            width=12,
            runbooks=("EtebarPoolBelowLowWater",),
            shows="What the pool can cover, and the mark below which it should not fall.",
            normal="Available above low water.",
            otherwise="The slope tells when it will be empty.",
        ),
    ),
)

BROKEN = Row(
    "What is broken?",
    (
        figure(
            "Alerts",
            f"count({FIRING}) or vector(0)",
            unit=Unit.COUNT,
            steps=none_at_all(),
            shows="How many of our alerts fire.",
            normal="0.",
            otherwise="The list beside names them; each has a runbook of its name.",
        ),
        figure(
            "Targets down",
            'count(up{$here, component!=""} == 0) or vector(0)',
            unit=Unit.COUNT,
            steps=none_at_all(),
            runbooks=("EtebarTargetDown", "EtebarComponentAbsent"),
            shows="Pods' metrics that Prometheus cannot read.",
            normal="0, but for moments of a rollout.",
            otherwise="The bars below name the component.",
        ),
        figure(
            "Components missing",
            "count(release_component:etebar_expected:last6h{$here} unless on ($who, component) (up{$here} == 1)) or vector(0)",
            unit=Unit.COUNT,
            steps=none_at_all(),
            runbooks=("EtebarComponentAbsent",),
            shows="Components of the release of which no pod can be read.",
            normal="0.",
            otherwise="A component that is switched off on purpose is forgotten after 6 hours.",
        ),
        table(
            "Firing",
            Query(FIRING, ""),
            columns=("alertname", "severity", "component", "window", "pod"),
            width=12,
            height=5,
            empty="nothing fires",
            shows="Our alerts that fire, with their severity: page wakes somebody, ticket waits for the morning.",
            normal="Nothing.",
            otherwise="Open docs/runbooks, the page of the alert's name (the link Runbooks above).",
        ),
        up_or_down(
            "Components",
            Query('max by ($who, component) (up{$here, component!=""})', "{{component}}"),
            width=16,
            height=9,
            runbooks=("EtebarComponentAbsent",),
            shows="Whether Prometheus reads at least one pod of each component.",
            normal="Green. What is not there any more has no bar.",
            otherwise="Red: its pods are there, but do not answer.",
        ),
        table(
            "Running versions",
            Query("count by ($who, component, version, profile) (etebar_build_info{$here})", ""),
            columns=("component", "version", "profile", "Value"),
            width=8,
            height=9,
            shows="What runs: pods by component, version and profile.",
            normal="One version; two of a component during a rollout.",
            otherwise="Two for longer: a rollout that does not end. kubectl rollout status.",
        ),
    ),
)

BOARD = Board(
    uid="etebar-overview",
    title="1 Overview and SLOs",
    shows="Within a minute: can merchants withdraw, is money where it should be, what is broken.",
    rows=(WITHDRAW, MONEY, BROKEN),
)
