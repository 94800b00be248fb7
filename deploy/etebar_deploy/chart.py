"""The chart as objects: what `helm install` would send."""

import json
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from etebar_deploy.helm_binaries import newest_helm
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.paths import REPOSITORY

CHARTS = REPOSITORY / "charts"
CHART = CHARTS / "etebar"
OBSERVABILITY = CHARTS / "etebar-observability"
LOADTEST = CHARTS / "etebar-loadtest"
KUBERNETES = "1.34.0"
NO_VALUES: Mapping[str, Any] = {}


class RenderError(QuickstartError):
    """Helm refused; `str()` is its message in one line."""


def render(
    values: Mapping[str, Any] = NO_VALUES,
    *,
    release: str = "etebar",
    namespace: str = "etebar",
    helm: Path | None = None,
    kube_version: str = KUBERNETES,
    chart: Path = CHART,
) -> list[dict[str, Any]]:
    """All objects with hooks and CRDs, anew for each caller. `values` count over values.yaml. Raises RenderError."""
    text = render_text(values, release=release, namespace=namespace, helm=helm, kube_version=kube_version, chart=chart)
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def render_text(
    values: Mapping[str, Any] = NO_VALUES,
    *,
    release: str = "etebar",
    namespace: str = "etebar",
    helm: Path | None = None,
    kube_version: str = KUBERNETES,
    chart: Path = CHART,
) -> str:
    """The same as the YAML that Helm writes. The chart is taken not to change while this process runs."""
    where = (release, str(chart), "--namespace", namespace, "--kube-version", kube_version)
    return _template(json.dumps(values), (str(helm or newest_helm()), "template", *where))


def forget_rendered() -> None:
    """What is rendered from now on is rendered anew, with new random Secrets."""
    _template.cache_clear()


@lru_cache(maxsize=1024)
def _template(values: str, command: tuple[str, ...]) -> str:
    command = (*command, "--values", "-", "--include-crds")
    done = subprocess.run(command, check=False, input=values, capture_output=True, text=True)
    if done.returncode:
        raise RenderError(" ".join(done.stderr.split()).removeprefix("Error: "))
    return done.stdout
