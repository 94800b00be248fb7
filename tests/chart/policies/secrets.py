"""Secrets: by file, never by environment, and only where they are needed."""

import base64
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

from chart.rendered import Rendered, texts
from etebar_deploy.workloads import PodTemplate

CORE = (
    "core-web/web",
    "core-worker/worker",
    "core-beat/beat",
    "core-internal/internal",
    "core-webhooks/webhooks",
    "core-*/wait-for-migrations",
    "migrate-core/*",
)
APPLICATION = CORE[:-1]
SETTLEMENT = ("settlement/*",)
POSTGRESQL = ("postgresql/postgresql",)
# which component's which container may have which key of which Secret
PLACES: dict[tuple[str, str], tuple[str, ...]] = {
    ("core", "secret-key"): CORE,
    ("core", "jwt-signing-key"): CORE,
    ("core", "jwt-signing-keys-previous"): CORE,
    ("accountKey", "account-encryption-key"): CORE,
    ("accountKey", "account-encryption-keys-previous"): CORE,
    ("fingerprint", "account-fingerprint-key"): (*CORE, *SETTLEMENT),
    ("internalToken", "token"): (*CORE, *SETTLEMENT),
    ("internalToken", "token-next"): SETTLEMENT,
    ("internalToken", "rotated-at"): ("core-beat/beat",),
    ("operatorToken", "token"): ("core-internal/internal", "operator/operator"),
    ("operatorToken", "token-next"): ("core-internal/internal",),
    ("admin", "username"): ("migrate-core/*", "test-story/story", "test-trial/trial"),
    ("admin", "password"): ("migrate-core/*", "test-story/story", "test-trial/trial"),
    ("walletOwner", "password"): ("migrate-core/*", *POSTGRESQL),
    ("walletApplication", "password"): (*APPLICATION, "*/pgbouncer", *POSTGRESQL),
    ("settlementOwner", "password"): ("migrate-settlement/*", *POSTGRESQL),
    ("settlementApplication", "password"): (*SETTLEMENT, *POSTGRESQL),
    ("audit", "password"): (*POSTGRESQL, "test-trial/trial"),
    ("pgbouncer", "password"): ("*/pgbouncer",),
    ("redis", "password"): (*CORE, "redis/redis", "redis/metrics-redis"),
    ("bank", "*"): SETTLEMENT,
}
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|KEY|CREDENTIAL")
LEAST_CHARACTERS = {
    "username": 1,
    "token-next": 0,
    "jwt-signing-keys-previous": 0,
    "account-encryption-keys-previous": 0,
    "rotated-at": 20,
    "password": 24,
}
Mounted = tuple[PodTemplate, str, str, str]


def only_where_needed(rendered: Rendered) -> Iterator[str]:
    """Each key of a Secret is mounted only in containers that PLACES allows."""
    for pod, container, secret, key in _mounted(rendered):
        word = _word(rendered, secret)
        if word is None:
            continue
        places = next((value for known, value in PLACES.items() if known[0] == word and fnmatch(key, known[1])), ())
        if not any(fnmatch(f"{pod.component}/{container}", place) for place in places):
            yield f"{pod.name}: {container}: has {word}'s {key}"


def no_value_in_environment(rendered: Rendered) -> Iterator[str]:
    """No environment takes from a Secret, and what is named like one is the path of a file."""
    for pod in rendered.pods:
        for container in pod.containers:
            for entry in container.get("env") or []:
                if "secretKeyRef" in entry.get("valueFrom", {}):
                    yield f"{pod.name}: {container['name']}: {entry['name']} is taken from a Secret"
                elif SECRET_NAME.search(entry["name"]) and not _is_path(entry["name"], entry.get("value")):
                    yield f"{pod.name}: {container['name']}: {entry['name']} is no path of a file"
            if any("secretRef" in source for source in container.get("envFrom") or []):
                yield f"{pod.name}: {container['name']}: its environment is a Secret"


def no_value_elsewhere(rendered: Rendered) -> Iterator[str]:
    """What Secrets hold stands in no other object."""
    values = {
        base64.b64decode(value).decode()
        for secret in rendered.of_kind("Secret")
        for value in (secret.get("data") or {}).values()
    } - {"", "admin"}
    for one in rendered.objects:
        if one["kind"] != "Secret" and any(value in text for text in texts(one) for value in values):
            yield f"{one['kind']}/{one['metadata']['name']}: holds what a Secret does"


def not_for_others(rendered: Rendered) -> Iterator[str]:
    """Mounted read-only, and in files that others than the pod's user and group cannot read."""
    for pod in rendered.pods:
        for volume in pod.spec.get("volumes") or []:
            own = volume.get("projected") or volume.get("secret")
            known = [secret for secret, _ in _files(volume) if _word(rendered, secret)]
            if known and own.get("defaultMode", 0o644) & 0o007:
                yield f"{pod.name}: volume {volume['name']} can be read by others"
            for container, mount in _mounts(pod, volume["name"]):
                if known and not mount.get("readOnly"):
                    yield f"{pod.name}: {container}: {mount['name']} can be written"


def enough(rendered: Rendered) -> Iterator[str]:
    """Keys that sign are as long as the services ask."""
    for secret in rendered.of_kind("Secret"):
        for key, value in (secret.get("data") or {}).items():
            least = LEAST_CHARACTERS.get(key, 32)
            if len(base64.b64decode(value)) < least:
                yield f"Secret/{secret['metadata']['name']}: {key} is shorter than {least}"


def _word(rendered: Rendered, secret: str) -> str | None:
    if secret == rendered.values["settlement"]["bank"]["existingSecret"]:
        return "bank"
    return rendered.secrets().get(secret)


def _mounted(rendered: Rendered) -> Iterator[Mounted]:
    for pod in rendered.pods:
        for volume in pod.spec.get("volumes") or []:
            for container, _ in _mounts(pod, volume["name"]):
                yield from ((pod, container, secret, key) for secret, key in _files(volume))


def _mounts(pod: PodTemplate, volume: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for container in pod.containers:
        for mount in container.get("volumeMounts") or []:
            if mount["name"] == volume:
                yield container["name"], mount


def _files(volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Secret and key of each file; without items, every key."""
    own = volume.get("secret")
    sources = (
        [{"secret": {**own, "name": own["secretName"]}}] if own else volume.get("projected", {}).get("sources", [])
    )
    for source in sources:
        if "secret" in source:
            yield from (
                (source["secret"]["name"], item["key"]) for item in source["secret"].get("items") or [{"key": "*"}]
            )


def _is_path(name: str, value: str | None) -> bool:
    return name.endswith("_FILE") and str(value).startswith("/")


POLICIES = (only_where_needed, no_value_in_environment, no_value_elsewhere, not_for_others, enough)
