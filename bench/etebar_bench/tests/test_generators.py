"""wrk with its script and the program that stands in for it count the same answers in the same way."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from etebar_bench import generator, load
from etebar_bench.generator import Generator, Load
from etebar_bench.measured import Answers
from etebar_bench.settings import BATCH, Row, Work
from etebar_quickstart import QuickstartError

from .factories import Core

GENERATORS = [generator.find("python"), *([generator.find("wrk")] if shutil.which("wrk") else [])]
TOKENS = ["one", "two", "three"]


@pytest.fixture(params=GENERATORS, ids=lambda chosen: chosen.label.split()[0])
def chosen(request: pytest.FixtureRequest) -> Generator:
    return request.param


@pytest.fixture
def core(request: pytest.FixtureRequest) -> Iterator[Core]:
    with Core(request.param) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def loaded(chosen: Generator, core: Core, directory: Path, work: Work, clients: int = 3) -> tuple[Answers, list[str]]:
    """A second of load: the counts, and the ids that were kept."""
    tokens, ids = directory / "tokens", directory / "ids"
    tokens.write_text("\n".join(TOKENS) + "\n")
    asked = Load(Row(work, clients), 1, tokens, "run-1-x-3-", ids)
    done = subprocess.run(chosen.command(asked, core.url), check=True, capture_output=True, text=True, timeout=30)
    return load.parse(done.stdout, 0.0), ids.read_text().split()


class TestSingle:
    @pytest.mark.parametrize("core", [[201]], indirect=True)
    def test_each_request_has_a_key_of_its_own_and_merchants_take_turns(
        self, chosen: Generator, core: Core, tmp_path: Path
    ) -> None:
        answers, ids = loaded(chosen, core, tmp_path, Work.SINGLE)
        assert len(core.keys) == len(set(core.keys))
        assert all(key.startswith("run-1-x-3-") for key in core.keys)
        assert core.tokens == {f"Bearer {token}" for token in TOKENS}
        assert answers.final == len(ids) == len(set(ids)) > 0
        assert set(ids) <= core.ids
        assert len(core.ids) - len(ids) <= 3, "no more is unseen than was under way"
        assert 0 < answers.p50_ms <= answers.p99_ms < 1000
        assert answers.errors == answers.refused == 0

    @pytest.mark.parametrize("core", [[201, 202, 409, 503]], indirect=True)
    def test_only_settled_is_final_and_the_rest_is_counted_apart(
        self, chosen: Generator, core: Core, tmp_path: Path
    ) -> None:
        answers, ids = loaded(chosen, core, tmp_path, Work.SINGLE, clients=1)
        quarter = answers.final
        assert len(ids) == quarter > 0
        assert all(abs(count - quarter) <= 1 for count in (answers.pending, answers.refused, answers.other_errors))
        assert answers.errors == answers.pending + answers.other_errors
        assert answers.sample.startswith("202 {")


class TestBulk:
    @pytest.mark.parametrize("core", [[201, 201, 409, 201]], indirect=True)
    def test_members_are_counted_by_their_own_status(self, chosen: Generator, core: Core, tmp_path: Path) -> None:
        answers, ids = loaded(chosen, core, tmp_path, Work.BULK)
        assert len(core.keys) == len(set(core.keys))
        assert answers.final == len(ids) == len(set(ids)) == 3 * answers.refused > 0
        assert (answers.final + answers.refused) % BATCH == 0
        assert answers.errors == 0

    @pytest.mark.parametrize("core", [[201, 500]], indirect=True)
    def test_a_member_that_failed_is_an_error_and_is_shown(self, chosen: Generator, core: Core, tmp_path: Path) -> None:
        answers, _ = loaded(chosen, core, tmp_path, Work.BULK)
        assert answers.other_errors == answers.final > 0
        assert answers.sample.startswith("500 {")


class TestChoice:
    def test_a_wrk_that_is_named_and_missing_is_told_with_the_remedy(self) -> None:
        with pytest.raises(QuickstartError, match=r"WRK is '/nowhere/wrk'.*apt install wrk"):
            generator.find("auto", {"WRK": "/nowhere/wrk"})

    def test_the_stand_in_says_that_it_costs_something(self) -> None:
        assert generator.find("python").label == "python (its cost is part of what is measured)"
