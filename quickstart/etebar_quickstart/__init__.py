"""The whole platform on one machine, without root or Docker: embedded PostgreSQL and Redis and our own processes.

`make demo` is its command line (etebar_quickstart.cli). Integration tests and benchmarks use `Stack`; unit tests, which
need the databases only, use etebar_quickstart.testing.
"""

from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.ports import Ports
from etebar_quickstart.postgres import PostgresServer
from etebar_quickstart.redis_server import RedisServer
from etebar_quickstart.stack import Stack

__all__ = ["Ports", "PostgresServer", "QuickstartError", "RedisServer", "Stack"]
