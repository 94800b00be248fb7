"""Conditions as Kubernetes has them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from onboarding.conditions import LONGEST_MESSAGE, Condition, is_so, merged, rfc3339, transitions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
READY = is_so("Ready", value=True, reason="Ready", message="it is")
CONDITIONS = st.lists(
    st.builds(
        Condition, st.sampled_from(["Ready", "Approved"]), st.sampled_from(["True", "False"]), st.sampled_from("AB")
    ),
    unique_by=lambda each: each.type,
)


class TestMerged:
    def test_a_new_one_begins_now(self) -> None:
        assert merged([], [READY], 3, NOW) == [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Ready",
                "message": "it is",
                "observedGeneration": 3,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ]

    def test_another_reason_is_no_transition(self) -> None:
        old = merged([], [READY], 1, NOW)
        (again,) = merged(old, [is_so("Ready", value=True, reason="Still")], 2, LATER)
        assert (again["lastTransitionTime"], again["reason"], again["observedGeneration"]) == (rfc3339(NOW), "Still", 2)

    def test_another_status_is_one(self) -> None:
        old = merged([], [READY], 1, NOW)
        (again,) = merged(old, [is_so("Ready", value=False, reason="Gone")], 1, LATER)
        assert again["lastTransitionTime"] == rfc3339(LATER)

    def test_those_that_are_not_told_of_stay(self) -> None:
        old = merged([], [READY], 1, NOW)
        assert merged(old, [is_so("Approved", value=True, reason="Approved")], 2, LATER)[0] == old[0]

    @given(CONDITIONS, CONDITIONS)
    def test_there_is_one_of_a_type_and_the_same_again_changes_nothing(
        self, first: list[Condition], second: list[Condition]
    ) -> None:
        found = merged(merged([], first, 1, NOW), second, 1, LATER)
        assert {each["type"] for each in found} == {each.type for each in [*first, *second]}
        assert len({each["type"] for each in found}) == len(found)
        assert merged(found, second, 1, LATER + timedelta(hours=1)) == found
        assert transitions(found, second) == []


class TestTransitions:
    def test_are_of_status_and_reason_not_of_message(self) -> None:
        old = merged([], [READY], 1, NOW)
        assert transitions(old, [is_so("Ready", value=True, reason="Ready", message="another")]) == []
        changed = is_so("Ready", value=True, reason="Other")
        assert transitions(old, [changed]) == [changed]


def test_a_message_is_not_longer_than_the_definition_allows() -> None:
    assert len(is_so("Ready", value=False, reason="Invalid", message="x" * 5000).message) == LONGEST_MESSAGE
