"""`make kind-observability`: Prometheus, Grafana and a collector beside the platform on the kind cluster."""

from collections.abc import Sequence

from etebar_deploy import images, tools
from etebar_deploy.chart import OBSERVABILITY
from etebar_deploy.cluster import Cluster
from etebar_deploy.kind import INSTALL_TIMEOUT, KIND, WORKERS
from etebar_deploy.steps import Steps
from etebar_quickstart import QuickstartError
from etebar_quickstart.printer import Printer

NAMESPACE = "monitoring"
RELEASE = "etebar-observability"


def up(printer: Printer, arguments: Sequence[str]) -> None:
    """Installs the chart, or brings it up to this tree; `arguments` are helm's. QuickstartError when a step fails."""
    tools.require("docker", "git", "helm", "kind", "kubectl")
    tools.require_docker()
    cluster, steps = Cluster.chosen(), Steps(printer)
    if not cluster.exists():
        raise QuickstartError(f"there is no cluster {cluster.name}: `make kind-up` makes it")
    with steps.step("image"):
        (built,) = images.build(printer, images.of_chart(OBSERVABILITY.name))
    with steps.step("image to the nodes"):
        cluster.load([built.reference], selector=WORKERS)
    with steps.step("chart"):
        cluster.ensure_namespace(NAMESPACE)
        chosen = [
            "--values",
            str(KIND / "observability-values.yaml"),
            "--set-string",
            f"prometheus.image={built.reference}",
        ]
        where = ["--namespace", NAMESPACE, "--wait", "--timeout", INSTALL_TIMEOUT]
        notes = cluster.helm("upgrade", "--install", RELEASE, str(OBSERVABILITY), *chosen, *where, *arguments)
    steps.print_table()
    printer.line(notes.partition("NOTES:\n")[2])
