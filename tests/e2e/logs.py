"""Every line that a container wrote, also of pods that are gone, and every secret that there was meanwhile."""

import base64
import io
import json
import logging
import re
import subprocess
import tarfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from .cluster import NAME

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 20.0
NAMESPACES = ("etebar", "monitoring", "external")
OURS = tuple(f"pods/{namespace}_" for namespace in NAMESPACES)
# shorter ones, such as the sandbox's password p, are found in any text
LEAST_LENGTH = 12
# what a Secret holds beside secrets
NOT_SECRET = {"username", "rotated-at", "ca.crt", "tls.crt", "merchantId"}
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+")


class LogKeeper:
    """Copies logs and Secrets from the cluster now and then, until it is closed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._secrets: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """With a last copy."""
        self._ended.set()
        self._thread.join(60)

    def keep(self) -> None:
        """One copy, by `docker exec` on the nodes: asking Kubernetes would cost it more."""
        for node in _output("kind", "get", "nodes", "--name", NAME).split():
            packed = _bytes("docker", "exec", node, "tar", "--create", "--file=-", "--directory=/var/log", "pods")
            self._unpack(node, packed)
        for namespace in NAMESPACES:
            self._note_secrets(namespace)

    def leaks(self) -> list[str]:
        """Which secret is in which file, the secret itself not told."""
        return [leak for path in sorted(self._directory.rglob("*.log")) for leak in self._leaks_of(path)]

    @property
    def files(self) -> int:
        return len(list(self._directory.rglob("*.log")))

    @property
    def secrets(self) -> int:
        return len(self._secrets)

    def _leaks_of(self, path: Path) -> Iterator[str]:
        text = path.read_text(errors="replace")
        name = path.relative_to(self._directory)
        yield from (f"{name}: {where}" for value, where in self._secrets.items() if value in text)
        yield from (f"{name}: a JWT of {len(found)} characters" for found in JWT.findall(text))

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            try:
                self.keep()
            except (subprocess.SubprocessError, tarfile.TarError, OSError) as error:
                # the cluster is being changed under it; the next copy has what this one lacks
                logger.info("logs were not copied: %s", error)

    def _unpack(self, node: str, packed: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            for member in tar:
                if member.isfile() and member.name.endswith(".log") and member.name.startswith(OURS):
                    self._write(self._directory / node / member.name, tar.extractfile(member))

    @staticmethod
    def _write(path: Path, content: "Iterable[bytes] | None") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(content or ()))

    def _note_secrets(self, namespace: str) -> None:
        listed = _output("kubectl", "--context", f"kind-{NAME}", "-n", namespace, "get", "secrets", "-o", "json")
        for secret in json.loads(listed)["items"]:
            if secret["type"].startswith("helm.sh/"):
                continue
            for key, value in (secret.get("data") or {}).items():
                text = base64.b64decode(value).decode(errors="replace").strip()
                if key not in NOT_SECRET and len(text) >= LEAST_LENGTH:
                    self._secrets[text] = f"{namespace}/{secret['metadata']['name']}: {key}"


def _bytes(*command: str) -> bytes:
    # tar ends with 1 when a file grew while it was read
    return subprocess.run(command, check=False, capture_output=True, timeout=60).stdout


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
