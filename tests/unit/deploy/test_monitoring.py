"""Dashboard and alert rules against the metrics that the worker exposes, and by promtool where there is one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from streams import metrics
from streams.rule_engine import RuleWatch
from streams.rulebook.rule_metrics import RuleCollector

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus" / "rules" / "sekisho.yml"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "sekisho.json").read_text())
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]

#: What Prometheus itself adds, and Triton's own (its documentation, "Metrics"); labels beside `job` and `instance`.
FOREIGN = {
    "up": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
    "nv_inference_count": {"model", "version"},
    "nv_gpu_utilization": {"gpu_uuid"},
    "nv_gpu_memory_used_bytes": {"gpu_uuid"},
    "nv_gpu_memory_total_bytes": {"gpu_uuid"},
}
TARGET_LABELS = {"job", "instance"}
#: Words of PromQL that look like names.
WORDS = {
    *(
        "sum",
        "max",
        "min",
        "avg",
        "count",
        "topk",
        "by",
        "without",
        "rate",
        "increase",
        "deriv",
        "changes",
        "and",
        "or",
    ),
    *("unless", "absent", "histogram_quantile", "on", "ignoring", "offset", "bool"),
}


def _exposed() -> dict[str, set[str]]:
    """Name of each exposed series → its labels, from the metric objects themselves."""
    series = {name: set(labels) for name, labels in FOREIGN.items()}
    for metric in vars(metrics).values():
        if not isinstance(metric, Counter | Gauge | Histogram):
            continue
        (family,) = metric.describe()
        labels = set(metric._labelnames)
        if isinstance(metric, Counter):
            series[f"{family.name}_total"] = labels
        elif isinstance(metric, Histogram):
            series[f"{family.name}_bucket"] = labels | {"le"}
            series[f"{family.name}_sum"] = series[f"{family.name}_count"] = labels
        else:
            series[family.name] = labels
    for family in RuleCollector(RuleWatch(), refused=lambda: 0).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        series[name] = set(getattr(family, "_labelnames", ()))
    return series


EXPOSED = _exposed()


def _dashboard_expressions() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


EXPRESSIONS = [*_dashboard_expressions(), *((alert["alert"], alert["expr"]) for alert in ALERTS)]


def _names_and_labels(expression: str) -> tuple[set[str], set[str]]:
    """Metric names, and the labels that are selected or grouped by."""
    labels = set()
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        labels |= {label.strip() for label in group.split(",")}
    for selector in re.findall(r"\{([^}]*)\}", expression):
        labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
    bare = re.sub(r"\b(?:by|without|on|ignoring)\s*\([^)]*\)|\{[^}]*\}|\[[^]]*\]", " ", expression)
    return set(re.findall(r"\b[a-z_][a-z0-9_]*\b", bare)) - WORDS, labels


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_every_expression_speaks_of_series_and_labels_that_are_exposed(title: str, expression: str) -> None:
    names, labels = _names_and_labels(expression)

    assert names
    assert names <= set(EXPOSED), title
    known = TARGET_LABELS.union(*(EXPOSED[name] for name in names))
    assert labels <= known, title


@pytest.mark.parametrize("panel", [panel for panel in DASHBOARD["panels"] if "targets" in panel])
def test_legends_name_labels_that_survive_the_aggregation(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        _, labels = _names_and_labels(target["expr"])
        wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert wanted <= labels | TARGET_LABELS, panel["title"]


def test_annotations_of_alerts_name_labels_that_survive() -> None:
    for alert in ALERTS:
        _, labels = _names_and_labels(alert["expr"])
        wanted = set(re.findall(r"\$labels\.(\w+)", json.dumps(alert["annotations"])))
        assert wanted <= labels | TARGET_LABELS, alert["alert"]
        assert alert["annotations"]["action"]


def test_the_metrics_of_the_engine_are_shown_somewhere() -> None:
    shown = {name for _, expression in EXPRESSIONS for name in _names_and_labels(expression)[0]}
    families = {
        re.sub(r"_(total|bucket|sum|count)$", "", name) for name in EXPOSED if name.startswith("sekisho_")
    }
    unseen = {family for family in families if not any(name.startswith(family) for name in shown)}

    # for looking into one worker: unknown fields by name, decisions by verdict, offsets by partition; refused reloads
    # are shown among all reloads
    assert unseen <= {
        "sekisho_unknown_fields",
        "sekisho_decisions",
        "sekisho_committed_offset",
        "sekisho_rules_reload_failures",
    }


def test_what_is_compared_with_is_what_the_registry_exposes() -> None:
    collected = {family.name for family in REGISTRY.collect()}

    assert "sekisho_events" in collected
    assert {name for name in EXPOSED if name.startswith("sekisho_")} >= {
        "sekisho_events_total",
        "sekisho_ready",
    }


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_dashboard_and_datasource_know_each_other() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    (datasource,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "sekisho.yml").read_text())["providers"]
    compose = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]

    used = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "datasource" in panel}
    assert used == {datasource["uid"]}
    assert datasource["url"] == "http://prometheus:9090"
    mounted = {volume.split(":")[1] for volume in compose["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounted


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = os.environ.get("SEKISHO_PROMTOOL") or shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not on the PATH (Debian: apt install prometheus) nor in SEKISHO_PROMTOOL")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_promtool_accepts_rules_and_configuration() -> None:
    result = _promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))

    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(ALERTS)} rules found" in result.stdout


def test_each_alert_fires_when_it_should() -> None:
    result = _promtool("test", "rules", str(DEPLOY / "prometheus" / "tests" / "sekisho_test.yml"))

    assert result.returncode == 0, result.stdout + result.stderr


def test_promtool_parses_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {
            "record": f"panel_{number}",
            "expr": expression.replace("$__rate_interval", "5m").replace("$__interval", "1m"),
        }
        for number, (_, expression) in enumerate(_dashboard_expressions())
    ]
    path = tmp_path / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    result = _promtool("check", "rules", str(path))

    assert result.returncode == 0, result.stdout + result.stderr
