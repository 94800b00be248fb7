"""`make kind-up` before it touches anything, and what its files must agree on. The rest is tried in tests/e2e."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from etebar_deploy import cluster, kind
from etebar_deploy.cli import main
from etebar_deploy.cluster import Cluster
from etebar_deploy.steps import Steps
from etebar_quickstart.printer import Printer


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


class TestTheCluster:
    def test_is_named_etebar_and_has_kinds_own_image_unless_told_otherwise(self) -> None:
        assert Cluster.chosen({}) == Cluster("etebar", "")
        assert Cluster.chosen({"KIND_CLUSTER": "", "KIND_NODE_IMAGE": ""}) == Cluster("etebar", "")
        chosen = Cluster.chosen({"KIND_CLUSTER": "mine", "KIND_NODE_IMAGE": "node:1"})
        assert (chosen.name, chosen.node_image, chosen.context) == ("mine", "node:1", "kind-mine")

    @pytest.mark.parametrize("command", ["kind-up", "kind-down"])
    def test_is_not_touched_when_a_program_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert main([command]) == 1
        assert "kind is not on PATH; it comes from https://kind.sigs.k8s.io" in capsys.readouterr().out


class TestItsFiles:
    def test_lead_from_loopback_to_the_ingress_controllers_node(self) -> None:
        [config] = documents(cluster.CONFIG)
        [node] = [node for node in config["nodes"] if "extraPortMappings" in node]
        [mapping] = node["extraPortMappings"]
        assert (mapping["listenAddress"], mapping["hostPort"]) == (kind.HOST, kind.PORT)
        pod = self.traefik()["spec"]["template"]["spec"]
        assert pod["nodeSelector"] == node["labels"]
        assert mapping["containerPort"] in [port.get("hostPort") for port in pod["containers"][0]["ports"]]

    def test_name_the_ingress_controllers_image_that_is_loaded(self) -> None:
        assert self.traefik()["spec"]["template"]["spec"]["containers"][0]["image"] == kind.TRAEFIK_IMAGE

    def test_install_behind_the_class_of_that_ingress_controller(self) -> None:
        [values] = documents(kind.KIND / "values.yaml")
        [found] = [one for one in documents(kind.KIND / "traefik.yaml") if one["kind"] == "IngressClass"]
        assert values["ingress"] == {"enabled": True, "className": found["metadata"]["name"]}

    def traefik(self) -> dict[str, Any]:
        [found] = [one for one in documents(kind.KIND / "traefik.yaml") if one["kind"] == "Deployment"]
        return found


class TestSteps:
    def test_are_told_with_their_time_and_summed_up(self, capsys: pytest.CaptureFixture[str]) -> None:
        steps = Steps(Printer())
        with steps.step("images"):
            pass
        steps.print_table()
        said = capsys.readouterr().out
        assert "✓ images (0 s)" in said
        assert "all" in said

    def test_are_not_told_as_done_when_they_fail(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(OSError, match="no"), Steps(Printer()).step("images"):
            raise OSError("no")
        assert "✓" not in capsys.readouterr().out
