"""Asks whether anything is known against what the locks pin, and records the answer: `locks/audit.py`.

Ends with 1 when something is, and with 2 when no advisories could be had: that nothing was found then says nothing.
"""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOCKS = Path(__file__).parent
RECORD = LOCKS.parent / "docs" / "security" / "audit.json"
AUDITED = ("core", "settlement", "operator", "loadtest")
TIMEOUT_SECONDS = 600


def digest_of(name: str) -> str:
    """Which lock the record speaks of."""
    return hashlib.sha256((LOCKS / f"{name}.txt").read_bytes()).hexdigest()


def audited(name: str) -> dict[str, Any]:
    """What pip-audit says of a lock; raises SystemExit with its words when it says nothing that can be read."""
    lock = str(LOCKS / f"{name}.txt")
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", lock]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    try:
        return summary(name, json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError) as error:
        raise SystemExit(f"{lock}: {done.stderr or done.stdout}") from error


def summary(name: str, dependencies: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of a lock: how many packages it has, of how many advisories were had, and which apply."""
    looked_at = [each for each in dependencies if "skip_reason" not in each]
    return {
        "lock_sha256": digest_of(name),
        "packages": len(dependencies),
        "audited": len(looked_at),
        "advisories": sorted(
            f"{each['name']} {each['version']}: {found['id']}" for each in looked_at for found in each["vulns"]
        ),
    }


def exit_code(record: dict[str, Any]) -> int:
    """0 only where every package was looked at and nothing is known."""
    locks = record["locks"].values()
    if any(lock["advisories"] for lock in locks):
        return 1
    return 2 if any(lock["audited"] < lock["packages"] for lock in locks) else 0


def main() -> int:
    locks = {name: audited(name) for name in AUDITED}
    record = {"date": datetime.now(UTC).date().isoformat(), "locks": locks}
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(record, indent=2) + "\n")
    for name, lock in locks.items():
        print(f"{name}: {lock['audited']} of {lock['packages']} looked at, {len(lock['advisories'])} advisories")
        for each in lock["advisories"]:
            print(f"  {each}")
    return exit_code(record)


if __name__ == "__main__":
    sys.exit(main())
