"""The dashboards, read and written by Grafana's own models (grafana-foundation-sdk of Grafana 11.6): nothing is lost.

The models are made from the schema that Grafana publishes. They were not rendered in a Grafana here.
"""

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as schema
from grafana_foundation_sdk.models import units

from etebar_observability.boards import BOARDS
from etebar_observability.model import Board, Unit
from etebar_observability.paths import DASHBOARDS

# the Prometheus data source's own fields of an annotation, which the schema of dashboards leaves to it
OF_THE_DATA_SOURCE = {"step", "titleFormat", "textFormat", "tagKeys"}
ENUMERATIONS = {
    "defaults.thresholds.mode": schema.ThresholdsMode,
    "defaults.color.mode": schema.FieldColorModeId,
    "defaults.mappings.type": schema.MappingType,
    "templating.list.type": schema.VariableType,
    "links.type": schema.DashboardLinkType,
}


def _content(board: Board) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DASHBOARDS / f"{board.uid}.json").read_text())
    return content


def _round_trip(content: dict[str, Any]) -> Any:
    register_default_plugins()
    return json.loads(JSONEncoder().encode(schema.Dashboard.from_json(content)))


def _lost(given: Any, returned: Any, where: str = "") -> list[str]:
    """What is in `given` and not, or otherwise, in `returned`."""
    if isinstance(given, dict) and isinstance(returned, dict):
        return [
            loss
            for key, value in given.items()
            if key not in OF_THE_DATA_SOURCE
            for loss in (_lost(value, returned[key], f"{where}.{key}") if key in returned else [f"{where}.{key}"])
        ]
    if isinstance(given, list) and isinstance(returned, list) and len(given) == len(returned):
        return [
            loss for at, pair in enumerate(zip(given, returned, strict=True)) for loss in _lost(*pair, f"{where}[{at}]")
        ]
    return [] if given == returned else [f"{where}: {given!r} became {returned!r}"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
class TestADashboard:
    def test_loses_nothing_on_the_way_through_grafanas_models(self, board: Board) -> None:
        content = _content(board)
        assert not _lost(content, _round_trip(content))

    def test_has_links_that_are_links(self, board: Board) -> None:
        # the models keep links as they are: one by one, then
        for link in _content(board)["links"]:
            assert not _lost(link, json.loads(JSONEncoder().encode(schema.DashboardLink.from_json(link))))

    def test_has_only_words_of_grafana_where_there_is_a_list_of_them(self, board: Board) -> None:
        for where, word in _words(_content(board)):
            for end, words in ENUMERATIONS.items():
                if where.endswith(f".{end}"):
                    words(word)


def _words(value: Any, where: str = "") -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [found for each in value for found in _words(each, where)]
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in _words(each, f"{where}.{key}")]
    return [(where, value)] if isinstance(value, str) else []


def test_every_unit_is_one_of_grafanas() -> None:
    known = {value for name, value in vars(units).items() if not name.startswith("_") and isinstance(value, str)}
    assert {str(unit) for unit in Unit if not unit.startswith("suffix:")} <= known


class TestTheCheckItself:
    def test_sees_a_field_that_grafana_does_not_know(self) -> None:
        content = _content(BOARDS[0])
        content["panels"][1]["fieldConfig"]["defaults"]["units"] = "s"
        assert _lost(content, _round_trip(content)) == [".panels[1].fieldConfig.defaults.units"]

    def test_sees_an_option_that_the_panel_does_not_know(self) -> None:
        content = _content(BOARDS[0])
        content["panels"][1]["options"]["graphMod"] = "none"
        assert _lost(content, _round_trip(content)) == [".panels[1].options.graphMod"]

    def test_sees_a_field_of_a_query_that_the_data_source_does_not_know(self) -> None:
        content = _content(BOARDS[0])
        content["panels"][1]["targets"][0]["expression"] = "up"
        assert _lost(content, _round_trip(content)) == [".panels[1].targets[0].expression"]
