"""The operator's settings: a wrong one is told in a line of its own."""

import pytest

from onboarding.environment import environment

TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_TOKEN", TOKEN)
    monkeypatch.setenv("NAMESPACE", "etebar")
    monkeypatch.delenv("ETEBAR_PROFILE", raising=False)


class TestNamespaces:
    @pytest.mark.parametrize(("given", "namespaces", "everywhere"), [
        ("", ["etebar"], False), ("a, b", ["a", "b"], False), ("*", ["*"], True),
    ])  # fmt: skip
    def test_are_listed(
        self, monkeypatch: pytest.MonkeyPatch, given: str, namespaces: list[str], *, everywhere: bool
    ) -> None:
        monkeypatch.setenv("WATCH_NAMESPACES", given)
        found = environment()
        assert (found.namespaces, found.watches_all) == (namespaces, everywhere)


class TestAWrongSetting:
    @pytest.mark.parametrize(("name", "value", "said"), [
        ("OPERATOR_TOKEN", "short", "OPERATOR_TOKEN"),
        ("CORE_URL", "core-internal:8001", "CORE_URL: must begin with http:// or https://"),
        ("LOW_WATER_MARK", "much", "LOW_WATER_MARK"),
        ("LOW_WATER_MARK", "-1.00", "LOW_WATER_MARK"),
        ("RESYNC_SECONDS", "0", "RESYNC_SECONDS"),
        ("NAMESPACE", "", "NAMESPACE is missing"),
    ])  # fmt: skip
    def test_is_told(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
        monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as told:
            environment()
        assert said in str(told.value)
        assert "operator does not start" in str(told.value)
