"""Databases that are not in the release, over TLS that is verified, installed by Helm 3; secrets are the user's own."""

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import CHART, NAME, RELEASE, Cluster, run
from etebar_deploy.helm_binaries import helms

DATABASES = "databases"
HOST = f"database.{DATABASES}"
ROLES = {
    "walletOwner": "wallet",
    "walletApplication": "wallet_app",
    "settlementOwner": "settlement",
    "settlementApplication": "settlement_app",
}
AUDITOR = "etebar_audit"
SSL = "SELECT usename, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename LIKE '%\\_app'"


CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "2")


@dataclass(frozen=True)
class Certificate:
    """PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """An authority, what it signed for HOST, and an authority that signed nothing here."""

    authority: Certificate
    server: Certificate
    stranger: Certificate


def make_certificate(place: Path, name: str, *extensions: str, by: Certificate | None = None) -> Certificate:
    """Signed by another one, or by itself."""
    made = Certificate(place / f"{name}.crt", place / f"{name}.key")
    options: list[str | Path] = [word for each in extensions for word in ("-addext", each)]
    if by:
        options += ["-CA", by.certificate, "-CAkey", by.key]
    run("openssl", "req", *CURVE, "-subj", f"/CN={name}", *options, "-keyout", made.key, "-out", made.certificate)
    return made


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.fail("openssl is not on PATH: it makes the certificates of this test")
    place = tmp_path_factory.mktemp("certificates")
    signs = "keyUsage=critical,keyCertSign,cRLSign"
    authority, stranger = (make_certificate(place, name, signs) for name in ("authority", "stranger"))
    own = (f"subjectAltName=DNS:{HOST}", "basicConstraints=critical,CA:FALSE")
    return Certificates(authority, make_certificate(place, "tls", *own, by=authority), stranger)


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    return {role: secrets.token_urlsafe(24) for role in (*ROLES.values(), AUDITOR)}


def secret(name: str, **content: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content}


def mounts(volumes: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "mountPath": path} for name, path in volumes.items()]


def database(tag: str) -> list[dict[str, Any]]:
    """A PostgreSQL that somebody else runs."""
    tls = ["ssl=on", "ssl_cert_file=/run/tls/tls.crt", "ssl_key_file=/run/tls/tls.key"]
    empty = {"data": "/var/lib/postgresql/data", "run": "/run/postgresql", "tmp": "/tmp"}  # noqa: S108 - in a pod
    given = {"passwords": "/run/secrets/passwords", "tls": "/run/tls"}
    container = {
        "name": "postgresql",
        "image": f"etebar-postgresql:{tag}",
        "args": [word for setting in tls for word in ("-c", setting)],
        "volumeMounts": mounts({**empty, **given}),
        "readinessProbe": {"exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]}},
    }
    spec = {
        "securityContext": {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001},
        "containers": [container],
        "volumes": [
            *({"name": name, "emptyDir": {}} for name in empty),
            # PostgreSQL takes a key that root owns and its group may read
            *({"name": name, "secret": {"secretName": name, "defaultMode": 0o440}} for name in given),
        ],
    }
    labels = {"app": "database"}
    service = {"selector": labels, "ports": [{"port": 5432}]}
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "database", "labels": labels}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "database"}, "spec": service},
    ]


def values(tag: str) -> dict[str, Any]:
    where = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": DATABASES}}}]
    database = {"core": {"host": HOST}, "settlement": {"host": HOST}, "sslMode": "verify-full", "caSecret": "authority"}
    one = {"replicas": 1}
    return {
        "image": {"tag": tag},
        # the cluster's definitions are the other release's
        "crds": {"install": False},
        "postgresql": {"enabled": False},
        "externalDatabase": database,
        "networkPolicy": {"externalDatabase": {"core": where, "settlement": where}},
        "secrets": {name: {"existingSecret": role.replace("_", "-")} for name, role in ROLES.items()},
        "core": {"web": one, "worker": one},
        "settlement": one,
    }


def apply(place: Cluster, *objects: dict[str, Any]) -> None:
    place.kubectl("apply", "-f", "-", text="---\n".join(json.dumps(each) + "\n" for each in objects))


@dataclass(frozen=True)
class Installation:
    """The release, in a namespace of its own, by Helm 3."""

    place: Cluster

    def helm(self, *arguments: str | Path) -> str:
        return run(helms()[3], "--kube-context", f"kind-{NAME}", "--namespace", self.place.namespace, *arguments)


@pytest.fixture(scope="module")
def external(
    cluster: Cluster, certificates: Certificates, passwords: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    outside, place = Cluster(cluster.tag, DATABASES), Cluster(cluster.tag, "external")
    for each in (outside, place):
        cluster.kubectl("create", "namespace", each.namespace)
    try:
        server = secret("tls", **{path.name: path.read_text() for path in vars(certificates.server).values()})
        apply(outside, server, secret("passwords", **passwords), *database(cluster.tag))
        outside.kubectl("wait", "--for=condition=Ready", "pod/database", "--timeout=2m")
        own = (secret(role.replace("_", "-"), password=passwords[role]) for role in ROLES.values())
        apply(place, secret("authority", **{"ca.crt": certificates.authority.certificate.read_text()}), *own)
        chosen = tmp_path_factory.mktemp("external") / "values.yaml"
        chosen.write_text(yaml.safe_dump(values(cluster.tag)))
        installed = Installation(place)
        installed.helm("install", RELEASE, CHART, "--values", chosen, "--wait", "--timeout", "5m")
        yield installed
    finally:
        for each in (outside, place):
            cluster.kubectl("delete", "namespace", each.namespace, "--wait=false")


class TestTheDatabasesOfSomebodyElse:
    def test_serve_a_merchants_story(self, external: Installation) -> None:
        printed = external.helm("test", RELEASE, "--logs", "--timeout", "4m")
        assert "withdraw" in printed

    def test_are_reached_by_tls_alone(self, cluster: Cluster, external: Installation) -> None:
        del external
        outside = Cluster(cluster.tag, DATABASES)
        printed = outside.execute("database", "psql", "-U", "postgres", "-tAc", SSL)
        found = {tuple(line.split("|")) for line in printed.split()}
        assert found == {("wallet_app", "t"), ("settlement_app", "t")}

    def test_are_refused_with_another_authoritys_certificate(
        self, external: Installation, certificates: Certificates
    ) -> None:
        other = secret("authority", **{"ca.crt": certificates.stranger.certificate.read_text()})
        place = external.place
        apply(place, other)
        place.kubectl("delete", "pod", "--selector", "app.kubernetes.io/component=settlement")
        try:
            with pytest.raises(AssertionError, match="timed out"):
                place.kubectl("rollout", "status", "deployment/settlement", "--timeout=20s")
            (pod,) = place.pods("settlement")
            said = place.kubectl("logs", pod["metadata"]["name"], "--container", "wait-for-migrations")
            assert "certificate verify failed" in said
        finally:
            apply(place, secret("authority", **{"ca.crt": certificates.authority.certificate.read_text()}))
