"""The Tiltfile, run as Starlark with Tilt's functions written down: what it builds and what it deploys."""

import copy
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import starlark
import yaml

from chart.rendered import OUR_SECRETS, merged, rendered_with
from chart.toggles import nested
from etebar_deploy import images
from etebar_quickstart.paths import REPOSITORY

IMAGES = [image for image in images.IMAGES if image.chart == "etebar"]
TILTFILE = REPOSITORY / "Tiltfile"
# What cannot be a Python function: Tilt's module, and what is given a function, which is asked about a Job here.
PRELUDE = """\
os = struct(getenv = os_getenv)
def workload_to_resource_function(function):
    for name in ["migrate-core-0a1b2c3d4e", "core-web"]:
        resource_named(name, function(struct(name = name)))
"""
KIND_VALUES = yaml.safe_load((REPOSITORY / "k8s" / "kind" / "values.yaml").read_text())


API_SERVER = "172.18.0.2"


class Tilt:
    """Tilt's functions, as https://docs.tilt.dev/api.html describes those that we use; each call is written down."""

    def __init__(self, *, secrets: tuple[str, ...] = (), environment: Mapping[str, str] | None = None) -> None:
        self.calls: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {}
        self.secrets = secrets
        self.environment = environment or {}

    def run(self) -> "Tilt":
        module = starlark.Module()
        for name in ("allow_k8s_contexts", "ci_settings", "docker_build", "k8s_resource", "k8s_yaml", "watch_file"):
            module.add_callable(name, self._noted(name))
        module.add_callable("resource_named", self._noted("resource_named"))
        for name in ("fall_back_on", "sync", "run"):
            module.add_callable(name, lambda *given, name=name: [name, *given])
        for name in ("local", "helm", "read_file"):
            module.add_callable(name, getattr(self, f"_{name}"))
        module.add_callable("os_getenv", lambda name, default="": self.environment.get(name, default))
        module.add_callable("decode_yaml_stream", lambda text: list(yaml.safe_load_all(text)))
        module.add_callable("encode_yaml_stream", yaml.safe_dump_all)
        dialect = starlark.Dialect.extended()
        # Tilt's Starlark is Go's, with loops at the top
        dialect.enable_top_level_stmt = True
        parsed = starlark.parse("Tiltfile", PRELUDE + TILTFILE.read_text(), dialect)
        libraries = starlark.Globals.extended_by([starlark.LibraryExtension.StructType])
        starlark.eval(module, parsed, libraries)
        self.module = module
        return self

    def named(self, name: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        return self.calls.get(name, [])

    def builds(self) -> dict[str, dict[str, Any]]:
        return {given[0]: options for given, options in self.named("docker_build")}

    def commands(self) -> list[str]:
        return [str(given[0]) for given, _ in self.named("local")]

    def deployed(self) -> list[dict[str, Any]]:
        """The objects of the chart: what was given as text, not as a path."""
        [text] = [given[0] for given, _ in self.named("k8s_yaml") if "\n" in given[0]]
        return [one for one in yaml.safe_load_all(text) if one]

    def _noted(self, name: str) -> Callable[..., None]:
        return lambda *given, **options: self.calls.setdefault(name, []).append((given, options))

    def _local(self, command: str, **_options: Any) -> str:
        self._noted("local")(command)
        if "get endpointslices" in command:
            return API_SERVER
        return "\n".join(f"secret/{name}" for name in self.secrets) if "get secret" in command else ""

    def _read_file(self, path: str) -> str:
        return (REPOSITORY / path).read_text()

    def _helm(self, path: str, **options: Any) -> str:
        self._noted("helm")(path, **options)
        values: dict[str, Any] = {}
        for file in options["values"]:
            values = merged(values, yaml.safe_load((REPOSITORY / file).read_text()))
        for setting in options["set"]:
            key, _, value = setting.partition("=")
            if key == "networkPolicy.kubernetesApi[0].ipBlock.cidr":
                values = merged(values, {"networkPolicy": {"kubernetesApi": [{"ipBlock": {"cidr": value}}]}})
                continue
            values = merged(values, nested(tuple(key.split(".")), {"false": False}.get(value, value)))
        return yaml.safe_dump_all(rendered_with(values).objects)


@pytest.fixture(scope="module")
def tilt() -> Tilt:
    return Tilt().run()


def chart_objects() -> list[dict[str, Any]]:
    """The chart on kind, with secrets that are there and without tests, which Tilt has no place for."""
    named = {"secrets": {word: {"existingSecret": name} for word, name in OUR_SECRETS.items()}}
    api = {"networkPolicy": {"kubernetesApi": [{"ipBlock": {"cidr": f"{API_SERVER}/32"}}]}}
    return rendered_with(merged(KIND_VALUES, {**named, **api, "tests": {"enabled": False}})).objects


class TestBuilds:
    def test_it_builds_every_image_of_ours_and_no_other(self, tilt: Tilt) -> None:
        assert set(tilt.builds()) == {f"etebar-{image.name}" for image in IMAGES}

    def test_they_are_the_images_that_the_chart_names(self, tilt: Tilt) -> None:
        pods = rendered_with(KIND_VALUES).pods
        named = {container["image"].partition(":")[0] for pod in pods for container in pod.containers}
        assert named == set(tilt.builds())

    @pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
    def test_a_build_is_given_what_make_images_gives_it(self, tilt: Tilt, image: Any) -> None:
        given = set(tilt.builds()[f"etebar-{image.name}"]["only"]) - {"build-ca.crt"}
        assert given == set(image.folders)

    def test_a_dockerfile_is_ours(self, tilt: Tilt) -> None:
        for image in IMAGES:
            options = tilt.builds()[f"etebar-{image.name}"]
            own = (REPOSITORY / image.dockerfile).read_text()
            if "dockerfile" in options:
                assert options["dockerfile"] == image.dockerfile
            else:
                assert options["dockerfile_contents"].startswith(own)
                assert options["dockerfile_contents"].endswith("USER 10001:10001\n")

    def test_a_package_index_is_passed_on_only_when_there_is_one(self, tilt: Tilt) -> None:
        assert tilt.builds()["etebar-core"]["build_args"] == {}
        other = Tilt(environment={"PIP_INDEX_URL": "https://index.example"}).run()
        assert other.builds()["etebar-core"]["build_args"] == {"PIP_INDEX_URL": "https://index.example"}


class TestLiveUpdate:
    @pytest.mark.parametrize("image", ["etebar-core", "etebar-settlement"])
    def test_it_names_files_that_are_there_and_that_the_build_has(self, tilt: Tilt, image: str) -> None:
        options = tilt.builds()[image]
        (first, rebuilt), *steps = options["live_update"]
        synced = [step[1] for step in steps if step[0] == "sync"]
        assert first == "fall_back_on"
        assert [path for path in [*rebuilt, *synced] if not (REPOSITORY / path).exists()] == []
        assert [path for path in synced if not any(_within(path, folder) for folder in options["only"])] == []

    @pytest.mark.parametrize(("image", "packages"), [
        ("etebar-core", {"core", "payments", "etebar_common"}),
        ("etebar-settlement", {"settlement", "etebar_common"}),
    ])  # fmt: skip
    def test_every_package_of_the_image_is_followed(self, tilt: Tilt, image: str, packages: set[str]) -> None:
        steps = tilt.builds()[image]["live_update"]
        targets = {step[2].removeprefix("/app/") for step in steps if step[0] == "sync"}
        assert packages <= targets

    def test_steps_are_in_the_order_that_tilt_wants(self, tilt: Tilt) -> None:
        order = ["fall_back_on", "sync", "run"]
        for options in tilt.builds().values():
            kinds = [order.index(step[0]) for step in options.get("live_update", [])]
            assert kinds == sorted(kinds)


class TestDeployment:
    def test_it_deploys_the_chart_s_objects(self, tilt: Tilt) -> None:
        """But for what a live update needs: files that can be written, and a server that looks for changes."""
        assert [_without_live_update(one) for one in tilt.deployed()] == [
            _without_live_update(one) for one in chart_objects()
        ]

    def test_only_the_services_can_write_their_files(self, tilt: Tilt) -> None:
        loose = {
            one["metadata"]["name"]
            for one in tilt.deployed()
            for container in one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
            if not container["securityContext"]["readOnlyRootFilesystem"]
        }
        core = {"core-web", "core-worker", "core-beat", "core-webhooks", "core-internal"}
        assert loose == core | {"settlement", "operator"}

    def test_settlement_looks_for_changes(self, tilt: Tilt) -> None:
        [settlement] = [
            one for one in tilt.deployed() if (one["kind"], one["metadata"]["name"]) == ("Deployment", "settlement")
        ]
        assert settlement["spec"]["template"]["spec"]["containers"][0]["command"][-3:] == [
            "--reload",
            "--reload-dir",
            "/app",
        ]

    def test_it_deploys_on_kind_only_with_the_values_of_kind(self, tilt: Tilt) -> None:
        assert tilt.named("allow_k8s_contexts") == [(("kind-etebar",), {})]
        [(given, options)] = tilt.named("helm")
        assert (given, options["values"]) == (("charts/etebar",), ["k8s/kind/values.yaml"])
        assert {given[0] for given, _ in tilt.named("k8s_yaml") if "\n" not in given[0]} == {"k8s/kind/traefik.yaml"}

    def test_every_command_is_for_that_cluster(self, tilt: Tilt) -> None:
        assert [command for command in tilt.commands() if "kubectl --context kind-etebar " not in command] == []

    def test_a_job_s_resource_has_no_hash(self, tilt: Tilt) -> None:
        names = {given for given, _ in tilt.named("resource_named")}
        assert names == {("migrate-core-0a1b2c3d4e", "migrate-core"), ("core-web", "core-web")}

    def test_every_resource_that_it_names_is_there(self, tilt: Tilt) -> None:
        traefik = yaml.safe_load_all((REPOSITORY / "k8s" / "kind" / "traefik.yaml").read_text())
        workloads = [
            one["metadata"]["name"]
            for one in [*tilt.deployed(), *traefik]
            if one["kind"] in {"Deployment", "StatefulSet", "Job"}
        ]
        names = {name.rpartition("-")[0] if name.startswith("migrate-") else name for name in workloads}
        assert {given[0] for given, _ in tilt.named("k8s_resource")} == names


class TestSecrets:
    def test_nothing_random_is_rendered(self, tilt: Tilt) -> None:
        assert [one for one in tilt.deployed() if one["kind"] == "Secret"] == []

    def test_all_of_them_are_made_at_first(self, tilt: Tilt) -> None:
        [made] = [command for command in tilt.commands() if "secrets.sh" in command]
        script, _, create = made.partition(" | ")
        assert script.split() == ["k8s/secrets.sh", *OUR_SECRETS.values()]
        assert create == "kubectl --context kind-etebar --namespace etebar  create --filename -"
        subprocess.run(["/bin/sh", *script.split()], check=True, capture_output=True, cwd=REPOSITORY)

    def test_what_is_there_is_left_alone(self) -> None:
        there = tuple(name for name in OUR_SECRETS.values() if name != "etebar-audit")
        [made] = [command for command in Tilt(secrets=there).run().commands() if "secrets.sh" in command]
        assert made.startswith("k8s/secrets.sh etebar-audit |")

    def test_when_all_are_there_none_is_made(self) -> None:
        commands = Tilt(secrets=tuple(OUR_SECRETS.values())).run().commands()
        assert [command for command in commands if "secrets.sh" in command] == []


def _within(path: str, folder: str) -> bool:
    return Path(folder) in [Path(path), *Path(path).parents]


def _without_live_update(one: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(one)
    for container in found.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        container["securityContext"].pop("readOnlyRootFilesystem")
        container["command"] = [
            word for word in container.get("command", []) if word not in {"--reload", "--reload-dir", "/app"}
        ]
    return found
