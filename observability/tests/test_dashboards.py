"""The dashboards: what is on every one of them, and that nothing points nowhere."""

import json
from itertools import combinations
from typing import Any

import pytest

from etebar_observability import generate, grafana, rules
from etebar_observability.boards import BOARDS
from etebar_observability.layout import COLUMNS
from etebar_observability.model import Board, Kind, Panel
from etebar_observability.paths import DASHBOARDS, RUNBOOK_URL, RUNBOOKS
from etebar_quickstart.printer import Printer

PANELS = [(board, panel) for board in BOARDS for panel in board.panels]
UIDS = {board.uid for board in BOARDS}
SHORTEST_SENTENCE = 2


def _committed(board: Board) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DASHBOARDS / f"{board.uid}.json").read_text())
    return content


def _name(value: object) -> str:
    return value.uid if isinstance(value, Board) else value.title if isinstance(value, Panel) else str(value)


def test_what_is_committed_is_what_the_code_makes() -> None:
    generate.run(Printer(), check=True)


def test_addresses_and_titles_are_unique_and_numbered() -> None:
    assert len(UIDS) == len(BOARDS)
    assert [board.title.split()[0] for board in BOARDS] == [str(number) for number in range(1, len(BOARDS) + 1)]


@pytest.mark.parametrize("board", BOARDS, ids=_name)
class TestABoard:
    def test_has_the_same_variables_refresh_tags_and_annotations_as_the_others(self, board: Board) -> None:
        first, this = _committed(BOARDS[0]), _committed(board)
        same = ("templating", "annotations", "refresh", "tags", "schemaVersion", "time", "graphTooltip")
        assert {key: this[key] for key in same} == {key: first[key] for key in same}
        assert [each["name"] for each in this["templating"]["list"]] == ["datasource", "namespace", "release"]

    def test_links_to_every_other_board_with_its_variables_and_to_the_runbooks(self, board: Board) -> None:
        links = _committed(board)["links"]
        boards = [link for link in links if link["url"].startswith("/d/")]
        assert {link["url"].removeprefix("/d/") for link in boards} == UIDS - {board.uid}
        assert all(link["includeVars"] and link["keepTime"] for link in boards)
        assert [link["url"] for link in links if link not in boards] == [f"{RUNBOOK_URL}README.md"]

    def test_has_no_panel_upon_another_or_beyond_the_grid(self, board: Board) -> None:
        places = [panel["gridPos"] for panel in _committed(board)["panels"]]
        assert all(place["x"] + place["w"] <= COLUMNS for place in places)
        assert not [pair for pair in combinations(places, 2) if _overlap(*pair)]

    def test_numbers_its_panels_and_queries_once(self, board: Board) -> None:
        panels = _committed(board)["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        for panel in panels:
            references = [target["refId"] for target in panel.get("targets", [])]
            assert len(set(references)) == len(references)

    def test_says_no_title_twice_in_a_row(self, board: Board) -> None:
        for row in board.rows:
            titles = [panel.title for panel in row.panels]
            assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=_name)
class TestAPanel:
    def test_says_what_it_shows_what_is_normal_and_what_to_look_at(self, board: Board, panel: Panel) -> None:
        for text in (panel.shows, panel.normal, panel.otherwise):
            assert len(text) >= SHORTEST_SENTENCE
            assert text.endswith((".", "?"))

    def test_has_a_unit_and_the_chosen_source(self, board: Board, panel: Panel) -> None:
        (drawn,) = [each for each in _committed(board)["panels"] if each.get("description") == panel.description][:1]
        assert drawn["fieldConfig"]["defaults"]["unit"]
        assert {each["datasource"]["uid"] for each in (drawn, *drawn["targets"])} == {"${datasource}"}

    def test_names_runbooks_that_are_there(self, board: Board, panel: Panel) -> None:
        for name in panel.runbooks:
            assert (RUNBOOKS / f"{name}.md").exists(), name

    def test_has_a_legend_where_there_are_several_series(self, board: Board, panel: Panel) -> None:
        if panel.kind is not Kind.TABLE:
            assert all(query.legend for query in panel.queries)


def test_every_alert_is_beside_what_it_is_about() -> None:
    shown = {name for _, panel in PANELS for name in panel.runbooks}
    assert {alert.name for alert in rules.alerts()} == shown


def test_a_link_in_the_json_is_to_a_board_or_a_page_that_is_there() -> None:
    for board in BOARDS:
        document = _committed(board)
        for link in [*document["links"], *(link for panel in document["panels"] for link in panel.get("links", []))]:
            if link["url"].startswith(RUNBOOK_URL):
                assert (RUNBOOKS / link["url"].removeprefix(RUNBOOK_URL)).exists()
            else:
                assert link["url"].removeprefix("/d/") in UIDS


def test_a_board_that_was_removed_does_not_stay() -> None:
    assert {path.stem for path in DASHBOARDS.glob("*")} == UIDS


def test_the_same_board_is_the_same_text() -> None:
    assert grafana.document(BOARDS[0], BOARDS) == grafana.document(BOARDS[0], BOARDS)


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
