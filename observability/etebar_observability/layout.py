"""Where panels stand on Grafana's grid of 24 columns."""

from collections.abc import Iterator, Sequence

from etebar_observability.model import Panel, Row

COLUMNS = 24


def placed(rows: Sequence[Row]) -> Iterator[tuple[Row | Panel, dict[str, int]]]:
    """Headings and panels with their `gridPos`, from the top."""
    y = 0
    for row in rows:
        yield row, {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        y += 1
        for line in _lines(row.panels):
            x = 0
            for panel in line:
                yield panel, {"x": x, "y": y, "w": panel.width, "h": panel.height}
                x += panel.width
            y += max(panel.height for panel in line)


def _lines(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    line: list[Panel] = []
    for panel in panels:
        if line and sum(each.width for each in line) + panel.width > COLUMNS:
            yield line
            line = []
        line.append(panel)
    if line:
        yield line
