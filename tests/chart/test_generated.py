"""What is generated from the chart is committed as the chart says; `make lint` looks at all of it."""

from pathlib import Path

import pytest

from etebar_deploy import generate
from etebar_quickstart import QuickstartError
from etebar_quickstart.printer import Printer


@pytest.mark.parametrize("document", generate.DOCUMENTS, ids=lambda path: path.name)
def test_a_stale_document_is_named(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "DOCUMENTS", {document: lambda: "other text"})
    with pytest.raises(QuickstartError, match=rf"{document.name}; run `make generate`"):
        generate.run(Printer(), check=True)
