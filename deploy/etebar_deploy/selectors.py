"""Label selectors and ports, as Kubernetes evaluates them in NetworkPolicies."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

Labels = Mapping[str, str]
Object = Mapping[str, Any]
Port = tuple[str, int]  # protocol and number

LAST_PORT = 65535


def selects(selector: Object, labels: Labels) -> bool:
    """Whether a LabelSelector takes these labels; an empty one takes all."""
    equal = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return equal and all(_holds(expression, labels) for expression in selector.get("matchExpressions") or [])


def _holds(expression: Object, labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise ValueError(f"{other} is no operator of a label selector")


def examples(selector: Object) -> Iterator[dict[str, str]]:
    """The fewest labels that a selector takes, one for each choice that it leaves."""
    fixed = dict(selector.get("matchLabels") or {})
    choices = [
        [(expression["key"], value) for value in expression.get("values") or ["any"]]
        for expression in selector.get("matchExpressions") or []
        if expression["operator"] in {"In", "Exists"}
    ]
    for chosen in product(*choices):
        yield {**fixed, **dict(chosen)}


def opens(rule: Object, port: Port, named: Mapping[str, Port]) -> bool:
    """Whether one rule is about this port; names are looked up among the ports of who is reached."""
    return not rule.get("ports") or any(_is(entry, port, named) for entry in rule["ports"])


def _is(entry: Object, port: Port, named: Mapping[str, Port]) -> bool:
    protocol, number = entry.get("protocol", "TCP"), entry.get("port")
    if isinstance(number, str):
        return named.get(number) == port and protocol == port[0]
    first, last = (0, LAST_PORT) if number is None else (number, entry.get("endPort", number))
    return bool(protocol == port[0] and first <= port[1] <= last)


def numbers(rule: Object) -> Iterator[Port]:
    """The ports that one rule gives by number."""
    for entry in rule.get("ports") or []:
        if isinstance(number := entry.get("port"), int):
            yield from ((entry.get("protocol", "TCP"), one) for one in range(number, entry.get("endPort", number) + 1))


def container_ports(containers: Sequence[Object]) -> dict[str, Port]:
    """The ports of containers by name; without a name, the number is one."""
    return {
        port.get("name") or str(port["containerPort"]): (port.get("protocol", "TCP"), port["containerPort"])
        for container in containers
        for port in container.get("ports") or []
    }
