"""From rounds to the table, the data and the plot."""

import datetime as dt
import json
from xml.etree import ElementTree as ET

import pytest

from etebar_bench import document, plot, results, table
from etebar_bench.cli import parse
from etebar_bench.measured import percentile
from etebar_bench.settings import Row, Work

from .factories import MEMORY, measured, report

DATE = dt.date(2026, 11, 23)
ROWS = (
    measured(Work.FLOOR, 8, 1, 1000),
    measured(Work.SINGLE, 8, 1, 500),
    measured(Work.FLOOR, 32, 1, 2000),
    measured(Work.BULK, 4, 1, 3000),
    measured(Work.FLOOR, 8, 2, 500),
    measured(Work.SINGLE, 8, 2, 400, p50_ms=7.0),
    measured(Work.FLOOR, 32, 2, 300),
    measured(Work.BULK, 4, 2, 1000),
)


class TestPercentile:
    def test_it_is_the_nearest_rank(self) -> None:
        values = [float(number) for number in range(100, 0, -1)]
        assert (percentile(values, 0.50), percentile(values, 0.99), percentile(values, 1.0)) == (50.0, 99.0, 100.0)
        assert percentile([3.0], 0.5) == 3.0
        assert percentile([], 0.5) == 0.0


class TestRatio:
    def test_it_is_the_median_of_each_rounds_own(self) -> None:
        single = next(result for result in report(*ROWS).results if result.row.work is Work.SINGLE)
        assert single.ratio_to_floor == pytest.approx((0.5 + 0.8) / 2)

    def test_bulk_is_held_against_the_best_floor_of_its_round(self) -> None:
        bulk = next(result for result in report(*ROWS).results if result.row.work is Work.BULK)
        assert bulk.ratio_to_floor == pytest.approx((3000 / 2000 + 1000 / 500) / 2)

    def test_without_a_floor_there_is_none(self) -> None:
        assert report(measured(Work.SINGLE, 8, 1, 500)).results[0].ratio_to_floor is None

    def test_a_floor_of_nothing_is_no_ratio(self) -> None:
        rows = [measured(Work.FLOOR, 8, 1, 0), measured(Work.SINGLE, 8, 1, 500)]
        assert results.ratio_to_floor(rows[1], rows) is None


class TestRounds:
    def test_each_row_is_once_in_each_and_none_is_always_first(self) -> None:
        settings = parse(["--clients", "8,32", "--bulk-clients", "4"])
        assert settings.in_round(1) == settings.in_round(2)[::-1] == settings.rows()
        assert [(row.work, row.clients) for row in settings.rows()] == [
            ("floor", 8),
            ("single", 8),
            ("floor", 32),
            ("single", 32),
            ("bulk", 4),
        ]

    @pytest.mark.parametrize("wrong", [["--clients", "8,0"], ["--only", "floor,half"], ["--reference", "x=y"]])
    def test_wrong_arguments_end_with_code_2(self, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            parse(wrong)
        assert ended.value.code == 2
        assert "expected" in capsys.readouterr().err


class TestData:
    def test_every_row_has_what_readers_rely_on(self) -> None:
        data = json.loads(json.dumps(document.as_data(report(*ROWS), DATE)))
        assert data.keys() == {"date", "machine", "settings", "rows", "memory", "books"}
        assert data["date"] == "2026-11-23"
        assert data["rows"][1] == {
            "work": "single",
            "clients": 8,
            "final_per_s": 450.0,
            "final_per_s_min": 400.0,
            "final_per_s_max": 500.0,
            "p50_ms": 6.0,
            "p99_ms": 20.0,
            "refused": 0,
            "errors": 0,
            "ratio_to_floor": 0.65,
            "books": "exact",
            "rounds": [500.0, 400.0],
            "cpu_ms_per_final": {
                "core": 0.222,
                "settlement": 0.111,
                "postgres": 0.444,
                "redis": 0.0,
                "generator": 0.056,
            },
            "memory_bytes": MEMORY,
        }
        assert [row.get("batch") for row in data["rows"]] == [None, None, None, 100]
        assert data["rows"][0]["ratio_to_floor"] is None

    def test_a_refusal_or_a_slow_row_is_sound(self) -> None:
        assert report(measured(Work.SINGLE, 8, 1, 0.1, refused=3)).is_sound

    @pytest.mark.parametrize("wrong", [{"pending": 1}, {"other_errors": 1}, {"books": "1 told but not settled"}])
    def test_an_answer_without_an_outcome_or_a_book_that_differs_is_not(self, wrong: dict[str, object]) -> None:
        assert not report(measured(Work.SINGLE, 8, 1, 500, **wrong)).is_sound

    def test_what_differs_is_told_with_its_round(self) -> None:
        rows = [measured(Work.SINGLE, 8, 1, 5), measured(Work.SINGLE, 8, 2, 5, books="1 told twice")]
        assert results.of(rows, [Row(Work.SINGLE, 8)])[0].books == "round 2: 1 told twice"


class TestPage:
    def test_the_table_has_a_line_for_each_row(self) -> None:
        page = table.markdown(report(*ROWS), DATE)
        assert "| single | 8 | 450 | 400-500 | 6.0 | 20.0 | 0 | 0 | 0.65 | exact |" in page
        assert "| bulk of 100 | 4 | 2,000 |" in page
        assert "](2026-11-23.svg)" in page

    def test_lines_for_the_terminal_are_equally_long(self) -> None:
        lines = table.aligned(table.COLUMNS, table.rows(report(*ROWS)))
        assert len(lines) == 5
        assert len({len(line) for line in lines}) == 1


class TestPlot:
    def test_it_is_xml_with_a_labelled_bar_for_each_row(self) -> None:
        root = ET.fromstring(plot.svg(report(*ROWS, references=[("A & B", 65.0)])))  # noqa: S314 - our own
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        bars = [element for element in root.iter("{http://www.w3.org/2000/svg}rect") if element.get("x")]
        heights = [float(bar.get("height", "0")) for bar in bars if bar.get("width") != "10"]
        assert len(heights) == 4
        assert max(heights) <= plot.HEIGHT
        assert {"450", "2,000", "8 clients", "4 clients x 100 each", "0.65 x floor"} <= set(texts)
        assert "A & B: 65/s, measured elsewhere" in texts

    def test_nothing_measured_is_no_error(self) -> None:
        ET.fromstring(plot.svg(report()))  # noqa: S314 - our own
