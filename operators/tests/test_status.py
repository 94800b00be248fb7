"""What is written into a status, and which events are told."""

from datetime import UTC, datetime, timedelta

from onboarding_helpers import body

from onboarding.conditions import is_so
from onboarding.result import Result
from onboarding.status import changes, events

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = is_so("Ready", value=True, reason="Ready", message="the merchant may withdraw")
DRIFTED = is_so("Drifted", value=False, reason="InSync")


class TestChanges:
    def test_are_none_when_nothing_is_new(self) -> None:
        shown = body()
        result = Result([READY, DRIFTED], {"state": "approved"})
        shown["status"] = changes(shown, result, NOW)
        assert shown["status"]["observedGeneration"] == 1
        assert changes(shown, result, NOW + timedelta(hours=1)) == {}

    def test_are_none_when_nothing_was_found(self) -> None:
        assert changes(body(), Result(), NOW) == {}

    def test_are_of_members_that_changed_only(self) -> None:
        shown = body()
        shown["status"] = changes(shown, Result([READY], {"state": "approved", "available": "1.00"}), NOW)
        assert changes(shown, Result([READY], {"state": "approved", "available": "2.00"}), NOW) == {"available": "2.00"}


class TestEvents:
    def test_tell_what_is_new_but_not_what_never_was(self) -> None:
        assert [each.message for each in events(body(), Result([READY, DRIFTED]))] == [
            "Ready is True: the merchant may withdraw"
        ]

    def test_tell_when_an_exception_ends(self) -> None:
        shown = body()
        drifted = is_so("Drifted", value=True, reason="Differs", message="the limit")
        shown["status"] = changes(shown, Result([drifted]), NOW)
        assert [each.reason for each in events(shown, Result([DRIFTED]))] == ["InSync"]

    def test_warn_of_what_somebody_has_to_look_at(self) -> None:
        trouble = is_so("Ready", value=False, reason="UsernameTaken", message="taken")
        assert [each.type for each in events(body(), Result([READY]))] == ["Normal"]
        assert [each.type for each in events(body(), Result([trouble]))] == ["Warning"]
