"""A policy that nothing breaks proves nothing: each is broken, in every way that it knows."""

import pytest

from chart.doctored import DOCTORED
from chart.doctored.helpers import Doctor
from chart.policies import POLICIES
from chart.rendered import rendered_with


@pytest.mark.parametrize(("policy", "word", "doctor"), DOCTORED)
def test_a_broken_chart_is_told(policy: str, word: str, doctor: Doctor) -> None:
    rendered = rendered_with({})
    doctor(rendered)
    problems = list(POLICIES[policy](rendered))
    assert [problem for problem in problems if word in problem], problems


def test_every_policy_was_broken() -> None:
    assert {policy for policy, _, _ in DOCTORED} == set(POLICIES)
