"""At the end: no log of any container, also of those that are gone, holds a secret of any time."""

from .logs import LogKeeper


class TestTheLogs:
    def test_hold_no_password_token_or_key(self, logs: LogKeeper) -> None:
        logs.keep()
        assert logs.files > 20
        assert logs.secrets > 10
        assert logs.leaks() == []
