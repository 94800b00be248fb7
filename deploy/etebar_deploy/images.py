"""`make images`: the container images of this tree."""

import dataclasses
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from etebar_deploy import build_context, revision, tools
from etebar_deploy.revision import Revision
from etebar_quickstart import QuickstartError, paths
from etebar_quickstart.printer import Printer

REVISION_LABEL = "org.opencontainers.image.revision"


@dataclasses.dataclass(frozen=True)
class Image:
    """`folders` are what its Dockerfile copies from, and where it is itself (its own comes first); `chart` runs it."""

    name: str
    folders: tuple[str, ...]
    chart: str = "etebar"

    @property
    def dockerfile(self) -> str:
        return f"{self.folders[0]}/Dockerfile"

    def reference(self, registry: str, tag: str) -> str:
        """`registry/etebar-name:tag`, as docker and the chart call it."""
        return f"{registry.rstrip('/')}/etebar-{self.name}:{tag}".lstrip("/")


@dataclasses.dataclass(frozen=True)
class Built:
    """One image that is there now; `seconds` is None when it was there before."""

    reference: str
    size_bytes: int
    seconds: float | None


SHARED = ("LICENSE", "locks", "libs/common")
IMAGES = (
    Image("core", ("apps/core", "libs/verify", *SHARED)),
    Image("settlement", ("apps/settlement", *SHARED)),
    Image("operator", ("operators", *SHARED)),
    Image("pgbouncer", ("images/pgbouncer",)),
    Image("redis", ("images/redis",)),
    Image("postgresql", ("images/postgresql", "quickstart/etebar_quickstart/roles.sql")),
    Image("exporters", ("images/exporters",)),
    Image("prometheus", ("images/prometheus",), chart="etebar-observability"),
    Image("loadtest", ("loadtest", "LICENSE", "locks"), chart="etebar-loadtest"),
)
NAMES = tuple(image.name for image in IMAGES)


def run(printer: Printer, names: Sequence[str], *, registry: str) -> None:
    """The command: builds, and prints a table."""
    built = build(printer, names, registry=registry)
    rows = [[*one.reference.rsplit(":", 1), _megabytes(one.size_bytes), _duration(one.seconds)] for one in built]
    printer.table("Images", ["name", "tag", "size", "seconds"], rows)


def tag() -> str:
    """What the images of this tree are tagged, built or not."""
    return revision.read().tag


def of_chart(chart: str) -> list[str]:
    """The names of the images that a chart runs."""
    return [image.name for image in IMAGES if image.chart == chart]


def image_names(registry: str, tag: str) -> list[str]:
    """All of them, as docker names them."""
    return [image.reference(registry, tag) for image in IMAGES]


def build(printer: Printer, names: Sequence[str] = (), *, registry: str = "") -> list[Built]:
    """Builds the named images, or all, unless docker has them; QuickstartError with a failed build's last lines."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise QuickstartError(f"there is no image {', '.join(unknown)}; there are {', '.join(NAMES)}")
    tools.require("docker", "git")
    tools.require_docker()
    tree = revision.read()
    chosen = [image for image in IMAGES if image.name in names or not names]
    return [_ready(image, image.reference(registry, tree.tag), tree, printer) for image in chosen]


def _ready(image: Image, reference: str, tree: Revision, printer: Printer) -> Built:
    found = _inspect(reference)
    if found and _revision_of(found) == tree.label:
        return Built(reference, int(found["Size"]), None)
    printer.line(f"building {reference}")
    begun = time.monotonic()
    _docker_build(image, reference, tree)
    seconds = time.monotonic() - begun
    return Built(reference, int(_inspect(reference)["Size"]), seconds)


def _docker_build(image: Image, reference: str, tree: Revision) -> None:
    context = build_context.make(paths.REPOSITORY, image.folders, build_context.machines_ca())
    index = build_context.machines_index()
    # named without its value, which may hold a password, an argument is taken from the environment
    arguments = [*_labels(tree), *(["--build-arg", "PIP_INDEX_URL"] if index else [])]
    command = ["build", "--file", image.dockerfile, "--tag", reference, *arguments, "-"]
    tools.run("docker", *command, given=context, environment={"PIP_INDEX_URL": index} if index else {})


def _labels(tree: Revision) -> Iterator[str]:
    values = {"VERSION": tree.version, "REVISION": tree.label, "CREATED": f"{tree.committed_at:%Y-%m-%dT%H:%M:%SZ}"}
    for name, value in values.items():
        yield "--build-arg"
        yield f"{name}={value}"


def _inspect(reference: str) -> dict[str, Any]:
    """Empty when docker has no such image."""
    if not tools.succeeds("docker", "image", "inspect", reference):
        return {}
    [found] = json.loads(tools.run("docker", "image", "inspect", reference))
    return dict(found)


def _revision_of(found: dict[str, Any]) -> str:
    return str((found["Config"].get("Labels") or {}).get(REVISION_LABEL, ""))


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB"


def _duration(seconds: float | None) -> str:
    return "was there" if seconds is None else f"{seconds:.0f}"
