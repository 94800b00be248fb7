"""Each policy of secrets.py broken: its name, a word that it must say, and how."""

import base64

from chart.doctored.helpers import Doctor, container, mount, secret
from chart.rendered import Rendered


def plain(rendered: Rendered, name: str) -> str:
    return base64.b64decode(rendered.one("Secret", name)["data"]["password"]).decode()


BROKEN: list[tuple[str, str, Doctor]] = [
    (
        "secrets.only_where_needed",
        "web: has walletOwner's password",
        lambda r: mount(r, "core-web", secret("etebar-wallet-owner")),
    ),
    (
        "secrets.only_where_needed",
        "web: has pgbouncer's password",
        lambda r: mount(r, "core-web", secret("etebar-pgbouncer")),
    ),
    (
        "secrets.only_where_needed",
        "settlement: has core's *",
        lambda r: mount(r, "settlement", {"secret": {"secretName": "etebar-core"}}),
    ),
    (
        "secrets.no_value_in_environment",
        "taken from",
        lambda r: container(r)["env"].append(
            {"name": "X", "valueFrom": {"secretKeyRef": {"name": "etebar-core", "key": "secret-key"}}}
        ),
    ),
    (
        "secrets.no_value_in_environment",
        "no path",
        lambda r: container(r)["env"].append({"name": "DB_PASSWORD", "value": "secret"}),
    ),
    (
        "secrets.no_value_in_environment",
        "no path",
        lambda r: container(r)["env"].append({"name": "DB_PASSWORD_FILE", "value": "secret"}),
    ),
    (
        "secrets.no_value_in_environment",
        "is a Secret",
        lambda r: container(r)["envFrom"].append({"secretRef": {"name": "etebar-core"}}),
    ),
    (
        "secrets.no_value_elsewhere",
        "ConfigMap/core",
        lambda r: r.one("ConfigMap", "core")["data"].update(url=f"redis://:{plain(r, 'etebar-redis')}@redis"),
    ),
    ("secrets.not_for_others", "by others", lambda r: mount(r, "redis", {"secret": {"secretName": "etebar-redis"}})),
    ("secrets.not_for_others", "can be written", lambda r: container(r, "redis")["volumeMounts"][0].pop("readOnly")),
    (
        "secrets.enough",
        "shorter than 32",
        lambda r: r.one("Secret", "etebar-core")["data"].update({"secret-key": "c2hvcnQ="}),
    ),
]
