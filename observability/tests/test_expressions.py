"""Every expression of every panel, rule and runbook: it parses, and asks for what is there."""

from collections.abc import Iterator

import promql
import promql_parser
import pytest
from promql import Expression

from etebar_observability import metrics, rules

KNOWN = metrics.known()
RECORDED = {recording.name for recording in rules.recordings()}
EVERYWHERE = promql.everywhere()
RELEASE = {"namespace", "release"}
# kube-state-metrics knows no release
WITHOUT_RELEASE = {"kube_job_failed"}
# they have the label of their own release
OF_LOCUST = "locust_"


def _selected() -> Iterator[tuple[Expression, promql_parser.VectorSelector, str]]:
    for expression in EVERYWHERE:
        for selector in promql.selectors(expression.tree):
            for name in promql.names(selector):
                yield expression, selector, name


def test_there_are_expressions_of_each_kind() -> None:
    assert len(list(promql.of_panels())) > 150
    assert len(list(promql.of_rules())) > 50
    assert len(list(promql.of_runbooks())) > 20


def test_every_metric_is_one_that_somebody_serves_or_records() -> None:
    unknown = {f"{e.where}: {name}" for e, _, name in _selected() if name not in KNOWN and name not in RECORDED}
    assert not unknown


def test_every_label_that_is_matched_is_one_of_its_metric() -> None:
    wrong = {
        f"{e.where}: {name}: {label}"
        for e, selector, name in _selected()
        if name in KNOWN
        for label in promql.matched_labels(selector) - KNOWN[name].labels - metrics.TARGET_LABELS
    }
    assert not wrong


def test_every_label_that_is_kept_is_one_of_a_metric_below() -> None:
    wrong = set()
    for expression in EVERYWHERE:
        for part in promql.parts(expression.tree):
            if isinstance(part, promql_parser.AggregateExpr) and part.modifier:
                below = {name for selector in promql.selectors(part) for name in promql.names(selector)}
                labels = {label for name in below & KNOWN.keys() for label in KNOWN[name].labels}
                unknown = set(part.modifier.labels) - labels - metrics.TARGET_LABELS
                wrong |= {f"{expression.where}: {label}" for label in unknown if below & KNOWN.keys()}
    assert not wrong


def test_counters_are_rated_and_gauges_are_not() -> None:
    wrong = set()
    for expression in EVERYWHERE:
        rated = promql.rated(expression.tree)
        for selector in promql.selectors(expression.tree):
            for name in promql.names(selector):
                is_counter = name in KNOWN and KNOWN[name].kind in {"counter", "histogram"}
                if is_counter is not (name in rated):
                    wrong.add(f"{expression.where}: {name}")
    assert not wrong


@pytest.mark.parametrize("expression", list(promql.of_rules()), ids=lambda each: each.where)
def test_a_rule_tells_releases_apart(expression: Expression) -> None:
    found = {name for selector in promql.selectors(expression.tree) for name in promql.names(selector)}
    for part in promql.parts(expression.tree):
        if isinstance(part, promql_parser.AggregateExpr) and not found & WITHOUT_RELEASE:
            assert part.modifier, part
            assert set(part.modifier.labels) >= RELEASE, part
        if isinstance(part, promql_parser.BinaryExpr) and part.modifier and part.modifier.matching:
            assert set(part.modifier.matching.labels) >= RELEASE, part


@pytest.mark.parametrize("expression", [*promql.of_panels(), *promql.of_annotations()], ids=lambda each: each.where)
def test_a_panel_asks_for_the_chosen_release(expression: Expression) -> None:
    for selector in promql.selectors(expression.tree):
        chosen = {(each.name, each.value) for each in selector.matchers.matchers}
        assert ("namespace", "$namespace") in chosen, selector
        if not selector.name.startswith(OF_LOCUST):
            assert {("release", "$release"), ("release", "($release)?")} & chosen, selector


@pytest.mark.parametrize("expression", list(promql.of_runbooks()), ids=lambda each: each.where)
def test_a_runbook_asks_for_its_namespace(expression: Expression) -> None:
    for selector in promql.selectors(expression.tree):
        assert ("namespace", "etebar") in {(each.name, each.value) for each in selector.matchers.matchers}


class TestTheChecksThemselves:
    """Each would see what it is there for."""

    def test_a_syntax_error_names_its_place(self) -> None:
        with pytest.raises(ValueError, match=r"here: .*rate"):
            _ = Expression("here", "rate(up)").tree

    def test_a_name_in_a_pattern_is_seen(self) -> None:
        (selector,) = promql.selectors(Expression("here", '{__name__=~"pg_up|redis_up"}').tree)
        assert promql.names(selector) == ["pg_up", "redis_up"]

    def test_what_is_within_a_rate_is_seen(self) -> None:
        assert promql.rated(Expression("here", "sum(rate(a[5m])) / b").tree) == {"a"}

    def test_series_of_a_histogram_are_known_by_their_endings(self) -> None:
        assert "etebar_rail_call_duration_seconds_bucket" in KNOWN
        assert "etebar_rail_call_duration_seconds" not in KNOWN
