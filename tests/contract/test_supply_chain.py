"""What the images are made of: bills that name every pinned package, and an audit of the locks as they are."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKS = REPOSITORY / "locks"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"locks_{name}", LOCKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sbom, audit = script("sbom"), script("audit")


class TestTheBills:
    @pytest.mark.parametrize("name", sbom.DEPLOYABLES)
    def test_name_what_the_lock_pins(self, name: str) -> None:
        lock = (LOCKS / f"{name}.txt").read_text()
        bill = json.loads(sbom.bill_of(name, lock))
        pinned = sorted(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock, re.MULTILINE))
        assert len(pinned) > 20
        assert sorted((each["name"], each["version"]) for each in bill["components"]) == pinned
        assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
        assert all(each["purl"].startswith("pkg:pypi/") for each in bill["components"])
        assert all(each["properties"] for each in bill["components"])

    def test_are_the_same_for_the_same_lock_and_no_other(self) -> None:
        lock = (LOCKS / "operator.txt").read_text()
        assert sbom.bill_of("operator", lock) == sbom.bill_of("operator", lock)
        assert sbom.bill_of("operator", lock) != sbom.bill_of("operator", lock + "# changed\n")

    def test_refuse_a_line_that_is_not_understood(self) -> None:
        with pytest.raises(ValueError, match="not understood: flask"):
            sbom.packages_of("flask @ file:///somewhere\n")

    def test_read_debians_database_as_dpkg_writes_it(self) -> None:
        database = """Package: bash
Essential: yes
Status: install ok installed
Architecture: amd64
Version: 5.2-1
Description: a shell
 of many lines

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: pgbouncer
Version: 1.24.1-1
Architecture: amd64
"""
        found = [(each.name, each.version) for each in sbom.packages_in(database)]
        assert found == [("bash", "5.2-1"), ("pgbouncer", "1.24.1-1")]
        bill = json.loads(sbom.bill_of("operator", "", list(sbom.packages_in(database))))
        assert [each["purl"].split("?")[0] for each in bill["components"]] == [
            "pkg:deb/debian/bash@5.2-1",
            "pkg:deb/debian/pgbouncer@1.24.1-1",
        ]

    def test_are_of_every_image_with_a_lock_of_its_own(self) -> None:
        # nowhere else: other tests make and remove folders meanwhile
        files = [file for depth in ("*", "*/*") for file in REPOSITORY.glob(f"{depth}/Dockerfile")]
        copied = {name for file in files for name in re.findall(r"locks/([a-z]+)[.]txt", file.read_text())}
        assert copied - {"build"} == set(sbom.DEPLOYABLES) == set(audit.AUDITED)


class TestTheAudit:
    def test_speaks_of_the_locks_as_they_are(self) -> None:
        """When this fails a lock has changed since: `make audit`."""
        record = json.loads(audit.RECORD.read_text())
        assert {name: lock["lock_sha256"] for name, lock in record["locks"].items()} == {
            name: audit.digest_of(name) for name in audit.AUDITED
        }
        # of what is installed here: a package for Windows alone is none
        for name, lock in record["locks"].items():
            assert 20 < lock["packages"] <= len(sbom.packages_of((LOCKS / f"{name}.txt").read_text()))

    @staticmethod
    def said(*dependencies: dict[str, Any]) -> int:
        return int(audit.exit_code({"locks": {"core": audit.summary("core", list(dependencies))}}))

    def test_is_good_only_when_every_package_was_looked_at(self) -> None:
        looked_at = {"name": "a", "version": "1", "vulns": []}
        assert self.said(looked_at) == 0
        assert self.said(looked_at, {"name": "b", "skip_reason": "no advisories"}) == 2
        assert (
            self.said({"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}, {"name": "b", "skip_reason": ""}) == 1
        )
