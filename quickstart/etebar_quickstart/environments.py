"""What each program finds in its environment: the part of ours that is harmless, and what it needs to know."""

import dataclasses
import os

from etebar_quickstart import paths
from etebar_quickstart.ports import HOST, Ports
from etebar_quickstart.secret_store import Secrets

# Nothing else is inherited: a DB_HOST or DJANGO_SETTINGS_MODULE of the caller's shell must not reach our processes.
INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "COVERAGE_PROCESS_START")

# What a person at the shell may want to try out; these are handed on to core, with these values if they are not set.
# Everything comes from one address here, so a limit per address would only be in the way.
TUNING = {
    "RATE_LIMIT_ADDRESS": "off",
    "RATE_LIMIT_MERCHANT": "",
    "RATE_LIMIT_TOKEN": "",
    "RATE_LIMIT_TOKEN_ACCOUNT": "",
    "RATE_LIMIT_REGISTER": "",
    "TRUSTED_PROXIES": "",
    "CONN_MAX_AGE": "",
    "SETTLE_DEADLINE_SECONDS": "",
    "SETTLEMENT_CONNECTIONS": "",
    "RESERVE_CONNECTIONS": "",
    "CONFIRM_CONNECTIONS": "",
    "WEB_THREADS": "",
    "METRICS_PORT": "",
    "LOG_LEVEL": "",
}

# The same of core and settlement: a trace goes through both.
TRACING = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLE_RATIO")


@dataclasses.dataclass(frozen=True)
class Environments:
    """Makes the environments and addresses of one stack."""

    profile: str
    ports: Ports
    secrets: Secrets

    def core(self) -> dict[str, str]:
        """Core's: web, worker, beat and manage.py, as the application's role."""
        tuning = {name: os.environ.get(name, default) for name, default in TUNING.items()}
        return (
            tuning
            | self._common("walletdb", "wallet_app")
            | {
                "SECRET_KEY": self.secrets.secret_key,
                "JWT_SIGNING_KEY": self.secrets.jwt_signing_key,
                "ACCOUNT_ENCRYPTION_KEY": self.secrets.account_encryption_key,
                "REDIS_URL": self.redis_url(),
                "SETTLEMENT_URL": self.settlement_url,
                "ALLOWED_HOSTS": f"{HOST},localhost",
                # whoever tries webhooks out here has the receiver here
                "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
            }
        )

    def core_owner(self) -> dict[str, str]:
        """Core's for migrations and for what only the owner may do: the role that owns the tables."""
        return self.core() | self._database("walletdb", "wallet")

    def settlement(self) -> dict[str, str]:
        """Settlement's, as the application's role, on the sandbox bank."""
        return self._common("settlementdb", "settlement_app") | {"RAIL": "sandbox"}

    def settlement_owner(self) -> dict[str, str]:
        """Settlement's for migrations."""
        return self.settlement() | self._database("settlementdb", "settlement")

    @property
    def core_url(self) -> str:
        return f"http://{HOST}:{self.ports.core}"

    @property
    def settlement_url(self) -> str:
        return f"http://{HOST}:{self.ports.settlement}"

    def redis_url(self) -> str:
        return f"redis://default:{self.secrets.redis_password}@{HOST}:{self.ports.redis}/0"

    def dsn(self, role: str, database: str) -> str:
        """A libpq URL with the role's password; roles: postgres and those of roles.sql."""
        return f"postgresql://{role}:{self.secrets.of_role(role)}@{HOST}:{self.ports.postgres}/{database}"

    def shell(self) -> dict[str, str]:
        """For a person's shell: core's, and psql (as wallet_app), redis-cli and locust find their servers.

        The owner's password is for `manage.py test` and `migrate` alone: they make databases and tables.
        """
        tools = [str(paths.REPOSITORY / ".venv" / "bin"), str(paths.POSTGRES_BINARIES), str(paths.REDIS_SERVER.parent)]
        ours = {name: value for name, value in self.core().items() if name not in INHERITED}
        return ours | {
            "DB_OWNER_PASSWORD": self.secrets.wallet_password,
            "PGHOST": HOST,
            "PGPORT": str(self.ports.postgres),
            "PGDATABASE": "walletdb",
            "PGUSER": "wallet_app",
            "PGPASSWORD": self.secrets.wallet_app_password,
            "REDISCLI_AUTH": self.secrets.redis_password,
            "TARGET_HOST": self.core_url,
            "PATH": ":".join([*tools, os.environ.get("PATH", "")]),
        }

    def _common(self, database: str, role: str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        ours = {
            "PYTHONUNBUFFERED": "1",
            "ETEBAR_PROFILE": self.profile,
            "ACCOUNT_FINGERPRINT_KEY": self.secrets.account_fingerprint_key,
            "INTERNAL_TOKEN": self.secrets.internal_token,
        }
        tracing = {name: os.environ.get(name, "") for name in TRACING}
        return inherited | ours | tracing | self._database(database, role)

    def _database(self, database: str, role: str) -> dict[str, str]:
        return {
            "DB_HOST": HOST,
            "DB_PORT": str(self.ports.postgres),
            "DB_NAME": database,
            "DB_USER": role,
            "DB_PASSWORD": self.secrets.of_role(role),
        }
