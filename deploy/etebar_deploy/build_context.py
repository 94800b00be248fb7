"""What a build is given: the files that its image needs, and of the machine nothing but its network's CA and index."""

import ast
import io
import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from etebar_deploy import tools
from etebar_quickstart import QuickstartError

CA_FILE = "build-ca.crt"
# Zip files, and so wheels, know no earlier time. A layer is found again only where its files have the same times.
FIXED_TIME = 315_532_800
# Tests are no part of an image; nor is what looks like a secret that somebody forgot to have git ignore.
LEFT_OUT = ("tests", "conftest.py", ".env*", "*.pem", "*.key", "*.p12", "*.crt")


def make(repository: Path, folders: Iterable[str], ca: Path | None) -> bytes:
    """A tar of the files in `folders` that git tracks or would track, with fixed owners, modes and times."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in _files(repository, folders):
            _add(tar, repository / name, name)
        if ca:
            _add(tar, ca.resolve(), CA_FILE)
    return packed.getvalue()


def machines_ca(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The bundle that pip trusts on this machine, where its network inspects TLS; None for the usual one."""
    names = [environ.get("PIP_CERT"), _pip_setting("global.cert"), environ.get("SSL_CERT_FILE")]
    path = next((Path(name) for name in names if name), None)
    if path is None:
        return None
    try:
        text = path.read_text()
    except OSError as error:
        raise QuickstartError(f"pip's CA bundle {path} cannot be read ({error.strerror})") from error
    if "PRIVATE KEY" in text:
        raise QuickstartError(f"pip's CA bundle {path} holds a private key, which no build is to see")
    return path


def machines_index(environ: Mapping[str, str] = os.environ) -> str:
    """The package index that pip uses on this machine; empty for the usual one."""
    return environ.get("PIP_INDEX_URL") or _pip_setting("global.index-url")


def _pip_setting(name: str) -> str:
    """From any of pip's configuration files (`pip config get` reads one of them only); empty when none has it."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    values = [value for key, _, value in (line.partition("=") for line in listed.splitlines()) if key == name]
    return str(ast.literal_eval(values[-1])) if values else ""


def _files(repository: Path, folders: Iterable[str]) -> list[str]:
    excluded = [f":(exclude,glob)**/{name}" for name in LEFT_OUT] + [":(exclude,glob)**/tests/**"]
    listed = tools.run(
        *("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders, *excluded),
        directory=repository,
    )
    names = sorted(set(listed.split("\0")) - {""})
    # a file that was removed without telling git is listed still
    return [name for name in names if os.path.lexists(repository / name)]


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.mtime = FIXED_TIME
    if path.is_symlink():
        # as it is: what it points to may be anything of this machine
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        tar.addfile(entry)
        return
    content = path.read_bytes()
    entry.size = len(content)
    entry.mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
    tar.addfile(entry, io.BytesIO(content))
