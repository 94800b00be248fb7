"""The proof is worth something: builds of core that are wrong on purpose do not pass it."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.platform import Platform, databases

from etebar_common.crash import CrashPoint
from etebar_quickstart import paths

from .experiment import CORE, CaughtError, Experiments
from .promise import Promise
from .test_crash_points import Case, killed_at


@dataclass(frozen=True)
class Build:
    """Core with passages of one file replaced, and the crash point that brings the wrong to light."""

    file: str
    replaced: tuple[tuple[str, str], ...]
    crash: Case
    lie: str


BUILDS = {
    "without a look at the Idempotency-Key": Build(
        "payments/withdrawals/reserve.py",
        (('"key": self.identity.key,', '"key": f"{self.identity.key}-{self.withdrawal_id}",'),),
        Case("core", CrashPoint.AFTER_RESERVE_COMMIT, ""),
        "nobody asked for withdrawal",
    ),
    "that confirms before it settles": Build(
        "payments/withdrawals/pipeline.py",
        (
            (
                "        for results in settlement_client().settle_each(",
                (
                    "        self._settled(jobs, {each: SettleResult(Outcome.PAID) for each in jobs})\n"
                    "        for results in settlement_client().settle_each("
                ),
            ),
            ("            leave_gate()\n            self._settled(jobs, results)\n", "            leave_gate()\n"),
            ("import PayoutOrder, SettleResult,", "import Outcome, PayoutOrder, SettleResult,"),
        ),
        Case("settlement", CrashPoint.AFTER_PAYOUT_RECORDED, ""),
        "is settled, with 0 paid payouts",
    ),
    "that takes no answer for a refusal": Build(
        "payments/withdrawals/outcomes.py",
        (("    if result.outcome not in {Outcome.PAID, Outcome.REFUSED}:\n        return None\n", ""),),
        Case("settlement", CrashPoint.AFTER_RAIL_PAID, ""),
        "is failed, with 1 paid transfers",
    ),
}


def build(wrong: Build, directory: Path) -> Path:
    """A copy of core with that wrong in it."""
    copy = directory / "core"
    shutil.copytree(paths.CORE, copy, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    text = (copy / wrong.file).read_text()
    for before, after in wrong.replaced:
        assert text.count(before) == 1, f"{wrong.file} has no {before!r} any more"
        text = text.replace(before, after)
    (copy / wrong.file).write_text(text)
    return copy


class TestAWrongBuild:
    @pytest.mark.parametrize("name", BUILDS)
    def test_is_caught(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = BUILDS[name]
        with databases() as migrated:
            monkeypatch.setattr(paths, "CORE", build(wrong, tmp_path))
            with Platform.started(migrated, CORE) as platform:
                (tmp_path / "histories").mkdir()
                experiments = Experiments(platform, tmp_path / "histories")
                with pytest.raises(CaughtError) as caught:
                    experiments.row(name, Promise("caught"), killed_at(wrong.crash))
        _, observed, *lies = caught.value.args
        assert any(wrong.lie in each for each in lies), (observed, lies[:20])
        shown = "\n  ".join([f"told {observed}", *lies[:3]])
        sys.stdout.write(f"\na build {name} is caught by {len(lies)} sentences:\n  {shown}\n")
