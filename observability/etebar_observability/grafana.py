"""From our model to Grafana's dashboard JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from etebar_observability.layout import placed
from etebar_observability.model import HERE, Board, Kind, Panel, Row, Step
from etebar_observability.options import OPTIONS, custom
from etebar_observability.paths import RUNBOOK_URL

SCHEMA_VERSION = 39
REFRESH = "30s"
TAG = "etebar"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# in JSON, for a reader who looks for them there
VERSIONS = f"group by (namespace, release, component, version) (etebar_build_info{{{HERE}}}"


def document(board: Board, boards: Sequence[Board]) -> str:
    """The board as a file for Grafana's provisioning; `boards` are all that it links to."""
    return json.dumps(dashboard(board, boards), indent=2, ensure_ascii=False) + "\n"


def dashboard(board: Board, boards: Sequence[Board]) -> dict[str, Any]:
    """The board as Grafana has it."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.shows,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": REFRESH,
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_deploys()]},
        "templating": {"list": _variables()},
        "links": [*_board_links(board, boards), _link("Runbooks", f"{RUNBOOK_URL}README.md", keeps=False)],
        "panels": list(_panels(board.rows)),
    }


def _deploys() -> dict[str, Any]:
    expression = f"{VERSIONS}) unless {VERSIONS} offset 1m)"
    return {
        "name": "Deploys",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "purple",
        "expr": expression,
        "step": "30s",
        "titleFormat": "{{component}} {{version}}",
        "textFormat": "a version that was not there a minute before",
        "tagKeys": "component,version",
    }


def _variables() -> list[dict[str, Any]]:
    return [
        {
            "name": "datasource",
            "label": "Prometheus",
            "type": "datasource",
            "query": "prometheus",
            "hide": 0,
            "refresh": 1,
            "includeAll": False,
            "multi": False,
            "options": [],
            "regex": "",
        },
        _labels("namespace", "Namespace", "label_values(etebar_build_info, namespace)"),
        _labels("release", "Release", 'label_values(etebar_build_info{namespace="$namespace"}, release)'),
    ]


def _labels(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "hide": 0,
        # anew whenever the time range changes: a release may be younger than the page
        "refresh": 2,
        "sort": 1,
        "includeAll": False,
        "multi": False,
        "options": [],
        "regex": "",
    }


def _board_links(board: Board, boards: Sequence[Board]) -> list[dict[str, Any]]:
    return [_link(each.title, f"/d/{each.uid}", keeps=True) for each in boards if each.uid != board.uid]


def _link(title: str, url: str, *, keeps: bool) -> dict[str, Any]:
    return {
        "title": title,
        "type": "link",
        "icon": "dashboard" if keeps else "doc",
        "tooltip": "",
        "url": url,
        "tags": [],
        "asDropdown": False,
        "targetBlank": not keeps,
        "includeVars": keeps,
        "keepTime": keeps,
    }


def _panels(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    for number, (item, position) in enumerate(placed(rows), start=1):
        yield _row(number, item, position) if isinstance(item, Row) else _panel(number, item, position)


def _row(number: int, row: Row, position: Mapping[str, int]) -> dict[str, Any]:
    return {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": position, "panels": []}


def _panel(number: int, panel: Panel, position: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": str(panel.kind),
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": position,
        "links": [_link(alert, f"{RUNBOOK_URL}{alert}.md", keeps=False) for alert in panel.runbooks],
        "targets": [_target(panel, index) for index in range(len(panel.queries))],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": OPTIONS[panel.kind],
        **({"transformations": _only(panel.columns)} if panel.columns else {}),
    }


def _target(panel: Panel, index: int) -> dict[str, Any]:
    query = panel.queries[index]
    is_instant = panel.kind in {Kind.FIGURE, Kind.TABLE}
    formats = {Kind.TABLE: "table", Kind.HEATMAP: "heatmap"}
    return {
        "refId": "ABCDEFGH"[index],
        "datasource": DATASOURCE,
        "expr": query.expanded,
        "legendFormat": query.legend,
        "format": formats.get(panel.kind, "time_series"),
        "instant": is_instant,
        "range": not is_instant,
        "exemplar": panel.exemplars,
        "editorMode": "code",
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    return {
        "unit": str(panel.unit),
        "noValue": panel.empty,
        "color": {"mode": "palette-classic" if panel.kind is Kind.GRAPH else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [_step(each) for each in panel.steps]},
        "mappings": [_named(panel.names)] if panel.names else [],
        "custom": custom(panel),
        **({} if panel.decimals is None else {"decimals": panel.decimals}),
    }


def _step(step: Step) -> dict[str, Any]:
    return {"value": step.value, "color": str(step.colour)}


def _named(names: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    found = {value: {"text": text, "color": str(colour), "index": at} for at, (value, text, colour) in enumerate(names)}
    return {"type": "value", "options": found}


def _only(columns: Sequence[str]) -> list[dict[str, Any]]:
    order = {name: index for index, name in enumerate(columns)}
    return [
        {"id": "filterFieldsByName", "options": {"include": {"names": list(columns)}}},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": {}}},
    ]
