"""Secrets are made once and are nobody else's business."""

import dataclasses
import stat
from pathlib import Path

import pytest

from etebar_quickstart import QuickstartError, secret_store


class TestSecrets:
    def test_the_file_is_readable_by_its_owner_only(self, tmp_path: Path) -> None:
        secret_store.load_or_create(tmp_path, data=tmp_path / "postgres")
        assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600

    def test_they_stay_the_same_at_the_next_start(self, tmp_path: Path) -> None:
        first = secret_store.load_or_create(tmp_path, data=tmp_path / "postgres")
        assert secret_store.load_or_create(tmp_path, data=tmp_path / "postgres") == first

    def test_two_state_directories_share_none(self, tmp_path: Path) -> None:
        made = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            made.append(secret_store.load_or_create(tmp_path / name, data=tmp_path / name / "postgres"))
        values = [value for one in made for value in dataclasses.asdict(one).values()]
        assert len(set(values)) == len(values)

    def test_keys_are_long_enough_for_the_services(self) -> None:
        made = secret_store.Secrets()
        keys = (made.secret_key, made.jwt_signing_key, made.account_fingerprint_key, made.internal_token)
        assert all(len(key) >= 32 for key in keys)

    def test_data_without_its_secrets_is_told_and_not_locked_out_for_good(self, tmp_path: Path) -> None:
        (tmp_path / "postgres").mkdir()
        with pytest.raises(QuickstartError, match="make clean"):
            secret_store.load_or_create(tmp_path, data=tmp_path / "postgres")
        assert not (tmp_path / "secrets.json").exists()

    def test_an_interrupted_making_is_made_again(self, tmp_path: Path) -> None:
        (tmp_path / "secrets.new").write_text('{"secret_key": "half')
        made = secret_store.load_or_create(tmp_path, data=tmp_path / "postgres")
        assert secret_store.load(tmp_path) == made
