"""A document that promises what no test holds does not pass the lint."""

import pytest

from etebar_quickstart import proofs

HERE = "quickstart/tests/test_proofs.py"


class TestCitedTests:
    @pytest.mark.parametrize(
        "cited",
        [
            f"`{HERE}::TestCitedTests::test_that_are_there_are_found`",
            f"`{HERE}::TestCitedTests`, `::TestCitedTests::test_that_are_there_are_found`",
            "`test_books.py::TestAgainstSettlement`",
        ],
    )
    def test_that_are_there_are_found(self, cited: str) -> None:
        assert list(proofs.dead_names(cited, "page")) == []

    @pytest.mark.parametrize(
        "cited", [f"`{HERE}::TestNothing`", f"`{HERE}::TestCitedTests::test_nothing`", "`tests/nothing.py::test_x`"]
    )
    def test_that_are_not_there_are_named(self, cited: str) -> None:
        (found,) = proofs.dead_names(f"before {cited} after", "page")
        assert found.startswith("page names ")

    def test_with_a_case_are_found_by_it(self) -> None:
        test = f"{HERE}::TestCases::test_have_names"
        (found,) = proofs.dead_cases(f"`{test}[one of them]` and `{test}[another one]`", "page")
        assert found == f"page names {test}[another one], which is no case of that test"


class TestCases:
    @pytest.mark.parametrize("number", [1], ids=["one of them"])
    def test_have_names(self, number: int) -> None:
        assert number == 1


class TestPromises:
    def test_without_a_test_are_named(self) -> None:
        rows = ["| fault | held by |", "| --- | --- |", f"| one | `{HERE}::TestPromises` |", "| two | hope |"]
        assert list(proofs.unproven("\n".join(rows), "page.md")) == ["page.md promises without a test: | two | hope |"]
