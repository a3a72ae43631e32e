"""The Grafana dashboard: every panel is explained and asks for what exists."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

OPS = Path(__file__).parents[2] / "ops"
DASHBOARD = json.loads((OPS / "grafana" / "northstar.json").read_text("utf-8"))
RULES = yaml.safe_load((OPS / "prometheus" / "rules.yaml").read_text("utf-8"))
RECORDED = {rule.get("record") for group in RULES["groups"] for rule in group["rules"]}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_of_a_panel_exists(
    expression: str, exposed: dict[str, set[str]], known: set[str]
) -> None:
    metrics = re.findall(r"\b(northstar_\w+)(?:\{([^}]*)\})?", expression)
    recorded = re.findall(r"northstar:[\w:]+", expression)
    assert metrics or recorded
    assert set(recorded) <= RECORDED
    for metric, selected in metrics:
        assert metric in exposed
        assert set(re.findall(r"(\w+)\s*[=!]", selected)) <= exposed[metric] | {"job", "instance"}
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        assert set(filter(None, re.split(r"\W+", group))) <= known


def test_every_expression_is_promql(promtool: str, tmp_path: Path) -> None:
    asked = [*EXPRESSIONS, *(note["expr"] for note in DASHBOARD["annotations"]["list"])]
    rules = [
        {"record": f"panel:{number}", "expr": each.replace("$__rate_interval", "5m")}
        for number, each in enumerate(asked)
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    done = subprocess.run(
        [promtool, "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_every_panel_has_a_title_a_unit_and_says_what_is_normal(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_the_dashboard_works_with_any_prometheus() -> None:
    """No data source is named but by the dashboard's own variable."""
    [variable] = DASHBOARD["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    sources = {panel["datasource"]["uid"] for panel in PANELS}
    assert sources == {f"${{{variable['name']}}}"}
    assert "id" not in DASHBOARD
