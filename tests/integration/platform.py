"""A stack in the test profile whose services can be killed at named points, and brought back."""

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

from etebar_common.crash import CrashPoint
from etebar_quickstart import services
from etebar_quickstart.admin import ADMIN, ensure_admin
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.postgres_data import default_template
from etebar_quickstart.stack import Stack, in_parallel
from etebar_quickstart.testing import temporary_state

from . import books
from .api import Api, Merchant
from .waiting import wait_until

# The rest of the limits stays as it is: the money path must count in Redis, so that its loss is felt.
MANY_SIGN_INS = {"RATE_LIMIT_TOKEN": "100000/minute", "RATE_LIMIT_REGISTER": "100000/hour"}
ASKS_OFTEN = {
    "DISPATCH_INTERVAL_SECONDS": "0.2",
    "DISPATCH_BACKOFF_BASE_SECONDS": "0.2",
    "DISPATCH_BACKOFF_CAP_SECONDS": "0.5",
}
# a process more for each platform, which few tests look at: they start it themselves
SERVICES = tuple(name for name in services.NAMES if name != "webhooks")
# Settlement's lease on a payout is twice their sum: so long a killed settlement's payouts wait.
SHORT_LEASE = {"BANK_TIMEOUT_SECONDS": "1", "DB_TIMEOUT_SECONDS": "1", "SANDBOX_SLOW_SECONDS": "0.8"}


@contextlib.contextmanager
def databases(profile: str = "test", *, durable: bool = True, migrate: bool = True) -> Iterator[Stack]:
    """Databases, migrated unless told otherwise; `durable` ones survive a `kill -9` as in production."""
    with (
        temporary_state() as state,
        Stack(state, profile=profile, durable=durable, template=default_template(), migrate=migrate) as stack,
    ):
        yield stack


@dataclass(frozen=True)
class Platform:
    stack: Stack
    api: Api

    @classmethod
    @contextlib.contextmanager
    def started(
        cls,
        stack: Stack,
        core: Mapping[str, str] | None = None,
        own: Mapping[str, Mapping[str, str]] | None = None,
        everyone: Mapping[str, str] | None = None,
    ) -> Iterator["Platform"]:
        """All services of the stack.

        `core` is over core's own settings (web, worker and beat), `everyone` over settlement's, too, `own` over a
        service's.
        """
        settings = {name: {**MANY_SIGN_INS, **ASKS_OFTEN, **(core or {})} for name in SERVICES}
        settings["settlement"] = SHORT_LEASE
        for name in SERVICES:
            settings[name] = {
                **settings[name],
                **(everyone or {}),
                **(own or {}).get(name, {}),
                "CRASH_POINT_FILE": str(stack.state.path / f"crash-{name}"),
            }
        in_parallel(*(functools.partial(stack.start, name, env=settings[name]) for name in SERVICES))
        ensure_admin(stack)
        with Api(stack.environments.core_url, ADMIN, stack.environments.secrets.admin_password) as api:
            yield cls(stack, api)

    def revive(self) -> None:
        """Starts again what does not run, databases first; a cluster does so for a container that ended."""
        for name in ("postgres", "redis", *SERVICES):
            if not self.stack.process(name).is_running:
                self.stack.restart(name)

    def come_back(self, name: str) -> None:
        """Waits for a service whose process was killed; it is started again unless it does so by itself."""
        try:
            self.stack.wait_ready(name)
        except QuickstartError:
            self.stack.restart(name)

    def arm(self, name: str, point: CrashPoint) -> None:
        """The next process of the service that passes the point kills itself there."""
        for told in self.stack.state.path.glob(f"crash-{name}.*"):
            told.unlink()
        (self.stack.state.path / f"crash-{name}").write_text(point)

    def has_crashed(self, name: str) -> bool:
        """Whether a process has killed itself since the service was armed, and is gone."""
        killed = [int(told.suffix[1:]) for told in self.stack.state.path.glob(f"crash-{name}.*")]
        return bool(killed) and not any(is_alive(each) for each in killed)

    def processes_of(self, name: str) -> set[int]:
        """The ids of the service's living processes."""
        try:
            main = psutil.Process(self.stack.process(name).pid)
            return {each.pid for each in (main, *main.children()) if is_alive(each.pid)}
        except psutil.NoSuchProcess:
            return set()

    def wait_settled(self, merchant: Merchant, withdrawal_id: str) -> None:
        """Lets the dispatcher ask until the withdrawal is settled."""
        books.make_due(self.stack)
        wait_until("it is settled", lambda: merchant.state_of(withdrawal_id) == "settled")


def is_alive(pid: int) -> bool:
    """Whether there is a process of this id that can still do something."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
