"""Alert rules: they parse, fire when they should, and name instruments that exist."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from telemetry import REGISTRY

FOLDER = Path(__file__).parents[2] / "ops" / "prometheus"
RULES = yaml.safe_load((FOLDER / "rules.yaml").read_text("utf-8"))
TESTS = yaml.safe_load((FOLDER / "rules_test.yaml").read_text("utf-8"))["tests"]
ALL = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in ALL if "alert" in rule}
RECORDED = {rule["record"] for rule in ALL if "record" in rule}
EXPRESSIONS = {rule.get("alert") or rule["record"]: rule["expr"] for rule in ALL}

SELECTOR = re.compile(r"\b(northstar_\w+)(?:\{([^}]*)\})?")
GROUPING = re.compile(r"\b(?:by|on|without|ignoring) \(([^)]*)\)")


def expectations(alert: str) -> list[list[Any]]:
    """Return what each unit test of the alert expects."""
    cases = [case for test in TESTS for case in test.get("alert_rule_test", [])]
    return [case["exp_alerts"] for case in cases if case["alertname"] == alert]


@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yaml"),
        ("check", "rules", "--lint-fatal", "rules.yaml"),
        ("test", "rules", "rules_test.yaml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(promtool: str, words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [promtool, *words], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_seen_to_fire_and_to_keep_quiet(alert: str) -> None:
    expected = expectations(alert)
    assert any(expected)
    assert not all(expected)


def test_unit_tests_name_alerts_that_exist() -> None:
    named = {case["alertname"] for test in TESTS for case in test.get("alert_rule_test", [])}
    assert named == ALERTS.keys()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_metric_and_label_of_a_rule_exists(
    name: str, exposed: dict[str, set[str]], known: set[str]
) -> None:
    expression = EXPRESSIONS[name]
    assert set(re.findall(r"northstar:[\w:]+", expression)) <= RECORDED
    for metric, selected in SELECTOR.findall(expression):
        assert metric in exposed
        assert set(re.findall(r"(\w+)\s*[=!]", selected)) <= exposed[metric] | {"job", "instance"}
    for group in GROUPING.findall(expression):
        assert set(filter(None, re.split(r"\W+", group))) <= known


def test_every_stage_a_rule_names_is_one_that_is_timed() -> None:
    [stages] = [
        family.documentation
        for family in REGISTRY.collect()
        if family.name == "northstar_stage_seconds"
    ]
    named = {stage for each in EXPRESSIONS.values() for stage in re.findall(r'stage="(\w+)"', each)}
    assert named == {"fetch", "book", "snapshot", "keep"}
    assert named <= set(re.findall(r"\w+", stages))


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_says_how_bad_it_is_and_what_to_do(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"].keys() == {"summary", "description"}
