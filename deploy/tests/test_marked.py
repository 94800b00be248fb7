"""A document keeps what was written by hand around the part that is made."""

import pytest

from etebar_deploy.marked import BEGIN, END, with_part
from etebar_quickstart import QuickstartError

MARKS = BEGIN.format(name="table"), END.format(name="table")
DOCUMENT = "before\n" + "\n".join(MARKS) + "\nafter\n"


def test_the_part_stands_between_its_marks() -> None:
    assert with_part(DOCUMENT, "table", "| a |\n") == f"before\n{MARKS[0]}\n\n| a |\n\n{MARKS[1]}\nafter\n"


def test_a_part_replaces_the_one_before() -> None:
    assert with_part(with_part(DOCUMENT, "table", "old"), "table", "new") == with_part(DOCUMENT, "table", "new")


@pytest.mark.parametrize("document", ["nothing", DOCUMENT * 2])
def test_marks_that_are_missing_or_there_twice_are_an_error(document: str) -> None:
    with pytest.raises(QuickstartError, match="must stand there once"):
        with_part(document, "table", "part")
