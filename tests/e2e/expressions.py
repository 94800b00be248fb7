"""What an expression needs data of: an alert's is empty as long as all is well, what it compares is not."""

from collections.abc import Iterator

import promql_parser

# they leave out what does not hold
FILTERS = {"==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"}
VARIABLES = {
    "$__rate_interval": "1m",
    "$__interval": "15s",
    "$__range": "5m",
    '"$namespace"': '"etebar"',
    '"$release"': '"etebar"',
    "($release)?": "(etebar)?",
    # a subquery has values at whole multiples of its step only: the run may be shorter
    ":5m]": ":15s]",
}


def expanded(text: str) -> str:
    """As Grafana fills it in for the release of these tests, and steps that suit a run of minutes."""
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    return text


def operands(text: str) -> list[str]:
    """What it compares or joins, each by itself; the whole when it does neither."""
    return [each.prettify() for each in _operands(promql_parser.parse(expanded(text)))]


def _operands(tree: promql_parser.Expr) -> Iterator[promql_parser.Expr]:
    match tree:
        case promql_parser.ParenExpr():
            yield from _operands(tree.expr)
        case promql_parser.BinaryExpr() if str(tree.op) in FILTERS:
            yield from _operands(tree.lhs)
            yield from _operands(tree.rhs)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return
        case _:
            yield tree
