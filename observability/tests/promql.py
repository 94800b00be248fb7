"""Expressions of panels, rules and runbooks, as Grafana and Prometheus read them."""

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

from etebar_observability import grafana, rules, runbooks
from etebar_observability.boards import BOARDS

RATES = {"rate", "increase", "irate"}


@dataclass(frozen=True)
class Expression:
    """`where` is for people."""

    where: str
    text: str

    @property
    def tree(self) -> promql_parser.Expr:
        """Raises ValueError naming the place when it does not parse."""
        text = self.text.replace("$__rate_interval", "1m")
        try:
            return promql_parser.parse(text)
        except ValueError as error:
            raise ValueError(f"{self.where}: {error}: {text}") from error


def of_panels() -> Iterator[Expression]:
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries:
                yield Expression(f"{board.uid}: {panel.title}", query.expanded)


def of_annotations() -> Iterator[Expression]:
    for annotation in grafana.dashboard(BOARDS[0], BOARDS)["annotations"]["list"]:
        yield Expression(f"annotation {annotation['name']}", annotation["expr"])


def of_rules() -> Iterator[Expression]:
    for alert in rules.alerts():
        yield Expression(alert.name, alert.expression)
    for recording in rules.recordings():
        yield Expression(recording.name, recording.expression)


def of_runbooks() -> Iterator[Expression]:
    for name in sorted({alert.name for alert in rules.alerts()}):
        for text in runbooks.blocks(name, "promql"):
            yield Expression(f"{name}.md", text)


def everywhere() -> list[Expression]:
    return [*of_panels(), *of_annotations(), *of_rules(), *of_runbooks()]


def parts(tree: promql_parser.Expr) -> list[promql_parser.Expr]:
    """The expression and everything within."""
    found: list[promql_parser.Expr] = []
    promql_parser.walk(tree, found.append)
    return found


def selectors(tree: promql_parser.Expr) -> list[promql_parser.VectorSelector]:
    return [part for part in parts(tree) if isinstance(part, promql_parser.VectorSelector)]


def rated(tree: promql_parser.Expr) -> set[str]:
    """The names whose rate or increase is taken."""
    calls = [part for part in parts(tree) if isinstance(part, promql_parser.Call) and part.func.name in RATES]
    return {selector.name for call in calls for selector in selectors(call.args[0])}


def names(selector: promql_parser.VectorSelector) -> list[str]:
    """The metrics that it may select."""
    if selector.name:
        return [selector.name]
    return next(each.value for each in selector.matchers.matchers if each.name == "__name__").split("|")


def matched_labels(selector: promql_parser.VectorSelector) -> set[str]:
    return {matcher.name for matcher in selector.matchers.matchers} - {"__name__"}
