"""The alerting rules: what each must have, and that promtool has a firing and a silent case of it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from etebar_observability import rules, slos
from etebar_observability.paths import RULE_TESTS, RUNBOOK_URL
from etebar_observability.rules import Alert
from etebar_observability.runbooks import SUBJECTS

ALERTS = rules.alerts()
NAMES = sorted({alert.name for alert in ALERTS})
BUDGET_HOURS = slos.BUDGET_DAYS * 24
HOURS = {"1h": 1, "6h": 6, "1d": 24, "3d": 72, "5m": 1 / 12, "30m": 0.5, "2h": 2}


@dataclass(frozen=True)
class Case:
    """A question of a rule test after the firing alerts of a name; `found` are the labels of each."""

    name: str
    found: tuple[dict[str, str], ...]


def _cases() -> Iterator[Case]:
    for path in RULE_TESTS.glob("*.yaml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for question in test["promql_expr_test"]:
                asked = re.fullmatch(r'ALERTS\{alertname="(\w+)", alertstate="firing".*\}', question["expr"])
                if asked:
                    yield Case(asked[1], tuple(_labels(each) for each in question.get("exp_samples", [])))


def _labels(sample: dict[str, Any]) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))


CASES = list(_cases())
FIRING: dict[str, list[dict[str, str]]] = defaultdict(list)
for _case in CASES:
    FIRING[_case.name] += _case.found


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.labels.get('window', '')}")
class TestAnAlert:
    def test_says_how_soon_somebody_must_look(self, alert: Alert) -> None:
        assert alert.severity in {"page", "ticket"}

    def test_has_a_summary_a_description_and_its_runbook(self, alert: Alert) -> None:
        assert set(alert.annotations) == {"summary", "description", "runbook_url"}
        assert alert.annotations["runbook_url"] == f"{RUNBOOK_URL}{alert.name}.md"

    def test_names_the_release(self, alert: Alert) -> None:
        said = alert.annotations["summary"] + alert.annotations["description"]
        assert "$labels.namespace" in said

    def test_has_a_case_in_which_it_fires(self, alert: Alert) -> None:
        assert [found for found in FIRING[alert.name] if found.items() >= alert.labels.items()]

    def test_says_nothing_that_is_not_there_when_it_fires(self, alert: Alert) -> None:
        said = set(re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values())))
        for found in FIRING[alert.name]:
            if found.items() >= alert.labels.items():
                assert said <= found.keys()


@pytest.mark.parametrize("name", NAMES)
class TestAName:
    def test_is_ours(self, name: str) -> None:
        assert name.startswith("Etebar")

    def test_has_a_case_in_which_it_is_silent(self, name: str) -> None:
        assert [case for case in CASES if case.name == name and not case.found]


def test_every_rule_says_for_how_long() -> None:
    for path in rules.files():
        for group in yaml.safe_load(path.read_text())["groups"]:
            assert all("for" in rule for rule in group["rules"] if "alert" in rule)


def test_every_case_is_of_an_alert_that_is_there() -> None:
    assert {case.name for case in CASES} == set(NAMES)


def test_every_rule_file_has_its_place_in_the_index() -> None:
    assert {path.name for path in rules.files()} == set(SUBJECTS)


def test_the_same_prefix_stands_before_every_runbook() -> None:
    written = [path.read_text() for path in rules.files()]
    assert sum(text.count(RUNBOOK_URL) for text in written) == sum(text.count("runbook_url:") for text in written)


class TestTheObjectives:
    """Windows and factors of the SRE workbook."""

    def test_an_alert_fires_when_this_share_of_the_budget_is_spent(self) -> None:
        spent = [round(burn.factor * HOURS[burn.long] / BUDGET_HOURS, 3) for burn in slos.BURNS]
        assert spent == [0.02, 0.05, 0.1, 0.1]

    def test_the_short_window_is_a_twelfth_of_the_long_one(self) -> None:
        assert all(HOURS[burn.long] == pytest.approx(12 * HOURS[burn.short]) for burn in slos.BURNS)

    def test_every_window_that_is_asked_for_is_recorded(self) -> None:
        recorded = {recording.name for recording in rules.recordings()}
        for slo in slos.SLOS:
            for burn in slos.BURNS:
                assert {slo.ratio(burn.long), slo.ratio(burn.short), slo.bad_rate} <= recorded
