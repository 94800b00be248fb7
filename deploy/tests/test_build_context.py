"""What a build gets to see."""

import io
import os
import tarfile
from pathlib import Path

import pytest
import scratch_repository as scratch

from etebar_deploy import build_context, images
from etebar_quickstart import QuickstartError, paths


def packed(repository: Path, *folders: str, ca: Path | None = None) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(build_context.make(repository, folders, ca))) as tar:
        return {entry.name: entry for entry in tar}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = scratch.repository(tmp_path / "repository")
    for name in ("apps/core/code.py", "apps/other/code.py", "LICENSE"):
        scratch.write(repository, name)
    scratch.commit(repository)
    return repository


@pytest.fixture(autouse=True)
def no_pip_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's nor the person's."""
    for name in ("PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


class TestTheContext:
    def test_has_the_files_of_its_folders_only(self, repository: Path) -> None:
        assert set(packed(repository, "apps/core", "LICENSE")) == {"apps/core/code.py", "LICENSE"}

    def test_has_files_that_are_not_committed_yet_and_none_that_are_gone(self, repository: Path) -> None:
        scratch.write(repository, "apps/core/new.py")
        (repository / "apps/core/code.py").unlink()
        assert set(packed(repository, "apps/core")) == {"apps/core/new.py"}

    @pytest.mark.parametrize(
        "name",
        ["ignored/x", "tests/test_x.py", "a/tests/b/x.py", "conftest.py", ".env", ".env.local", "tls.key", "a.pem"],
    )
    def test_has_no_tests_and_nothing_secret(self, repository: Path, name: str) -> None:
        scratch.write(repository, f"apps/core/{name}")
        assert set(packed(repository, "apps/core")) == {"apps/core/code.py"}

    def test_is_the_same_whenever_and_by_whomever_it_is_made(self, repository: Path) -> None:
        first = build_context.make(repository, ["apps"], None)
        os.utime(repository / "apps/core/code.py", (1, 1))
        (repository / "apps/core/code.py").chmod(0o600)
        assert build_context.make(repository, ["apps"], None) == first
        assert {(entry.uid, entry.gid, entry.uname) for entry in packed(repository, "apps").values()} == {(0, 0, "")}

    def test_keeps_what_may_be_run_and_links_as_links(self, repository: Path) -> None:
        scratch.write(repository, "apps/core/run").chmod(0o700)
        (repository / "apps/core/link").symlink_to("/etc/hostname")
        found = packed(repository, "apps/core")
        assert found["apps/core/run"].mode == 0o755
        assert found["apps/core/code.py"].mode == 0o644
        assert (found["apps/core/link"].issym(), found["apps/core/link"].size) == (True, 0)


class TestEachImagesContext:
    @pytest.mark.parametrize("image", images.IMAGES, ids=lambda image: image.name)
    def test_has_its_dockerfile_and_every_file_that_it_copies(self, image: images.Image) -> None:
        found = packed(paths.REPOSITORY, *image.folders)
        assert image.dockerfile in found
        for source in copied(paths.REPOSITORY / image.dockerfile):
            assert any(name == source or name.startswith(f"{source}/") for name in found), source

    @pytest.mark.parametrize("image", images.IMAGES, ids=lambda image: image.name)
    def test_has_nothing_of_git_of_virtual_environments_and_of_tests(self, image: images.Image) -> None:
        parts = {part for name in packed(paths.REPOSITORY, *image.folders) for part in name.split("/")}
        assert not parts & {".git", ".venv", ".state", "tests", "__pycache__", "build-ca.crt"}


def copied(dockerfile: Path) -> list[str]:
    """The sources of its COPY lines, but of those from other stages and the CA's, which may be missing."""
    lines = [line.split() for line in dockerfile.read_text().splitlines() if line.startswith("COPY ")]
    sources = [source for _, *words in lines if not words[0].startswith("--from") for source in words[:-1]]
    return [source for source in sources if "[" not in source]


class TestTheNetworksOwnCa:
    @pytest.mark.parametrize("name", ["PIP_CERT", "SSL_CERT_FILE"])
    def test_is_packed_when_the_environment_names_one(self, repository: Path, tmp_path: Path, name: str) -> None:
        bundle = scratch.write(tmp_path, "bundle.pem", "certificates\n")
        ca = build_context.machines_ca({name: str(bundle)})
        assert ca == bundle
        assert packed(repository, "LICENSE", ca=ca)["build-ca.crt"].size == len("certificates\n")

    def test_is_the_one_that_pips_configuration_names(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bundle = scratch.write(tmp_path, "bundle.pem")
        settings = scratch.write(
            tmp_path, "pip.conf", f"[global]\ncert = {bundle}\nindex-url = https://pypi.example/simple\n"
        )
        monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
        assert build_context.machines_ca({}) == bundle
        assert build_context.machines_index({}) == "https://pypi.example/simple"

    def test_is_left_out_when_there_is_none(self, repository: Path) -> None:
        assert build_context.machines_ca({}) is None
        assert build_context.machines_index({}) == ""
        assert set(packed(repository, "LICENSE", ca=None)) == {"LICENSE"}

    def test_is_told_when_it_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(QuickstartError, match=r"gone\.pem cannot be read \(No such file or directory\)"):
            build_context.machines_ca({"PIP_CERT": str(tmp_path / "gone.pem")})

    def test_is_refused_when_it_holds_a_private_key(self, tmp_path: Path) -> None:
        bundle = scratch.write(tmp_path, "bundle.pem", "-----BEGIN RSA PRIVATE KEY-----\n")
        with pytest.raises(QuickstartError, match="holds a private key"):
            build_context.machines_ca({"PIP_CERT": str(bundle)})
