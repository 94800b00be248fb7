"""A used port is told in one line that says what to do about it."""

import os
import socket

import pytest

from etebar_quickstart import Ports, QuickstartError
from etebar_quickstart.ports import HOST, free_port


class TestUsedPort:
    def test_the_line_names_port_variable_and_holder(self) -> None:
        with socket.create_server((HOST, 0)) as server:
            port = server.getsockname()[1]
            with pytest.raises(QuickstartError) as told:
                Ports(core=port).check_free("core")
        line = str(told.value)
        assert f"port {port} (core)" in line
        assert "ETEBAR_CORE_PORT" in line
        assert f"pid {os.getpid()}" in line
        assert "python" in line
        assert "\n" not in line

    def test_a_port_taken_on_every_address_counts_as_used(self) -> None:
        with socket.create_server(("", 0)) as server, pytest.raises(QuickstartError, match="ETEBAR_REDIS_PORT"):
            Ports(redis=server.getsockname()[1]).check_free("redis")

    def test_connections_that_linger_after_a_server_do_not_count(self) -> None:
        with socket.create_server((HOST, 0)) as server:
            port = server.getsockname()[1]
            client = socket.create_connection((HOST, port))
            accepted, _ = server.accept()
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
            client.close()
        Ports(core=port).check_free("core")


class TestChoice:
    def test_defaults_are_the_documented_ones(self) -> None:
        assert vars(Ports.from_environment({})) == {"core": 8000, "settlement": 9000, "postgres": 5432, "redis": 6379}

    def test_each_is_changed_by_its_variable(self) -> None:
        assert Ports.from_environment({"ETEBAR_POSTGRES_PORT": "5544"}).postgres == 5544

    def test_zero_is_a_free_one(self) -> None:
        chosen = Ports.from_environment({"ETEBAR_CORE_PORT": "0"})
        assert chosen.core not in {0, 8000}
        chosen.check_free("core")

    @pytest.mark.parametrize("wrong", ["http", "-1", "65536", "80 80"])
    def test_a_wrong_value_is_told_by_its_name(self, wrong: str) -> None:
        with pytest.raises(QuickstartError, match="ETEBAR_CORE_PORT"):
            Ports.from_environment({"ETEBAR_CORE_PORT": wrong})

    def test_free_ones_differ(self) -> None:
        assert len(set(vars(Ports.free()).values())) == 4

    def test_a_free_port_can_be_listened_on(self) -> None:
        with socket.create_server((HOST, free_port())) as server:
            assert server.fileno() >= 0
