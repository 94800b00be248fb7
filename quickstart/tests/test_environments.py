"""What our processes find in their environment."""

import pytest

from etebar_quickstart import Ports
from etebar_quickstart.environments import Environments
from etebar_quickstart.secret_store import Secrets


@pytest.fixture
def environments() -> Environments:
    return Environments("sandbox", Ports(), Secrets())


class TestEnvironments:
    def test_nothing_of_the_callers_shell_leads_them_astray(
        self, environments: Environments, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("DB_HOST", "DJANGO_SETTINGS_MODULE", "PGHOST", "REDIS_URL", "SECRET_KEY_FILE", "DEBUG"):
            monkeypatch.setenv(name, "elsewhere")
        for environment in (environments.core(), environments.settlement()):
            assert "elsewhere" not in environment.values()

    def test_both_services_share_the_token_and_the_fingerprint_key_only(self, environments: Environments) -> None:
        core, settlement = environments.core(), environments.settlement()
        shared = {
            name for name in core.keys() & settlement.keys() if len(core[name]) >= 32 and core[name] == settlement[name]
        }
        assert {"INTERNAL_TOKEN", "ACCOUNT_FINGERPRINT_KEY"} <= shared
        assert "JWT_SIGNING_KEY" not in settlement
        assert "SECRET_KEY" not in settlement
        assert core["DB_PASSWORD"] != settlement["DB_PASSWORD"]

    def test_services_run_as_the_application_and_migrations_as_the_owner(self, environments: Environments) -> None:
        roles = [
            made["DB_USER"]
            for made in (
                environments.core(),
                environments.core_owner(),
                environments.settlement(),
                environments.settlement_owner(),
            )
        ]
        assert roles == ["wallet_app", "wallet", "settlement_app", "settlement"]

    def test_a_shell_gets_what_psql_and_the_load_test_need(self, environments: Environments) -> None:
        shell = environments.shell()
        assert shell["PGDATABASE"] == "walletdb"
        assert shell["PGPASSWORD"] == environments.secrets.wallet_app_password
        assert shell["DB_OWNER_PASSWORD"] == environments.secrets.wallet_password
        assert shell["TARGET_HOST"] == "http://127.0.0.1:8000"
        assert "HOME" not in shell
