"""The four ports: fixed and documented for the demo, free ones for tests; and who holds a used one."""

import contextlib
import dataclasses
import os
import random
import socket
from collections.abc import Iterator, Mapping

import psutil

from etebar_quickstart.errors import QuickstartError

HOST = "127.0.0.1"
HIGHEST_PORT = 65535
# Below the range that the kernel takes for outgoing connections: a client cannot take a port between choice and use.
FREE_RANGE = range(18000, 32000)


@dataclasses.dataclass(frozen=True)
class Ports:
    core: int = 8000
    settlement: int = 9000
    postgres: int = 5432
    redis: int = 6379

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Ports":
        """ETEBAR_CORE_PORT, ETEBAR_SETTLEMENT_PORT, ETEBAR_POSTGRES_PORT, ETEBAR_REDIS_PORT over the defaults.

        0 is any free port, as CI needs it.
        """
        chosen = {name: _number(environ, name) for name in NAMES if environ.get(variable(name))}
        free = vars(cls.free())
        return cls(**{name: port or free[name] for name, port in chosen.items()})

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody uses now, chosen at random so that two test runs seldom meet."""
        with contextlib.ExitStack() as held:
            return cls(*(held.enter_context(_held_free_port()) for _ in NAMES))

    def check_free(self, *names: str) -> None:
        """Raises QuickstartError, naming the port, its variable and its holder, for the first one in use."""
        for name in names or NAMES:
            port = getattr(self, name)
            if not is_free(port):
                raise QuickstartError(
                    f"port {port} ({name}) is in use{holder_of(port)}: end that, or set {variable(name)} to another"
                )


NAMES = tuple(field.name for field in dataclasses.fields(Ports))


def variable(name: str) -> str:
    """The environment variable that changes a port."""
    return f"ETEBAR_{name.upper()}_PORT"


def is_free(port: int) -> bool:
    """Whether a server can listen there; connections of an ended server that linger do not count."""
    try:
        _bind(port).close()
    except OSError:
        return False
    return True


def holder_of(port: int) -> str:
    """' by pid 12 (nginx -g ...)' when the system tells us, else ''."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                command = " ".join(psutil.Process(connection.pid).cmdline())
                return f" by pid {connection.pid} ({command[:100]})"
    except psutil.Error:
        return ""  # other users' sockets are not ours to see
    return ""


def free_port() -> int:
    """One port that nobody uses now."""
    with _held_free_port() as port:
        return port


@contextlib.contextmanager
def _held_free_port() -> Iterator[int]:
    for port in random.sample(FREE_RANGE, k=len(FREE_RANGE)):
        with contextlib.suppress(OSError):
            held = _bind(port)
            break
    else:
        raise QuickstartError("no free port could be found")
    with held:
        yield port


def _bind(port: int) -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, port))
        # Two sockets with SO_REUSEADDR can be bound to one port as long as neither listens.
        server.listen(1)
    except OSError:
        server.close()
        raise
    return server


def _number(environ: Mapping[str, str], name: str) -> int:
    text = environ[variable(name)]
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise QuickstartError(
            f"{variable(name)} is {text!r}; expected a port, 1 to {HIGHEST_PORT}, or 0 for a free one"
        )
    return int(text)
