"""etebar-verify's trial on real processes: what `helm test` runs, as somebody would run it by hand."""

import subprocess
import sys
from pathlib import Path

from etebar_quickstart.admin import ADMIN

from .platform import Platform


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
