"""`make kind-up` and `make kind-down`: the whole platform on a cluster in containers."""

import http.client
import time

from etebar_deploy import images, tools
from etebar_deploy.chart import CHART
from etebar_deploy.cluster import Cluster
from etebar_deploy.steps import Steps
from etebar_quickstart import QuickstartError, paths
from etebar_quickstart.printer import Printer

HOST, PORT = "127.0.0.1", 8080  # kind-config.yaml maps it to the ingress controller
NAMESPACE = RELEASE = "etebar"
KIND = paths.REPOSITORY / "k8s" / "kind"
TRAEFIK_IMAGE = "traefik:v3.7"
INSTALL_TIMEOUT = "8m"
WORKERS = "!node-role.kubernetes.io/control-plane"
ANSWER_TIMEOUT_SECONDS = 60.0


def up(printer: Printer) -> None:
    """Makes what is missing, and brings what is there up to this tree. QuickstartError when a step fails."""
    tools.require("docker", "git", "helm", "kind", "kubectl")
    tools.require_docker()
    cluster, steps = Cluster.chosen(), Steps(printer)
    with steps.step(f"cluster {cluster.name}"):
        cluster.ensure()
    with steps.step("images"):
        references = [built.reference for built in images.build(printer, images.of_chart("etebar"))]
    with steps.step("images to the nodes"):
        cluster.load(references, selector=WORKERS)
        _load_traefik(cluster)
    with steps.step("ingress controller"):
        cluster.apply(KIND / "traefik.yaml")
        cluster.kubectl("rollout", "status", "deployment/traefik", "--namespace", "traefik", "--timeout=120s")
    with steps.step("chart"):
        cluster.ensure_namespace(NAMESPACE)
        _install(cluster, references[0].rpartition(":")[2])
    with steps.step("first answer through the ingress"):
        _wait_for_answer()
    steps.print_table()
    _print_how_to(printer, cluster)


def down(printer: Printer) -> None:
    """Deletes the cluster and everything in it."""
    tools.require("docker", "kind")
    tools.require_docker()
    cluster = Cluster.chosen()
    if not cluster.exists():
        printer.notice(f"there is no cluster {cluster.name}")
        return
    cluster.delete()
    printer.done(f"deleted the cluster {cluster.name}")


def _load_traefik(cluster: Cluster) -> None:
    """Where docker does not have it, the node pulls it itself."""
    if tools.succeeds("docker", "image", "inspect", TRAEFIK_IMAGE):
        cluster.load([TRAEFIK_IMAGE], selector="ingress-ready=true")


def _install(cluster: Cluster, tag: str) -> None:
    values = ["--values", str(KIND / "values.yaml"), "--set-string", f"image.tag={tag}"]
    wait = ["--wait", "--timeout", INSTALL_TIMEOUT]
    try:
        cluster.helm("upgrade", "--install", RELEASE, str(CHART), "--namespace", NAMESPACE, *values, *wait)
    except QuickstartError as error:
        # which pod it is that helm waited for in vain
        pods = cluster.kubectl("get", "pods", "--namespace", NAMESPACE).splitlines()
        raise QuickstartError(str(error), [*error.details, *pods]) from error


def _wait_for_answer() -> None:
    """Until the API asks for a token: an ingress controller learns of a new pod a moment after it is ready."""
    deadline = time.monotonic() + ANSWER_TIMEOUT_SECONDS
    while (said := _answer("/api/v1/me")) != "401":
        if time.monotonic() > deadline:
            raise QuickstartError(f"http://{HOST}:{PORT}/api/v1/me is to answer 401 without a token, but: {said}")
        time.sleep(0.5)


def _answer(path: str) -> str:
    """The status, or what went wrong."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=5)
    try:
        connection.request("GET", path)
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def _print_how_to(printer: Printer, cluster: Cluster) -> None:
    secret = f"kubectl --context {cluster.context} --namespace {NAMESPACE} get secret etebar-admin -o jsonpath="
    printer.line()
    printer.line(f"API    http://{HOST}:{PORT}/api/v1 (its documentation: http://{HOST}:{PORT}/api/docs)")
    printer.line(f"Admin  http://{HOST}:{PORT}/admin/")
    printer.line("The admin's name and password:")
    for key in ("username", "password"):
        printer.line(f"  {secret}'{{.data.{key}}}' | base64 -d; echo")
    samples = f"kubectl --context {cluster.context} --namespace {NAMESPACE} apply --filename k8s/samples"
    printer.line(f"{samples}   makes merchants of objects")
    printer.line(f"helm test {RELEASE} --kube-context {cluster.context} --namespace {NAMESPACE}   tries what it does")
    printer.line("make kind-observability   Prometheus, Grafana and traces beside it")
    printer.line("make kind-down   deletes it all")
