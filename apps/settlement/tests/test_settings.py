from pathlib import Path

import pytest

from etebar_common.environment import load
from settlement.settings import Settings

GOOD = {"INTERNAL_TOKEN": "t" * 32, "ACCOUNT_FINGERPRINT_KEY": "k" * 32, "ETEBAR_PROFILE": "sandbox"}
HTTP = {"RAIL": "http", "BANK_URL": "https://bank.example/v1", "BANK_TOKEN": "b"}


def complaints(**changes: str) -> list[str]:
    with pytest.raises(SystemExit) as refused:
        load(Settings, "settlement", GOOD | changes)
    return str(refused.value).splitlines()[1:]


class TestGoodSettings:
    def test_of_a_sandbox_need_two_secrets_only(self) -> None:
        settings = load(Settings, "settlement", GOOD)
        assert (settings.rail, settings.db_name, settings.db_user) == ("sandbox", "settlementdb", "settlement_app")

    def test_of_production_have_a_real_rail(self) -> None:
        settings = load(Settings, "settlement", GOOD | HTTP | {"ETEBAR_PROFILE": "production"})
        assert (settings.rail, settings.direct_tests_allowed) == ("http", False)

    def test_may_give_secrets_as_files(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("f" * 32 + "\n")
        environ = {"ACCOUNT_FINGERPRINT_KEY": "k" * 32, "INTERNAL_TOKEN_FILE": str(tmp_path / "token")}
        settings = load(Settings, "settlement", environ | {"ETEBAR_PROFILE": "test"})
        assert settings.internal_token.get_secret_value() == "f" * 32

    def test_take_no_notice_of_other_programs_files(self) -> None:
        assert load(Settings, "settlement", GOOD | {"OTHER_PROGRAM_FILE": "/nowhere"})

    def test_do_not_show_secrets(self) -> None:
        assert "t" * 32 not in repr(load(Settings, "settlement", GOOD))


class TestWrongSettings:
    def test_of_production_on_the_sandbox_rail_are_refused(self) -> None:
        [line] = complaints(ETEBAR_PROFILE="production")
        assert line.startswith("  RAIL: sandbox pays nobody and is refused under ETEBAR_PROFILE=production")

    @pytest.mark.parametrize("missing", ["BANK_URL", "BANK_TOKEN"])
    def test_of_the_http_rail_without_a_bank_are_refused(self, missing: str) -> None:
        assert complaints(**HTTP | {missing: ""}) == [f"  {missing}: is missing; RAIL=http needs it"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("RAIL", "swift"),
            ("DB_PORT", "70000"),
            ("BANK_TIMEOUT_SECONDS", "0"),
            ("BANK_CURRENCY", "rial"),
            ("ETEBAR_PROFILE", "staging"),
            ("INTERNAL_TOKEN_NEXT", "short"),
            ("BANK_URL", "not a url"),
        ],
    )
    def test_are_named_one_line_each(self, name: str, value: str) -> None:
        [line] = complaints(**{name: value})
        assert line.startswith(f"  {name}")
