"""The plot: a group of bars for each number of clients, floor beside single, and bulk; in light and in dark."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from etebar_bench.document import Report
from etebar_bench.results import Result
from etebar_bench.settings import Work

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 64, 56
BAR, GAP = 56, 36
NARROWEST_GROUP = 2 * BAR  # its name needs as much
REFERENCE_MARGIN, LINE = 250, 14
STEPS = 4
LEGEND = {
    Work.FLOOR: "floor: its writes in one SQL call",
    Work.SINGLE: "single: over HTTP",
    Work.BULK: "bulk: over HTTP",
}
STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #24292f }
    .title { font-size: 15px; font-weight: 600 }
    .small { fill: #57606a; font-size: 11px }
    .back { fill: #ffffff }
    .grid { stroke: #d0d7de }
    .spread { stroke: #24292f }
    .floor { fill: #8c959f } .single { fill: #0969da } .bulk { fill: #1a7f37 }
    .reference { stroke: #9a6700; stroke-dasharray: 5 4 }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3 } .small { fill: #9da7b3 } .back { fill: #0d1117 } .grid { stroke: #30363d }
        .spread { stroke: #e6edf3 } .floor { fill: #6e7681 } .single { fill: #2f81f7 } .bulk { fill: #3fb950 }
        .reference { stroke: #d29922 }
    }"""


def svg(report: Report) -> str:
    """One SVG document; bars are medians, the lines on them reach from the slowest to the fastest round."""
    plot = _Plot(report)
    width = max(WIDTH, plot.right_end)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" role="img">',
        "<title>Final withdrawals per second</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{width}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="24">Final withdrawals per second</text>',
        *_legend(report),
        *plot.grid(width),
        *plot.bars(),
        *plot.references(width),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Plot:
    """Where each thing is, in the SVG's units."""

    def __init__(self, report: Report) -> None:
        self._references = report.references
        rates = [rate for result in report.results for rate in result.rates]
        self._step = _round_step(max([*rates, *(rate for _, rate in report.references), 1.0]))
        self._groups = _groups(report)
        margin = REFERENCE_MARGIN if report.references else RIGHT
        self.right_end = LEFT + GAP + sum(_width(group) + GAP for group in self._groups) + margin

    def grid(self, width: int) -> Iterator[str]:
        for step in range(STEPS + 1):
            y = self._y(step * self._step)
            yield f'<line class="grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{y}" y2="{y}"/>'
            yield f'<text class="small" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{step * self._step:,}</text>'

    def bars(self) -> Iterator[str]:
        x: float = LEFT + GAP
        for group in self._groups:
            middle = x + _width(group) / 2
            yield _centred(middle, HEIGHT - BOTTOM + 20, _name(group[0]))
            for number, result in enumerate(group):
                yield from self._bar(middle + (number - len(group) / 2) * BAR, result)
            x += _width(group) + GAP

    def references(self, width: int) -> Iterator[str]:
        label_y = float(HEIGHT)
        for name, rate in sorted(self._references, key=lambda reference: reference[1]):
            y = self._y(rate)
            label_y = min(y - 4, label_y - LINE)
            text = escape(f"{name}: {rate:,.0f}/s, measured elsewhere")
            yield f'<line class="reference" x1="{LEFT}" x2="{width - RIGHT}" y1="{y}" y2="{y}"/>'
            yield f'<text class="small" x="{width - RIGHT}" y="{label_y}" text-anchor="end">{text}</text>'

    def _bar(self, x: float, result: Result) -> Iterator[str]:
        y, middle = self._y(result.final_per_s), x + BAR / 2
        lowest, highest = self._y(min(result.rates)), self._y(max(result.rates))
        height = self._y(0) - y
        yield f'<rect class="{result.row.work}" x="{x + 2}" y="{y}" width="{BAR - 4}" height="{height:.1f}"/>'
        yield f'<line class="spread" x1="{middle}" x2="{middle}" y1="{lowest}" y2="{highest}"/>'
        yield _centred(middle, highest - 5, f"{result.final_per_s:,.0f}")
        if result.ratio_to_floor is not None:
            yield _centred(middle, HEIGHT - BOTTOM + 36, f"{result.ratio_to_floor:.2f} x floor", "small")

    def _y(self, rate: float) -> float:
        return round(HEIGHT - BOTTOM - rate / (STEPS * self._step) * (HEIGHT - TOP - BOTTOM), 1)


def _groups(report: Report) -> list[list[Result]]:
    """Floor and single side by side by their clients, then every bulk row on its own."""
    beside = [result for result in report.results if result.row.work is not Work.BULK]
    clients = dict.fromkeys(result.row.clients for result in beside)
    groups = [[result for result in beside if result.row.clients == number] for number in clients]
    return groups + [[result] for result in report.results if result.row.work is Work.BULK]


def _width(group: list[Result]) -> int:
    return max(NARROWEST_GROUP, len(group) * BAR)


def _name(result: Result) -> str:
    batch = f" x {result.row.batch} each" if result.row.batch > 1 else ""
    return f"{result.row.clients} clients{batch}"


def _legend(report: Report) -> Iterator[str]:
    x = LEFT
    for work in dict.fromkeys(result.row.work for result in report.results):
        yield f'<rect class="{work}" x="{x}" y="36" width="10" height="10"/>'
        yield f'<text class="small" x="{x + 15}" y="45">{LEGEND[work]}</text>'
        x += 40 + 6 * len(LEGEND[work])


def _round_step(highest: float) -> int:
    """A round number, from 10, that reaches just above the highest when it is taken STEPS times."""
    power = 10
    while True:
        for times in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5):
            if STEPS * times * power >= highest * 1.05:
                return int(times * power)
        power *= 10


def _centred(x: float, y: float, text: str, style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x}" y="{y:.1f}" text-anchor="middle">{text}</text>'
