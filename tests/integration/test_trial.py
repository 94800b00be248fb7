"""etebar-verify's trial on real processes: what `helm test` runs, as somebody would run it by hand."""

import subprocess
import sys
from pathlib import Path

from etebar_quickstart.admin import ADMIN
from etebar_verify import ledger
from etebar_verify.books import read_databases

from .platform import Platform
from .test_decided_outcomes import second_person


class TestTheLedger:
    def test_of_a_corrected_pool_is_true(self, platform: Platform) -> None:
        api, second = platform.api, second_person(platform)
        asked = api.must("POST", "/admin/pool/adjustments", {"amount": "1.00", "reason": "counted anew"}, api.admin)
        api.must("POST", "/admin/approvals/approve", {"approval_id": asked["approval_id"]}, second)
        audit = platform.stack.dsn("etebar_audit"), platform.stack.dsn("etebar_audit", "settlementdb")
        assert ledger.lies(read_databases(*audit)) == []


class TestATrial:
    def test_finds_nothing_but_the_truth(self, platform: Platform, tmp_path: Path) -> None:
        environments = platform.stack.environments
        for name, content in (("username", ADMIN), ("password", environments.secrets.admin_password)):
            (tmp_path / name).write_text(content)
        password = tmp_path / "audit"
        password.write_text(environments.secrets.etebar_audit_password)
        place = f"postgresql://etebar_audit@127.0.0.1:{platform.stack.ports.postgres}"
        databases = ["--core", f"{place}/walletdb", "--settlement", f"{place}/settlementdb"]
        command = [sys.executable, "-m", "etebar_verify", "trial", environments.core_url, "--admin", str(tmp_path)]
        command += [*databases, "--password-file", str(password), "--seconds", "3"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("nothing but the truth: ")
