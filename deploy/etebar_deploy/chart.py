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

CHART = REPOSITORY / "charts" / "etebar"
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
) -> list[dict[str, Any]]:
    """All objects with hooks and CRDs, anew for each caller. `values` count over values.yaml. Raises RenderError."""
    text = render_text(values, release=release, namespace=namespace, helm=helm, kube_version=kube_version)
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def render_text(
    values: Mapping[str, Any] = NO_VALUES,
    *,
    release: str = "etebar",
    namespace: str = "etebar",
    helm: Path | None = None,
    kube_version: str = KUBERNETES,
) -> str:
    """The same as the YAML that Helm writes. The chart is taken not to change while this process runs."""
    return _template(json.dumps(values), release, namespace, str(helm or newest_helm()), kube_version)


def forget_rendered() -> None:
    """What is rendered from now on is rendered anew, with new random Secrets."""
    _template.cache_clear()


@lru_cache(maxsize=1024)
def _template(values: str, release: str, namespace: str, helm: str, kube_version: str) -> str:
    command = [helm, "template", release, str(CHART), "--namespace", namespace, "--values", "-"]
    command += ["--include-crds", "--kube-version", kube_version]
    done = subprocess.run(command, check=False, input=values, capture_output=True, text=True)
    if done.returncode:
        raise RenderError(" ".join(done.stderr.split()).removeprefix("Error: "))
    return done.stdout
