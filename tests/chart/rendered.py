"""The chart rendered with each values file of matrix/, for policies to look at."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from etebar_deploy.chart import CHART, render
from etebar_deploy.network import Network, network
from etebar_deploy.workloads import PodTemplate, pod_templates

MATRIX = Path(__file__).parent / "matrix"
CASES = sorted(path.stem for path in MATRIX.glob("*.yaml"))
RELEASE = "etebar"


@dataclass
class Rendered:
    """What a policy judges: the objects, and all values that they were made from."""

    values: Mapping[str, Any]
    objects: list[dict[str, Any]]

    @cached_property
    def pods(self) -> list[PodTemplate]:
        return list(pod_templates(self.objects))

    @cached_property
    def network(self) -> Network:
        return network(self.objects)

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        return [rendered for rendered in self.objects if rendered["kind"] in kinds]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The only one of that kind whose name is `name`, or begins with it and ends in a hash."""
        return next(
            rendered
            for rendered in self.of_kind(kind)
            if rendered["metadata"]["name"] == name or rendered["metadata"]["name"].rpartition("-")[0] == name
        )

    def secrets(self) -> dict[str, str]:
        """The chart's word for a Secret by its name."""
        ours = {named: word for word, named in OUR_SECRETS.items()}
        given = {own["existingSecret"]: word for word, own in self.values["secrets"].items() if own["existingSecret"]}
        return ours | given


OUR_SECRETS = {
    "core": "etebar-core",
    "accountKey": "etebar-account-key",
    "fingerprint": "etebar-fingerprint",
    "internalToken": "etebar-internal-token",
    "operatorToken": "etebar-operator-token",
    "admin": "etebar-admin",
    "walletOwner": "etebar-wallet-owner",
    "walletApplication": "etebar-wallet-application",
    "settlementOwner": "etebar-settlement-owner",
    "settlementApplication": "etebar-settlement-application",
    "audit": "etebar-audit",
    "pgbouncer": "etebar-pgbouncer",
    "redis": "etebar-redis",
}
# with these, nothing that is rendered is random
NAMED_SECRETS = {"secrets": {word: {"existingSecret": f"own-{name}"} for word, name in OUR_SECRETS.items()}}


def case_values(case: str) -> dict[str, Any]:
    """The values file of a case."""
    return dict(yaml.safe_load((MATRIX / f"{case}.yaml").read_text()))


def rendered_with(values: Mapping[str, Any], **options: Any) -> Rendered:
    """The chart with these values over the defaults; the objects are the caller's own."""
    return Rendered(merged(_defaults(), values), render(values, **options))


@lru_cache(maxsize=1)
def _defaults() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "values.yaml").read_text()))


@lru_cache(maxsize=32)
def rendered_case(case: str) -> Rendered:
    """A case of the matrix, shared: only to be looked at."""
    return rendered_with(case_values(case))


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """As Helm merges values: mappings by key, everything else as a whole."""
    result = copy.deepcopy(dict(below))
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


def texts(found: Any) -> Iterator[str]:
    """Every string in an object, keys included."""
    if isinstance(found, Mapping):
        for key, value in found.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from texts(value)
    elif isinstance(found, str):
        yield found
