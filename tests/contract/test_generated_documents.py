"""What is generated from code is committed as the code says; `make lint` looks at all of it."""

from pathlib import Path

import pytest

from etebar_quickstart import generate
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer


def test_each_setting_is_one_row() -> None:
    """A description of two lines would end its table."""
    lines = (generate.DOCUMENTS / "how-to" / "settings.md").read_text().splitlines()
    tables = [line for line in lines[lines.index("## Core") :] if line and not line.startswith("#")]
    rows = [line for line in tables if "|" in line]
    assert [line for line in rows if line.count(" | ") < 3 or not (line[0] == line[-1] == "|")] == []


def test_a_stale_document_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    errors = Path(generate.DOCUMENTS / "errors.md").read_text()
    monkeypatch.setattr(generate, "errors_page", lambda: errors + "stale\n")
    monkeypatch.setattr(generate, "_documents", lambda: {generate.DOCUMENTS / "errors.md": generate.errors_page})
    with pytest.raises(QuickstartError, match=r"docs/errors\.md"):
        generate.run(Printer(), check=True)
