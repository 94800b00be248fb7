"""What Helm says after an installation: what may be meant, but rarely is, each with its key."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chart.rendered import NAMED_SECRETS, merged
from etebar_deploy.chart import CHART
from etebar_deploy.helm_binaries import newest_helm

PEER = {"ipBlock": {"cidr": "203.0.113.0/24"}}
QUIET = {"networkPolicy": {"kubernetesApi": [PEER]}}


def warnings_of(values: dict[str, Any]) -> list[str]:
    """Of an installation that asks no cluster."""
    command = (newest_helm(), "install", "etebar", CHART, "--dry-run=client", "--values", "-")
    said = subprocess.run(
        command,
        check=True,
        input=json.dumps(merged(merged(NAMED_SECRETS, QUIET), values)),
        capture_output=True,
        text=True,
        env={"KUBECONFIG": "/dev/null", "HOME": str(Path.home())},
    ).stdout
    return re.findall(r"^WARNING: (.*)$", said, re.MULTILINE)


def bank(url: str, ports: list[int]) -> dict[str, Any]:
    return {
        "settlement": {"bank": {"url": url, "existingSecret": "bank"}},
        "networkPolicy": {"bank": [PEER], "bankPorts": ports},
    }


class TestWarnings:
    @pytest.mark.parametrize("values", [
        {},
        bank("https://bank.example.com/v1", [443]),
        bank("https://bank.example.com:8443/v1", [443, 8443]),
        bank("http://bank.bank.svc/v1", [80]),
        bank("https://[2001:db8::443]/v1", [443]),
    ])  # fmt: skip
    def test_are_none_when_all_is_said(self, values: dict[str, Any]) -> None:
        assert warnings_of(values) == []

    @pytest.mark.parametrize(("values", "key", "named"), [
        ({"networkPolicy": {"enabled": False}}, "networkPolicy.enabled", "settlement"),
        ({"networkPolicy": {"kubernetesApi": []}}, "networkPolicy.kubernetesApi", "API server"),
        ({"ingress": {"enabled": True}}, "core.trustedProxies", "rate limits"),
        (bank("https://bank.example.com", [443]) | {"networkPolicy": {"bank": []}}, "networkPolicy.bank ", "pending"),
        (bank("https://bank.example.com:8443/v1", [443]), "networkPolicy.bankPorts", "8443"),
        (bank("https://bank.example.com/v1", [8443]), "networkPolicy.bankPorts", "443"),
        (bank("http://bank.bank.svc/v1", [443]), "networkPolicy.bankPorts", "80"),
        (bank("https://[2001:db8::443]:8443/v1", [443]), "networkPolicy.bankPorts", "8443"),
    ])  # fmt: skip
    def test_name_the_key(self, values: dict[str, Any], key: str, named: str) -> None:
        (warning,) = warnings_of(values)
        assert warning.startswith(key)
        assert named in warning
